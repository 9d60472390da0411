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

_EXIT_ABORTED = 3
_PATIENCE_S = 5  # as in stdio/stdout.py


def run_in_pool(program: str) -> None:
    """Has a pool serve this process's command line, and ends the process with the exit status of the run.

    Returns where no pool does, with nothing read of stdin and the options about pools taken from ``sys.argv``.
    """
    asked = CommandLine(program, sys.argv[1:], os.environ)
    sys.argv[1:] = asked.rest
    if not asked.is_served or not all(map(_is_open, range(3))):
        _tell(program, asked, asked.fault)
        return
    hold_stop()
    try:
        connection = Connection(asked.pool)
    except OSError as error:
        _tell(program, asked, f"no pool at {asked.pool} ({error.strerror or error})")
        return
    signals = StopSignals()
    request = Request(control=asked.control)
    try:
        request.read(signals, program)
    except Stopped:
        _abort(_show(program, asked, Unblocked(1)))
    except OSError:  # which the worker tells in its own words
        connection.close()
        signals.hold()
        return
    _leave(_run(program, asked, connection, request, signals))


def _run(program: str, asked: CommandLine, connection: Connection, request: Request, signals: StopSignals) -> int:
    if request.whole:
        data = _with_tool_output(request.data) if asked.pretty else request.data
        if connection.has_spoken:  # it has waited too long
            connection.close()
            connection = _again(connection, asked.pool)
        connection.send(_head(program, asked, len(data)))
        connection.send(data)
    else:
        connection.end()  # the pool says what is missing
    connection.flush()
    out = Unblocked(1)
    show = _show(program, asked, out)
    control = asked.control and request.whole
    status = Relay(connection, out, show, signals, request, control=control).run()
    if request.is_too_large:
        _drain(program, control=asked.control)
    return status


def _again(connection: Connection, pool: str) -> Connection:
    """Returns a new connection; the closed one, on which nothing comes, where the pool has gone."""
    try:
        return Connection(pool)
    except OSError:
        return connection


def _head(program: str, asked: CommandLine, size: int) -> bytes:
    fields = [f'"pool":1,"worker":{_quoted(program)},"size":{size}']
    fields += [f'"{flag}":true' for flag in ("control", "result") if getattr(asked, flag)]
    fields += [f'"{field}":{_quoted(text)}' for field in ("name", "skill") if (text := getattr(asked, field))]
    return f"{{{','.join(fields)}}}\n".encode()


def _quoted(text: str) -> str:
    if text.isascii() and text.isprintable() and not {'"', "\\"} & {*text}:
        return f'"{text}"'
    from json import dumps  # takes long to import

    return dumps(text)


def _show(program: str, asked: CommandLine, out: Unblocked) -> Show:
    if not asked.pretty and not asked.result:
        return Show(program, out)
    from agent_workers.cli.pooled.rendered import Rendered  # for a person

    return Rendered(program, out, pretty=asked.pretty)


def _with_tool_output(request: bytes) -> bytes:
    from agent_workers.cli.pooled.rendered import with_tool_output  # likewise

    return with_tool_output(request)


def _abort(show: Show) -> NoReturn:
    show.take(aborted())
    try:
        while show.out.pending:
            if not show.out.write_some() and not show.out.ready(_PATIENCE_S):
                break
    except OSError:
        pass
    _leave(_EXIT_ABORTED)


def _tell(program: str, asked: CommandLine, fault: str) -> None:
    is_asked = asked.is_explicit or os.environ.get("AGENT_WORKERS_LOG", "").lower() in ("info", "debug")
    if fault and is_asked:
        from agent_workers.stdio.stderr import say  # the worker that starts now has it, too

        say(f"{program}: {fault}: this run starts a worker of its own")


def _drain(program: str, *, control: bool) -> None:
    from agent_workers.stdio.stdin import Stdin  # as a worker does after a refusal

    Stdin(program).drain(patience_s=0.05 if control else 1)


def _is_open(fd: int) -> bool:
    try:
        os.fstat(fd)
    except OSError:
        return False
    return True


def _leave(status: int) -> NoReturn:
    os._exit(status)  # the interpreter's own way out takes longer, and everything is written
