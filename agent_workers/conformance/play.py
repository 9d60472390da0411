"""Plays a case: does to a worker what the steps say, answers it, and notes what comes."""

from __future__ import annotations

import json
import signal
import time
from typing import TYPE_CHECKING, Any

from agent_workers.conformance.fill import Unfilled, field_of, filled, merged
from agent_workers.conformance.match import matches, shown, told
from agent_workers.conformance.recording import Played, Recording
from agent_workers.conformance.take import Stuck, Take

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from agent_workers.conformance.case import Case, Pattern
    from agent_workers.conformance.recording import Event
    from agent_workers.conformance.take import Stage

_PIECE_S = 0.01


def play(case: Case, request: Mapping[str, Any], command: Sequence[str], stage: Stage) -> Played:
    """Plays the steps of a case and waits for the end. Nothing of the worker is left after it.

    Args:
        case: What to play.
        request: The request, with the case's changes.
        command: How the worker is started.
        stage: Where.
    """
    player = _Player(case, request, [*command, *case.arguments], stage)
    began = time.monotonic()
    player.play()
    player.played.took_s = time.monotonic() - began
    return player.played


class _Player:
    def __init__(self, case: Case, request: Mapping[str, Any], command: Sequence[str], stage: Stage) -> None:
        self.played = Played([Recording()])
        self._case = case
        self._request = request
        self._command = command
        self._stage = stage
        self._awaited = 0  # lines that steps have waited for
        self._steps: Mapping[str, Callable[[Any], None]] = {
            "request": self._send_request,
            "send": self._send,
            "write": self._write,
            "close": self._close,
            "signal": self._signal,
            "wait": self._wait,
            "read_nothing_s": self._read_nothing,
            "pause_s": self._pause,
            "again": self._again,
        }

    def play(self) -> None:
        try:
            self._begin()
        except OSError as error:
            self.played.last.trouble = f"it could not be started: {error.strerror or error}"
            return
        try:
            for step in self._case.steps:
                [(name, value)] = step.items()
                self._steps[name](value)
            self._take.finish()
        except Stuck as stuck:
            self.played.last.trouble = str(stuck)
        finally:
            self._take.leave()

    def _begin(self) -> None:
        self._take = Take(self._stage, self._command, self.played.last, self._reply)
        self._awaited = 0
        if self._case.arguments:
            self._take.act(f"started with {' '.join(self._case.arguments)}")

    # Steps

    def _send_request(self, options: Mapping[str, Any]) -> None:
        document = self._filled(merged(self._request, options.get("with", {})))
        controlled = "--control" in self._command
        together = [self._filled(message) for message in options.get("together_with", ())]
        data = _encoded(document, indented=options.get("indented", False))
        data += b"".join(b"\n" + _encoded(message) for message in together) + b"\n" * controlled
        spaces = options.get("spaces", 0)
        data = data[:1] + b" " * spaces + data[1:]
        self._take.act(f"request {shown(document)}", *[f"with {spaces} spaces in it"] * bool(spaces))
        self._take.act(*(f"in the same write {shown(each)}" for each in together))
        if pieces := options.get("pieces"):
            self._write_pieces(data, max(1, len(data) // pieces))
        else:
            self._take.worker.write(data)
        if not controlled:
            self._take.worker.end_input()

    def _write_pieces(self, data: bytes, size: int) -> None:
        self._take.act(f"written {size} bytes at a time")
        for at in range(0, len(data), size):
            self._take.worker.write(data[at : at + size])
            self._take.pump_for(_PIECE_S)

    def _send(self, *messages: Mapping[str, Any]) -> None:
        """Sends messages in one write, so that a worker that reads the first has the others too."""
        documents = [self._filled(message) for message in messages]
        self._take.act(*map(shown, documents))
        self._take.worker.write(b"".join(_encoded(document) + b"\n" for document in documents))

    def _write(self, text: str) -> None:
        self._take.act(f"the bytes {text!r}")
        self._take.worker.write(text.encode())

    def _close(self, what: str) -> None:
        self._take.act(f"{what} closed")
        if what == "stdin":
            self._take.worker.end_input()
        else:
            self._take.recording.cut_off = True
            self._take.worker.close_output()

    def _signal(self, name: str) -> None:
        self._take.act(name)
        number = signal.Signals[name]
        self._take.recording.signals.append(number)
        self._take.worker.signal(number)

    def _wait(self, pattern: Pattern) -> None:
        lines = self._take.recording.lines
        while True:
            while self._awaited < len(lines):
                self._awaited += 1
                if matches(pattern, lines[self._awaited - 1].event):
                    self._take.act(f"waited for {told(pattern)}")
                    return
            if self._take.worker.told_all:
                raise Stuck(f"the kit waited for {told(pattern)}, but the run ended before that")
            self._take.pump(f"the kit waited for {told(pattern)}")

    def _read_nothing(self, seconds: float) -> None:
        self._take.act(f"nothing read for {seconds:g} s")
        self._take.worker.read_nothing()
        self._take.pump_for(seconds)
        self._take.worker.read_again()

    def _pause(self, seconds: float) -> None:
        self._take.pump_for(seconds)

    def _again(self, options: Mapping[str, Any]) -> None:
        """Begins another run, whose request may name what the one before has told."""
        self._take.finish()
        change = self._filled(options["with"])
        self._take.leave()
        self.played.runs.append(Recording())
        self._begin()
        self._send_request({**options, "with": change})

    # Answers

    def _reply(self, event: Event) -> None:
        for reply in self._case.replies:
            if matches(reply["on"], event):
                self._send(*filled(reply["send"], lambda path: self._look_up(path, event)))

    def _filled(self, document: Any) -> Any:
        return filled(document, self._look_up)

    def _look_up(self, path: str, event: Event | None = None) -> Any:
        name, _, rest = path.partition(".")
        if name == "cwd":
            return str(self._stage.place.cwd)
        if name == "lone_surrogate":  # which no file of cases may hold, or PHP could not read it
            return "\ud83d"
        found = [each for run in self.played.runs for each in run.events if each.get("type") == name]
        try:
            return field_of((event or {}) if name == "event" else found[-1] if found else {}, rest)
        except Unfilled:
            raise Stuck(f"no event has brought {path}, which the next message needs") from None


def _encoded(document: Any, *, indented: bool = False) -> bytes:
    indent = 2 if indented else None
    try:
        return json.dumps(document, ensure_ascii=False, indent=indent).encode()
    except UnicodeEncodeError:  # a lone surrogate, which only an escape can say
        return json.dumps(document, indent=indent).encode()
