"""References within a schema: none may lead out of it, to nothing, or in a circle."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

from agent_workers.json_schema.spots import IN_PLACE, Fault, Place, Spot, id_keyword, parts_of, spots_in

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

REFERENCES = ("$ref", "$dynamicRef", "$recursiveRef")
_MAX_CHAIN = 64
_INDEX = re.compile(r"0|[1-9][0-9]{0,8}")  # RFC 6901, and Python's own limit on digits is never met


def foreign_reference(spot: Spot) -> Fault | None:
    """Returns a fault for a reference to another document: the worker would fetch an address for its caller."""
    for name in REFERENCES:
        if name in spot.schema and not isinstance(spot.schema[name], str):
            return Fault((*spot.place, name), "must be a string")
        if not spot.schema.get(name, "#").startswith("#"):
            return Fault(
                (*spot.place, name), "must begin with # and point into this schema: other documents are not read"
            )
    return None


class References:
    """The references within one schema, all of them by ``#``.

    Args:
        schema: Valid, without foreign references.
        spots: All the schemas in it.
        check: Says what is wrong with a part that is a schema only because a reference points to it.

    Attributes:
        spots: By place; ``fault`` adds those that only references lead to.
    """

    def __init__(
        self, schema: dict[str, Any], spots: list[Spot], check: Callable[[dict[str, Any]], Fault | None]
    ) -> None:
        self.spots = {spot.place: spot for spot in spots}
        self._schema = schema
        self._identity = id_keyword(schema)
        self._check = check
        self._anchors: dict[tuple[Place, str], Spot] = {}
        for spot in spots:
            self._note_anchors(spot)
        self._chains: dict[Place, int] = {}
        self._active: set[Place] = set()

    def fault(self) -> Fault | None:
        """Returns the first reference that leads to no schema, or into an endless loop; None where all are sound."""
        waiting = list(self.spots.values())
        while waiting:
            spot = waiting.pop()
            for name in REFERENCES:
                if name in spot.schema:
                    found = self.find(spot, spot.schema[name])
                    if isinstance(found, str):
                        return Fault((*spot.place, name), found)
                    waiting += self._added(found)
        return next(filter(None, map(self._endless, list(self.spots.values()))), None)

    def find(self, spot: Spot, reference: str) -> Spot | str:
        """Returns the schema that a reference leads to, or a sentence that says why there is none."""
        fragment = unquote(reference[1:])
        if fragment and not fragment.startswith("/"):
            return self._anchors.get((spot.base, fragment), "must name an anchor that this schema has")
        place, value = spot.base, _at(self._schema, spot.base)
        for step in fragment.split("/")[1:]:
            name = step.replace("~1", "/").replace("~0", "~")
            if isinstance(value, list) and _INDEX.fullmatch(name) and int(name) < len(value):
                place, value = (*place, int(name)), value[int(name)]
            elif isinstance(value, dict) and name in value:
                place, value = (*place, name), value[name]
            else:
                return "must point to a place that this schema has"
        return self.spots.get(place) or self._unexpected(place, value, spot.base)

    def _note_anchors(self, spot: Spot) -> None:
        for name in _anchors(spot.schema, self._identity):
            self._anchors.setdefault((spot.base, name), spot)

    def _unexpected(self, place: Place, value: Any, base: Place) -> Spot | str:
        if not isinstance(value, dict | bool):
            return "must point to a schema"
        schema = value if isinstance(value, dict) else {}
        if any(map(foreign_reference, spots_in(schema, self._identity))):
            return "must point to a schema without references to other documents"
        return "must point to a schema" if self._check(schema) else Spot(place, schema, base)

    def _added(self, spot: Spot) -> Iterator[Spot]:
        if spot.place not in self.spots:
            for new in spots_in(spot.schema, self._identity, spot.place, spot.base):
                self.spots.setdefault(new.place, new)
                self._note_anchors(new)
                yield new

    def _endless(self, spot: Spot) -> Fault | None:
        if self._chain(spot) > _MAX_CHAIN:
            return Fault(
                spot.place,
                "must not refer to itself for the same value: put properties or items in between",
            )
        return None

    def _chain(self, spot: Spot) -> int:
        """Returns the number of references in a row that all apply to the same value."""
        if spot.place in self._active or len(self._active) > _MAX_CHAIN * 2:
            return _MAX_CHAIN + 1
        if spot.place not in self._chains:
            self._active.add(spot.place)
            self._chains[spot.place] = max([0, *self._following(spot)])
            self._active.discard(spot.place)
        return self._chains[spot.place]

    def _following(self, spot: Spot) -> Iterator[int]:
        for name in REFERENCES:
            if name in spot.schema and isinstance(found := self.find(spot, spot.schema[name]), Spot):
                yield 1 + self._chain(found)
        for steps, _ in parts_of(spot.schema, (*IN_PLACE, "dependentSchemas", "dependencies")):
            if below := self.spots.get((*spot.place, *steps)):
                yield self._chain(below)


def _anchors(schema: dict[str, Any], identity: str) -> Iterator[str]:
    yield from (name for key in ("$anchor", "$dynamicAnchor") if isinstance(name := schema.get(key), str))
    if isinstance(own := schema.get(identity), str) and own.startswith("#"):
        yield own[1:]


def _at(value: Any, place: Place) -> Any:
    for step in place:
        value = value[step]
    return value
