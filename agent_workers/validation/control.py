"""What goes to a worker's stdin under --control: the request on the first line, then control messages."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pydantic import ValidationError

from agent_workers.protocol.v1.control import MESSAGES, InvalidControl, parse_control
from agent_workers.protocol.v1.explain import explain
from agent_workers.validation.fault import Fault
from agent_workers.validation.request import check_request, problems_of

if TYPE_CHECKING:
    from collections.abc import Iterator


def check_control(data: bytes) -> Iterator[Fault]:
    """Yields every fault of the lines; a first line that has a prompt is read as the request."""
    for number, line in enumerate(data.removesuffix(b"\n").split(b"\n"), 1):
        document, problems = problems_of(line)
        if problems:
            yield from (Fault.of(problem, number) for problem in problems)
        elif number == 1 and isinstance(document, dict) and "prompt" in document:
            yield from (fault._replace(line=number) for fault in check_request(line))
        else:
            yield from _check_message(line, document, number)


def _check_message(line: bytes, document: Any, number: int) -> Iterator[Fault]:
    try:
        parse_control(line)
    except InvalidControl as invalid:
        kind = document.get("type") if isinstance(document, dict) else None
        if isinstance(kind, str) and kind in MESSAGES:
            yield from _check_fields(document, kind, number)
        else:
            pointer = "/type" if invalid.message.startswith("/type ") else ""
            yield Fault(number, pointer, invalid.message.removeprefix("/type "))


def _check_fields(document: dict[str, Any], kind: str, number: int) -> Iterator[Fault]:
    try:
        MESSAGES[kind].model_validate(document)
    except ValidationError as error:
        yield from (Fault.of(problem, number) for problem in explain(error, MESSAGES[kind]))
