"""The process of ``forked.py``: imports the reference worker and all that are broken, then forks for each request."""

import gc
import json
import os
import select
import signal
import socket
import sys
from contextlib import suppress
from pathlib import Path
from pkgutil import resolve_name
from typing import Any

_LONGEST = 1 << 17


def _load(root: str) -> dict[str, Any]:
    sys.path[0] = root
    package = "tests.conformance"
    names = [path.stem for path in Path(root, "tests/conformance/broken").glob("[!_]*.py")]
    workers = {name: resolve_name(f"{package}.broken.{name}:Broken") for name in names}
    return {**workers, "reference": resolve_name(f"{package}.traced:Traced")}


def _await_start(control: socket.socket) -> dict[str, Any]:
    """Forks for each request and tells its end; returns the request in the forked process, which has its streams."""
    running: dict[int, tuple[int, int]] = {}
    waiting = select.poll()
    waiting.register(control, select.POLLIN)
    while True:
        for ready, _ in waiting.poll():
            if ready in running:
                waiting.unregister(ready)
                os.close(ready)
                _tell_end(*running.pop(ready))
                continue
            request, descriptors, _, _ = socket.recv_fds(control, _LONGEST, 4)
            if not request:
                os._exit(0)
            *streams, telling = descriptors
            if (pid := os.fork()) == 0:
                for number, descriptor in enumerate(streams):
                    os.dup2(descriptor, number)
                control.detach()
                os.closerange(len(streams), 1024)
                return json.loads(request)
            for descriptor in streams:
                os.close(descriptor)
            os.write(telling, f"{pid}\n".encode())
            end = os.pidfd_open(pid)
            running[end] = pid, telling
            waiting.register(end, select.POLLIN)


def _tell_end(pid: int, telling: int) -> None:
    _, status = os.waitpid(pid, 0)
    with suppress(BrokenPipeError):
        os.write(telling, f"{os.waitstatus_to_exitcode(status)}\n".encode())
    os.close(telling)


if __name__ == "__main__":
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    workers = _load(sys.argv[2])
    gc.disable()
    gc.freeze()  # what is forked shares its memory
    request = _await_start(socket.socket(fileno=int(sys.argv[1])))
    os.setsid()
    os.environ.clear()
    os.environ.update(request["env"])
    sys.argv[:] = request["command"]
    workers[request["command"][0]]().main()
