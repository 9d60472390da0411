"""What a run has consumed so far, by model, and what its budget leaves. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from agent_workers.engine.answer.usage import Bill, usage_sum
from agent_workers.protocol.v1.events import ModelUsage, Usage

if TYPE_CHECKING:
    from agent_workers.engine.base import Progress
    from agent_workers.engine.messages.body import Frame
    from agent_workers.engine.messages.models import Models

LEAST_ANSWER = 256
"""Tokens of an answer below which a call is not worth its input."""


class Spending:
    """The calls of one run.

    Args:
        models: The prices.
        progress: The run's progress, which it keeps up to date.
        budget_usd: US dollars that the run may cost; None for no limit.
    """

    def __init__(self, models: Models, progress: Progress, budget_usd: float | None) -> None:
        self._models = models
        self._progress = progress
        self._budget_usd = budget_usd
        self._ended: dict[str, ModelUsage] = {}
        self._call: tuple[str, ModelUsage] | None = None

    def note(self, model: str, usage: Usage, *, batch: bool = False) -> None:
        """Takes note of what the call under way has used up so far.

        Args:
            model: The model.
            usage: Its tokens.
            batch: Whether it is priced as the provider's batch API prices.
        """
        known = self._models.of(model)
        cost_usd = known.cost_usd(usage, batch=batch) if known else None
        self._call = model, ModelUsage(**usage.model_dump(), cost_usd=cost_usd)
        bill = self.bill()
        self._progress.usage, self._progress.cost_usd = bill.usage, bill.cost_usd

    def end_call(self) -> None:
        """Notes that the call under way uses up no more."""
        self._ended, self._call = self._models_so_far(), None

    def bill(self) -> Bill:
        """Returns what all calls have come to."""
        models = self._models_so_far()
        usage = Usage()
        for each in models.values():
            usage = usage_sum(usage, each)
        costs = [each.cost_usd for each in models.values()]
        cost_usd = None if None in costs else sum(cost or 0.0 for cost in costs)
        return Bill(usage, "all", models or None, cost_usd)

    def most_for(self, frame: Frame, messages: list[dict[str, Any]], model: str) -> int | None:
        """Returns how many tokens an answer may have within the budget; None for as many as it likes.

        Args:
            frame: What is the same in each call.
            messages: What the model is to read.
            model: The model.
        """
        return None if self._budget_usd is None else self.most_tokens(model, frame.tokens(messages))

    def most_tokens(self, model: str, input_tokens: int) -> int | None:
        """Returns how many tokens an answer may have within the budget; None for as many as it likes.

        Args:
            model: The model that is to be called.
            input_tokens: A guess at what it will read, all of which may have to be written to the cache.
        """
        known = self._models.of(model)
        if self._budget_usd is None or known is None:
            return None
        left_usd = self._budget_usd - (self.bill().cost_usd or 0.0)
        read = Usage(input_tokens=0, cache_creation_input_tokens=input_tokens, output_tokens=0)
        empty = known.cost_usd(read) or 0.0
        one = (known.cost_usd(Usage(input_tokens=0, output_tokens=1_000_000)) or 0.0) / 1_000_000
        return max(0, int((left_usd - empty) / one)) if one else None

    def _models_so_far(self) -> dict[str, ModelUsage]:
        models = dict(self._ended)
        if self._call:
            name, usage = self._call
            models[name] = _sum(models[name], usage) if name in models else usage
        return models


def _sum(one: ModelUsage, other: ModelUsage) -> ModelUsage:
    cost_usd = None if one.cost_usd is None or other.cost_usd is None else one.cost_usd + other.cost_usd
    tokens = usage_sum(Usage(**one.model_dump(exclude={"cost_usd"})), other)
    return ModelUsage(**tokens.model_dump(), cost_usd=cost_usd)
