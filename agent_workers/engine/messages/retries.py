"""Which failed call is made again, when, and by which model."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING

from agent_workers.errors import Overloaded

if TYPE_CHECKING:
    from collections.abc import Mapping

    from agent_workers.errors import ApiError

_VARIABLE = "CLAUDE_CODE_MAX_RETRIES"
_USUAL = 2  # as in the engine agent
_MOST, _DIGITS = 1000, 4
_FIRST_MS = 500
_LONGEST_MS = 8_000
_LONGEST_ASKED_MS = 10_000
"""What a run waits for at most where the API names a time; whoever runs many waits better."""


class Retries:
    """The patience of one run.

    Args:
        most: How often one call is made again.
        fallbacks: The models that answer for an overloaded one, in this order.
    """

    def __init__(self, most: int, fallbacks: list[str]) -> None:
        self.most = most
        self._fallbacks = fallbacks

    def delay_ms(self, error: ApiError, failures: int) -> int | None:
        """Returns in how many milliseconds to make the call again; None where it is not made again.

        Args:
            error: Why it failed.
            failures: How often it has failed by now.
        """
        if not error.retryable or failures > self.most:
            return None
        if error.retry_after_ms is not None:
            return error.retry_after_ms if error.retry_after_ms <= _LONGEST_ASKED_MS else None
        return int(min(_LONGEST_MS, _FIRST_MS * 2 ** (failures - 1)) * random.uniform(0.75, 1.25))  # noqa: S311

    def fallback(self, error: ApiError, failures: int) -> str | None:
        """Returns the model that is to answer for one that stays overloaded; None where there is none."""
        if isinstance(error, Overloaded) and self.delay_ms(error, failures) is None and self._fallbacks:
            return self._fallbacks.pop(0)
        return None


def most_retries(environ: Mapping[str, str]) -> int:
    """Returns how often a call is made again on this host, which the operator sets for both engines alike."""
    said = environ.get(_VARIABLE, "")
    return min(int(said[:_DIGITS]), _MOST) if said.isdecimal() else _USUAL
