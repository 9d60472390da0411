"""Nothing of a run outlives it: whatever its commands started, and however it ended."""

import os
import signal
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from .desk import Desk, bash
from .worker import Running, until

GONE_S = 10
BACKGROUND = {
    "in the background": "nice sleep {0} > /dev/null 2>&1 & echo started",
    "in a session of its own": "setsid sleep {0} > /dev/null 2>&1 & echo started",
    "twice removed": "(setsid nohup sleep {0} > /dev/null 2>&1 &) ; echo started",
}
WITHOUT_A_TRACE = "setsid env -i sleep {0} > /dev/null 2>&1 & echo started"


@pytest.fixture
def seconds() -> Iterator[str]:
    """A number of seconds that no other process sleeps for."""
    number = f"1000.{os.urandom(3).hex()}".replace("a", "0").translate(str.maketrans("bcdef", "12345"))
    yield number
    for pid in sleepers(number):
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)


def sleepers(seconds: str) -> list[int]:
    found = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        with suppress(OSError):
            if path.read_bytes() == b"sleep\0" + seconds.encode() + b"\0":
                found.append(int(path.parent.name))
    return found


def start(desk: Desk, command: str, seconds: str, *, then_wait: bool = True) -> Running:
    """Starts a run whose command has left a process behind, and which goes on."""
    desk.script(bash(command.format(seconds)), *([bash("tail -f /dev/null")] if then_wait else []))
    running = desk.start("--control")
    running.send(desk.request(tools=["Bash"], permissions={"allow": ["Bash"]}))
    running.wait_for("tool_result")
    return running


@pytest.mark.parametrize("command", [*BACKGROUND.values(), WITHOUT_A_TRACE], ids=[*BACKGROUND, "without a trace"])
@pytest.mark.parametrize("way", ["done", "abort", "SIGTERM", "parent gone"])
def test_a_background_process_is_gone_with_its_run(desk: Desk, command: str, seconds: str, way: str) -> None:
    running = start(desk, command, seconds, then_wait=way != "done")
    if way != "done":
        until(lambda: len(sleepers(seconds)) == 1)
    if way == "abort":
        running.send({"type": "abort", "id": "stop"})
    elif way == "SIGTERM":
        running.signal(signal.SIGTERM)
    elif way == "parent gone":
        running.end_input()
    ended = running.end()
    assert ended.last["type"] == ("done" if way == "done" else "aborted")
    assert "started" in ended.of("tool_result")[0]["content"]
    assert sleepers(seconds) == []


@pytest.mark.parametrize("command", BACKGROUND.values(), ids=BACKGROUND)
def test_a_killed_worker_leaves_neither_processes_nor_files(desk: Desk, command: str, seconds: str) -> None:
    running = start(desk, command, seconds)
    until(lambda: len(sleepers(seconds)) == 1)
    running.signal(signal.SIGKILL)
    until(lambda: not sleepers(seconds), within_s=GONE_S)
    until(lambda: not desk.home.processes(), within_s=GONE_S)
    until(lambda: not list(desk.home.temporary.iterdir()), within_s=GONE_S)
    assert running.end(whole=False).status == -signal.SIGKILL


def test_a_killed_chat_leaves_neither_processes_nor_files(desk: Desk) -> None:
    desk.simulator.play("stall-before")
    running = desk.home.start("--control")
    running.send({"prompt": "x"})
    running.wait_for("session")
    running.signal(signal.SIGKILL)
    until(lambda: not desk.home.processes(), within_s=GONE_S)
    until(lambda: not list(desk.home.temporary.iterdir()), within_s=GONE_S)


def test_the_reader_sees_the_end_as_soon_as_the_worker_is_gone(desk: Desk) -> None:
    desk.simulator.play("stall-before")
    running = desk.home.start("--control", reading=False)
    running.send({"prompt": "x"})
    desk.simulator.wait_for(lambda requests: any(request.path == "/v1/messages" for request in requests), 30)
    running.signal(signal.SIGKILL)
    running.read()
    assert running.end(whole=False).status == -signal.SIGKILL


def test_what_has_ended_in_the_background_does_not_fill_the_process_table(desk: Desk, seconds: str) -> None:
    running = start(desk, "for i in $(seq 40); do (setsid true &); done; echo {0}", seconds)
    until(lambda: not zombies(running.pid), within_s=GONE_S)
    running.send({"type": "abort", "id": "stop"})
    assert running.end().ending == ("aborted", 3)


def zombies(parent: int) -> list[str]:
    found = []
    for path in Path("/proc").glob("[0-9]*/stat"):
        with suppress(OSError):
            state, its_parent = path.read_text().rpartition(")")[2].split()[:2]
            if (state, int(its_parent)) == ("Z", parent):
                found.append(path.parent.name)
    return found


@pytest.mark.parametrize("worker", ["agent-chat", "agent-task"])
def test_a_process_that_the_caller_started_is_left_alone(desk: Desk, seconds: str, worker: str) -> None:
    desk.script()
    shell = ("bash", "-c", f'sleep {seconds} > /dev/null 2>&1 & exec "$0" "$@"')
    request = desk.request() if worker == "agent-task" else {"prompt": "x"}
    ended = desk.home.run(request, worker=worker, prefix=("env", "-u", "HOME", "-u", "TMPDIR", *shell))
    assert ended.last["type"] in ("done", "error")
    assert len(sleepers(seconds)) == 1
    for pid in sleepers(seconds):
        os.kill(pid, signal.SIGKILL)
