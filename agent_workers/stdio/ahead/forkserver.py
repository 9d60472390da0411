"""The process that the pool's workers are forked from: it has imported what they need, and never sees a request."""

from __future__ import annotations

import gc
import json
import os
import select
import signal
import socket
from contextlib import suppress
from typing import TYPE_CHECKING

from agent_workers.engine.process.prctl import hide_from_others
from agent_workers.stdio.ahead.order import LONGEST, Order

if TYPE_CHECKING:
    from typing import NoReturn


_PAUSE_MS = 100


def load() -> None:
    """Imports what every run imports; what is forked shares its memory."""
    import agent_workers.engine.claude.engine
    import agent_workers.policy.load
    import agent_workers.policy.policy
    import agent_workers.stdio.ahead.waiting_worker
    import agent_workers.stdio.live  # noqa: F401
    from agent_workers.workers import WORKERS

    list(WORKERS.values())
    gc.freeze()


def load_more() -> None:
    """Imports what some runs import, the SDK among it, which takes longer than all else."""
    import agent_workers.engine.claude.launch.task_capabilities
    import agent_workers.engine.claude.transport  # noqa: F401

    gc.freeze()


def serve(end: socket.socket) -> NoReturn:
    """Forks a worker process for each order of the pool, and tells of those that have ended, until the pool has gone.

    Args:
        end: This process's end of its connection with the pool.
    """
    hide_from_others()
    os.environ.pop("AGENT_WORKERS_POOL", None)  # what runs here must not call back
    load()
    end.send(b"{}")
    _Forkserver(end).serve()


class _Forkserver:
    def __init__(self, end: socket.socket) -> None:
        self._end = end
        self._poll = select.poll()
        self._poll.register(end, select.POLLIN)
        self._running: dict[int, int] = {}  # process ids by what says that they have ended
        self._is_wanted = True

    def serve(self) -> NoReturn:
        has_more = False
        while self._is_wanted or self._running:
            found = self._poll.poll(None if has_more else _PAUSE_MS)
            if not found:  # nobody waits for a worker at the moment
                load_more()
                has_more = True
            for ready, _ in found:
                if ready in self._running:
                    self._reap(ready)
                elif data := self._received():
                    self._fork(Order(**json.loads(data)))
                else:  # the pool has gone, or has another one: the last of these runs is waited for
                    self._is_wanted = False
                    self._poll.unregister(self._end)
        os._exit(0)

    def _received(self) -> bytes:
        try:
            return self._end.recv(LONGEST)
        except OSError:
            return b""

    def _fork(self, order: Order) -> None:
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with ours, theirs:
            if (pid := os.fork()) == 0:
                self._become(theirs, order)
            end = os.pidfd_open(pid)
            self._running[end] = pid
            self._poll.register(end, select.POLLIN)
            message = json.dumps({"pid": pid}).encode()
            with suppress(OSError):  # the pool has gone: the next message says so
                socket.send_fds(self._end, [message], [ours.fileno()])

    def _become(self, theirs: socket.socket, order: Order) -> NoReturn:
        end = socket.socket(fileno=os.dup2(theirs.fileno(), 3, inheritable=False))
        theirs.detach()
        os.closerange(4, os.sysconf("SC_OPEN_MAX"))
        from agent_workers.stdio.ahead.waiting_worker import WaitingWorker  # is loaded

        WaitingWorker(end, order).serve()

    def _reap(self, end: int) -> None:
        pid = self._running.pop(end)
        self._poll.unregister(end)
        os.close(end)
        _, status = os.waitpid(pid, 0)
        with suppress(OSError):
            self._end.send(json.dumps({"ended": pid, "status": os.waitstatus_to_exitcode(status)}).encode())


def prepare() -> None:
    """Keeps the terminal's signals from the workers: the pool ends them in its own way."""
    os.setsid()
    signal.signal(signal.SIGINT, signal.SIG_DFL)
