"""Text of others on a terminal: nothing in it may move the cursor, change colors or reorder what stands there."""

from __future__ import annotations

_PICTURES = 0x2400  # U+2400 to U+241F show the control characters U+0000 to U+001F
_SHOWN = {code: _PICTURES + code for code in range(0x20) if chr(code) not in "\t\n\r"} | {0x7F: 0x2421}
_C1 = dict.fromkeys(range(0x80, 0xA0), 0xFFFD)  # some terminals take them for the start of a sequence
_SURROGATES = dict.fromkeys(range(0xD800, 0xE000), 0xFFFD)
_LINE_ENDS = {0x0D: None, 0x2028: 0x0A, 0x2029: 0x0A}
_REORDERING = dict.fromkeys((*range(0x202A, 0x202F), *range(0x2066, 0x206A)), None)
_TABLE = {**_SHOWN, **_C1, **_SURROGATES, **_LINE_ENDS, **_REORDERING}


def harmless(text: str) -> str:
    """Returns the text with control characters made visible or removed; newlines and tabs stay."""
    return text.translate(_TABLE)
