"""A request, as the worker would read it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from agent_workers.admission import accept
from agent_workers.protocol.document import parse_json
from agent_workers.protocol.v1.problem import RequestProblems
from agent_workers.validation.fault import Fault
from agent_workers.validation.line_numbers import LineNumbers
from agent_workers.workers import WORKERS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from agent_workers.protocol.v1.problem import Problem
    from agent_workers.protocol.value import Json
    from agent_workers.workers.base import Worker

_IN_WORDS = re.compile(r"\b(line|offset) (\d+)")


def worker_of(document: Json) -> Worker:
    """Returns the worker that a request is meant for, as far as can be seen: it has the fields that worker requires."""
    given = document.keys() if isinstance(document, dict) else set()
    fitting = [worker for worker in WORKERS.values() if worker.own_required_fields <= given]
    if "prompt" not in given and all(not worker.own_required_fields for worker in fitting):
        # One that misses something, such as the skill that the command line names, is told what.
        return max(WORKERS.values(), key=lambda worker: len(worker.own_required_fields & given))
    return max(fitting, key=lambda worker: len(worker.own_required_fields))


def check_request(data: bytes, worker: Worker | None = None) -> Iterator[Fault]:
    """Yields every fault of one request, on one line or many, to the worker that it is meant for."""
    return faults_of(data, lambda document: accept(worker or worker_of(document), document))


def faults_of(data: bytes, read: Callable[[Json], object]) -> Iterator[Fault]:
    """Yields every fault of one document, and for each its line.

    Args:
        data: The document, on one line or many.
        read: Raises RequestProblems for what is wrong with it.
    """
    try:
        document = parse_json(data)
    except RequestProblems as problems:
        yield from (Fault.of(problem, _line_in_words(problem, data)) for problem in problems.problems)
        return
    try:
        read(document)
    except RequestProblems as problems:
        lines = LineNumbers(data.decode("utf-8-sig"))
        yield from (Fault.of(problem, lines.line_of(problem.pointer)) for problem in problems.problems)


def _line_in_words(problem: Problem, data: bytes) -> int:
    """Returns the line that the problem's own words name, directly or as an offset."""
    if not (found := _IN_WORDS.search(problem.message)):
        return 1
    number = int(found[2])
    return number if found[1] == "line" else data.count(b"\n", 0, number) + 1


def problems_of(line: bytes) -> tuple[Json, list[Problem]]:
    """Returns a line's JSON value; or None and the problems that keep it from being one."""
    try:
        return parse_json(line, one_line=True), []
    except RequestProblems as problems:
        return None, problems.problems
