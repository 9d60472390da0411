"""What is taken out of texts before anything is written, and what no database takes. Pure."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from agent_workers.wire import mend_surrogates

if TYPE_CHECKING:
    from collections.abc import Iterable

MOST_DEEP = 24
"""Levels of a value that are kept: MariaDB takes no JSON of more than 32."""
TOO_DEEP = "[too deep]"
# In the part of the syntax that PCRE reads alike; each takes time in proportion to the text.
BUILT_IN = {
    "email": r"(?<![A-Za-z0-9._%+-])[A-Za-z0-9._%+-]++@[A-Za-z0-9-]++(?:\.[A-Za-z0-9-]++)++",
    "iban": r"(?<![A-Za-z0-9])[A-Z]{2}[0-9]{2}(?: ?[A-Z0-9]{4}){2,7}(?: ?[A-Z0-9]{1,3})?(?![A-Za-z0-9])",
    "phone": r"(?<![A-Za-z0-9.+-])(?:\+|00)[1-9](?:[ ./()-]{0,2}[0-9]){6,14}(?![0-9])"
    r"|(?<![A-Za-z0-9.+-])\(?0[1-9][0-9]{1,4}\)?[ /-](?:[ /-]?[0-9]){4,12}(?![0-9])",
}
"""The patterns that a setting names, in the order in which they are taken out."""
OWN = "[redacted]"


class Redaction:
    """Takes patterns out of texts.

    Args:
        names: Those of ``BUILT_IN``.
        patterns: Regular expressions of the operator's own, taken out after these.

    Raises:
        ValueError: A name is unknown, or a pattern is no regular expression.
    """

    def __init__(self, names: Iterable[str] = (), patterns: Iterable[str] = ()) -> None:
        wanted = set(names)
        if unknown := wanted - BUILT_IN.keys():
            raise ValueError(f"{min(unknown)!r} is none of what can be redacted: {', '.join(BUILT_IN)}")
        self._patterns = [(re.compile(BUILT_IN[name]), f"[{name}]") for name in BUILT_IN if name in wanted]
        self._patterns += [(_compiled(pattern), OWN) for pattern in patterns]

    def text(self, text: str) -> str:
        """Returns a text as it is written: without patterns, NUL characters and lone surrogates."""
        text = well_formed(text)
        for pattern, word in self._patterns:
            text = pattern.sub(word, text)
        return text

    def value(self, value: Any, depth: int = MOST_DEEP) -> Any:
        """Returns a JSON value as it is written, likewise; names of fields stay."""
        if isinstance(value, str):
            return self.text(value)
        if not isinstance(value, dict | list):
            return value
        if depth == 0:
            return TOO_DEEP
        if isinstance(value, list):
            return [self.value(item, depth - 1) for item in value]
        return {well_formed(name): self.value(item, depth - 1) for name, item in value.items()}


def well_formed(text: str) -> str:
    """Returns a text with U+FFFD in the place of NUL characters, which PostgreSQL refuses, and of lone surrogates."""
    return str(mend_surrogates(text)).replace("\0", "\ufffd")


def _compiled(pattern: str) -> re.Pattern[str]:
    try:
        return re.compile(pattern)
    except re.error as error:
        raise ValueError(f"{pattern!r} is no regular expression: {error}") from None
