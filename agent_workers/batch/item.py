"""One line of a batch: whose request it is, and what is wrong with it."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from agent_workers.protocol.document import parse_json
from agent_workers.protocol.v1.fields import MAX_ATTEMPT
from agent_workers.protocol.v1.job import no_worker, worker_named
from agent_workers.protocol.v1.problem import RequestProblems

if TYPE_CHECKING:
    from collections.abc import Collection


@dataclass(frozen=True, slots=True)
class Line:
    """A line as it was read.

    Attributes:
        number: Counts from 1.
        data: Its bytes, without the newline.
    """

    number: int
    data: bytes

    @property
    def digest(self) -> str:
        """Tells the line from all others of its place."""
        return hashlib.sha256(self.data).hexdigest()[:32]

    @property
    def run(self) -> str:
        """The id of its run where the request brings none: the same each time that the batch is started."""
        return f"line-{self.number}-{self.digest[:12]}"


@dataclass(frozen=True, slots=True)
class Item:
    """What one line asks for.

    Attributes:
        line: The line.
        worker: Whose request it is.
        request: The request; it has a ``run``.
        key: What the caller knows the line by; its record repeats it.
    """

    line: Line
    worker: str
    request: dict[str, Any]
    key: str | int | None = None

    @property
    def run(self) -> str:
        """The id of its run."""
        return str(self.request["run"])


class BadLine(Exception):
    """Raised for a line that cannot be run.

    Attributes:
        details: The problems, as in ``error.details``.
        key: The line's ``key``, as far as it was read.
    """

    def __init__(self, words: str, details: list[dict[str, Any]] | None = None, key: str | int | None = None) -> None:
        super().__init__(words)
        self.details = details or []
        self.key = key


def read_item(line: Line, workers: Collection[str], usual: str | None = None) -> Item:
    """Reads a line as a request: its fields, and beside them ``worker`` and ``key``.

    Args:
        line: The line.
        workers: The names that ``worker`` may have.
        usual: The worker of a line that names none.

    Raises:
        BadLine: It is no JSON object, names no worker that there is, or has a key that is none.
    """
    try:
        document = parse_json(line.data, one_line=True)
    except RequestProblems as problems:
        details = [problem.to_wire() for problem in problems.problems]
        raise BadLine(f"Line {line.number} is not a JSON object.", details) from None
    if not isinstance(document, dict):
        raise BadLine(f"Line {line.number} is not a JSON object.")
    key = document.pop("key", None)
    if not (key is None or (isinstance(key, str | int) and not isinstance(key, bool))):
        problem = {"pointer": "/key", "message": "must be a string or an integer"}
        raise BadLine(f"Line {line.number} has a key that is none.", [problem])
    worker = worker_named(document, usual)
    document.pop("worker", None)
    if not isinstance(worker, str) or worker not in workers:
        problem = {"pointer": "/worker", "message": no_worker(worker, workers)}
        raise BadLine(f"Line {line.number} names no worker that this batch may start.", [problem], key)
    run = document.get("run")
    return Item(line, worker, {**document, "run": run if isinstance(run, str) else line.run}, key)


def whole(item: Item) -> Item:
    """Returns the same with an answer that does not come in pieces; what is faulty stays as it is."""
    stream = item.request.get("stream") or {}
    if not isinstance(stream, dict) or stream.get("partial", True) is not True:
        return item
    return replace(item, request={**item.request, "stream": {**stream, "partial": False}})


def attempt_of(item: Item, tries: int) -> int:
    """Returns which attempt of its run a try is; the request may be a later one itself."""
    first = item.request.get("attempt")
    return min((first if type(first) is int else 1) + tries - 1, MAX_ATTEMPT)


def numbered(item: Item, tries: int) -> Item:
    """Returns the same for another try, whose worker numbers it in ``start``."""
    return replace(item, request={**item.request, "attempt": attempt_of(item, tries)})
