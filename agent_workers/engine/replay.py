"""Plays a recorded transcript in place of an agent: the events of an earlier run, with its pauses."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import anyio
from pydantic import ValidationError

from agent_workers.engine.base import Progress
from agent_workers.errors import BudgetExhausted, InvalidRequest, PolicyDenied, UnsupportedVersion
from agent_workers.protocol.document import parse_json
from agent_workers.protocol.v1.envelope import attempt_begun
from agent_workers.protocol.v1.events import TERMINAL, Aborted, Ack, Body, Done, Error
from agent_workers.protocol.v1.problem import RequestProblems
from agent_workers.protocol.v1.settings import Subject

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Iterator, Sequence
    from types import TracebackType
    from typing import Self

    from agent_workers.engine.base import Tell
    from agent_workers.protocol.v1.control import AgentMessage

_ENVELOPE = frozenset({"v", "seq", "run", "ts", "type", "prev"})
_REFUSALS = frozenset(kind.code for kind in (InvalidRequest, UnsupportedVersion, PolicyDenied, BudgetExhausted))
_ECHOED: dict[str, type] = {"metadata": dict, "user": str, "goal": str}
_REGENERATED = frozenset({"ping", "ack"})  # they tell of the run that plays, not of the one that was recorded


class BrokenRecording(ValueError):
    """Raised when a file is no recording of one run.

    Attributes:
        line: Number of the line at fault, from 1.
    """

    def __init__(self, line: int, fault: str) -> None:
        self.line = line
        super().__init__(f"line {line}: {fault}")


class Recorded(Body):
    """An event exactly as it was recorded, of a known type or not, without its envelope."""

    fields: dict[str, Any]

    def to_wire(self) -> dict[str, Any]:
        """Returns the body as a JSON object, in the recorded order."""
        return {"type": self.type, **self.fields}


@dataclass(frozen=True)
class Recording:
    """One recorded run.

    Attributes:
        run: Its id.
        start: Its first `start` event, now said to be simulated; None where it was refused or stopped before it began.
        events: What came between, the `start` of a later attempt, too, each with its time in seconds since
            the first line.
        ending: Its terminal event; `worker_lost` where the recording has none.
        ended_s: When that came, in seconds since the first line.
    """

    run: str
    start: Recorded | None
    events: tuple[tuple[float, Recorded], ...]
    ending: Done | Error | Aborted
    ended_s: float

    @property
    def was_refused(self) -> bool:
        """Whether the recorded request was refused, at once or, with details, by the tool that it named."""
        refused = isinstance(self.ending, Error) and self.ending.code in _REFUSALS
        return refused and (self.start is None or getattr(self.ending, "details", None) is not None)

    @property
    def echo(self) -> dict[str, Any]:
        """The fields of the request that `start` echoed, as far as they are what such fields are."""
        starts = [self.start, *(body for _, body in self.events if body.type == "start")]
        fields = starts[-1].fields if starts[-1] else {}  # of the attempt that the recorded end is of
        found = {name: fields[name] for name, kind in _ECHOED.items() if isinstance(fields.get(name), kind)}
        with suppress(ValidationError):
            return {**found, "subject": Subject.model_validate(fields["subject"])} if "subject" in fields else found
        return found


@dataclass(frozen=True)
class _Line:
    number: int
    run: str
    at_s: float
    body: Recorded


def read_recording(data: bytes) -> Recording:
    """Reads the events of one run as a worker wrote them; a last line that was torn off is left out.

    Raises:
        BrokenRecording: It is something else.
    """
    lines = list(_lines(data))
    if not lines:
        raise BrokenRecording(1, "there is no event")
    _check_order(lines)
    last = lines[-1]
    ended = last.body.type in TERMINAL
    start = lines[0].body if lines[0].body.type == "start" else None
    between = lines[bool(start) : -1 if ended else None]
    return Recording(
        run=last.run,
        start=start and _simulated(start),
        events=tuple((line.at_s, _simulated(line.body)) for line in between if line.body.type not in _REGENERATED),
        ending=_ending(last.body) if ended else _lost(),
        ended_s=last.at_s,
    )


def _simulated(body: Recorded) -> Recorded:
    return Recorded(type="start", fields={**body.fields, "simulated": True}) if body.type == "start" else body


def _lines(data: bytes) -> Iterator[_Line]:
    texts = data.split(b"\n")
    first: float | None = None
    for number, text in enumerate(texts, 1):
        if not text.strip():
            continue
        try:
            line, at_s = _line(number, text)
        except BrokenRecording:
            if number == len(texts):
                return  # a worker that was killed had not finished it
            raise
        first = at_s if first is None else first
        yield _Line(number, line["run"], at_s - first, _recorded(line))


def _line(number: int, text: bytes) -> tuple[dict[str, Any], float]:
    try:
        line = parse_json(text, one_line=True)
    except RequestProblems as problems:
        raise BrokenRecording(number, problems.problems[0].message) from None
    if not isinstance(line, dict) or not all(isinstance(line.get(name), str) for name in ("run", "ts", "type")):
        raise BrokenRecording(number, "is no event of a run: run, ts and type are required")
    try:
        return line, datetime.fromisoformat(line["ts"]).timestamp()
    except (ValueError, OverflowError):
        raise BrokenRecording(number, "ts is no RFC 3339 time") from None


def _recorded(line: dict[str, Any]) -> Recorded:
    return Recorded(type=line["type"], fields={name: line[name] for name in line if name not in _ENVELOPE})


def _check_order(lines: list[_Line]) -> None:
    if lines[0].body.type not in ("start", *TERMINAL):
        raise BrokenRecording(lines[0].number, "a run begins with start")
    attempt = 0
    for before, line in pairwise(lines):
        attempt = max(attempt, attempt_begun({"type": before.body.type, **before.body.fields}) or 0)
        begun = attempt_begun({"type": line.body.type, **line.body.fields})
        if begun is not None and begun <= attempt:
            raise BrokenRecording(line.number, f"start begins no later attempt than {attempt}")
        if line.run != before.run:
            raise BrokenRecording(line.number, "belongs to another run")
        if before.body.type in TERMINAL:
            raise BrokenRecording(line.number, f"follows the terminal event {before.body.type}")


def _ending(body: Recorded) -> Done | Error | Aborted:
    """Returns the terminal event as it was recorded: what was written is not judged again."""
    if body.type == "done":
        return Done.model_construct(**body.fields)
    if body.type == "aborted":
        return Aborted.model_construct(**body.fields)
    return Error.model_construct(**{"code": "internal", "retryable": False, **body.fields})


def _lost() -> Error:
    return Error(code="worker_lost", message="The recording ends before the run did.", retryable=True)


class ReplayEngine:
    """The recorded agent of one run.

    Args:
        recording: What to play.
        speed: How many times as fast as it was recorded; infinite for no pauses at all.
    """

    def __init__(self, recording: Recording, *, speed: float = 1) -> None:
        self.progress = Progress()
        self._recording = recording
        self._speed = speed

    async def __aenter__(self) -> Self:
        self._began = anyio.current_time()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Does nothing: no process has to be ended."""

    async def events(self) -> AsyncGenerator[Body]:
        """Yields the recorded event bodies at their times, the recorded terminal event last."""
        for at_s, body in self._recording.events:
            await self._pause(at_s)
            if body.type == "start":
                self.progress.session_id = None  # of an attempt that was lost
            if body.type == "session":
                self.progress.session_id = body.fields.get("session_id")
            yield body
        await self._pause(self._recording.ended_s)
        yield self._recording.ending

    def listen(self, tell: Tell) -> None:
        """Asks nothing: the answers were recorded with the questions."""

    def answer(self, message: AgentMessage) -> Ack:
        """Takes no answer: no question is open."""
        return Ack(id=message.id, ok=False, code="not_pending")

    async def catch_up(self) -> None:
        """Has named its session where the recorded run did."""

    def unsettled(self) -> Sequence[Body]:
        """Leaves nothing open."""
        return ()

    async def _pause(self, until_s: float) -> None:
        # Against the recording's clock, not from event to event, so that a slow reader does not stretch the run.
        await anyio.sleep_until(self._began + until_s / self._speed)
        self.progress.touch()

    async def stop(self, *, interrupt: bool) -> None:
        """Has no process to end."""

    def kill(self) -> None:
        """Has no process to end."""
