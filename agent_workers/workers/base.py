"""What a worker is: a name, defaults, and the requests it accepts."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from agent_workers.protocol.v1.problem import Problem, RequestProblems, pointer
from agent_workers.protocol.v1.request import Request, parse_request

if TYPE_CHECKING:
    from collections.abc import Iterator


_DATA = frozenset({"const", "enum", "default", "examples"})  # JSON Schema keywords whose values are no schemas


@dataclass(frozen=True)
class Worker:
    """One kind of worker.

    Attributes:
        name: The console script's name, also ``start.worker`` and the name of its workspace.
        summary: One sentence for ``--help``.
        system_prompt: Used where the request brings none.
        max_turns: Used where the request brings none; None leaves it to the CLI.
        request: The model of the requests it accepts.
    """

    name: str
    summary: str
    system_prompt: str
    max_turns: int | None = None
    request: type[Request] = Request

    def accept(self, document: Any) -> Request:
        """Reads a decoded JSON document as this worker's request.

        Raises:
            RequestProblems: With all problems at once.
        """
        request = parse_request(document, self.request)
        if problems := list(_problems(request)):
            raise RequestProblems(problems, run=request.run)
        return request


def _problems(request: Request) -> Iterator[Problem]:
    if request.app_tools:
        yield Problem(pointer="/app_tools", message="is not offered by this version")
    if request.output_schema is not None and (fault := _schema_fault(request.output_schema)):
        yield fault


def _schema_fault(schema: dict[str, Any]) -> Problem | None:
    from jsonschema import Draft202012Validator, SchemaError  # noqa: PLC0415 slow, and few requests have a schema
    from jsonschema.validators import validator_for  # noqa: PLC0415 likewise

    from agent_workers.engine.claude.options import MAX_ARGUMENT, schema_argument  # noqa: PLC0415 likewise

    if not isinstance(schema.get("$schema", ""), str):
        return Problem(pointer="/output_schema/$schema", message="must be a string")
    if len(schema_argument(schema)) > MAX_ARGUMENT:
        return Problem(pointer="/output_schema", message=f"must be at most {MAX_ARGUMENT} bytes as compact JSON")
    if (place := _foreign_reference(schema)) is not None:
        return Problem(pointer=pointer(("output_schema", *place)), message="must refer to places in this schema only")
    try:
        # Without formats: the metaschema's "regex" is ECMA-262, which Python's own cannot check.
        validator_for(schema, default=Draft202012Validator).check_schema(schema, format_checker=None)  # type: ignore[call-arg]
    except SchemaError as error:
        return Problem(
            pointer=pointer(("output_schema", *error.absolute_path)),
            message=f"is not valid JSON Schema: breaks the rule {error.validator!r}",
        )
    return None


def _foreign_reference(schema: Any) -> tuple[str | int, ...] | None:
    """Where the schema refers to another document: to resolve it, the worker would fetch an address for its caller."""
    items: Any = ()
    if isinstance(schema, dict):
        for name in ("$ref", "$dynamicRef"):
            reference = schema.get(name)
            if isinstance(reference, str) and not reference.startswith("#"):
                return (name,)
        items = [(name, item) for name, item in schema.items() if name not in _DATA]
    elif isinstance(schema, list):
        items = enumerate(schema)
    found = ((step, _foreign_reference(item)) for step, item in items)
    return next(((step, *place) for step, place in found if place is not None), None)
