"""What a worker is: a name, defaults, and the requests it accepts."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from agent_workers.protocol.v1.problem import Problem, RequestProblems, pointer
from agent_workers.protocol.v1.request import Request, parse_request

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

Place = tuple["str | int", ...]

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
        check: Yields the problems that the model cannot see.
        check_host: Yields those that show on this host only, of a request that the host's policy has granted.
    """

    name: str
    summary: str
    system_prompt: str
    max_turns: int | None = None
    request: type[Request] = Request
    check: Callable[[Any], Iterable[Problem]] = lambda request: ()
    check_host: Callable[[Any], Iterable[Problem]] = lambda request: ()

    def accept(self, document: Any, *, control: bool = True, interactive: bool = False) -> Request:
        """Reads a decoded JSON document as this worker's request.

        Args:
            document: The request.
            control: Whether control messages follow it, which may bring answers.
            interactive: Whether a person at a terminal answers questions.

        Raises:
            RequestProblems: With all problems at once.
        """
        request = parse_request(document, self.request)
        problems = [*_problems(request), *self.check(request), *_unanswerable(request, control, interactive)]
        if problems:
            raise RequestProblems(problems, run=request.run)
        return request


def _unanswerable(request: Request, control: bool, interactive: bool) -> Iterator[Problem]:
    permissions = getattr(request, "permissions", None)
    if request.app_tools and not control:
        yield Problem(pointer="/app_tools", message="needs --control: the results come on stdin")
    if permissions and permissions.mode == "ask" and not (control or interactive):
        yield Problem(pointer="/permissions/mode", message="ask needs --control or --interactive: somebody must answer")


def _problems(request: Request) -> Iterator[Problem]:
    if request.output_schema is not None and (fault := _schema_fault(request.output_schema, ("output_schema",))):
        yield fault
    if request.output_schema is not None and (fault := _too_long(request.output_schema)):
        yield fault
    for number, tool in enumerate(request.app_tools or ()):
        place = ("app_tools", number, "input_schema")
        if fault := _schema_fault(tool.input_schema, place) or _unreadable_pattern(tool.input_schema, place):
            yield fault


def _schema_fault(schema: dict[str, Any], place: Place) -> Problem | None:
    from jsonschema import Draft202012Validator, SchemaError  # noqa: PLC0415 slow, and few requests have a schema
    from jsonschema.validators import validator_for  # noqa: PLC0415 likewise

    if not isinstance(schema.get("$schema", ""), str):
        return Problem(pointer=pointer((*place, "$schema")), message="must be a string")
    if (found := _foreign_reference(schema)) is not None:
        return Problem(pointer=pointer((*place, *found)), message="must refer to places in this schema only")
    try:
        # Without formats: the metaschema's "regex" is ECMA-262, which Python's own cannot check.
        validator_for(schema, default=Draft202012Validator).check_schema(schema, format_checker=None)  # type: ignore[call-arg]
    except SchemaError as error:
        return Problem(
            pointer=pointer((*place, *error.absolute_path)),
            message=f"is not valid JSON Schema: breaks the rule {error.validator!r}",
        )
    return None


def _too_long(schema: dict[str, Any]) -> Problem | None:
    from agent_workers.engine.claude.options import MAX_ARGUMENT, schema_argument  # noqa: PLC0415 for few requests

    if len(schema_argument(schema)) > MAX_ARGUMENT:
        return Problem(pointer="/output_schema", message=f"must be at most {MAX_ARGUMENT} bytes as compact JSON")
    return None


def _unreadable_pattern(schema: Any, place: Place) -> Problem | None:
    """The first pattern that cannot be checked here: a tool's input is checked before the application gets it."""
    for step, item in _items(schema):
        if step == "pattern" and isinstance(item, str) and not _compiles(item):
            return Problem(pointer=pointer((*place, step)), message="must be a pattern that Python's re module reads")
        if fault := _unreadable_pattern(item, (*place, step)):
            return fault
    return None


def _compiles(pattern: str) -> bool:
    try:
        re.compile(pattern)
    except re.error:
        return False
    return True


def _foreign_reference(schema: Any) -> Place | None:
    """Where the schema refers to another document: to resolve it, the worker would fetch an address for its caller."""
    if isinstance(schema, dict):
        for name in ("$ref", "$dynamicRef"):
            reference = schema.get(name)
            if isinstance(reference, str) and not reference.startswith("#"):
                return (name,)
    found = ((step, _foreign_reference(item)) for step, item in _items(schema))
    return next(((step, *place) for step, place in found if place is not None), None)


def _items(schema: Any) -> Iterable[tuple[str | int, Any]]:
    if isinstance(schema, dict):
        return [(name, item) for name, item in schema.items() if name not in _DATA]
    return enumerate(schema) if isinstance(schema, list) else ()
