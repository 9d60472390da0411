"""What a run consumes in tokens and money, as the agent's CLI reports it. Pure."""

from __future__ import annotations

from functools import reduce
from typing import TYPE_CHECKING, Any

from agent_workers.engine.answer.usage import Bill, bill_sum, count, usage_of, usage_sum
from agent_workers.protocol.v1.events import ModelUsage, Usage

if TYPE_CHECKING:
    from agent_workers.engine.answer.usage import Scope
    from agent_workers.engine.base import Progress


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
            bill = bill_sum(self._turns, bill)
        self._progress.usage, self._progress.cost_usd = bill.usage, bill.cost_usd or None
        return bill

    def end_turn(self, result: dict[str, Any], *, resumed: bool) -> None:
        """Takes over the sums of one turn of several; the arguments are those of ``settle``."""
        self._turns = self.settle(result, resumed=resumed)


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
