"""Turns a table of a data file into a frozen dataclass, or says what is wrong with it."""

from collections.abc import Mapping
from dataclasses import MISSING, Field, fields
from difflib import get_close_matches
from types import NoneType, UnionType
from typing import Any, Literal, TypeVar, Union, cast, get_args, get_origin, get_type_hints

_T = TypeVar("_T")
_WORDS: Mapping[object, str] = {
    int: "a whole number of 0 or more",
    float: "a number of 0 or more",
    str: "a string",
    tuple: "a list",
    bool: "true or false",
}


class TableError(Exception):
    """Raised when a table does not fit its dataclass."""

    def __init__(self, where: str, problem: str) -> None:
        super().__init__(f"{where}: {problem}")


def build(kind: type[_T], table: object, where: str) -> _T:
    """Returns the dataclass that the table describes.

    Raises:
        TableError: A key is unknown or missing, or a value has the wrong type. Numbers must not be negative.
    """
    if not isinstance(table, Mapping):
        raise TableError(where, "must be a table")
    known: dict[str, Field[Any]] = {each.name: each for each in fields(kind)}  # type: ignore[arg-type]  # a dataclass
    for key in table:
        if key not in known:
            near = get_close_matches(str(key), known, n=1)
            raise TableError(where, f"{key!r} is not a known key" + (f"; did you mean {near[0]!r}?" if near else ""))
    for name, field in known.items():
        if name not in table and _required(field):
            raise TableError(where, f"{name!r} is missing")
    hints = get_type_hints(kind)
    for key, value in table.items():
        if not _fits(value, hints[key]):
            raise TableError(where, f"{key!r} must be {_wanted(hints[key])}")
    return kind(**table)


def _required(field: Field[Any]) -> bool:
    return field.default is MISSING and field.default_factory is MISSING


def _wanted(hint: object) -> str:
    origin = get_origin(hint)
    if origin is Literal:
        return " or ".join(map(repr, get_args(hint)))
    if origin in (Union, UnionType):
        return " or ".join(_wanted(choice) for choice in get_args(hint) if choice is not NoneType)
    return _WORDS.get(cast("type", origin or hint), "a table")


def _fits(value: object, hint: object) -> bool:
    origin = get_origin(hint)
    if hint is Any:
        return True
    if origin is Literal:
        return value in get_args(hint)
    if origin in (Union, UnionType):
        return any(_fits(value, choice) for choice in get_args(hint))
    if hint in (int, float):
        return isinstance(value, int | hint) and not isinstance(value, bool) and value >= 0
    if origin is dict:
        values = get_args(hint)[1]
        return isinstance(value, dict) and all(_fits(item, values) for item in value.values())
    return isinstance(value, cast("type", origin or hint))
