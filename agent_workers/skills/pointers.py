"""JSON pointers (RFC 6901) in which ``*`` stands for each item of a list and each value of an object. Pure."""

from __future__ import annotations

import re
from typing import Any, NamedTuple

from agent_workers.protocol.v1.problem import pointer as written

EACH = "*"

_INDEX = re.compile(r"0|[1-9][0-9]*", re.ASCII)
_NO_INDEX = re.compile(r"[0-9]+|-", re.ASCII)
_LOOSE_TILDE = re.compile(r"~(?![01])")
_MOST_DIGITS = 18


class Walk(NamedTuple):
    """Where a pointer leads in a document.

    Attributes:
        found: Each place and its value. A place names every step; very long names in it are cut.
        strays: Places where the way ends at a value that has no parts, such as a text, or at a list where a name is
            to come.
    """

    found: list[tuple[str, Any]]
    strays: list[tuple[str, Any]]


def steps_of(pointer: str) -> list[str]:
    """Returns the names and numbers that a pointer is made of.

    Raises:
        ValueError: It is no JSON pointer.
    """
    if pointer and not pointer.startswith("/"):
        raise ValueError("a JSON pointer begins with /")
    if _LOOSE_TILDE.search(pointer):
        raise ValueError("in a JSON pointer ~0 stands for ~ and ~1 for /; a ~ alone has no meaning")
    return [step.replace("~1", "/").replace("~0", "~") for step in pointer.split("/")[1:]]


def resolve(document: Any, pointer: str) -> list[tuple[str, Any]]:
    """Returns every place that a pointer leads to, and its value; nothing for what is not there.

    Raises:
        ValueError: It is no JSON pointer.
    """
    return walk(document, pointer).found


def walk(document: Any, pointer: str) -> Walk:
    """Follows a pointer to every place that it leads to, in time linear to the document.

    Raises:
        ValueError: It is no JSON pointer.
    """
    found: list[tuple[str, Any]] = [("", document)]
    strays: list[tuple[str, Any]] = []
    for step in steps_of(pointer):
        places, found = found, []
        for place, value in places:
            if _has_parts(value, step):
                found += [(place + written([name]), part) for name, part in _parts(value, step)]
            elif value is not None:
                strays.append((place, value))
    return Walk(found, strays)


def before_each(pointer: str) -> str:
    """Returns the pointer as far as it names one place: up to its first ``*``."""
    steps = pointer.split("/")
    return "/".join(steps[: steps.index(EACH)]) if EACH in steps else pointer


def way(document: Any, steps: list[str]) -> int:
    """Returns how many of these steps can be gone in a document, each by its very name: ``*`` is one of them."""
    for gone, step in enumerate(steps):
        parts = _parts(document, step, each=False)
        if not parts:
            return gone
        [(_, document)] = parts
    return len(steps)


def _has_parts(value: Any, step: str) -> bool:
    if isinstance(value, list):
        return step == EACH or bool(_INDEX.fullmatch(step) or _NO_INDEX.fullmatch(step))
    return isinstance(value, dict)


def _parts(value: Any, step: str, *, each: bool = True) -> list[tuple[str | int, Any]]:
    if each and step == EACH:
        return list(value.items() if isinstance(value, dict) else enumerate(value))
    if isinstance(value, dict):
        return [(step, value[step])] if step in value else []
    if isinstance(value, list) and len(step) <= _MOST_DIGITS and _INDEX.fullmatch(step) and int(step) < len(value):
        return [(int(step), value[int(step)])]
    return []
