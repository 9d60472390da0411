"""Nothing of a run outlives it: whatever its commands started, and however it ended."""

import os
import shutil
import signal
import subprocess
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from tests.e2e.desk import Desk, bash
from tests.e2e.worker import Running
from tests.waiting import PATIENCE_S, until

GONE_S = 10
NOBODY = 65534
BACKGROUND = {
    "in the background": "nice sleep {0} > /dev/null 2>&1 & echo started",
    "in a session of its own": "setsid sleep {0} > /dev/null 2>&1 & echo started",
    "twice removed": "(setsid nohup sleep {0} > /dev/null 2>&1 &) ; echo started",
}
WITHOUT_A_TRACE = "setsid env -i sleep {0} > /dev/null 2>&1 & echo started"
SHEDDING = {
    "without a trace": WITHOUT_A_TRACE,
    "under another TMPDIR": "TMPDIR=/x setsid sleep {0} > /dev/null 2>&1 & echo started",
    "without TMPDIR": "setsid env -u TMPDIR sleep {0} > /dev/null 2>&1 & echo started",
    "no longer exported": "export -n TMPDIR; setsid sleep {0} > /dev/null 2>&1 & echo started",
    "under a renamed mark": "X=$AGENT_WORKERS_RUN_DIR env -u AGENT_WORKERS_RUN_DIR -u TMPDIR setsid sleep {0} "
    "> /dev/null 2>&1 & echo started",
    "thrice removed": "(setsid env -i sh -c '(sh -c \"sleep {0} & exit\" & exit) & exit' > /dev/null 2>&1 &); "
    "echo started",
    "without hangup": "trap '' HUP TERM INT; env -i nohup setsid sleep {0} > /dev/null 2>&1 & echo started",
}
UNSHARED = "setsid env -i unshare --user --map-root-user --pid --fork sleep {0} > /dev/null 2>&1 & echo started"


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


@pytest.mark.parametrize("command", [*BACKGROUND.values(), *SHEDDING.values()], ids=[*BACKGROUND, *SHEDDING])
def test_a_killed_worker_leaves_neither_processes_nor_files(desk: Desk, command: str, seconds: str) -> None:
    running = start(desk, command, seconds)
    until(lambda: len(sleepers(seconds)) == 1)
    running.signal(signal.SIGKILL)
    until(lambda: not sleepers(seconds), within_s=GONE_S)
    until(lambda: not desk.home.processes(), within_s=GONE_S)
    until(lambda: not list(desk.home.temporary.iterdir()), within_s=GONE_S)
    assert running.end(whole=False).status == -signal.SIGKILL


def test_a_process_in_namespaces_of_its_own_is_gone_with_a_killed_worker(desk: Desk, seconds: str) -> None:
    if subprocess.run(
        ["unshare", "--user", "--pid", "--fork", "true"], capture_output=True, check=False, timeout=PATIENCE_S
    ).returncode:
        pytest.skip("the kernel gives no namespaces to this user")
    running = start(desk, UNSHARED, seconds)
    until(lambda: len(sleepers(seconds)) == 1)
    running.signal(signal.SIGKILL)
    until(lambda: not sleepers(seconds), within_s=GONE_S)


def test_what_forks_faster_than_it_is_found_is_gone_all_the_same(desk: Desk, seconds: str) -> None:
    running = start(desk, "(setsid env -i sh -c 'while :; do sleep {0} & sleep 0.01; done' &); echo started", seconds)
    until(lambda: len(sleepers(seconds)) > 5)
    running.signal(signal.SIGKILL)
    until(lambda: not sleepers(seconds), within_s=GONE_S)


def guardian_of(running: Running) -> int:
    [guardian] = [
        int(pid)
        for thread in Path(f"/proc/{running.pid}/task").iterdir()
        for pid in (thread / "children").read_text().split()
    ]
    return guardian


@pytest.mark.parametrize(
    "command", [BACKGROUND["in a session of its own"], WITHOUT_A_TRACE], ids=["marked", "unmarked"]
)
def test_a_run_whose_guardian_is_killed_ends_and_leaves_nothing(desk: Desk, command: str, seconds: str) -> None:
    running = start(desk, command, seconds)
    until(lambda: len(sleepers(seconds)) == 1)
    os.kill(guardian_of(running), signal.SIGKILL)
    assert running.end().ending == ("cli_crashed", 75)
    assert sleepers(seconds) == []


def test_the_next_run_ends_what_a_killed_worker_and_guardian_have_left(desk: Desk, seconds: str) -> None:
    running = start(desk, SHEDDING["without TMPDIR"], seconds)
    until(lambda: len(sleepers(seconds)) == 1)
    for pid in (guardian_of(running), running.pid):
        os.kill(pid, signal.SIGKILL)
    [left] = desk.home.temporary.iterdir()
    desk.simulator.play("hello")
    assert desk.home.run({"prompt": "x"}).ending == ("done", 0)
    until(lambda: not left.exists(), within_s=GONE_S)
    until(lambda: not sleepers(seconds), within_s=GONE_S)


def test_a_run_removes_the_folders_of_those_that_are_over_and_no_others(desk: Desk, seconds: str) -> None:
    other = start(desk, "echo {0}", seconds)
    other.wait_for("tool_call", count=2)  # it now waits for a command
    [in_use] = desk.home.temporary.iterdir()
    stale, foreign, file, link = (desk.home.temporary / f"agent-worker-{n * 12}" for n in "abcd")
    unlike = desk.home.temporary / "agent-worker-of-mine"
    stranger = desk.home.root / "elsewhere"
    for folder in (stale, foreign, unlike, stranger):
        folder.mkdir()
        (folder / "file").touch()
    file.touch()
    link.symlink_to(stranger)
    if os.geteuid() == 0:
        os.chown(foreign, NOBODY, NOBODY)
    desk.simulator.play("hello")
    assert desk.home.run({"prompt": "x"}).ending == ("done", 0)
    until(lambda: not stale.exists(), within_s=GONE_S)
    kept = {in_use, file, link, unlike} | ({foreign} if os.geteuid() == 0 else set())
    assert set(desk.home.temporary.iterdir()) == kept
    assert (stranger / "file").exists()
    assert any(in_use.iterdir())
    other.send({"type": "abort", "id": "stop"})
    assert other.end().ending == ("aborted", 3)
    for path in (file, link):
        path.unlink()
    for path in (unlike, foreign):
        shutil.rmtree(path, ignore_errors=True)


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
    desk.simulator.wait_for(lambda requests: any(request.path == "/v1/messages" for request in requests), PATIENCE_S)
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
