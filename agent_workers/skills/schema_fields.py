"""The fields that a schema describes, in words for a person who calls a skill."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, NamedTuple

from agent_workers.skills.schema_paths import KINDS, SchemaPaths

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

_DEEPEST = 12
_MOST_VALUES = 12
_LONGEST_VALUE = 40
_WORDS = {
    "string": "text",
    "number": "number",
    "integer": "whole number",
    "boolean": "true or false",
    "array": "list",
    "object": "object",
    "null": "null",
}


class Field(NamedTuple):
    """A field of a skill's input or output.

    Attributes:
        name: Its place: names with dots between them, ``[]`` after that of a list, ``.*`` for a key of any name.
        type: What it holds, in words.
        required: Whether the object around it must have it.
        description: What the schema says of it; empty where it says nothing.
    """

    name: str
    type: str
    required: bool
    description: str


def fields_of(schema: dict[str, Any]) -> list[Field]:
    """Returns the fields of the object that a schema describes, each before those within it."""
    return list(_Fields(SchemaPaths(schema)).below("", [schema], frozenset()))


class _Fields:
    def __init__(self, paths: SchemaPaths) -> None:
        self._paths = paths

    def below(self, above: str, schemas: Sequence[Any], around: frozenset[int]) -> Iterator[Field]:
        """Yields the fields within what these schemas describe.

        Args:
            above: The name of that, with a dot, or empty.
            schemas: What describes it.
            around: The schemas that lead here, by identity: a tree's branch holds itself.
        """
        parts = list(self._paths.parts(schemas))
        if len(around) > _DEEPEST or any(id(part) in around for part in parts):
            return
        inside = around | {id(part) for part in parts}
        lists = [part.get("required") for part in self._paths.parts(schemas, always=True)]
        required = {name for names in lists if isinstance(names, list) for name in names}
        for name, found in _named(parts).items():
            yield from self._field(f"{above}{name}", found, name in required, inside)
        for others in _free(parts):
            yield from self._field(f"{above}*", [others], False, inside)

    def _field(self, name: str, schemas: list[Any], required: bool, around: frozenset[int]) -> Iterator[Field]:
        parts = list(self._paths.parts(schemas))
        descriptions = (part["description"] for part in parts if isinstance(part.get("description"), str))
        yield Field(name, self._type(schemas), required, next(descriptions, ""))
        items = [part["items"] for part in parts if isinstance(part.get("items"), dict)]
        while items:
            name, schemas = f"{name}[]", items
            items = [part["items"] for part in self._paths.parts(items) if isinstance(part.get("items"), dict)]
            items = [each for each in items if not any(each is earlier for earlier in schemas)]
        yield from self.below(f"{name}.", schemas, around)

    def _type(self, schemas: list[Any], depth: int = 0) -> str:
        parts = list(self._paths.parts(schemas))
        kinds = self._paths.kinds(schemas)
        values = next((_values(part) for part in parts if "const" in part or part.get("enum")), None)
        if values is not None:
            return values
        if kinds == KINDS:
            return "any value"
        words = [self._word(kind, parts, depth) for kind in _WORDS if kind in kinds - _hidden(kinds)]
        return " or ".join(words) or "nothing"

    def _word(self, kind: str, parts: list[dict[str, Any]], depth: int) -> str:
        items = [part["items"] for part in parts if isinstance(part.get("items"), dict)]
        if kind == "array" and items and depth < _DEEPEST:
            return f"list of {self._type(items, depth + 1)}"
        bounds = _bounds(parts) if kind in ("number", "integer") else ""
        return _WORDS[kind] + bounds


def _hidden(kinds: frozenset[str]) -> frozenset[str]:
    return frozenset({"integer"}) if "number" in kinds else frozenset()


def _named(parts: list[dict[str, Any]]) -> dict[str, list[Any]]:
    found: dict[str, list[Any]] = {}
    for part in parts:
        for name, schema in part.get("properties", {}).items():
            if schema is not False:
                found.setdefault(name, []).append(schema)
    return found


def _free(parts: list[dict[str, Any]]) -> Iterator[Any]:
    for part in parts:
        yield from part.get("patternProperties", {}).values()
        if isinstance(part.get("additionalProperties"), dict):
            yield part["additionalProperties"]


def _values(part: dict[str, Any]) -> str:
    values = [part["const"]] if "const" in part else part["enum"]
    shown = [json.dumps(value, ensure_ascii=False) for value in values[:_MOST_VALUES]]
    told = ", ".join(text if len(text) <= _LONGEST_VALUE else f"{text[:_LONGEST_VALUE]}…" for text in shown)
    return f"one of {told}{', …' if len(values) > _MOST_VALUES else ''}" if len(values) > 1 else told


def _bounds(parts: list[dict[str, Any]]) -> str:
    said = {name: part[name] for part in parts for name in ("minimum", "maximum") if name in part}
    least, most = said.get("minimum"), said.get("maximum")
    if least is not None and most is not None:
        return f" from {least:.15g} to {most:.15g}"
    return f" from {least:.15g}" if least is not None else f" up to {most:.15g}" if most is not None else ""
