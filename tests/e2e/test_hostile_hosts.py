"""Hosts that are short of something, and callers that behave oddly: bounded all the same."""

import json
import os
import signal
import subprocess
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from agent_workers.simulator import Simulator
from tests.e2e.engines import BOTH, differs
from tests.e2e.stream import check_whole, events_of
from tests.e2e.worker import SCRIPTS, Home, script
from tests.waiting import PATIENCE_S, until

forked = pytest.mark.usefixtures("loaded")


def _run(home: Home, request: bytes, **options: object) -> subprocess.CompletedProcess[bytes]:
    command = [str(SCRIPTS / "agent-chat")]
    return subprocess.run(
        command, input=request, env=home.environ, cwd=home.root, timeout=PATIENCE_S, check=False, **options
    )


@BOTH
@forked
def test_a_reader_who_pauses_before_the_end_still_gets_it(home: Home) -> None:
    """As under a pager: a result that was paid for waits as long as the run might have taken."""
    running = home.start(reading=False)
    running.send({"prompt": "x" * 100_000})  # the simulator says it again: the last line does not fit the pipe
    running.end_input()
    output = b""
    for chunk in running.chunks(1 << 12):
        output += chunk
        if b"delta" in output and output.count(b"x" * 1000) and output.rstrip(b"\n").endswith(b'"block":1}'):
            break
    pause_until = time.monotonic() + 6  # longer than a stopped run would wait
    until(lambda: time.monotonic() > pause_until)
    output += b"".join(running.chunks(1 << 16))
    events = events_of(output)
    check_whole(events)
    assert (events[-1]["type"], running.status) == ("done", 0)


def test_a_log_collector_that_is_stuck_does_not_hold_up_the_run(home: Home, simulator: Simulator) -> None:
    simulator.play("server-error-500")
    full, stuck = os.pipe()
    os.set_blocking(stuck, False)
    with suppress(BlockingIOError):
        while os.write(stuck, b"x" * 4096):
            pass
    os.set_blocking(stuck, True)
    ran = _run(home, b'{"prompt": "x"}', stdout=subprocess.PIPE, stderr=stuck)
    os.close(full)
    os.close(stuck)
    events = events_of(ran.stdout)
    check_whole(events)
    assert (events[-1]["code"], ran.returncode) == ("server_error", 75)


def test_stdin_that_cannot_be_read_is_refused_at_once(home: Home, tmp_path: Path) -> None:
    """As under nohup, which opens it for writing only."""
    with (tmp_path / "write-only").open("wb") as unreadable:
        ran = subprocess.run(
            [str(SCRIPTS / "agent-chat")],
            stdin=unreadable,
            env=home.environ,
            capture_output=True,
            timeout=PATIENCE_S,
            check=False,
        )
    assert (events_of(ran.stdout)[-1]["code"], ran.returncode) == ("invalid_request", 2)


@BOTH
@forked
def test_a_flood_of_control_lines_does_not_keep_a_stop_waiting(home: Home, simulator: Simulator) -> None:
    simulator.play("stall-before")
    running = home.start("--control")
    running.send({"prompt": "x"})
    running.wait_for("session")
    flood = threading.Thread(target=running.write, args=(b"\n" * 200_000,))
    flood.start()
    running.wait_for("notice")
    running.signal(signal.SIGTERM)
    ended = running.end()
    flood.join()
    assert (ended.last["type"], ended.status) == ("aborted", 3)


@forked
def test_pings_cannot_be_asked_for_without_a_pause(home: Home) -> None:
    ended = home.run({"prompt": "x", "stream": {"ping_s": 1e-9}})
    assert ended.ending == ("invalid_request", 2)
    assert ended.last["details"][0]["pointer"] == "/stream/ping_s"


def test_a_host_short_of_descriptors_is_worth_a_retry(home: Home) -> None:
    ended = home.run({"prompt": "x"}, prefix=("sh", "-c", 'ulimit -n 12; exec "$@"', "sh"))
    assert ended.last["code"] != "cli_missing"
    assert ended.status in (1, 75)


