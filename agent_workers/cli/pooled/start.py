"""A worker's command line from its first step to its exit status, where a pool serves it."""

from __future__ import annotations

import os
import sys

from agent_workers.cli.pooled.command_line import CommandLine
from agent_workers.cli.pooled.connection import Connection
from agent_workers.cli.pooled.events import aborted
from agent_workers.cli.pooled.relay import Relay
from agent_workers.cli.pooled.request import Request, Stopped
from agent_workers.cli.pooled.show import Show
from agent_workers.cli.pooled.signals import StopSignals, hold_stop
from agent_workers.stdio.unblocked import Unblocked

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import NoReturn

_EXIT_ABORTED = 3  # the module errors takes long to import
_PATIENCE_S = 5  # as in stdio/stdout.py


def run_in_pool(program: str) -> None:
    """Has a pool serve this process's command line, and ends the process with the exit status of the run.

    Returns where no pool does, with nothing read of stdin and the options about pools taken from ``sys.argv``.
    """
    asked = CommandLine(program, sys.argv[1:], os.environ)
    sys.argv[1:] = asked.rest
    if not asked.is_served or not all(map(_is_open, (*range(3), asked.descriptor or 0))):
        _tell(program, asked, asked.fault)
        return
    hold_stop()
    try:
        connection = Connection(asked.pool)
    except OSError as error:
        _tell(program, asked, f"no pool at {asked.pool} ({error.strerror or error})")
        return
    _Client(program, asked, connection).serve()


class _Client:
    """The process as the client of a pool that has taken its connection."""

    def __init__(self, program: str, asked: CommandLine, connection: Connection) -> None:
        self._program = program
        self._asked = asked
        self._pool = connection
        self._signals = StopSignals()
        self._request = Request(self._signals, control=asked.control)
        self._out = Unblocked(1)

    def serve(self) -> None:
        """Ends the process with the exit status of the run; returns where stdin cannot be read."""
        try:
            key = self._credential()
            self._request.read(self._program)
        except Stopped:
            self._show().take(aborted())
            self._leave(_EXIT_ABORTED)
        except OSError:  # which the worker tells in its own words
            self._pool.close()
            self._signals.hold()
            return
        self._leave(self._run(key))

    def _credential(self) -> str:
        if self._asked.descriptor is None:
            return ""
        from agent_workers.cli.pooled.credential import read_credential, tell  # few runs bring one
        from agent_workers.errors import InvalidRequest

        try:
            return read_credential(self._asked.descriptor, self._request)
        except InvalidRequest as error:
            status = tell(error, self._show())
            self._drain()
            self._leave(status)

    def _run(self, key: str) -> int:
        request, is_whole = self._request, self._request.whole
        if is_whole:
            data = self._with_tool_output(request.data) if self._asked.pretty else request.data
            if self._pool.has_spoken:  # it has waited too long
                self._connect_again()
            self._pool.send(self._asked.head(len(data), key))
            self._pool.send(data)
            self._pool.flush()
        control = self._asked.control and is_whole  # else the pool says that it has waited long enough
        status = Relay(self._pool, self._out, self._show(), self._signals, request, control=control).run()
        if request.is_too_large:
            self._drain()
        return status

    def _connect_again(self) -> None:
        self._pool.close()
        try:
            self._pool = Connection(self._asked.pool)
        except OSError:
            return  # on the closed one nothing comes, as from a pool that has gone

    def _show(self) -> Show:
        if not self._asked.pretty and not self._asked.result:
            return Show(self._program, self._out)
        from agent_workers.cli.pooled.rendered import Rendered  # for a person

        return Rendered(self._program, self._out, pretty=self._asked.pretty)

    @staticmethod
    def _with_tool_output(request: bytes) -> bytes:
        from agent_workers.cli.pooled.rendered import with_tool_output  # likewise

        return with_tool_output(request)

    def _drain(self) -> None:
        from agent_workers.stdio.stdin import Stdin  # as a worker does after a refusal

        Stdin(self._program).drain(patience_s=0.05 if self._asked.control else 1)

    def _leave(self, status: int) -> NoReturn:
        """Ends the process, once what is pending is written or nobody takes it."""
        try:
            while self._out.pending and (self._out.write_some() or self._out.ready(_PATIENCE_S)):
                pass
        except OSError:
            pass
        os._exit(status)  # the interpreter's own way out takes longer


def _tell(program: str, asked: CommandLine, fault: str) -> None:
    is_asked = asked.is_explicit or os.environ.get("AGENT_WORKERS_LOG", "").lower() in ("info", "debug")
    if fault and is_asked:
        from agent_workers.stdio.stderr import say  # the worker that starts now has it, too

        say(f"{program}: {fault}: this run starts a worker of its own")


def _is_open(fd: int) -> bool:
    try:
        os.fstat(fd)
    except OSError:
        return False
    return True
