"""Where schemas stand within a schema, in every dialect. Anything else is data, and a ``$ref`` in it means nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

Place = tuple["str | int", ...]

OF_NAMES = ("properties", "patternProperties", "$defs", "definitions", "dependentSchemas", "dependencies")
"""Keywords whose value maps names to schemas."""
IN_PLACE = ("allOf", "anyOf", "oneOf", "not", "if", "then", "else", "extends", "disallow", "type")
"""Keywords whose schemas apply to the same value as the schema around them."""
_OF_PARTS = ("items", "prefixItems", "additionalItems", "unevaluatedItems", "contains", "contentSchema")
_OF_FIELDS = ("additionalProperties", "unevaluatedProperties", "propertyNames")
_OLD = ("http://json-schema.org/draft-03/", "http://json-schema.org/draft-04/")


class Fault(NamedTuple):
    """What is wrong with a schema, and where in it."""

    place: Place
    words: str


class Spot(NamedTuple):
    """A schema within a schema.

    Attributes:
        place: Its place in the whole schema.
        schema: The schema itself.
        base: The place of the nearest schema around it with an id of its own, where its references start.
    """

    place: Place
    schema: dict[str, Any]
    base: Place


def id_keyword(schema: dict[str, Any]) -> str:
    """Returns the keyword that gives a schema an id, in the dialect of the whole schema."""
    return "id" if str(schema.get("$schema", "")).startswith(_OLD) else "$id"


def spots_in(schema: Any, identity: str, place: Place = (), base: Place = ()) -> Iterator[Spot]:
    """Yields the schema and all the schemas in it.

    Args:
        schema: Any value; only an object has spots.
        identity: The keyword that gives a schema an id.
        place: Its place in the whole schema.
        base: The place where its references start.
    """
    if not isinstance(schema, dict):
        return
    own = schema.get(identity)
    if isinstance(own, str) and not own.startswith("#"):
        base = place
    yield Spot(place, schema, base)
    for steps, part in parts_of(schema, (*OF_NAMES, *IN_PLACE, *_OF_PARTS, *_OF_FIELDS)):
        yield from spots_in(part, identity, (*place, *steps), base)


def parts_of(schema: dict[str, Any], keywords: Sequence[str]) -> Iterator[tuple[Place, Any]]:
    """Yields the values under these keywords that may be schemas, with the steps to each."""
    for keyword in keywords:
        value = schema.get(keyword)
        if isinstance(value, list):
            yield from (((keyword, number), item) for number, item in enumerate(value))
        elif isinstance(value, dict) and keyword in OF_NAMES:
            yield from (((keyword, name), item) for name, item in value.items())
        else:
            yield (keyword,), value