def test_a_temporary_directory_of_any_name_serves(home: Home, simulator: Simulator) -> None:
    strange = os.fsencode(home.root) + b"/t\xff"
    Path(os.fsdecode(strange)).mkdir()
    environ = {os.fsencode(name): os.fsencode(value) for name, value in home.environ.items()} | {b"TMPDIR": strange}
    ran = subprocess.run(
        [str(SCRIPTS / "agent-chat")],
        input=b'{"prompt": "x"}',
        env=environ,
        capture_output=True,
        timeout=PATIENCE_S,
        check=False,
    )
    events = events_of(ran.stdout)
    assert events[-1]["type"] == "done" or events[-1]["retryable"] == (ran.returncode == 75)
    assert list(Path(os.fsdecode(strange)).iterdir()) == []


@BOTH
@forked
@pytest.mark.parametrize(
    "dialect", ["https://json-schema.org/draft/2020-12/schema", "http://json-schema.org/draft-07/schema#"]
)
def test_an_output_schema_may_name_its_dialect(home: Home, simulator: Simulator, dialect: str) -> None:
    simulator.play("structured-output")
    schema = {"$schema": dialect, "type": "object", "properties": {"n": {"type": "integer"}}, "required": ["n"]}
    ended = home.run({"prompt": "x", "output_schema": schema})
    assert ended.ending == ("done", 0)
    assert isinstance(ended.last["output"]["n"], int)


@differs("keywords of `output_schema`")
@forked
@pytest.mark.parametrize("keywords", [{"prefixItems": [{}]}, {"dependentRequired": {}}, {"example": 1}], ids=str)
def test_an_output_schema_that_the_cli_cannot_read_is_not_worth_a_retry(home: Home, keywords: dict) -> None:
    ended = home.run({"prompt": "x", "output_schema": {"type": "object", **keywords}})
    assert ended.ending == ("invalid_request", 1)
    assert "draft 07" in ended.last["message"]


@forked
def test_a_schema_that_is_too_large_is_refused_before_anything_starts(home: Home) -> None:
    ended = home.run({"prompt": "x", "output_schema": {"description": "x" * 140_000}})
    assert (ended.types, ended.ending) == (["error"], ("invalid_request", 2))


def test_the_simulator_is_not_taken_for_a_closed_stdin(home: Home) -> None:
    command = ["sh", "-c", f"exec {SCRIPTS / 'agent-chat'} --simulate <&-"]
    ran = subprocess.run(command, env=home.environ, capture_output=True, timeout=PATIENCE_S, check=False)
    [event] = events_of(ran.stdout)
    assert ran.returncode == 2
    assert "the input is empty" in event["details"][0]["message"]


# Two users of one host


def _as_user(home: Home, uid: int) -> tuple[str, ...]:
    """A prefix that runs a command as another user, in the group of the first one's directories."""
    for name in ("home", "tmp"):
        path = home.root / f"{name}-{uid}"
        path.mkdir(exist_ok=True)
        os.chown(path, uid, _GROUP)
    variables = [f"HOME={home.root}/home-{uid}", f"TMPDIR={home.root}/tmp-{uid}"]
    return ("setpriv", f"--reuid={uid}", f"--regid={_GROUP}", "--clear-groups", "env", *variables)


_GROUP, _DEPLOYER, _WEB = 60_001, 60_002, 60_003
as_root = pytest.mark.skipif(os.getuid() != 0, reason="only root can be two users")


@pytest.fixture
def open_house(simulator: Simulator, engine: str) -> Iterator[Home]:
    """A place that other users may enter, as they may not where the tests' other files are."""
    with tempfile.TemporaryDirectory() as root:
        Path(root).chmod(0o755)
        home = Home(Path(root), simulator.base_url, engine)
        yield home
        home.kill_all()


