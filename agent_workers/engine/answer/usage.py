"""What a run consumes in tokens and money, for every engine. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

from agent_workers.protocol.v1.events import ModelUsage, Usage

_CALL_FIELDS = ("input_tokens", "output_tokens", "cache_read_input_tokens", "cache_creation_input_tokens")
# What the API writes within "cache_creation".
_LIFETIMES = {
    "cache_creation_5m_input_tokens": "ephemeral_5m_input_tokens",
    "cache_creation_1h_input_tokens": "ephemeral_1h_input_tokens",
}
TOKEN_FIELDS = (*_CALL_FIELDS, *_LIFETIMES)

MOST_COUNT = 2**53 - 1
"""The largest number that JSON readers of all languages agree on."""

Scope = Literal["all", "main_agent"]


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


def bill_sum(one: Bill, other: Bill) -> Bill:
    """Adds two bills; what one of them does not know, the sum does not know either."""
    scope: Scope = "all" if one.scope == other.scope == "all" else "main_agent"
    cost_usd = None if one.cost_usd is None or other.cost_usd is None else one.cost_usd + other.cost_usd
    models = None
    if one.models is not None and other.models is not None:
        models = dict(one.models)
        for name, usage in other.models.items():
            models[name] = model_sum(models.get(name, ModelUsage()), usage)
    return Bill(usage_sum(one.usage, other.usage), scope, models, cost_usd)


def model_sum(one: ModelUsage, other: ModelUsage) -> ModelUsage:
    """Adds what one model has consumed in two parts of a run."""
    costs = [each.cost_usd for each in (one, other) if each != ModelUsage()]
    tokens = usage_sum(Usage(**one.model_dump(include=set(TOKEN_FIELDS))), other)
    return ModelUsage(**tokens.model_dump(), cost_usd=None if None in costs else sum(cost or 0 for cost in costs))


def count(value: object) -> int | None:
    """Returns a count as an integer; None where the value is none, or beyond what can be counted."""
    if not isinstance(value, int | float) or isinstance(value, bool):
        return None
    return int(value) if 0 <= value <= MOST_COUNT else None


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
    for name, tokens in other.model_dump(include=set(TOKEN_FIELDS), exclude_none=True).items():
        counts[name] = counts.get(name, 0) + tokens
    return Usage(**counts)
