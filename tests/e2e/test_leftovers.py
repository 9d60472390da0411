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
from tests.e2e.loaded import LoadedWorkers
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
IN_NAMESPACES = "in namespaces of its own"
UNSHARED = "setsid env -i unshare --user --map-root-user --pid --fork sleep {0} > /dev/null 2>&1 & echo started"
MANY_THAT_END = "for i in $(seq 40); do (setsid true &); done; echo {0}"


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
STARTING = {**BACKGROUND, **SHEDDING, IN_NAMESPACES: UNSHARED}


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
        elif way == "guardian killed":
            os.kill(guardian_of(running), signal.SIGKILL)
        elif way == "SIGKILL":
            running.signal(signal.SIGKILL)
            with suppress(AssertionError):  # what is left then is told by the tests
                until(lambda: not any(map(sleepers, seconds.values())), within_s=GONE_S)
                until(lambda: not desk.home.processes(), within_s=GONE_S, what=desk.home.left)
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
def behind(
    request: pytest.FixtureRequest, loaded: LoadedWorkers, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[str, Behind]]:
    way: str = request.param
    root = tmp_path_factory.mktemp("behind")
    with desk_at(root, None if way == "SIGTERM" else loaded) as desk, left_behind(desk, ORDINARY, way) as behind:
        yield way, behind


@pytest.mark.parametrize("name", ORDINARY)
def test_a_background_process_is_gone_with_its_run(behind: tuple[str, Behind], name: str) -> None:
    way, after = behind
    assert after.ended.last["type"] == ("done" if way == "done" else "aborted")
    assert "started" in after.told[name]
    assert after.left[name] == []


@pytest.fixture(scope="module")
def behind_a_killed_worker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Behind]:
    has_namespaces = not subprocess.run(
        ["unshare", "--user", "--pid", "--fork", "true"], capture_output=True, check=False, timeout=PATIENCE_S
    ).returncode
    commands = {name: command for name, command in STARTING.items() if has_namespaces or name != IN_NAMESPACES}
    with desk_at(tmp_path_factory.mktemp("killed")) as desk, left_behind(desk, commands, "SIGKILL") as behind:
        yield behind


@pytest.mark.parametrize("name", STARTING)
def test_a_killed_worker_leaves_neither_processes_nor_files(behind_a_killed_worker: Behind, name: str) -> None:
    after = behind_a_killed_worker
    if name not in after.told:
        pytest.skip("the kernel gives no namespaces to this user")
    assert "started" in after.told[name]
    assert after.left[name] == []
    assert (after.processes, after.files) == ([], [])
    assert after.ended.status == -signal.SIGKILL


def test_what_forks_faster_than_it_is_found_is_gone_all_the_same(desk: Desk, seconds: str) -> None:
    loop = "n=0; while [ $((n+=1)) -lt 3000 ]; do sleep {0} & sleep 0.01; done"  # ends though the test be cut off
    running = start(desk, f"(setsid env -i sh -c '{loop}' &); echo started", seconds)
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


def test_a_run_whose_guardian_is_killed_ends_and_leaves_nothing(desk: Desk) -> None:
    commands = {"marked": BACKGROUND["in a session of its own"], "unmarked": WITHOUT_A_TRACE}
    with left_behind(desk, commands, "guardian killed") as after:
        assert after.ended.ending == ("cli_crashed", 75)
        assert after.left == {"marked": [], "unmarked": []}


@dataclass(frozen=True)
class Found:
    """What is there after the next run, where one goes on, one was killed with its guardian, and others are long over.

    Attributes:
        other: The run that goes on, which was stopped then.
        zombies: Those of it; its command had started many processes that ended at once.
        is_in_use: Whether there is something in its folder.
        ended: The next run.
        left: The processes of the run that was killed.
        unused: The folders of those that are over, as far as they are there.
        there: What is in the folder for temporary files, and what should be.
        stranger: What is in the folder elsewhere that a link leads to.
    """

    other: Ended
    zombies: list[str]
    is_in_use: bool
    ended: Ended
    left: list[int]
    unused: list[Path]
    there: tuple[set[Path], set[Path]]
    stranger: list[str]


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Found]:
    seconds = unused_seconds()
    with desk_at(tmp_path_factory.mktemp("found")) as desk:
        other = start(desk, MANY_THAT_END, "1")
        other.wait_for("tool_call", count=2)  # it now waits for a command
        with suppress(AssertionError):  # what is there then is told by the tests
            until(lambda: not zombies(other.pid), within_s=GONE_S)
        its_zombies = zombies(other.pid)
        [in_use] = desk.home.temporary.iterdir()
        try:
            killed = start(desk, SHEDDING["without TMPDIR"], seconds)
            until(lambda: len(sleepers(seconds)) == 1)
            for pid in (guardian_of(killed), killed.pid):
                os.kill(pid, signal.SIGKILL)
            [left] = set(desk.home.temporary.iterdir()) - {in_use}
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
            ended = desk.home.run({"prompt": "x"})
            with suppress(AssertionError):
                until(lambda: not sleepers(seconds), within_s=GONE_S)
                until(lambda: not left.exists() and not stale.exists(), within_s=GONE_S)
            still_there = sleepers(seconds)
        finally:
            end_sleepers(seconds)
        unused = [folder for folder in (left, stale) if folder.exists()]
        kept = {in_use, file, link, unlike} | ({foreign} if os.geteuid() == 0 else set())
        there = set(desk.home.temporary.iterdir())
        is_in_use = any(in_use.iterdir())
        other.send({"type": "abort", "id": "stop"})
        yield Found(
            other=other.end(),
            zombies=its_zombies,
            is_in_use=is_in_use,
            ended=ended,
            left=still_there,
            unused=unused,
            there=(there, kept),
            stranger=[path.name for path in stranger.iterdir()],
        )
        for path in (file, link):
            path.unlink()
        for path in (unlike, foreign):
            shutil.rmtree(path, ignore_errors=True)


def test_the_next_run_ends_what_a_killed_worker_and_guardian_have_left(found: Found) -> None:
    assert found.ended.ending == ("done", 0)
    assert (found.left, found.unused) == ([], [])


def test_a_run_removes_the_folders_of_those_that_are_over_and_no_others(found: Found) -> None:
    assert found.unused == []
    is_there, should_be = found.there
    assert is_there == should_be
    assert found.stranger == ["file"]
    assert found.is_in_use
    assert found.other.ending == ("aborted", 3)


def test_what_has_ended_in_the_background_does_not_fill_the_process_table(found: Found) -> None:
    assert found.zombies == []
    assert found.other.ending == ("aborted", 3)


def test_a_killed_chat_leaves_neither_processes_nor_files_and_its_reader_sees_the_end_at_once(desk: Desk) -> None:
    desk.simulator.play("stall-before")
    running = desk.home.start("--control", reading=False)
    running.send({"prompt": "x"})
    desk.simulator.wait_for(lambda requests: any(request.path == "/v1/messages" for request in requests), PATIENCE_S)
    running.signal(signal.SIGKILL)
    running.read()
    assert running.end(whole=False).status == -signal.SIGKILL
    until(lambda: not desk.home.processes(), within_s=3, what=desk.home.left)
    until(lambda: not list(desk.home.temporary.iterdir()), within_s=GONE_S)


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
