"""A validator for a JSON Schema that somebody else wrote."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from jsonschema.protocols import Validator


def validator_of(schema: dict[str, Any]) -> Validator:
    """A validator of the schema's own dialect, 2020-12 by default. It fetches no reference from the network."""
    from jsonschema import Draft202012Validator  # noqa: PLC0415 slow, and few requests have a schema
    from jsonschema.validators import validator_for  # noqa: PLC0415 likewise
    from referencing.jsonschema import EMPTY_REGISTRY  # noqa: PLC0415 likewise

    return validator_for(schema, default=Draft202012Validator)(schema, registry=EMPTY_REGISTRY)
