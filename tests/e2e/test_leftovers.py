"""Nothing of a run outlives it: whatever its commands started, and however it ended."""

import os
import shutil
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.e2e.conftest import desk_at
from tests.e2e.desk import Desk, bash
from tests.e2e.worker import Ended, Running
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
    number = unused_seconds()
    yield number
    end_sleepers(number)


def unused_seconds() -> str:
    return f"1000.{os.urandom(3).hex()}".replace("a", "0").translate(str.maketrans("bcdef", "12345"))


def end_sleepers(seconds: str) -> None:
    for pid in sleepers(seconds):
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)


def sleepers(seconds: str) -> list[int]:
    found = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        with suppress(OSError):
            if path.read_bytes() == b"sleep\0" + seconds.encode() + b"\0":
                found.append(int(path.parent.name))
    return found


def start(desk: Desk, command: str, seconds: str) -> Running:
    """Starts a run whose command has left a process behind, and which goes on."""
    return start_with(desk, command.format(seconds))


def start_with(desk: Desk, *commands: str, then_wait: bool = True) -> Running:
    desk.script(*(bash(command) for command in commands), *([bash("tail -f /dev/null")] if then_wait else []))
    running = desk.start("--control")
    running.send(desk.request(tools=["Bash"], permissions={"allow": ["Bash"]}))
    running.wait_for("tool_result", count=len(commands))
    return running


@dataclass(frozen=True)
class Behind:
    """What commands have left behind that were run one after the other, by their names.

    Attributes:
        told: What each command said.
        left: The processes of each that were there after the end.
        processes: Those of the run itself that were there.
        files: The temporary files.
    """

    ended: Ended
    told: dict[str, str]
    left: dict[str, list[int]]
    processes: list[int]
    files: list[Path]


WAYS = ["done", "abort", "SIGTERM", "parent gone"]
ORDINARY = {**BACKGROUND, "without a trace": WITHOUT_A_TRACE}
STARTING = {**BACKGROUND, **SHEDDING}


@contextmanager
def left_behind(desk: Desk, commands: dict[str, str], way: str) -> Iterator[Behind]:
    """What is left of a run that ends in this way, whose commands have each started a process."""
    seconds = {name: unused_seconds() for name in commands}
    all_commands = [command.format(seconds[name]) for name, command in commands.items()]
    try:
        running = start_with(desk, *all_commands, then_wait=way != "done")
        if way != "done":
            until(lambda: all(len(sleepers(number)) == 1 for number in seconds.values()))
        if way == "abort":
            running.send({"type": "abort", "id": "stop"})
        elif way == "SIGTERM":
            running.signal(signal.SIGTERM)
        elif way == "parent gone":
            running.end_input()
        elif way == "SIGKILL":
            running.signal(signal.SIGKILL)
            with suppress(AssertionError):  # what is left then is told by the tests
                until(lambda: not any(map(sleepers, seconds.values())), within_s=GONE_S)
                until(lambda: not desk.home.processes(), within_s=GONE_S)
                until(lambda: not list(desk.home.temporary.iterdir()), within_s=GONE_S)
        ended = running.end(whole=way != "SIGKILL")
        left = {name: sleepers(number) for name, number in seconds.items()}
        told = [result["content"] for result in ended.of("tool_result")][: len(commands)]
        files = list(desk.home.temporary.iterdir())
        yield Behind(ended, dict(zip(commands, told, strict=True)), left, desk.home.processes(), files)
    finally:
        for number in seconds.values():
            end_sleepers(number)


@pytest.fixture(scope="module", params=WAYS)
def behind(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, Behind]]:
    way: str = request.param
    with desk_at(tmp_path_factory.mktemp("behind")) as desk, left_behind(desk, ORDINARY, way) as behind:
        yield way, behind


@pytest.mark.parametrize("name", ORDINARY)
def test_a_background_process_is_gone_with_its_run(behind: tuple[str, Behind], name: str) -> None:
    way, after = behind
    assert after.ended.last["type"] == ("done" if way == "done" else "aborted")
    assert "started" in after.told[name]
    assert after.left[name] == []


@pytest.fixture(scope="module")
def behind_a_killed_worker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Behind]:
    with desk_at(tmp_path_factory.mktemp("killed")) as desk, left_behind(desk, STARTING, "SIGKILL") as behind:
        yield behind


@pytest.mark.parametrize("name", STARTING)
def test_a_killed_worker_leaves_neither_processes_nor_files(behind_a_killed_worker: Behind, name: str) -> None:
    after = behind_a_killed_worker
    assert "started" in after.told[name]
    assert after.left[name] == []
    assert (after.processes, after.files) == ([], [])
    assert after.ended.status == -signal.SIGKILL


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
