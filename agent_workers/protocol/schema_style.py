"""The style of the generated schemas: no noise for people and code generators, and the same text every time."""

from typing import Any

from pydantic.json_schema import GenerateJsonSchema, JsonSchemaValue
from pydantic_core import core_schema

Schema = dict[str, Any]

_FIRST = ("$schema", "$id", "$comment", "$ref", "title", "description", "type", "const", "enum", "examples")
_LAST = ("default", "properties", "required", "additionalProperties", "if", "then", "oneOf", "allOf", "$defs")


class Style(GenerateJsonSchema):
    """Pydantic's generator without titles on fields, and with "may be absent" in place of "may be null"."""

    def field_title_should_be_set(self, schema: Any) -> bool:
        """Refuses titles: a title would only repeat the field's name."""
        return False

    def nullable_schema(self, schema: core_schema.NullableSchema) -> JsonSchemaValue:
        """Returns the schema of the value itself: on the wire a field is absent, never null."""
        return self.generate_inner(schema["schema"])

    def default_schema(self, schema: core_schema.WithDefaultSchema) -> JsonSchemaValue:
        """Returns the schema with its default, unless that is None and so stands for "absent"."""
        generated = super().default_schema(schema)
        return {key: value for key, value in generated.items() if (key, value) != ("default", None)}

    def dict_schema(self, schema: core_schema.DictSchema) -> JsonSchemaValue:
        """Returns the schema of an object, without ``additionalProperties: true``: that is what holds without it."""
        generated = super().dict_schema(schema)
        return {key: value for key, value in generated.items() if (key, value) != ("additionalProperties", True)}

    def sort(self, value: JsonSchemaValue, parent_key: str | None = None) -> JsonSchemaValue:
        """Leaves the fields in the order of the models; ``in_order`` sorts the rest."""
        return value


def in_order(schema: Schema) -> Schema:
    """Returns the same schema with its keywords in a fixed order, definitions by name, and fields as they were."""
    return {keyword: _value_in_order(keyword, schema[keyword]) for keyword in sorted(schema, key=_rank)}


def _rank(keyword: str) -> tuple[int, str]:
    if keyword in _FIRST:
        return _FIRST.index(keyword), ""
    if keyword in _LAST:
        return len(_FIRST) + 1 + _LAST.index(keyword), ""
    return len(_FIRST), keyword


def _value_in_order(keyword: str, value: Any) -> Any:
    if keyword == "$defs":
        return {name: in_order(value[name]) for name in sorted(value)}
    if keyword == "properties":
        return {name: in_order(field) for name, field in value.items()}
    if keyword in {"oneOf", "allOf", "anyOf"}:
        return [in_order(branch) for branch in value]
    return in_order(value) if keyword in {"items", "if", "then", "additionalProperties"} and value else value
