"""Checks a value against a schema; in a process of its own where that could take forever.

``python -m agent_workers.engine.input_check PARENT`` reads ``{"schema": …, "input": …}``, a line each, and writes a
line for each of what is wrong. It ends where none comes for a while.
"""

from __future__ import annotations

import atexit
import json
import os
import select
import signal
import subprocess
import sys
import threading
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import anyio
from anyio.lowlevel import RunVar

from agent_workers.engine.process.prctl import end_with_parent
from agent_workers.json_schema.faults import InputFault, faults

if TYPE_CHECKING:
    from typing import NoReturn

CHECK_S = 5
"""Seconds of a processor that a check may take."""

_PATIENCE_S = 12 * CHECK_S  # on a machine that is busy with other things
_IDLE_S = 10
_MOST = 4  # checks at once, and processes that wait for more

_MAX_FAULTS = 5
_MAX_WORDS = 200
# Python's patterns can take exponential time and block everything else; references can double at each step.
_SLOW = frozenset({"pattern", "patternProperties", "$ref", "$dynamicRef", "$recursiveRef", "uniqueItems"})

_places: RunVar[anyio.CapacityLimiter] = RunVar("places of checks")


async def check_input(schema: dict[str, Any], tool_input: dict[str, Any]) -> str:
    """Returns what is wrong with the input, in words for the model; empty for nothing.

    Raises:
        TimeoutError: The check took more than ``CHECK_S`` seconds.
    """
    return in_words(await find_faults(schema, tool_input))


def in_words(found: list[InputFault]) -> str:
    """Returns what is wrong in words for the model; empty for nothing."""
    told = [f"{fault.json_path}: {fault.message[:_MAX_WORDS]}" for fault in found]
    more = f" And {len(told) - _MAX_FAULTS} more." if len(told) > _MAX_FAULTS else ""
    return "; ".join(told[:_MAX_FAULTS]) + more


async def find_faults(schema: dict[str, Any], tool_input: dict[str, Any]) -> list[InputFault]:
    """Returns what is wrong with the input, for a person who wrote it.

    Raises:
        TimeoutError: The check took more than ``CHECK_S`` seconds.
    """
    if is_quick(schema):
        return faults(schema, tool_input)
    try:
        places = _places.get()
    except LookupError:
        places = anyio.CapacityLimiter(_MOST)
        _places.set(places)
    return await anyio.to_thread.run_sync(_apart, schema, tool_input, abandon_on_cancel=True, limiter=places)


def find_faults_now(schema: dict[str, Any], tool_input: dict[str, Any]) -> list[InputFault]:
    """Does what ``find_faults`` does where no event loop runs yet, or in a thread beside it."""
    return faults(schema, tool_input) if is_quick(schema) else _apart(schema, tool_input)


def is_quick(schema: Any) -> bool:
    """Tells whether no value takes long to be checked against a schema."""
    if isinstance(schema, dict):
        return not _SLOW & schema.keys() and all(map(is_quick, schema.values()))
    return all(map(is_quick, schema)) if isinstance(schema, list) else True


class _Gone(Exception):
    """Raised when a process has ended before it answered: it waited too long, or its thread has ended."""


class _Checker:
    """A process that checks, one value after the other."""

    def __init__(self) -> None:
        command = [sys.executable, "-EP", "-m", __spec__.name, str(os.getpid())]
        self._popen = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
        )

    def ask(self, line: bytes) -> list[InputFault]:
        """Returns what is wrong.

        Raises:
            TimeoutError: The check took too long.
            _Gone: The process has ended.
        """
        assert self._popen.stdin
        assert self._popen.stdout
        try:
            self._popen.stdin.write(line)
            self._popen.stdin.flush()
        except BrokenPipeError:
            raise _Gone from None
        poll = select.poll()
        poll.register(self._popen.stdout, select.POLLIN)
        if not poll.poll(_PATIENCE_S * 1000):
            raise TimeoutError
        answer = self._popen.stdout.readline()
        if not answer.endswith(b"\n"):
            raise TimeoutError if self._popen.wait() == -signal.SIGPROF else _Gone
        return [InputFault(*fault) for fault in json.loads(answer)]

    def end(self) -> None:
        """Ends the process."""
        self._popen.kill()
        self._popen.wait()
        for stream in (self._popen.stdin, self._popen.stdout):
            if stream:
                with suppress(BrokenPipeError):  # what it has not read
                    stream.close()


_idle: list[_Checker] = []
_lock = threading.Lock()


@atexit.register
def end_idle() -> None:
    """Ends the processes that wait for more."""
    while _idle:
        _idle.pop().end()


def _apart(schema: dict[str, Any], tool_input: dict[str, Any]) -> list[InputFault]:
    line = json.dumps({"schema": schema, "input": tool_input}).encode() + b"\n"
    while True:
        with _lock:
            checker = _idle.pop() if _idle else None
        is_new = checker is None
        checker = checker or _Checker()
        try:
            found = checker.ask(line)
        except _Gone:
            checker.end()
            if is_new:
                raise RuntimeError("the process that checks a value against a schema has ended") from None
        except BaseException:
            checker.end()
            raise
        else:
            with _lock:
                if len(_idle) < _MOST:
                    _idle.append(checker)
                    return found
            checker.end()
            return found


def _serve() -> NoReturn:
    end_with_parent(signal.SIGKILL)
    if os.getppid() != int(sys.argv[1]):  # it ended before the call above
        sys.exit(1)
    rest = b""
    while True:
        while b"\n" not in rest:
            if not select.select([0], [], [], _IDLE_S)[0] and not rest:
                sys.exit(0)
            chunk = os.read(0, 1 << 20)
            if not chunk:
                sys.exit(0)
            rest += chunk
        line, _, rest = rest.partition(b"\n")
        signal.setitimer(signal.ITIMER_PROF, CHECK_S)  # of the processor's time; its signal ends this program
        asked = json.loads(line)
        answer = json.dumps(faults(asked["schema"], asked["input"])).encode()
        signal.setitimer(signal.ITIMER_PROF, 0)
        sys.stdout.buffer.write(answer + b"\n")
        sys.stdout.buffer.flush()


if __name__ == "__main__":
    _serve()
