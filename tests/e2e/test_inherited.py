"""What a worker inherits from its caller, besides what it is meant to: the run is the same."""

import os
import shutil
import signal
import subprocess
import sys
import sysconfig
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from agent_workers.simulator import running_simulator
from tests.e2e.conftest import desk_at, home_at
from tests.e2e.desk import Desk, bash
from tests.e2e.stream import Event, check_whole, events_of
from tests.e2e.worker import SCRIPTS, Home, script
from tests.waiting import PATIENCE_S

VARIABLES = {
    "PYTHONHOME": "/nonexistent",
    "PYTHONPLATLIBDIR": "nonexistent",
    "PYTHONEXECUTABLE": "/nonexistent",
    "PYTHONSTARTUP": "/nonexistent",
    "PYTHONINSPECT": "1",
    "PYTHONWARNINGS": "error",
    "PYTHONOPTIMIZE": "2",
    "PYTHONUNBUFFERED": "1",
    "PYTHONVERBOSE": "1",
    "PYTHONDEVMODE": "1",
    "PYTHONHASHSEED": "none",
    "PYTHONMALLOC": "none",
    "PYTHONIOENCODING": "none",
    "PYTHONUTF8": "2",
}
MODULES = ("json", "re", "types", "encodings", "warnings", "site", "sitecustomize", "usercustomize", "anyio", "signal")


def caller(*statements: str) -> tuple[str, ...]:
    """A program that changes itself and becomes the worker."""
    program = "; ".join(
        ["import os, resource, signal, sys", *statements, "os.execv(sys.argv[1], sys.argv[1:])"],
    )
    return (sys.executable, "-c", program)


def limit(kind: str, soft: str, hard: str = "resource.RLIM_INFINITY") -> str:
    return f"resource.setrlimit(resource.RLIMIT_{kind}, ({soft}, {hard}))"


LIMITS = {
    "descriptors": limit("NOFILE", "12", "4096"),
    "file size": limit("FSIZE", "0"),
    "stack": limit("STACK", "64 << 10"),
    "endless stack": limit("STACK", "resource.RLIM_INFINITY"),
    "core": limit("CORE", "resource.RLIM_INFINITY"),
    "niceness": "os.nice(10)",
}
ALONE = [LIMITS["endless stack"]]
"""What cannot be there together with another."""


VANISHED = ("os.mkdir('gone')", "os.chdir('gone')", "os.rmdir('../gone')")
STDERR = {"a directory": "os.dup2(os.open('/', os.O_RDONLY), 2)", "closed": "os.close(2)"}


@pytest.fixture(scope="module")
def at_once(tmp_path_factory: pytest.TempPathFactory) -> bool:
    """Whether a run succeeds that inherits all of this at once, and one that inherits what cannot be together with it.

    Only where they do not, a test looks at one thing alone.
    """
    with running_simulator() as simulator, home_at(tmp_path_factory.mktemp("at-once"), simulator) as home:
        variables = {**VARIABLES, "PYTHONPATH": str(modules(home, *MODULES))}
        limits = [each for each in LIMITS.values() if each not in ALONE]
        most = caller(f"os.environ.update({variables!r})", *limits, *VANISHED, STDERR["closed"])
        rest = caller(*ALONE, STDERR["a directory"])
        return succeeds(home, prefix=most) and succeeds(home, prefix=rest)


def succeeds(home: Home, **options: Any) -> bool:
    running = home.start(**options)
    running.send({"prompt": "x"})
    running.end_input()
    return running.status == 0 and running.end().ending == ("done", 0)


def modules(home: Home, *names: str) -> Path:
    """A folder of modules that end the Python that loads one of them."""
    folder = home.root / "modules"
    folder.mkdir()
    for name in names:
        (folder / f"{name}.py").write_text("print('canary')\nraise SystemExit(9)\n")
    return folder


def test_nothing_stands_in_the_way_of_a_run_though_all_comes_at_once(at_once: bool) -> None:
    assert at_once


@pytest.mark.parametrize("name", VARIABLES)
def test_no_variable_of_the_callers_python_reaches_the_workers(home: Home, at_once: bool, name: str) -> None:
    assert at_once or succeeds(home, env={name: VARIABLES[name]})


@pytest.mark.parametrize("module", MODULES)
def test_no_module_of_the_callers_stands_in_the_way(home: Home, at_once: bool, module: str) -> None:
    assert at_once or succeeds(home, env={"PYTHONPATH": str(modules(home, module))})


@pytest.mark.parametrize("program", ["agent-task", "agent-workers"])
def test_each_program_starts_out_of_reach(home: Home, program: str) -> None:
    environ = {**home.environ, "PYTHONHOME": "/nonexistent"}
    command = [str(SCRIPTS / program), "--version"]
    ran = subprocess.run(command, env=environ, capture_output=True, text=True, timeout=PATIENCE_S, check=True)
    assert program in ran.stdout


