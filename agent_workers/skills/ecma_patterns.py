"""What of a regular expression JavaScript cannot read, though Python can.

The agent's CLI compiles those of an output schema, with the flag ``u``.
"""

from __future__ import annotations

import re

# The tokens of ECMA-262, as far as Python reads them too.
_IN_BOTH = r"[dDsSwWbfnrtv^$\\.*+?()\[\]{}|/]|0(?!\d)|x[\da-fA-F]{2}|u[\da-fA-F]{4}"
_GROUP = re.compile(r"\((?:\?(?:[:=!]|<[=!]|[ims]+:|<[A-Za-z_]\w*>))?(?!\?)", re.ASCII)
_ESCAPE = re.compile(rf"\\(?:{_IN_BOTH}|B|[1-9]\d*)", re.ASCII)
_CLASS = re.compile(rf"\[(?:[^\]\\]|\\(?:{_IN_BOTH}|-))*\]", re.ASCII)
_QUANTIFIER = re.compile(r"(?:[*+?]|\{\d+(?:,\d*)?\})\??", re.ASCII)
_PLAIN = re.compile(r"[^\\()\[\]{}*+?]")
_OTHERS = (_GROUP, re.compile(r"\)"), _ESCAPE, _CLASS, _PLAIN)


def unreadable_part(pattern: str) -> str | None:
    """Returns where JavaScript stops to read a pattern that Python can compile; None where it reads all of it."""
    position, may_repeat = 0, False
    while position < len(pattern):
        repeated = _QUANTIFIER.match(pattern, position) if may_repeat else None
        found = repeated or next((hit for each in _OTHERS if (hit := each.match(pattern, position))), None)
        if found is None:
            return pattern[position : position + 12]
        position, may_repeat = found.end(), repeated is None and found[0][0] not in "(^$|"
    return None
