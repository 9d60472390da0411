"""The process of ``loaded.py``: imports what runs import, then forks a worker for each request that it gets.

A script and no module of the tests, which are not on the path of a Python that starts as the launcher starts it.
"""

import gc
import json
import os
import select
import socket
import sys
from contextlib import suppress
from typing import Any

_LONGEST = 1 << 17


def _load() -> None:
    """Imports what runs import, as a run does it: with no collection and without plugins."""
    gc.disable()
    os.environ["PYDANTIC_DISABLE_PLUGINS"] = "__all__"
    import agent_workers.cli.options
    import agent_workers.cli.pretty
    import agent_workers.cli.umbrella
    import agent_workers.cli.worker
    import agent_workers.engine.claude.engine
    import agent_workers.engine.claude.launch.sandbox
    import agent_workers.engine.claude.launch.task_capabilities
    import agent_workers.engine.claude.sdk_client
    import agent_workers.engine.claude.tool_server
    import agent_workers.engine.claude.transport
    import agent_workers.engine.mcp.engine
    import agent_workers.engine.messages.api
    import agent_workers.engine.messages.engine
    import agent_workers.engine.messages.host
    import agent_workers.engine.messages.start
    import agent_workers.engine.questions.open_questions
    import agent_workers.policy.load
    import agent_workers.policy.policy
    import agent_workers.run
    import agent_workers.simulator.app
    import agent_workers.simulator.server
    import agent_workers.stdio.live
    import agent_workers.stdio.serve  # noqa: F401
    from agent_workers.workers import WORKERS

    list(WORKERS.values())
    gc.freeze()


def await_start(control: socket.socket) -> dict[str, Any]:
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
                os.closerange(len(streams), os.sysconf("SC_OPEN_MAX"))
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


def _become(request: dict[str, Any]) -> None:
    """Does what a new Python does that the launcher starts."""
    os.environ.clear()
    os.environ.update(request["env"])
    os.chdir(request["cwd"])
    if terminal := request["terminal"]:
        os.setsid()
        os.close(os.open(terminal, os.O_RDWR))  # the first that the leader of a session opens is its own
    sys.argv[1:] = request["arguments"]
    sys.stdout.reconfigure(line_buffering=sys.stdout.isatty())
    from agent_workers.cli import start

    start()


if __name__ == "__main__":
    _load()
    _become(await_start(socket.socket(fileno=int(sys.argv[1]))))
