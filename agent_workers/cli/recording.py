"""A recorded run, where others have a request and an agent."""

from __future__ import annotations

from typing import TYPE_CHECKING, BinaryIO

from agent_workers.engine.replay import BrokenRecording, ReplayEngine, read_recording
from agent_workers.errors import EXIT_ERROR, EXIT_REFUSED, InvalidRequest
from agent_workers.protocol.v1.request import Request
from agent_workers.protocol.v1.settings import Limits

if TYPE_CHECKING:
    from agent_workers.engine.base import Engine
    from agent_workers.engine.replay import Recording
    from agent_workers.protocol.v1.body import Body
    from agent_workers.protocol.v1.request import AnyRequest

_LONGEST_S = 604_800  # the recording's own pauses decide how long it takes


class RecordingSource:
    """A recording that stands in for the request and the agent.

    Args:
        file: Holds the recording.
        speed: How many times as fast as it was recorded; infinite for no pauses at all.
        keep_run: Whether the run keeps the recorded id.
    """

    name = "agent-workers replay"
    control = None
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
        limits = Limits(timeout_s=_LONGEST_S, idle_timeout_s=_LONGEST_S)
        request = Request(prompt="Plays a recording.", limits=limits)
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
