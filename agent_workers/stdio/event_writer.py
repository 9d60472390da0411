"""The events that a worker writes before its event loop runs: the first one, and the last where there is no run."""

from __future__ import annotations

import os
import uuid
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from agent_workers.chain import is_on
from agent_workers.errors import OutputClosed
from agent_workers.protocol.v1.part import Part
from agent_workers.stdio.signals import leave_on_stop, stop_held
from agent_workers.stdio.stderr import say
from agent_workers.wire import Encoder

if TYPE_CHECKING:
    from agent_workers.errors import WorkerError
    from agent_workers.protocol.v1.body import Body
    from agent_workers.stdio.stdout import Output


class EventWriter:
    """Writes a run's events without an event loop.

    Args:
        name: The program's, before each line on stderr.
        out: Takes the lines.

    Attributes:
        encoder: Numbers the events; the event loop's go on from there.
    """

    def __init__(self, name: str, out: Output) -> None:
        self.name = name
        self.out = out
        self.encoder = Encoder(str(uuid.uuid4()), chained=is_on(os.environ))
        self._echo: dict[str, Any] = {}
        self._aborted: dict[str, Any] = {"type": "aborted", "reason": "signal"}

    def identify(self, run: str | None, echo: dict[str, Any]) -> None:
        """Has every further event bear the request's run id, where it has one, and the terminal one what it repeats."""
        self.encoder.run = run or self.encoder.run
        self._echo = echo
        plain = {name: value.to_wire() if isinstance(value, Part) else value for name, value in echo.items()}
        self._aborted = {"type": "aborted", "reason": "signal", **plain}

    def send(self, body: Body) -> None:
        """Writes one event.

        Raises:
            OutputClosed: Nobody reads.
        """
        with stop_held():
            for line in self.encoder.lines(body.to_wire()):
                self.out.send_now(line)

    def fail(self, error: WorkerError) -> int:
        """Writes the ``error`` event, unless the run has ended; returns the exit status.

        Raises:
            OutputClosed: Nobody reads.
        """
        from agent_workers.ending import exit_status, failed  # not on the way to the first words

        if not self.out.tells_errors:
            say(f"{self.name}: {error.code}: {error.cause or error.message}")
        if told := self.encoder.terminal:  # the exit status must not contradict it
            return exit_status(told)
        leave_on_stop(error.exit_status)
        self.send(failed(error).model_copy(update=self._echo))
        return error.exit_status

    def abort(self) -> None:
        """Writes the ``aborted`` event; imports nothing, for a signal may come in the midst of an import."""
        with suppress(OutputClosed), stop_held():
            if not self.encoder.terminal:
                for line in self.encoder.lines(self._aborted):
                    self.out.send_now(line)
