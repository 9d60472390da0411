"""What a caller and its worker say to each other, from the request to the worker's end. It never waits."""

from __future__ import annotations

import errno
import signal
import time
from contextlib import suppress
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from agent_workers.client.reader import EventReader, lost, missing_program, not_started, out_of_time, stopped
from agent_workers.wire import dump

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from agent_workers.client.command import Command, Process
    from agent_workers.client.event import Event

_DEFAULT_TIMEOUT_S = 300  # of limits.timeout_s
_LONGEST_TIMEOUT_S = 604_800
_SCARCE = (errno.EAGAIN, errno.ENOMEM, errno.EMFILE, errno.ENFILE)  # what is short now may not be so later
_TICK_S = 0.02  # how often to look for the end of a process, where the system does not tell it


class Conversation:
    """One run, as its caller has it.

    Args:
        command: How the worker is started.
        request: The request; gets a ``run`` where it has none.
        credential: A key for the API, which the worker reads as a line before the request.

    Attributes:
        run: The run's id.
        terminal: The terminal event, once it was given out.
        exit_status: The worker's, negative for the signal that killed it; None while it runs, or where it never ran.
    """

    def __init__(self, command: Command, request: Mapping[str, Any], credential: str | None = None) -> None:
        self.run = request["run"] if isinstance(request.get("run"), str) else str(uuid4())
        self.terminal: Event | None = None
        self.exit_status: int | None = None
        self._line = _line({**request, "run": self.run})  # here, before anything starts
        if credential is not None:
            self._line = credential.encode() + b"\n" + self._line
        self._command = command
        timeout_s = _timeout_of(request)
        self._has_usual_time = timeout_s is None
        self._timeout_s = timeout_s or _DEFAULT_TIMEOUT_S
        self._reader = EventReader(self.run)
        self._process: Process | None = None
        self._missing: dict[str, Any] = lost()
        self._stderr = ""
        self._began = False
        self._stopped = False
        self._stop_at: float | None = None
        self._kill_at: float | None = None

    @property
    def ended(self) -> bool:
        """Whether the terminal event was given out."""
        return self.terminal is not None

    @property
    def stderr(self) -> str:
        """The end of what the worker has written to stderr: for operators, not for users."""
        return self._process.stderr if self._process else self._stderr

    @property
    def line(self) -> bytes:
        """The line of the event that was given out last."""
        return self._reader.line

    @property
    def started(self) -> bool:
        """Whether ``begin`` was called."""
        return self._began

    def begin(self) -> None:
        """Starts the worker and hands it the request."""
        self._began = True
        if self._stopped:
            self._missing = stopped()
            return
        try:
            self._process = self._command.start()
        except FileNotFoundError as error:
            self._missing, self._stderr = missing_program(), str(error)
        except OSError as error:
            self._missing, self._stderr = not_started(retryable=error.errno in _SCARCE), str(error)
        else:
            self._process.send(self._line)
            self._stop_at = time.monotonic() + self._timeout_s + self._command.overtime_s
        self._line = b""

    def take(self) -> Iterator[Event]:
        """Yields what has arrived, the terminal event last."""
        chunks = []
        if self._process:
            has_ended = self._process.status is not None  # before the last chunks are taken
            chunks = self._process.take()
            is_over = not self._process.has_output or (has_ended and not chunks)
        else:
            is_over = True
        for chunk in chunks:
            for event in self._reader.push(chunk):
                yield self._told(event)
        if is_over and not self.ended:
            for event in self._reader.end(self._missing):
                yield self._told(event)
        self._keep_time()

    def _told(self, event: Event) -> Event:
        if event["type"] == "start" and event.get("skill") and self._has_usual_time and self._stop_at is not None:
            self._stop_at = time.monotonic() + _LONGEST_TIMEOUT_S  # the skill's own limit, which its worker knows
        if self._reader.terminal:
            self.terminal = self._reader.terminal
            self._finish()
        return event

    def wait(self) -> None:
        """Waits until ``take`` or ``leave`` has something to do."""
        if self._process:
            self._process.wait(self.patience_s)

    @property
    def patience_s(self) -> float | None:
        """How long to wait for the worker at most before ``take`` or ``leave`` is called again."""
        if self._process is None:
            return 0
        if self._process.status is not None:
            return 0  # what it has left behind may hold its stdout open
        times = [at - time.monotonic() for at in (self._stop_at, self._kill_at) if at is not None]
        if not self._process.has_output and not self._process.tells_its_end:
            times.append(_TICK_S)
        return max(0.0, min(times)) if times else None

    async def ready(self) -> None:
        """Waits in an event loop until ``take`` or ``leave`` has something to do."""
        if self._process:
            await self._process.ready()

    def send(self, message: Mapping[str, Any]) -> str | None:
        """Sends a control message; returns its ``id``, a new one where it has none, or None where the run is over."""
        name = message.get("id") or str(uuid4())
        line = _line({**message, "id": name})
        return str(name) if not self.ended and self._process and self._process.send(line) else None

    def stop(self) -> None:
        """Stops the worker by SIGTERM, and by SIGKILL where it does not obey in time."""
        self._stopped = True
        process = self._process  # the thread that waits may be closing it
        if process is None or self._kill_at is not None:
            return
        if not self.ended:
            self._missing = stopped()
        self._terminate(process)
        process.wake()  # whoever waits for it waits too long

    def leave(self) -> bool:
        """Goes on with the end of a worker whose events nobody reads any more; says whether it has gone."""
        if self._process:
            self._process.take()
            if self._process.status is not None:
                self.close()
            self._keep_time()
        return self._process is None

    def close(self) -> None:
        """Kills the worker, if it still runs. What it had not told by then is lost."""
        if self._process:
            self._stderr = self._process.stderr
            self._process.close()
            self.exit_status = self._process.status
            self._process = None

    def _finish(self) -> None:
        """Lets a worker that has told its end go in peace, but not for ever."""
        if self._process:
            self._process.end_input()
            if self._kill_at is None:
                self._stop_at = time.monotonic() + self._command.grace_s

    def _keep_time(self) -> None:
        if self._process is None:
            return
        now = time.monotonic()
        has_ended = self._process.status is not None and self.ended
        if has_ended or (self._kill_at is not None and now >= self._kill_at):
            self.close()
        elif self._stop_at is not None and now >= self._stop_at:
            if not self.ended:
                self._missing = out_of_time()
            self._terminate(self._process)

    def _terminate(self, process: Process) -> None:
        process.signal(signal.SIGTERM)
        self._stop_at, self._kill_at = None, time.monotonic() + self._command.grace_s


def _line(message: Mapping[str, Any]) -> bytes:
    try:
        return dump(message) + b"\n"
    except (TypeError, ValueError, RecursionError) as error:
        raise ValueError(f"this cannot be written as JSON: {error}") from None


def _timeout_of(request: Mapping[str, Any]) -> float | None:
    with suppress(AttributeError, TypeError, ValueError, OverflowError):
        timeout_s = float(request.get("limits", {}).get("timeout_s"))
        if 0 < timeout_s <= _LONGEST_TIMEOUT_S:
            return timeout_s
    return None  # there is none, or the worker refuses it
