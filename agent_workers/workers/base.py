"""What a worker is: a name, defaults, and the requests it accepts."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from agent_workers.protocol.v1.engines import misfits
from agent_workers.protocol.v1.kind import is_task, is_tool_run
from agent_workers.protocol.v1.problem import Problem, RequestProblems, pointer
from agent_workers.protocol.v1.request import Request, parse_request
from agent_workers.protocol.v1.tool_names import ASK_USER
from agent_workers.wire import dump

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from agent_workers.protocol.v1.content import ContentBlock
    from agent_workers.protocol.v1.request import AnyRequest
    from agent_workers.protocol.v1.skill_request import SkillRequest

# Not the control and format characters, the spaces of all scripts, and the letters that show as nothing.
VISIBLE = re.compile(
    "[^\x00-\x20\x7f-\xa0\xad\u034f\u061c\u115f\u1160\u1680\u17b4\u17b5\u180b-\u180f\u2000-\u200f\u2028-\u202f"
    "\u205f-\u206f\u2800\u3000\u3164\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufffb\U000e0000-\U000e0fff]"
)
"""A character that a person sees."""


@dataclass(frozen=True)
class Worker:
    """One kind of worker.

    Attributes:
        name: The console script's name, also ``start.worker`` and the name of its workspace.
        summary: One sentence for ``--help``.
        system_prompt: Used where the request brings none; empty for a worker that asks no model.
        max_turns: Used where the request brings none; None leaves it to the CLI.
        request: The model of the requests it accepts. The engines know the fields of ``Request``, ``TaskRequest`` and
            ``ToolRequest`` alone: what a field of the worker's own is to change, ``expand`` writes into one of those. A
            worker whose requests are none of these makes one of them in an ``accept`` of its own.
        examples: Command lines for ``--help``, one a line.
        scenario: What the simulator plays by default.
        expand: Makes a request's document of the document that comes in; by default that is one already. It runs before
            any check, so it must take whatever JSON holds, and the policy rules on what it has written.
        check: Yields the problems that the model cannot see.
        check_host: Yields those that show on this host only, of a request that the host's policy has granted.
    """

    name: str
    summary: str
    system_prompt: str = ""
    max_turns: int | None = None
    request: type[AnyRequest | SkillRequest] = Request
    examples: str = ""
    scenario: str = "hello"
    expand: Callable[[Any], Any] = lambda document: document
    check: Callable[[Any], Iterable[Problem]] = lambda request: ()
    check_host: Callable[[Any], Iterable[Problem]] = lambda request: ()

    def named(self, name: str) -> Worker | None:
        """Returns the worker for what a first word of the command line names; None where it takes no such word."""
        return None

    def for_result(self) -> Worker | None:
        """Returns the worker of a run of which nothing but the output is written; None where it gives none."""
        return None

    def on_host(self, environ: Mapping[str, str]) -> Worker:
        """Returns the worker of a host with these variables, which may not be this process's."""
        return self

    def model_of(self, document: Mapping[str, Any]) -> str | None:
        """Returns the model that a request names, valid or not; None where the host's default answers."""
        named = document.get("model")
        return named if isinstance(named, str) else None

    def takes_long(self, document: Any) -> bool:
        """Tells whether ``accept`` may take so long for a document that an event loop should not wait for it."""
        return False

    @property
    def own_required_fields(self) -> set[str]:
        """The fields that only this worker's requests must have: a request that has them is meant for it."""
        fields = self.request.model_fields
        return {name for name in fields if fields[name].is_required() and name not in Request.model_fields}

    def accept(self, document: Any, *, control: bool = True, interactive: bool = False) -> AnyRequest:
        """Reads a decoded JSON document as this worker's request.

        Args:
            document: The request.
            control: Whether control messages follow it, which may bring answers.
            interactive: Whether a person at a terminal answers questions.

        Raises:
            RequestProblems: With all problems at once.
        """
        request: AnyRequest = parse_request(document, self.request)  # type: ignore[assignment]  # else it has its own
        if problems := list(self.problems_of(request, control=control, interactive=interactive)):
            raise RequestProblems(problems, run=request.run)
        return request

    def problems_of(self, request: AnyRequest, *, control: bool, interactive: bool) -> Iterator[Problem]:
        """Yields what is wrong with a request besides what its model sees; the arguments are those of ``accept``."""
        if is_tool_run(request):
            yield from self.check(request)
            return
        yield from _problems(request)
        if request.engine is not None:
            yield from misfits(request, request.engine)
        yield from self.check(request)
        yield from _unanswerable(request, control, interactive)


def _unanswerable(request: Request, control: bool, interactive: bool) -> Iterator[Problem]:
    if request.app_tools and not control:
        yield Problem(pointer="/app_tools", message="needs --control: the results come on stdin")
    if control or interactive:
        return
    mode = request.permissions.mode if is_task(request) else None
    if ASK_USER in request.tools and mode != "defer":
        yield Problem(pointer="/tools", message=f"{ASK_USER} needs --control or --interactive: somebody must answer")
    if mode == "ask":
        yield Problem(pointer="/permissions/mode", message="ask needs --control or --interactive: somebody must answer")


def _problems(request: Request) -> Iterator[Problem]:
    if _is_blank(request.prompt):
        yield Problem(pointer="/prompt", message="must hold more than blanks")
    if request.output_schema is None and not request.app_tools:
        return
    from agent_workers.json_schema import schema_fault  # few requests have a schema

    if request.output_schema is not None:
        if problem := _too_long(request.output_schema):
            yield problem  # and is not worth reading
        elif fault := schema_fault(request.output_schema):
            yield Problem(pointer=pointer(("output_schema", *fault.place)), message=fault.words)
    for number, tool in enumerate(request.app_tools or ()):
        if fault := schema_fault(tool.input_schema, python_patterns=True):
            place = ("app_tools", number, "input_schema", *fault.place)
            yield Problem(pointer=pointer(place), message=fault.words)


def _too_long(schema: dict[str, Any]) -> Problem | None:
    from agent_workers.json_schema import MAX_BYTES

    if len(dump(schema)) > MAX_BYTES:
        return Problem(pointer="/output_schema", message=f"must be at most {MAX_BYTES} bytes as compact JSON")
    return None


def _is_blank(prompt: str | list[ContentBlock]) -> bool:
    """Returns whether a prompt has no visible character and no attachment: the model would be paid for nothing."""
    if isinstance(prompt, str):
        return not VISIBLE.search(prompt)
    return not any(block.type != "text" or VISIBLE.search(block.text) for block in prompt)
