"""JSON Schema in the dialect of the API's structured outputs. The API refuses any other.

Its limits: https://platform.claude.com/docs/en/build-with-claude/structured-outputs#json-schema-limitations
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from agent_workers.engine.messages.definitions import BeyondDialect, Definitions, listed
from agent_workers.engine.messages.keywords import (
    BEYOND,
    FORMATS,
    OF_KIND,
    SAYS_NOTHING,
    SHAPES,
    STRUCTURE,
    WORDS,
    Schema,
    can_be_one,
    literals,
)
from agent_workers.engine.messages.schema_words import told

if TYPE_CHECKING:
    from collections.abc import Mapping


def in_dialect(schema: Mapping[str, Any]) -> Schema:
    """Returns a schema that allows the same objects, and says in descriptions what the dialect has no keyword for.

    Objects that leave it open have no other fields than those listed.

    Raises:
        BeyondDialect: The dialect cannot say what the schema means.
    """
    top = {name: value for name, value in schema.items() if name not in ("$id", "id", "definitions", "$defs")}
    if "object" in listed(top.get("type", "object")) and "$ref" not in top:
        top["type"] = "object"  # whatever else the schema allows: an output is an object
    translation = _Translation(Definitions(schema))
    found = translation.of(top)
    return {**found, "$defs": translation.definitions} if translation.definitions else found


class _Translation:
    """One schema's.

    Attributes:
        definitions: Those that something refers to, translated.
    """

    def __init__(self, given: Definitions) -> None:
        self.definitions: Schema = {}
        self._given = given
        self._begun: set[str] = set()

    def of(self, schema: Any) -> Schema:
        if not isinstance(schema, dict) or not BEYOND.isdisjoint(schema):
            raise BeyondDialect
        rest = {name: value for name, value in schema.items() if name not in SAYS_NOTHING}
        shape = next((shape for shape in SHAPES if shape in rest), None)
        if shape is None:
            raise BeyondDialect
        value = rest.pop(shape)
        if shape == "$ref":
            found = self._reference(value, rest)
        elif shape in ("const", "enum"):
            found = {shape: literals(shape, value, rest)}
        elif shape == "allOf":
            found = self._all_of(value, rest)
        elif shape == "type":
            found = self._typed(value, rest)
        else:
            found = self._any_of(value, rest, one=shape == "oneOf")
        return _described(found, rest)

    def _reference(self, reference: str, rest: Schema) -> Schema:
        name, given = self._given.find(reference)
        if "type" in rest and not _within(self._given.kinds(given), rest.pop("type")):
            raise BeyondDialect
        if name not in self.definitions:
            if name in self._begun:
                raise BeyondDialect  # it contains itself
            self._begun.add(name)
            self.definitions[name] = self.of(given)
        return {"$ref": reference.replace("#/definitions/", "#/$defs/", 1)}

    def _any_of(self, branches: list[Any], rest: Schema, *, one: bool) -> Schema:
        if one and len(branches) > 1:
            _say(rest, "Exactly one of the alternatives must be valid.")
        return {"anyOf": self._branches(branches, rest)}

    def _all_of(self, parts: list[Any], rest: Schema) -> Schema:
        if len(parts) == 1 and can_be_one(parts[0], rest):
            whole = {**parts[0], **rest}
            rest.clear()
            return self.of(whole)
        found = self._branches(parts, rest)
        # Two closed objects allow nothing together, and the API refuses references here.
        if any(part.get("type") in ("object", "array") or "$ref" in part or "anyOf" in part for part in found):
            raise BeyondDialect
        return {"allOf": found}

    def _branches(self, branches: list[Any], rest: Schema) -> list[Schema]:
        kind = rest.pop("type", None)
        return [self.of(branch if kind is None else self._of_type(branch, kind)) for branch in branches]

    def _of_type(self, branch: Any, kind: Any) -> Schema:
        """Returns the branch of a schema whose type stands beside its branches."""
        if not isinstance(branch, dict):
            raise BeyondDialect
        own = self._given.kinds(branch)
        if own is not None and not _within(own, kind):
            raise BeyondDialect
        return {**branch, "type": kind} if own is None else branch

    def _typed(self, kind: Any, rest: Schema) -> Schema:
        if isinstance(kind, list):
            return self._typed(kind[0], rest) if len(kind) == 1 else self._of_several_types(kind, rest)
        if kind == "object":
            return self._object(rest)
        if not isinstance(kind, str) or kind not in OF_KIND:
            raise BeyondDialect
        found: Schema = {"type": kind}
        if kind == "array":
            found["items"] = self.of(rest.pop("items", None))
            if rest.get("minItems") in (0, 1):
                found["minItems"] = rest.pop("minItems")
        elif kind == "string" and rest.get("format") in FORMATS:
            found["format"] = rest.pop("format")
        return found

    def _of_several_types(self, kinds: list[Any], rest: Schema) -> Schema:
        if not all(isinstance(kind, str) and kind in OF_KIND for kind in kinds):
            raise BeyondDialect
        branches = [self.of({"type": kind, **{n: v for n, v in rest.items() if n in OF_KIND[kind]}}) for kind in kinds]
        for name in frozenset().union(*(OF_KIND[kind] for kind in kinds)):
            rest.pop(name, None)
        return {"anyOf": branches}

    def _object(self, rest: Schema) -> Schema:
        others = rest.pop("additionalProperties", None), rest.pop("unevaluatedProperties", None)
        properties, required = rest.pop("properties", {}), rest.pop("required", [])
        is_open = any(each not in (None, False) for each in others) or (not properties and False not in others)
        if is_open or not isinstance(required, list) or not properties.keys() >= set(required):
            raise BeyondDialect
        found = {name: self.of(schema) for name, schema in properties.items()}
        always = {"required": required} if required else {}
        return {"type": "object", "properties": found, **always, "additionalProperties": False}


def _within(own: set[Any] | None, kind: Any) -> bool:
    return own is not None and own <= set(listed(kind))


def _described(found: Schema, rest: Schema) -> Schema:
    """Returns the schema with all that is left of the original in its title and description."""
    if not STRUCTURE.isdisjoint(rest):
        raise BeyondDialect
    _say(rest, told({name: value for name, value in rest.items() if name not in WORDS}))
    words = {name: rest[name] for name in WORDS if rest.get(name)}
    if "$ref" in found and words:
        found = {"anyOf": [found]}  # beside a reference nothing else may stand
    return {**words, **found}


def _say(rest: Schema, words: str) -> None:
    rest["description"] = "\n\n".join(filter(None, [rest.get("description"), words]))
