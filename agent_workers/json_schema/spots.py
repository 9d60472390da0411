"""Where schemas stand in a schema, by the keywords of every dialect. All else is data: a ``$ref`` in it is a word."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

Place = tuple["str | int", ...]

OF_NAMES = ("properties", "patternProperties", "$defs", "definitions", "dependentSchemas", "dependencies")
"""Keywords whose value has names, each with a schema."""
IN_PLACE = ("allOf", "anyOf", "oneOf", "not", "if", "then", "else", "extends", "disallow", "type")
"""Keywords whose schemas are about the same value as the schema around them."""
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
        place: Where it stands.
        schema: The schema itself.
        base: The place of the schema around it that has an id of its own: references start there.
    """

    place: Place
    schema: dict[str, Any]
    base: Place


def id_keyword(schema: dict[str, Any]) -> str:
    """The keyword that gives a schema an id, in the dialect of the whole."""
    return "id" if str(schema.get("$schema", "")).startswith(_OLD) else "$id"


def spots_in(schema: Any, identity: str, place: Place = (), base: Place = ()) -> Iterator[Spot]:
    """Yields the schema and all the schemas in it.

    Args:
        schema: Anything; what is no object has no spots.
        identity: The keyword that gives a schema an id.
        place: Where it stands.
        base: Where the references in it start.
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
    """Yields what may be schemas under these keywords, with the steps to each."""
    for keyword in keywords:
        value = schema.get(keyword)
        if isinstance(value, list):
            yield from (((keyword, number), item) for number, item in enumerate(value))
        elif isinstance(value, dict) and keyword in OF_NAMES:
            yield from (((keyword, name), item) for name, item in value.items())
        else:
            yield (keyword,), value
