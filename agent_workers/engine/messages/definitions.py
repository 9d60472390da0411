"""The definitions of a schema, and the references to them."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

if TYPE_CHECKING:
    from collections.abc import Mapping

_REFERENCE = re.compile(r"#/(?:\$defs|definitions)/([^/]+)")


class BeyondDialect(Exception):
    """Raised when the API's dialect of JSON Schema cannot say what a schema means."""


class Definitions:
    """Those at the top of a schema, under ``$defs`` or ``definitions``.

    Raises:
        BeyondDialect: Both have one of the same name.
    """

    def __init__(self, schema: Mapping[str, Any]) -> None:
        old, new = schema.get("definitions", {}), schema.get("$defs", {})
        if not old.keys().isdisjoint(new):
            raise BeyondDialect
        self._schemas = {**old, **new}

    def find(self, reference: str) -> tuple[str, dict[str, Any]]:
        """Returns the name of the definition that a reference leads to, and the definition.

        Raises:
            BeyondDialect: It leads elsewhere.
        """
        name = name_of(reference)
        found = self._schemas.get(name)
        if not isinstance(found, dict):
            raise BeyondDialect
        return name, found

    def kinds(self, schema: Any, seen: frozenset[str] = frozenset()) -> set[Any] | None:
        """Returns the types that a schema allows; None where it does not name them.

        Args:
            schema: The schema.
            seen: The definitions that it is a part of.
        """
        if not isinstance(schema, dict):
            return None
        if "type" in schema:
            return {kind for kind in listed(schema["type"]) if isinstance(kind, str)}
        if "$ref" in schema:
            name, found = self.find(schema["$ref"])
            return None if name in seen else self.kinds(found, seen | {name})
        each = [self.kinds(branch, seen) for name in ("anyOf", "oneOf") for branch in schema.get(name, ())]
        known = [kinds for kinds in each if kinds is not None]
        return set().union(*known) if known and len(known) == len(each) else None


def listed(kinds: Any) -> list[Any]:
    """Returns the values of ``type`` as a list."""
    return kinds if isinstance(kinds, list) else [kinds]


def name_of(reference: str) -> str:
    """Returns the name of the definition that a reference leads to; empty where it leads elsewhere."""
    found = _REFERENCE.fullmatch(reference)
    return unquote(found[1]).replace("~1", "/").replace("~0", "~") if found else ""