SIGNALS = ("SIGCHLD", "SIGPIPE", "SIGTERM", "SIGINT", "SIGQUIT", "SIGHUP", "SIGALRM")
LOOKS = {
    **{number: f"sh -c 'kill -s {number[3:]} $$; exit 9'; echo \"<$?>\"" for number in SIGNALS},
    "a success": "true",
    "a failure": "exit 7",
    "blocked signals": "grep SigBlk /proc/self/status",
    "its directory": "ls -ld $TMPDIR",
    "size of a core file": "ulimit -c",
}


@dataclass(frozen=True)
class Looked:
    """What commands told of themselves, by the names of their looks, and the rights of a file that one has made."""

    told: dict[str, Event]
    rights: int


@pytest.fixture(scope="module")
def looked(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Looked]:
    """What commands tell under callers that each have a mask of their own, by the mask, and something else."""

    def look(mask: str, looks: dict[str, str], *statements: str, env: dict[str, str] | None = None) -> Looked:
        with desk_at(tmp_path_factory.mktemp("looks")) as desk:
            desk.script(*(bash(look) for look in looks.values()), bash("touch made"))
            prefix = caller(f"os.umask({mask})", *statements)
            ended = desk.run(tools=["Bash"], permissions={"allow": ["Bash"]}, prefix=prefix, env=env)
            assert ended.ending == ("done", 0), f"mask {mask}"
            *told, _ = ended.of("tool_result")
            return Looked(dict(zip(looks, told, strict=True)), (desk.cwd / "made").stat().st_mode & 0o777)

    ignored = (f"signal.signal(signal.{number}, signal.SIG_IGN)" for number in SIGNALS)
    blocked = "signal.pthread_sigmask(signal.SIG_BLOCK, signal.valid_signals())"
    passed_on = {"PYTHONPATH": "/opt/crm", "AGENT_WORKERS_ENV_ALLOW": "PYTHONPATH"}
    return {
        "0o000": look("0o000", LOOKS, *ignored, blocked, LIMITS["core"]),
        "0o022": look("0o022", {"its modules": 'echo "<$PYTHONPATH>"'}, env=passed_on),
        "0o027": look("0o027", {"two seconds": "sleep 2"}, "signal.alarm(2)"),
        "0o777": look("0o777", {}),
    }


@pytest.fixture
def looks(looked: dict[str, Looked]) -> dict[str, Event]:
    """What commands tell under a caller that ignores and blocks all signals, masks nothing and wants core files."""
    return looked["0o000"].told


@pytest.mark.parametrize("mask", ["0o000", "0o022", "0o027", "0o777"])
def test_what_the_agent_writes_is_the_users_own_whatever_the_mask(looked: dict[str, Looked], mask: str) -> None:
    assert looked[mask].rights == 0o666 & ~(int(mask, 8) & 0o077 | 0o002)


def test_the_operator_may_pass_pythons_variables_on_to_commands(looked: dict[str, Looked]) -> None:
    assert "</opt/crm>" in looked["0o022"].told["its modules"]["content"]


def test_a_timer_of_the_callers_does_not_end_the_run(looked: dict[str, Looked]) -> None:
    assert looked["0o027"].told["two seconds"]["status"] == "ok"


@pytest.mark.parametrize("number", SIGNALS)
def test_a_signal_that_the_caller_ignores_is_not_ignored_by_commands(looks: dict[str, Event], number: str) -> None:
    status = looks[number]["content"].partition("<")[2].partition(">")[0]
    # Default for SIGCHLD is to do nothing; the others end a process.
    assert int(status) == (9 if number == "SIGCHLD" else 128 + signal.Signals[number])


def test_commands_succeed_under_a_caller_that_does_not_wait_for_its_children(looks: dict[str, Event]) -> None:
    assert [looks[each]["status"] for each in ("a success", "a failure")] == ["ok", "error"]
    assert "7" in looks["a failure"]["content"]


def test_commands_have_no_signal_blocked(looks: dict[str, Event]) -> None:
    assert looks["blocked signals"]["content"].split()[-1].strip("0") == ""


def test_a_private_directory_is_private_whatever_the_mask(looks: dict[str, Event]) -> None:
    assert looks["its directory"]["content"].startswith("drwx------")


def test_no_process_of_the_run_writes_a_core_file(looks: dict[str, Event]) -> None:
    assert looks["size of a core file"]["content"].strip() == "0"


@pytest.mark.parametrize("stop", [15, 2, 1])
def test_a_signal_that_the_caller_blocks_stops_the_run_all_the_same(desk: Desk, stop: int) -> None:
    desk.simulator.play("stall-before")
    prefix = caller("signal.pthread_sigmask(signal.SIG_BLOCK, signal.valid_signals())")
    running = desk.home.start(prefix=prefix)
    running.send({"prompt": "x"})
    running.end_input()
    running.wait_for("session")
    running.signal(stop)
    assert running.end().ending == ("aborted", 3)


@pytest.mark.parametrize("name", LIMITS)
def test_a_soft_limit_of_the_callers_is_no_limit(home: Home, at_once: bool, name: str) -> None:
    assert at_once or succeeds(home, prefix=caller(LIMITS[name]))


