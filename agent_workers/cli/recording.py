"""A recorded run, where others have a request and an agent."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, BinaryIO

from agent_workers.engine.replay import BrokenRecording, ReplayEngine, read_recording
from agent_workers.errors import EXIT_ERROR, EXIT_REFUSED, InvalidRequest
from agent_workers.protocol.document import parse_json
from agent_workers.protocol.v1.part import Part
from agent_workers.protocol.v1.request import Request, parse_request, told_at_start
from agent_workers.protocol.v1.settings import Limits

if TYPE_CHECKING:
    from collections.abc import Callable

    from agent_workers.engine.base import Engine
    from agent_workers.engine.replay import Recording
    from agent_workers.protocol.v1.body import Body
    from agent_workers.protocol.v1.request import AnyRequest
    from agent_workers.stdio.stdin import Stdin

_LONGEST_S = 604_800  # the recording's own pauses decide how long it takes
_PROMPT = "Plays a recording."
_ECHOED = ("metadata", "subject", "user", "goal", "attempt", "traceparent")
_FOLLOWED = ("v", "run", "stream", *_ECHOED)
"""What a request says that does not depend on who answers it."""


class RecordingSource:
    """A recording that stands in for the request and the agent.

    Args:
        file: Holds the recording.
        speed: How many times as fast as it was recorded; infinite for no pauses at all.
        keep_run: Whether the run keeps the recorded id.
    """

    name = "agent-workers replay"
    control: Stdin | None = None
    companion = None

    def __init__(self, file: BinaryIO, *, speed: float, keep_run: bool) -> None:
        self._file = file
        self._speed = speed
        self._keep_run = keep_run
        self._recording: Recording

    def read(self) -> Request:
        """Reads the recording; the request that led to it is not known.

        Raises:
            InvalidRequest: It is no recording of one run.
        """
        try:
            self._recording = read_recording(self._file.read())
        except BrokenRecording as broken:
            raise InvalidRequest(f"The recording cannot be played: {broken}.") from broken
        request = Request(prompt=_PROMPT, limits=_limits())
        run = self._recording.run if self._keep_run else None
        return request.model_copy(update={"run": run, **self._recording.echo})

    def admit(self, request: AnyRequest) -> AnyRequest:
        """Asks nothing of the host."""
        return request

    def start(self, request: AnyRequest) -> Body | None:
        """Returns the recorded ``start``, now simulated."""
        return self._recording.start

    def launch(self, request: AnyRequest) -> Engine:
        """Returns the recording, about to play."""
        return ReplayEngine(self._recording, speed=self._speed)

    def stop_launch(self) -> None:
        """Does nothing: a recording starts nothing."""

    def drain(self) -> None:
        """Does nothing: the file has been read to its end."""

    def close(self, *, at_once: bool = False) -> None:
        """Does nothing: a recording has started nothing."""

    def exit_status(self, status: int) -> int:
        """Returns the exit status of the run that was recorded."""
        return EXIT_REFUSED if status == EXIT_ERROR and self._recording.was_refused else status


class RequestedRecording(RecordingSource):
    """A recording that stands in for the worker of a request: it answers whatever is asked with the same.

    Args:
        file: Holds the recording.
        stdin: Brings the request, as the worker gets it, and control messages after it.
        speed: How many times as fast as it was recorded; infinite for no pauses at all.
        credential: Reads the key that stands before the request; it is not used.
    """

    def __init__(
        self, file: BinaryIO, stdin: Stdin, *, speed: float, credential: Callable[[Stdin], str] | None = None
    ) -> None:
        super().__init__(file, speed=speed, keep_run=False)
        self._stdin = self.control = stdin
        self._credential = credential

    def read(self) -> Request:
        """Reads the recording, and of the request what is echoed, its ``run`` and its ``stream``.

        Raises:
            InvalidRequest: It is no recording of one run, or there is no key.
            RequestProblems: Those parts of the request are not valid.
        """
        super().read()
        if self._credential:
            self._credential(self._stdin)
        document = parse_json(self._stdin.read_first_line())
        if isinstance(document, dict):
            document = {"prompt": _PROMPT, **{name: document[name] for name in _FOLLOWED if name in document}}
        return parse_request(document).model_copy(update={"limits": _limits()})

    def start(self, request: AnyRequest) -> Body | None:
        """Returns the recorded ``start`` with what the request wants repeated."""
        if not (start := self._recording.start):
            return None
        told = {name: value.to_wire() if isinstance(value, Part) else value for name, value in _told(request).items()}
        own = {name: value for name, value in start.fields.items() if name not in _ECHOED}
        return start.model_copy(update={"fields": own | told})

    def launch(self, request: AnyRequest) -> Engine:
        """Returns the recording, about to play."""
        ending = self._recording.ending.model_copy(update=dict.fromkeys(_ECHOED))
        return ReplayEngine(replace(self._recording, ending=ending), speed=self._speed)

    def drain(self) -> None:
        """Reads on for a moment: whoever calls may still be writing."""
        self._stdin.drain(patience_s=0.05)


def _told(request: AnyRequest) -> dict[str, Any]:
    told = told_at_start(request)
    return {name: told[name] for name in _ECHOED if name in told}


def _limits() -> Limits:
    return Limits(timeout_s=_LONGEST_S, idle_timeout_s=_LONGEST_S)
