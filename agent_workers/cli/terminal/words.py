"""How the words about an event are put together. Text of others is never read as markup."""

from __future__ import annotations

import json
from typing import Any

from rich.text import Text

from agent_workers.cli.harmless import harmless

Event = dict[str, Any]

_LONGEST = 100  # characters of a tool's input or result


def line(*parts: tuple[object, str] | str) -> Text:
    """Joins plain and styled pieces to one text."""
    styled = [(part, "") if isinstance(part, str) else part for part in parts]
    return Text.assemble(*((harmless(str(words)), style) for words, style in styled))


def short(value: object, longest: int = _LONGEST) -> str:
    """Returns a text on one line, cut where it is too long; any other value as JSON."""
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    text = " ".join(text.split())
    return text if len(text) <= longest else f"{text[: longest - 1]}…"


def seconds(milliseconds: float) -> str:
    """Returns a duration in words."""
    return f"{milliseconds / 1000:.1f} s"
