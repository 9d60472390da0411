"""Two policies that hold at once."""

from agent_workers.errors import PolicyDenied
from agent_workers.policy.policy import Policy
from agent_workers.policy.tables import LimitsTable, SandboxTable
from agent_workers.protocol.v1.fields import EngineName

_NO_ENGINE = "The host's policies allow no engine that is in both of them. The operator must change one of them."


def together(one: Policy, other: Policy) -> tuple[Policy, Policy]:
    """Returns both, with the same for what each of them would set: else the second would refuse what the first one set.

    Raises:
        PolicyDenied: They have no engine in common.
    """
    shared = {
        "limits": _limits(one.limits, other.limits),
        "engines": _engines(one, other),
        "sandbox": _sandbox(one.sandbox, other.sandbox),
    }
    return one.model_copy(update=shared), other.model_copy(update=shared)


def _limits(one: LimitsTable, other: LimitsTable) -> LimitsTable:
    return one.model_copy(update={name: _least(getattr(one, name), getattr(other, name)) for name in vars(one)})


def _least(*maximums: float | None) -> float | None:
    return min((maximum for maximum in maximums if maximum is not None), default=None)


def _engines(one: Policy, other: Policy) -> list[EngineName] | None:
    if one.engines is None or other.engines is None:
        return one.engines or other.engines
    common = [engine for engine in one.engines if engine in other.engines]
    if not common:
        raise PolicyDenied(_NO_ENGINE, cause="the policies' engines have nothing in common")
    return common


def _sandbox(one: SandboxTable, other: SandboxTable) -> SandboxTable:
    if not (one.enabled and other.enabled):
        return one if one.enabled else other
    domains = [*_within(one, other), *_within(other, one)]
    hidden = [*one.deny_read, *other.deny_read]
    return SandboxTable.model_construct(
        enabled=True, allowed_domains=[*dict.fromkeys(domains)], deny_read=[*dict.fromkeys(hidden)]
    )


def _within(one: SandboxTable, other: SandboxTable) -> list[str]:
    """Returns the domains of the one that the other allows, too."""
    return [name for name in one.allowed_domains if any(_covers(each, name) for each in other.allowed_domains)]


def _covers(pattern: str, name: str) -> bool:
    return pattern == name or (pattern.startswith("*.") and name.endswith(pattern[1:]))
