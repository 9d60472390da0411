"""The tokens that a run consumes, as the API and the agent report them. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from agent_workers.protocol.v1.events import Usage

if TYPE_CHECKING:
    from agent_workers.engine.base import Progress

_TOKEN_FIELDS = ("input_tokens", "output_tokens", "cache_read_input_tokens", "cache_creation_input_tokens")


class Tally:
    """Adds up the calls of the API; within one of them a later count replaces the earlier.

    Args:
        progress: Kept up to date.
    """

    def __init__(self, progress: Progress) -> None:
        self._progress = progress
        self._earlier_calls: Usage | None = None
        self._call: Usage | None = None

    def begin_call(self) -> None:
        """A call of the API begins."""
        self._earlier_calls, self._call = self._progress.usage, None

    def add(self, usage: dict[str, Any] | None) -> None:
        """Takes what the API has reported of the call."""
        if usage:
            self._call = usage_of(usage, onto=self._call)
            self._progress.usage = usage_sum(self._earlier_calls, self._call)

    def settle(self, result: dict[str, Any]) -> None:
        """Takes the agent's own sums. Of a stream that broke they say zero: unknown, that is."""
        usage = usage_of(result.get("usage") or {})
        if usage.input_tokens or usage.output_tokens:
            self._progress.usage = usage
        self._progress.cost_usd = result.get("total_cost_usd") or None


def count(value: object) -> int | None:
    """A number of tokens or the like; None for what is no number."""
    return int(value) if isinstance(value, int | float) and value >= 0 else None


def usage_of(usage: dict[str, Any], *, onto: Usage | None = None) -> Usage:
    """The tokens that the API has reported; a count that it left out keeps its earlier value."""
    known = onto.model_dump(exclude_none=True) if onto else {}
    return Usage(**known | {name: tokens for name in _TOKEN_FIELDS if (tokens := count(usage.get(name))) is not None})


def usage_sum(one: Usage | None, other: Usage) -> Usage:
    """The tokens of both; a count that one of them leaves out is the other's."""
    counts = one.model_dump(exclude_none=True) if one else {}
    for name, tokens in other.model_dump(exclude_none=True).items():
        counts[name] = counts.get(name, 0) + tokens
    return Usage(**counts)