@pytest.mark.parametrize(
    "prefix",
    [
        caller(limit("NOFILE", "12", "12")),
        caller(limit("NOFILE", "16", "16")),
        caller(limit("FSIZE", "0", "0")),
        caller(limit("FSIZE", "4096", "4096")),
        caller(limit("STACK", "64 << 10", "64 << 10")),
        caller(limit("AS", "500 << 20", "500 << 20")),
    ],
    ids=["few descriptors", "some descriptors", "no files", "small files", "small stack", "little memory"],
)
def test_a_hard_limit_ends_with_one_event(home: Home, prefix: tuple[str, ...]) -> None:
    ended = home.run({"prompt": "x"}, prefix=prefix)  # which checks that there is one
    assert ended.last["type"] in ("done", "error")


@pytest.mark.parametrize("arguments", [(), ("--control",)], ids=["whole", "control"])
@pytest.mark.parametrize("stdin", ["a directory", "write-only", "closed"])
def test_a_stdin_that_cannot_be_read_is_told(home: Home, tmp_path: Path, stdin: str, arguments: tuple[str]) -> None:
    unreadable = os.open(tmp_path, os.O_RDONLY) if stdin == "a directory" else os.open(os.devnull, os.O_WRONLY)
    prefix = caller("os.close(0)") if stdin == "closed" else ()
    ran = _ran(home, prefix, arguments, stdin=unreadable, stdout=subprocess.PIPE)
    os.close(unreadable)
    events = events_of(ran.stdout)
    check_whole(events)
    assert (events[-1]["code"], ran.returncode) == ("invalid_request", 2)


@pytest.mark.parametrize("closed", ["1", "0 1", "1 2", "0 1 2"])
def test_without_a_stdout_the_exit_status_says_so(home: Home, closed: str) -> None:
    prefix = caller(*(f"os.close({number})" for number in closed.split()))
    assert _ran(home, prefix, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL).returncode == 4


def test_a_directory_for_stdout_is_as_good_as_closed(home: Home, tmp_path: Path) -> None:
    directory = os.open(tmp_path, os.O_RDONLY)
    assert _ran(home, (), input=b'{"prompt": "x"}', stdout=directory).returncode == 4
    os.close(directory)


@pytest.mark.parametrize("stderr", STDERR)
def test_a_run_needs_no_stderr(home: Home, at_once: bool, stderr: str) -> None:
    assert at_once or succeeds(home, prefix=caller(STDERR[stderr]))


def test_a_working_directory_that_is_gone_is_none_of_the_workers(home: Home, at_once: bool) -> None:
    assert at_once or succeeds(home, prefix=caller(*VANISHED))


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("AGENT_WORKERS_STATE_DIR", "state_unavailable"),
        ("TMPDIR", "state_unavailable"),
        ("AGENT_WORKERS_CLI", "cli_missing"),
        ("AGENT_WORKERS_POLICY", "policy_denied"),
    ],
)
def test_a_path_relative_to_a_directory_that_is_gone_is_told(home: Home, name: str, code: str) -> None:
    assert home.run({"prompt": "x"}, prefix=caller(*VANISHED), env={name: "relative"}).last["code"] == code


@pytest.mark.parametrize("shape", ["plain", "long"])
def test_the_programs_start_from_any_place_that_an_installer_puts_them(home: Home, shape: str) -> None:
    """Beside no interpreter of their own, under a link, and where the interpreter's path is too long for a shebang."""
    folder = home.root / "a place"
    folder.mkdir()
    shutil.copy(SCRIPTS / "agent-chat", folder)
    packages = sysconfig.get_paths()["purelib"]
    root = Path(__file__).parents[2]
    entry = script(
        folder / "agent-workers-entry",
        f"import sys; sys.path[:0] = [{str(root)!r}, {packages!r}]; from agent_workers.cli import start; start()",
    )
    shebang = (
        f"#!{sys.executable}" if shape == "plain" else f"#!/bin/sh\n'''exec' \"{sys.executable}\" \"$0\" \"$@\"\n' '''"
    )
    entry.write_text(entry.read_text("utf-8").replace("#!/bin/bash", shebang), "utf-8")
    link = home.root / "agent-chat"
    link.symlink_to("a place/agent-chat")
    command = [str(link)]
    environ = {**home.environ, "PYTHONHOME": "/nonexistent"}
    ran = subprocess.run(
        command, input=b'{"prompt": "x"}', env=environ, capture_output=True, timeout=PATIENCE_S, check=False
    )
    assert (events_of(ran.stdout)[-1]["type"], ran.returncode) == ("done", 0)


def _ran(
    home: Home, prefix: tuple[str, ...], arguments: tuple[str, ...] = (), **options: object
) -> subprocess.CompletedProcess[bytes]:
    command = [*prefix, str(SCRIPTS / "agent-chat"), *arguments]
    options.setdefault("stderr", subprocess.DEVNULL)
    return subprocess.run(command, env=home.environ, cwd=home.root, timeout=PATIENCE_S, check=False, **options)
