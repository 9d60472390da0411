"""What a run consumes in tokens and money, as the API and the agent report it. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from functools import reduce
from typing import TYPE_CHECKING, Any, Literal

from agent_workers.protocol.v1.events import ModelUsage, Usage

if TYPE_CHECKING:
    from agent_workers.engine.base import Progress

_CALL_FIELDS = ("input_tokens", "output_tokens", "cache_read_input_tokens", "cache_creation_input_tokens")
# What the API writes within "cache_creation".
_LIFETIMES = {
    "cache_creation_5m_input_tokens": "ephemeral_5m_input_tokens",
    "cache_creation_1h_input_tokens": "ephemeral_1h_input_tokens",
}
_TOKEN_FIELDS = (*_CALL_FIELDS, *_LIFETIMES)


Scope = Literal["all", "main_agent"]


class Tally:
    """Adds up the calls of the API; within one call a later count replaces the earlier one.

    Args:
        progress: The run's progress, which it keeps up to date.
    """

    def __init__(self, progress: Progress) -> None:
        self._progress = progress
        self._earlier_calls: Usage | None = None
        self._call: Usage | None = None
        self._turns: Bill | None = None

    def begin_call(self) -> None:
        """Notes that a call of the API begins."""
        self._earlier_calls, self._call = self._progress.usage, None

    def add(self, usage: dict[str, Any] | None) -> None:
        """Adds what the API reported of the call."""
        if usage:
            self._call = usage_of(usage, onto=self._call)
            self._progress.usage = usage_sum(self._earlier_calls, self._call)

    def settle(self, result: dict[str, Any], *, resumed: bool) -> Bill:
        """Takes over the agent's own sums. They are zero, meaning unknown, where a stream broke.

        Its sums by model count every call of the API, as its price does. Its ``usage`` leaves out the calls of
        subagents, its helper calls, and after a stop at the budget the last call too.

        Args:
            result: The agent's result message.
            resumed: Whether the run continues a session.
        """
        models, cost_usd = _cost_of(result, resumed=resumed)
        usage = usage_of(result.get("usage") or {})
        total = reduce(usage_sum, models.values(), Usage()) if models else Usage()
        scope: Scope = "main_agent"
        if total.input_tokens or total.output_tokens:
            usage, scope = total, "all"
        elif not (usage.input_tokens or usage.output_tokens):
            usage = self._call or usage
        bill = Bill(usage, scope, models, cost_usd)
        if self._turns:
            bill = _bill_sum(self._turns, bill)
        self._progress.usage, self._progress.cost_usd = bill.usage, bill.cost_usd or None
        return bill

    def end_turn(self, result: dict[str, Any], *, resumed: bool) -> None:
        """Takes over the sums of one turn of several; the arguments are those of ``settle``."""
        self._turns = self.settle(result, resumed=resumed)


@dataclass(frozen=True)
class Bill:
    """What a run has consumed.

    Attributes:
        usage: The tokens.
        scope: Whose calls they count.
        models: Tokens and cost by model, those of side calls included; None where unknown.
        cost_usd: US dollars in all; None where unknown.
    """

    usage: Usage
    scope: Scope
    models: dict[str, ModelUsage] | None
    cost_usd: float | None


def _bill_sum(one: Bill, other: Bill) -> Bill:
    scope: Scope = "all" if one.scope == other.scope == "all" else "main_agent"
    cost_usd = None if one.cost_usd is None or other.cost_usd is None else one.cost_usd + other.cost_usd
    models = None
    if one.models is not None and other.models is not None:
        models = dict(one.models)
        for name, usage in other.models.items():
            models[name] = _model_sum(models.get(name, ModelUsage()), usage)
    return Bill(usage_sum(one.usage, other.usage), scope, models, cost_usd)


def _model_sum(one: ModelUsage, other: ModelUsage) -> ModelUsage:
    costs = [each.cost_usd for each in (one, other) if each != ModelUsage()]
    tokens = usage_sum(Usage(**one.model_dump(include=set(_TOKEN_FIELDS))), other)
    return ModelUsage(**tokens.model_dump(), cost_usd=None if None in costs else sum(cost or 0 for cost in costs))


def _cost_of(result: dict[str, Any], *, resumed: bool) -> tuple[dict[str, ModelUsage] | None, float | None]:
    """Returns consumption by model, and its price.

    The agent's totals include what the session cost before. Its ``model_usage_since_last_result`` covers this run
    alone; older CLIs lack it, and so do the results of failed starts.
    """
    since = result.get("model_usage_since_last_result")
    if isinstance(since, dict):
        models = _by_model(since)
        costs = [usage.cost_usd for usage in models.values()]
        return models, None if None in costs else sum(cost or 0 for cost in costs)
    if resumed:
        return None, None
    models = _by_model(result.get("modelUsage"))
    return models, _dollars(result.get("total_cost_usd"))


def _by_model(usages: Any) -> dict[str, ModelUsage]:
    known = usages.items() if isinstance(usages, dict) else ()
    return {name: _model_usage(usage) for name, usage in known if isinstance(usage, dict)}


def _model_usage(usage: dict[str, Any]) -> ModelUsage:
    return ModelUsage(
        input_tokens=count(usage.get("inputTokens")),
        output_tokens=count(usage.get("outputTokens")),
        cache_read_input_tokens=count(usage.get("cacheReadInputTokens")),
        cache_creation_input_tokens=count(usage.get("cacheCreationInputTokens")),
        cache_creation_5m_input_tokens=count(usage.get("cacheCreationEphemeral5mInputTokens")),
        cache_creation_1h_input_tokens=count(usage.get("cacheCreationEphemeral1hInputTokens")),
        cost_usd=_dollars(usage.get("costUSD")),
    )


def _dollars(cost: object) -> float | None:
    return cost if isinstance(cost, int | float) and cost >= 0 else None


def count(value: object) -> int | None:
    """Returns a count as an integer; None where the value is no number."""
    return int(value) if isinstance(value, int | float) and value >= 0 else None


def usage_of(usage: dict[str, Any], *, onto: Usage | None = None) -> Usage:
    """Returns the tokens that the API reported; a count that it left out keeps its earlier value."""
    known = onto.model_dump(exclude_none=True) if onto else {}
    lifetimes = usage.get("cache_creation")
    by_lifetime = lifetimes if isinstance(lifetimes, dict) else {}
    told = {name: count(usage.get(name)) for name in _CALL_FIELDS}
    told |= {name: count(by_lifetime.get(field)) for name, field in _LIFETIMES.items()}
    return Usage(**known | {name: tokens for name, tokens in told.items() if tokens is not None})


def usage_sum(one: Usage | None, other: Usage) -> Usage:
    """Adds two counts of tokens; a count that one of them leaves out is the other's."""
    counts = one.model_dump(exclude_none=True) if one else {}
    for name, tokens in other.model_dump(include=set(_TOKEN_FIELDS), exclude_none=True).items():
        counts[name] = counts.get(name, 0) + tokens
    return Usage(**counts)
