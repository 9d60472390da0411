"""What is sent: requests with a case's changes, and messages that name what came before."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

_BLANK = re.compile(r"\$\{([^{}]+)\}")


class Unfilled(LookupError):
    """Raised when a message names what no event has brought."""


def merged(document: Any, patch: Any) -> Any:
    """Applies a JSON merge patch (RFC 7396): objects are merged, null removes a field."""
    if not isinstance(patch, dict):
        return patch
    result = dict(document) if isinstance(document, dict) else {}
    for name, change in patch.items():
        if change is None:
            result.pop(name, None)
        else:
            result[name] = merged(result.get(name), change)
    return result


def filled(value: Any, look_up: Callable[[str], Any]) -> Any:
    """Fills each ``${…}`` of the texts in a value; a text that is nothing else becomes what was found."""
    if isinstance(value, dict):
        return {name: filled(item, look_up) for name, item in value.items()}
    if isinstance(value, list):
        return [filled(item, look_up) for item in value]
    if not isinstance(value, str):
        return value
    if whole := _BLANK.fullmatch(value):
        return look_up(whole[1])
    return _BLANK.sub(lambda found: str(look_up(found[1])), value)


def field_of(document: Mapping[str, Any], path: str) -> Any:
    """Returns a field by the names that lead to it, as ``usage.input_tokens``.

    Raises:
        Unfilled: There is none.
    """
    value: Any = document
    for name in path.split("."):
        if not isinstance(value, dict) or name not in value:
            raise Unfilled(path)
        value = value[name]
    return value
