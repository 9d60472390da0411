"""JSON as it stands in a frame: one line of printable ASCII, byte for byte what the PHP bridge writes.

* No white space. Names in the order in which they came.
* In a text every character outside of U+0020 to U+007E is escaped: by its short escape, else as ``u`` and four
  hexadecimal digits in lower case. ``/`` stands as it is. A lone surrogate becomes U+FFFD.
* A whole number that fits 64 bits keeps its digits. Any other number is written as JavaScript writes it (RFC 8785),
  after rounding to a double: ``1.0`` is ``1``, ``1e-7`` stays, ``100000000000000000000`` too. What no double holds is
  ``null``.
* A name that begins with NUL, which PHP cannot read, begins with U+FFFD instead.
"""

from __future__ import annotations

import math
from json.encoder import encode_basestring_ascii as quoted
from typing import Any

from agent_workers.protocol.value import well_formed

_MOST_DIGITS = 21
_MOST_ZEROS = 6


def json_text(value: Any) -> str:
    """Writes a value; whole numbers beyond 64 bits must have been read as floats."""
    if isinstance(value, str):
        return quoted(well_formed(value))
    if value is None or isinstance(value, bool):
        return {None: "null", True: "true", False: "false"}[value]
    if isinstance(value, int):
        return str(value)
    if isinstance(value, float):
        return _number(value)
    parts = []  # by loops, because a generator or map() would halve how deep a value may be nested
    if isinstance(value, dict):
        for name, item in value.items():
            parts.append(f"{json_text(readable_name(name))}:{json_text(item)}")
        return "{" + ",".join(parts) + "}"
    for item in value:
        parts.append(json_text(item))  # noqa: PERF401
    return "[" + ",".join(parts) + "]"


def readable_name(name: str) -> str:
    """Returns a name as PHP can read it, too."""
    return "\ufffd" + name[1:] if name.startswith("\0") else name


def _number(value: float) -> str:
    """Writes a double as JavaScript does: Python and PHP find the same digits, and set them otherwise."""
    if not math.isfinite(value):
        return "null"
    mantissa, _, power = repr(abs(value)).partition("e")
    whole, _, fraction = mantissa.partition(".")
    digits = (whole + fraction).lstrip("0")
    point = len(whole) + int(power or 0) - (len(whole + fraction) - len(digits))  # stands after so many digits
    digits = digits.rstrip("0")
    if not digits:
        return "0"
    return ("-" if value < 0 else "") + _set(digits, point)


def _set(digits: str, point: int) -> str:
    count = len(digits)
    if count <= point <= _MOST_DIGITS:
        return digits + "0" * (point - count)
    if 0 < point <= _MOST_DIGITS:
        return f"{digits[:point]}.{digits[point:]}"
    if -_MOST_ZEROS < point <= 0:
        return "0." + "0" * -point + digits
    mantissa = digits if count == 1 else f"{digits[0]}.{digits[1:]}"
    return f"{mantissa}e{point - 1:+d}"
