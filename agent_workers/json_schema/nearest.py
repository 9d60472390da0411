"""Which name was meant."""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

_LONGEST_TYPO = 64
_MOST_NAMES = 2000
_NEAR = 0.6


def nearest(name: str, names: Iterable[str], count: int = 1, cutoff: float = _NEAR) -> list[str]:
    """Returns the names that a mistyped one is nearest to, the nearest first."""
    if len(name) > _LONGEST_TYPO:
        return []
    from difflib import get_close_matches  # for a fault only

    spelled = {each.lower().replace("_", "-"): each for each in islice(names, _MOST_NAMES)}
    return [spelled[each] for each in get_close_matches(name.lower().replace("_", "-"), spelled, count, cutoff)]
