"""What is known of a model: its prices, its limit, and how it thinks."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from datetime import date

    from agent_workers.protocol.v1.usage import Usage

Thinking = Literal["adaptive", "budget", "none"]

_MILLION = 1_000_000


class LongPrompt(NamedTuple):
    """Other prices for calls whose prompt has more than ``above`` tokens."""

    above: int
    input_usd: float
    output_usd: float


class Model(NamedTuple):
    """What is known of the models that match a pattern; ``models.toml`` says what each value means."""

    patterns: tuple[str, ...]
    as_of: date
    input_usd: float
    output_usd: float
    max_output_tokens: int | None = None
    thinking: Thinking | None = None
    cache_read: float = 0.1
    cache_write_5m: float = 1.25
    cache_write_1h: float = 2.0
    batch: float = 0.5
    long_prompt: LongPrompt | None = None

    def cost_usd(self, usage: Usage, *, batch: bool = False) -> float | None:
        """Returns the price of one call in US dollars, None where its tokens are not known.

        Args:
            usage: The tokens of one call, since the price may depend on the length of its prompt. Cache writes of
                unknown lifetime count as those for five minutes.
            batch: Whether it came through the provider's batch API.
        """
        if usage.input_tokens is None or usage.output_tokens is None:
            return None
        read = usage.cache_read_input_tokens or 0
        hour = usage.cache_creation_1h_input_tokens or 0
        minutes = max(usage.cache_creation_5m_input_tokens or 0, (usage.cache_creation_input_tokens or 0) - hour)
        prompt = usage.input_tokens + read + minutes + hour
        prices = self.long_prompt if self.long_prompt and prompt > self.long_prompt.above else self
        weight = usage.input_tokens + read * self.cache_read
        weight += minutes * self.cache_write_5m + hour * self.cache_write_1h
        cost = (weight * prices.input_usd + usage.output_tokens * prices.output_usd) / _MILLION
        return cost * self.batch if batch else cost

    def completed(self, others: Iterable[Model]) -> Model:
        """Returns the same with what an operator has left out, from others that match as well: the first that says."""
        if self.max_output_tokens is not None and self.thinking is not None:
            return self
        others = list(others)
        limits = (other.max_output_tokens for other in (self, *others) if other.max_output_tokens is not None)
        styles = (other.thinking for other in (self, *others) if other.thinking is not None)
        return self._replace(max_output_tokens=next(limits, None), thinking=next(styles, None))


def model_of(table: Mapping[str, Any]) -> Model:
    """Returns what one valid table of a file says of its models."""
    long_prompt = table.get("long_prompt")
    read = {"patterns": tuple(table["patterns"]), "long_prompt": long_prompt and LongPrompt(**long_prompt)}
    return Model(**{**table, **read})