@BOTH
@as_root
@pytest.mark.parametrize("shared", [{"AGENT_WORKERS_STATE_MODE": "0770"}, {}], ids=["by its mode", "by its parent"])
def test_two_users_share_a_state_directory_and_no_conversation(
    open_house: Home, simulator: Simulator, shared: dict[str, str]
) -> None:
    simulator.play("memory")
    parent = open_house.root / "shared"
    parent.mkdir()
    os.chown(parent, _DEPLOYER, _GROUP)
    parent.chmod(0o770 if shared else 0o2770)
    env = {"AGENT_WORKERS_STATE_DIR": str(parent / "state"), **shared}
    first = open_house.run({"prompt": "My name is Ada."}, prefix=_as_user(open_house, _DEPLOYER), env=env)
    second = open_house.run({"prompt": "I am Bob."}, prefix=_as_user(open_house, _WEB), env=env)
    assert (first.ending, second.ending) == (("done", 0), ("done", 0))
    for uid, own, others in ((_DEPLOYER, first, second), (_WEB, second, first)):
        prefix = _as_user(open_house, uid)
        session = {"resume": own.last["session_id"]}
        again = open_house.run({"prompt": "x", "session": session}, prefix=prefix, env=env)
        assert again.last["text"].startswith("You sent 2 prompts.")
        session = {"resume": others.last["session_id"]}
        refused = open_house.run({"prompt": "x", "session": session}, prefix=prefix, env=env)
        assert refused.ending == ("session_not_found", 1), refused.stderr
    open_to_others = [path for path in (parent / "state").rglob("*") if path.stat().st_mode & 0o007]
    assert [path for path in open_to_others if path.parent.stat().st_mode & 0o007] == []


@as_root
def test_a_state_directory_of_another_user_is_told_with_its_cure_before_a_run_meets_it(open_house: Home) -> None:
    parent = open_house.root / "app"
    parent.mkdir()
    os.chown(parent, _WEB, _GROUP)
    (state := parent / "state").mkdir()
    os.chown(state, _DEPLOYER, _GROUP)
    env = {"AGENT_WORKERS_STATE_DIR": str(state)}
    assert open_house.run({"prompt": "x"}, prefix=_as_user(open_house, _DEPLOYER), env=env).ending == ("done", 0)
    mine, theirs = (_doctor(open_house, uid, env) for uid in (_DEPLOYER, _WEB))
    assert mine["status"] == "warn"
    assert f"a run of uid {_WEB}" in mine["found"]
    assert (theirs["status"], f"uid {_DEPLOYER}" in theirs["found"]) == ("fail", True)
    assert "AGENT_WORKERS_STATE_MODE=0770" in mine["cure"]
    assert "AGENT_WORKERS_STATE_MODE=0770" in theirs["cure"]
    assert open_house.run({"prompt": "x"}, prefix=_as_user(open_house, _WEB), env=env).ending == (
        "state_unavailable",
        1,
    )
    for path in (state, *(path for path in state.rglob("*") if path.is_dir() and "claude" not in str(path))):
        path.chmod(0o2770)  # the cure
    env["AGENT_WORKERS_STATE_MODE"] = "0770"
    assert {_doctor(open_house, uid, env)["status"] for uid in (_DEPLOYER, _WEB)} == {"ok"}
    ended = open_house.run({"prompt": "x"}, prefix=_as_user(open_house, _WEB), env=env)
    assert (ended.ending, ended.stderr) == (("done", 0), "")


@as_root
def test_a_directory_inside_that_is_another_users_is_told_too(open_house: Home) -> None:
    state = open_house.root / "state"
    os.chown(state, _WEB, _GROUP)
    (state / "workspaces").mkdir(mode=0o700)
    finding = _doctor(open_house, _WEB, {})
    assert (finding["status"], "workspaces" in finding["found"]) == ("fail", True)


def _doctor(home: Home, uid: int, env: dict[str, str]) -> dict[str, str]:
    """What it says of the state directory, for which it needs no agent."""
    env = {**env, "AGENT_WORKERS_CLI": str(script(home.root / "no-agent", "exit 1"))}
    command = [*_as_user(home, uid), str(SCRIPTS / "agent-workers"), "doctor", "--json"]
    ran = subprocess.run(
        command, env={**home.environ, **env}, cwd=home.root, capture_output=True, timeout=PATIENCE_S, check=False
    )
    return next(check for check in json.loads(ran.stdout)["checks"] if check["check"] == "state_dir")
