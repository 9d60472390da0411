"""Pydantic's errors in plain words: where, what, and for an unknown field the nearest known one."""

import re
from collections.abc import Iterator
from difflib import get_close_matches
from typing import get_args

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from agent_workers.protocol.v1.fields import BUILT_IN_OR_MCP, PATTERN_WORDS
from agent_workers.protocol.v1.problem import Problem, capped, pointer
from agent_workers.protocol.v1.tools import nearest_tool

Location = tuple[str | int, ...]
Model = type[BaseModel]

_EXPECTED = {
    "string_type": "a string",
    "int_type": "a whole number",
    "int_from_float": "a whole number",
    "float_type": "a number",
    "bool_type": "true or false",
    "date_type": "a date",
    "list_type": "a list",
    "dict_type": "an object",
    "model_type": "an object",
    "model_attributes_type": "an object",
}
_SENTENCES = {
    "missing": "is required",
    "string_unicode": "must not contain lone surrogates",
    "string_too_short": "must not be empty",
    "too_short": "must not be empty",
    "finite_number": "must be a finite number",
    "greater_than": "must be greater than {gt:.15g}",
    "greater_than_equal": "must be at least {ge:.15g}",
    "less_than": "must be less than {lt:.15g}",
    "less_than_equal": "must be at most {le:.15g}",
    "string_too_long": "must be at most {max_length} characters long",
    "too_long": "must have at most {max_length} items",
}
_JSON_WORDS: dict[type, str] = {
    str: "a string",
    bool: "true or false",
    int: "a number",
    float: "a number",
    list: "a list",
    dict: "an object",
    type(None): "null",
}
_LONGEST_TYPO = 64


def explain(error: ValidationError, model: Model) -> list[Problem]:
    """Turns the errors that pydantic found while reading a ``model`` into problems, in the order found."""
    return capped(error.errors(include_url=False), lambda fault: _problem(fault, model))


def _problem(fault: ErrorDetails, model: Model) -> Problem:
    if fault["type"] == "extra_forbidden":
        return _unknown_field(model, fault["loc"])
    path = tuple(step for step in fault["loc"] if not _is_tag(step))
    if fault["type"] == "kind":
        return _unknown_kind(path, fault["msg"], fault["input"])
    return Problem(pointer=pointer(path), message=_sentence(fault), did_you_mean=_value_meant(fault))


def _value_meant(fault: ErrorDetails) -> str | None:
    value, context = fault["input"], fault.get("ctx", {})
    if not isinstance(value, str) or len(value) > _LONGEST_TYPO:
        return None
    if "known" in context:
        return _nearest_of(value, context["known"])
    if context.get("pattern") == BUILT_IN_OR_MCP:
        return nearest_tool(value)
    return (
        _nearest_of(value, re.findall("'([^']+)'", context["expected"])) if fault["type"] == "literal_error" else None
    )


def _nearest_of(value: str, values: list[str]) -> str | None:
    return next(iter(get_close_matches(_snake(value), values, n=1)), None)


def _sentence(fault: ErrorDetails) -> str:
    kind, context = fault["type"], fault.get("ctx", {})
    if kind == "contract":
        return fault["msg"]
    if kind in _EXPECTED:
        return _instead(_EXPECTED[kind], fault["input"])
    if kind == "string_pattern_mismatch":
        return PATTERN_WORDS.get(context["pattern"], "is not valid")
    if kind == "literal_error":
        expected = context["expected"].replace("'", '"')  # as JSON and TOML write them
        quoted_number = isinstance(fault["input"], str) and '"' not in expected
        return _instead(expected, fault["input"]) if quoted_number else f"must be {expected}"
    return _SENTENCES.get(kind, "is not valid").format_map(context)


def _instead(expected: str, value: object) -> str:
    got = _JSON_WORDS.get(type(value))
    clear = got is None or expected.endswith(got.removeprefix("a "))
    return f"must be {expected}" if clear else f"must be {expected}, not {got}"


def _unknown_kind(path: Location, kinds: str, value: object) -> Problem:
    if not isinstance(value, dict):
        return Problem(pointer=pointer(path), message=_instead("an object", value))
    named = value.get("type")
    message = f"must be one of: {kinds}" if "type" in value else f"is required; one of: {kinds}"
    meant = _nearest_of(named, kinds.split(", ")) if isinstance(named, str) and len(named) <= _LONGEST_TYPO else None
    return Problem(pointer=pointer((*path, "type")), message=message, did_you_mean=meant)


def _unknown_field(model: Model, location: Location) -> Problem:
    """Explains an unknown field. ``location`` ends in its name, which the caller chose: it may look like a tag."""
    *parents, name = location
    path = (*(step for step in parents if not _is_tag(step)), name)
    owner = _owner(model, parents)
    message = getattr(owner, "foreign_fields", {}).get(name)
    if message:
        return Problem(pointer=pointer(path), message=message)
    nearest = _nearest(str(name), owner)
    return Problem(pointer=pointer(path), message="is not a known field", did_you_mean=nearest)


def _is_tag(step: str | int) -> bool:
    return isinstance(step, str) and step.startswith("=")


def _owner(model: Model, location: list[str | int]) -> Model:
    """Returns the model at a location. List indices don't change it; a tag picks one of a union's models."""
    candidates = [model]
    for step in location:
        if _is_tag(step):
            candidates = [found for found in candidates if f"={found.__name__}" == step] or candidates
        elif isinstance(step, str):
            below = [found for parent in candidates for found in _models_of_field(parent, step)]
            candidates = below or candidates
    return candidates[0]


def _models_of_field(model: Model, name: str) -> Iterator[Model]:
    field = model.model_fields.get(name)
    return _models_in(field.annotation) if field else iter(())


def _models_in(annotation: object) -> Iterator[Model]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for argument in get_args(annotation):
        yield from _models_in(argument)


def _nearest(name: str, model: Model) -> str | None:
    if len(name) > _LONGEST_TYPO:
        return None
    snake = _snake(name)
    candidates: dict[str, str] = {
        **_nested(model),
        **getattr(model, "synonyms", {}),
        **{field: field for field in model.model_fields},
    }
    if snake in candidates:
        return candidates[snake]
    for names in (model.model_fields, candidates):  # a field of its own goes before one that is nearer, but elsewhere
        if match := get_close_matches(snake, names, n=1, cutoff=0.7):
            return candidates[match[0]]
    return None


def _snake(name: str) -> str:
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name).replace("-", "_").replace(" ", "_").lower()


def _nested(model: Model) -> dict[str, str]:
    """Fields one level further down, such as ``limits.timeout_s``: callers often write them one level too high."""
    names: dict[str, str] = {}
    for field, info in model.model_fields.items():
        for below in (name for found in _models_in(info.annotation) for name in found.model_fields):
            if below != "type":
                names.setdefault(below, f"{field}.{below}")  # timeout_s is limits.timeout_s first of all
    return names
