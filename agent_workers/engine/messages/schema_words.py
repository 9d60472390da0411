"""What a schema asks for that the API's dialect cannot say, in words for the schema's description."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

_RULES = {
    "minimum": "at least {}",
    "maximum": "at most {}",
    "exclusiveMinimum": "greater than {}",
    "exclusiveMaximum": "less than {}",
    "multipleOf": "a multiple of {}",
    "minLength": "at least {} characters long",
    "maxLength": "at most {} characters long",
    "pattern": "matched by the regular expression {}",
    "format": "of the format {}",
    "minItems": "a list of at least {} items",
    "maxItems": "a list of at most {} items",
    "uniqueItems": "a list in which no two items are equal",
    "minProperties": "an object with at least {} fields",
    "maxProperties": "an object with at most {} fields",
}


def told(keywords: Mapping[str, Any]) -> str:
    """Returns words that say all of these keywords: the rules as a sentence, the others by their names."""
    rules = {name: words for name, words in _RULES.items() if name in keywords and _is_rule(name, keywords[name])}
    sentence = ", ".join(words.format(_json(keywords[name])) for name, words in rules.items())
    others = ", ".join(f"{name}: {_json(value)}" for name, value in keywords.items() if name not in rules)
    return " ".join(filter(None, [sentence and f"Must be {sentence}.", others and f"{{{others}}}"]))


def _is_rule(name: str, value: Any) -> bool:
    # In draft 04, exclusiveMinimum is true or false, and says something of minimum.
    return value is True if name == "uniqueItems" else not isinstance(value, bool)


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)
