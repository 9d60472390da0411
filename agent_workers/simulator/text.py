"""The text of an answer: how it is generated, and how it is cut into deltas."""

import re
from itertools import cycle, islice
from typing import Literal

Cut = Literal["word", "character", "whole"] | int
"""Where a text is cut. A number counts UTF-16 code units, so 1 also cuts inside a surrogate pair."""

_SENTENCES = (
    "The simulator writes this sentence without any thought.",
    "Each word leaves as a delta of its own.",
    "Nothing here was written by a model, and nothing was billed.",
    "A reader who concatenates the deltas gets the whole text back.",
)
_VOCABULARY = " ".join(_SENTENCES).split()


def prose(words: int) -> str:
    """Returns that many words of plain English, the same every time."""
    return " ".join(islice(cycle(_VOCABULARY), words))


def numbers(last: int) -> str:
    """Returns ``1 2 3 …`` up to ``last``, so that a reader sees at once which delta is missing."""
    return " ".join(str(number) for number in range(1, last + 1))


def pieces(text: str, cut: Cut) -> list[str]:
    """Cuts a text so that the pieces, concatenated as UTF-16, are the text again.

    A cut inside a surrogate pair leaves each half as a lone surrogate in its piece.
    """
    if cut == "whole":
        return [text] if text else []
    if cut == "word":
        return re.findall(r"\s*\S+\s*|\s+", text)
    if cut == "character":
        return list(text)
    return _code_units(text, cut)


def _code_units(text: str, count: int) -> list[str]:
    units = text.encode("utf-16-le", "surrogatepass")
    starts = range(0, len(units), 2 * count)
    return [units[start : start + 2 * count].decode("utf-16-le", "surrogatepass") for start in starts]
