"""The policy's limits on a run."""

from collections.abc import Iterator
from typing import Any, NamedTuple

from agent_workers.policy.ruling import Ruling
from agent_workers.policy.tables import LimitsTable
from agent_workers.protocol.v1.request import Request
from agent_workers.protocol.v1.settings import Limits
from agent_workers.protocol.v1.tool_request import ToolLimits, ToolRequest


class Bound(NamedTuple):
    """One limit: what the request asks for, what it gets by default, and the policy's maximum."""

    name: str
    asked: float | None
    default: float | None
    maximum: float | None

    def exceeded(self) -> bool:
        """Tells whether the request asks for too much, or for NaN."""
        return self.asked is not None and self.maximum is not None and not self.asked <= self.maximum

    def fixed(self) -> float | None:
        """Returns what the policy sets where the request omits the field; None where the policy has no maximum."""
        if self.asked is not None or self.maximum is None:
            return None
        return self.maximum if self.default is None else min(self.default, self.maximum)


def rule_on_time(table: LimitsTable, request: ToolRequest, ruling: Ruling) -> None:
    """Objects to more time for a tool's run than the table allows, and fills it in where the request omits it."""
    _rule([_timeout(table, request.limits)], request.limits, ruling)


def rule_on_limits(table: LimitsTable, request: Request, ruling: Ruling, default_turns: int | None) -> None:
    """Objects to what exceeds the table, and fills in what the request omits."""
    turns = Bound("max_turns", request.max_turns, default_turns, table.max_turns)
    _object(turns, ("max_turns",), ruling)
    ruling.changes |= dict(_fixed([turns]))
    budget = Bound("max_budget_usd", request.limits.max_budget_usd, None, table.max_budget_usd)
    _rule([_timeout(table, request.limits), budget], request.limits, ruling)


def _rule(bounds: list[Bound], limits: Limits | ToolLimits, ruling: Ruling) -> None:
    for bound in bounds:
        _object(bound, ("limits", bound.name), ruling)
    if fixed := dict(_fixed(bounds)):
        ruling.changes["limits"] = limits.model_copy(update=fixed)


def _timeout(table: LimitsTable, limits: Limits | ToolLimits) -> Bound:
    asked = limits.timeout_s if "timeout_s" in limits.model_fields_set else None
    return Bound("timeout_s", asked, limits.timeout_s, table.timeout_s)


def _object(bound: Bound, place: tuple[str, ...], ruling: Ruling) -> None:
    if bound.exceeded():
        words = f"must be at most {bound.maximum:.15g}: the host's policy sets limits.{bound.name}"
        ruling.object_to(*place, words=words)


def _fixed(bounds: list[Bound]) -> Iterator[tuple[str, Any]]:
    for bound in bounds:
        if (value := bound.fixed()) is not None:
            yield bound.name, value
