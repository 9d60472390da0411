"""The events of one run: each line by itself, and what only the whole of them can break."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from agent_workers.protocol.v1.envelope import TERMINAL, attempt_begun
from agent_workers.validation.call_output import CallOutput
from agent_workers.validation.chained import Chained
from agent_workers.validation.event_schema import event_schema
from agent_workers.validation.fault import Fault
from agent_workers.validation.final_text import FinalText
from agent_workers.validation.request import problems_of
from agent_workers.validation.settlements import Settlements
from agent_workers.wire import MAX_LINE

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

Event = dict[str, Any]

_WITHOUT_START = ("error", "aborted")
"""What may be the only event of an attempt."""

STREAM_RULES = (
    "lines",
    "escaped",
    "line-length",
    "schema",
    "start-first",
    "seq",
    "one-run",
    "terminal",
    "terminal-last",
    "done-text",
    "settled",
    "tool-output-in-call",
    "prev",
)
"""What holds in every stream, whatever happened in it; each is a conformance case too."""


def check_stream(data: bytes) -> Iterator[Fault]:
    """Yields every fault of the stream, in the order of its lines."""
    stream = _Stream()
    *lines, rest = data.split(b"\n")
    for line in lines:
        yield from stream.take(line)
    if rest:
        yield from stream.take(rest)
        yield Fault(stream.line, "", "the last line has no newline at its end", rule="lines")
    yield from stream.end()


class _Stream:
    def __init__(self) -> None:
        self.line = 0
        self._schema = event_schema()
        self._first: Event | None = None
        self._terminal: str | None = None
        self._begin(0)

    def _begin(self, attempt: int) -> None:
        """Forgets what an attempt before has said: a later one begins anew."""
        self._attempt = attempt
        self._text = FinalText()
        self._calls = CallOutput()
        self._settlements = Settlements()
        self._chained = Chained()
        self._before: Event | None = None

    def take(self, line: bytes) -> Iterator[Fault]:
        self.line += 1
        yield from (Fault(self.line, "", message, rule=rule) for rule, message in _wire_faults(line))
        event, problems = problems_of(line) if line.strip() else (None, [])
        yield from (Fault.of(problem, self.line, "lines") for problem in problems)
        if isinstance(event, dict):
            yield from self._check(event)
            yield from self._at("/prev", self._chained.feed(line, event), "prev")
        elif line.strip() and not problems:
            yield Fault(self.line, "", "an event is a JSON object", rule="lines")

    def end(self) -> Iterator[Fault]:
        if self._first is None:
            yield Fault(1, "", "there is no event", rule="terminal")
        elif self._terminal is None:
            names = ", ".join(TERMINAL)
            words = f"the stream ends without a terminal event ({names}): a reader reports worker_lost"
            yield Fault(self.line, "", words, rule="terminal")

    def _check(self, event: Event) -> Iterator[Fault]:
        yield from (Fault(self.line, *fault, rule="schema") for fault in self._schema.faults(event))
        yield from self._check_order(event)
        yield from self._at("/tool_use_id", self._calls.feed(event), "tool-output-in-call")
        yield from (Fault(self.line, *wrong, rule="settled") for wrong in self._settlements.feed(event))
        yield from self._at("/text", self._text.feed(event), "done-text")

    def _check_order(self, event: Event) -> Iterator[Fault]:
        if self._first is None:
            self._first = event
            yield from self._at("/type", _first_faults(event), "start-first")
            self._attempt = attempt_begun(event) or 1
        elif (attempt := attempt_begun(event)) is not None:
            if attempt > self._attempt and not self._terminal:
                self._begin(attempt)
            else:
                words = f"start stands on the first line, or begins a later attempt than {self._attempt}"
                yield Fault(self.line, "/type", words, rule="start-first")
        elif event.get("seq") == 1 and event.get("type") in _WITHOUT_START and not self._terminal:
            self._begin(self._attempt)  # of a later attempt that never began
        yield from self._check_envelope(event)
        if self._terminal:
            yield Fault(self.line, "", f"follows {self._terminal}, which is terminal", rule="terminal-last")
        elif event.get("type") in TERMINAL:
            self._terminal = event["type"]
        self._before = event

    def _check_envelope(self, event: Event) -> Iterator[Fault]:
        assert self._first
        before = self._before.get("seq") if self._before else 0
        seq = event.get("seq")
        if isinstance(before, int) and isinstance(seq, int) and seq != before + 1:
            yield Fault(self.line, "/seq", f"must be {before + 1}, not {seq}", rule="seq")
        if event.get("run") != self._first.get("run"):
            yield Fault(self.line, "/run", "differs from that of the first line", rule="one-run")

    def _at(self, pointer: str, messages: Iterable[str], rule: str) -> Iterator[Fault]:
        return (Fault(self.line, pointer, message, rule=rule) for message in messages)


def _first_faults(event: Event) -> Iterator[str]:
    if event.get("type") not in ("start", *_WITHOUT_START):
        yield "the first event must be start, or an error or aborted alone"


def _wire_faults(line: bytes) -> Iterator[tuple[str, str]]:
    if not line.strip():
        yield "lines", "the line is empty"
    if len(line) >= MAX_LINE:
        yield "line-length", f"the line has {len(line) + 1} bytes; {MAX_LINE} are allowed"
    if not line.isascii():
        at = next(place for place, byte in enumerate(line) if byte > 0x7F)  # noqa: PLR2004 the last ASCII character
        yield "escaped", f"byte {at + 1} is not ASCII: characters beyond it must be escaped"
    if b"\\ud" in line.lower() and _has_lone_surrogate(line):
        yield "escaped", "holds a lone surrogate, which not every reader takes"


def _has_lone_surrogate(line: bytes) -> bool:
    try:
        json.dumps(json.loads(line), ensure_ascii=False).encode()
    except UnicodeEncodeError:
        return True
    except (ValueError, RecursionError):
        return False
    return False
