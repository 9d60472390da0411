"""``agent-workers replay``: a recorded run as if it ran again."""

import json
import signal
import subprocess
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from tests.cli.bodies import ABORTED, SESSION, SESSION_ID, START, delta, done, error
from tests.cli.conftest import Record, Scripts
from tests.waiting import PATIENCE_S

pytestmark = pytest.mark.usefixtures("loaded")

HOUR = 3600


def events(output: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in output.splitlines()]


def bodies(output: str) -> list[dict[str, Any]]:
    """The events without what is each run's own."""
    own = ("v", "seq", "run", "ts", "duration_ms")
    return [{name: value for name, value in event.items() if name not in own} for event in events(output)]


@pytest.mark.usefixtures("installed")
def test_a_run_of_the_worker_plays_again_as_a_valid_run(scripts: Scripts, tmp_path: Path) -> None:
    recorded = scripts("agent-chat", "--simulate=thinking", given='{"prompt": "Hello", "metadata": {"order": 7}}')
    (tmp_path / "run.ndjson").write_text(recorded.stdout)
    played = scripts("agent-workers", "replay", "--speed", "max", tmp_path / "run.ndjson")
    assert bodies(played.stdout) == bodies(recorded.stdout)
    assert scripts("agent-workers", "validate", given=played.stdout).stdout == "a valid run\n"


def test_the_run_is_simulated_and_has_an_id_and_numbers_of_its_own(scripts: Scripts, record: Record) -> None:
    path = record(START, SESSION, {"type": "ping", "idle_ms": 10_000}, delta("Hi"), done("Hi"))
    played = events(scripts("agent-workers", "replay", "--speed", "max", path).stdout)
    assert [event["type"] for event in played] == ["start", "session", "delta", "done"]
    assert [event["seq"] for event in played] == [1, 2, 3, 4]
    assert played[0]["simulated"] is True
    [run] = {event["run"] for event in played}
    assert run != events(path.read_text())[0]["run"]


def test_keep_run_keeps_the_recorded_id(scripts: Scripts, record: Record) -> None:
    path = record(START, done())
    played = events(scripts("agent-workers", "replay", "--speed", "max", "--keep-run", path).stdout)
    assert {event["run"] for event in played} == {event["run"] for event in events(path.read_text())}


def test_stdin_can_be_played(scripts: Scripts, record: Record) -> None:
    played = scripts("agent-workers", "replay", "--speed=max", "-", given=record(START, done()).read_bytes())
    assert [event["type"] for event in events(played.stdout)] == ["start", "done"]


@pytest.mark.parametrize(
    ("ending", "status"),
    [(done(), 0), (error(), 1), (error("overloaded", retryable=True), 75), (ABORTED, 3)],
    ids=["done", "error", "retryable error", "aborted"],
)
def test_the_exit_status_is_that_of_the_recorded_run(
    ending: dict[str, Any], status: int, scripts: Scripts, record: Record
) -> None:
    played = scripts("agent-workers", "replay", "--speed", "max", record(START, ending))
    assert played.returncode == status
    expected = {name: value for name, value in ending.items() if name != "duration_ms"}
    assert bodies(played.stdout)[-1] == expected


def test_a_refusal_is_its_only_line_again(scripts: Scripts, record: Record) -> None:
    refusal = error("invalid_request", details=[{"pointer": "/prompt", "message": "is required"}])
    played = scripts("agent-workers", "replay", "--speed", "max", record(refusal))
    assert bodies(played.stdout) == [refusal]
    assert played.returncode == 2


def test_a_recording_that_was_torn_off_ends_as_worker_lost(scripts: Scripts, record: Record) -> None:
    played = scripts("agent-workers", "replay", "--speed", "max", record(START, delta("Hi"), torn=b'{"v":1,"se'))
    assert bodies(played.stdout)[-1]["code"] == "worker_lost"
    assert played.returncode == 75


def test_what_is_no_recording_ends_with_one_error_that_names_the_line(scripts: Scripts, record: Record) -> None:
    played = scripts("agent-workers", "replay", record(START, done(), delta("late")))
    [refusal] = events(played.stdout)
    assert (refusal["type"], refusal["code"]) == ("error", "invalid_request")
    assert "line 3" in refusal["message"]
    assert played.returncode == 2


REQUEST = {"prompt": "Hi", "run": "r-1", "attempt": 2, "metadata": {"a": 1}, "tools": ["Bash"], "max_turns": 3}


def test_with_control_it_stands_in_for_the_worker_of_a_request(scripts: Scripts, record: Record) -> None:
    start = {**START, "metadata": {"b": 2}, "user": "u"}
    path = record(start, delta("Hi"), {**done("Hi"), "metadata": {"b": 2}, "user": "u"})
    command = ("agent-workers", "replay", "--speed=max", "--control", "--credential-fd=0", path)
    with scripts.running(*command, stdin=subprocess.PIPE) as process:
        assert process.stdin
        process.stdin.write(b"the-key\n" + json.dumps(REQUEST).encode() + b"\n")
        process.stdin.flush()
        assert process.stdout
        played = [json.loads(line) for line in process.stdout]
        process.wait(PATIENCE_S)
    assert [(event["type"], event["run"], event["seq"]) for event in played] == [
        ("start", "r-1", 1),
        ("delta", "r-1", 2),
        ("done", "r-1", 3),
    ]
    assert (played[0]["metadata"], played[0]["attempt"], played[2]["metadata"]) == ({"a": 1}, 2, {"a": 1})
    assert not {"user"} & {*played[0], *played[2]}


def test_with_control_it_is_aborted_as_a_worker_is(scripts: Scripts, record: Record) -> None:
    path = record(START, SESSION, done(), gap_s=HOUR)
    with scripts.running("agent-workers", "replay", "--control", path, stdin=subprocess.PIPE) as process:
        assert process.stdin
        process.stdin.write(json.dumps(REQUEST).encode() + b'\n{"type": "abort", "id": "a"}\n')
        process.stdin.flush()
        assert process.stdout
        played = [json.loads(line) for line in process.stdout]
        assert process.wait(PATIENCE_S) == 3
    assert [event["type"] for event in played] == ["start", "ack", "aborted"]


@pytest.mark.parametrize("request_", ["[]", '{"prompt": "Hi", "metadata": 7}', "no JSON"])
def test_with_control_a_request_that_is_none_is_refused(request_: str, scripts: Scripts, record: Record) -> None:
    played = scripts("agent-workers", "replay", "--control", record(START, done()), given=request_)
    assert (played.returncode, bodies(played.stdout)[0]["code"]) == (2, "invalid_request")


def test_with_control_the_recording_cannot_be_stdin(scripts: Scripts) -> None:
    assert scripts("agent-workers", "replay", "--control", "-").returncode == 2


@pytest.mark.parametrize("speed", ["0", "-1", "fast", "nan"])
def test_a_speed_that_is_none_is_refused(speed: str, scripts: Scripts, record: Record) -> None:
    played = scripts("agent-workers", "replay", f"--speed={speed}", record(START, done()))
    assert (played.returncode, played.stdout) == (2, "")
    assert "max" in played.stderr


def test_the_recorded_pauses_are_kept_in_proportion(scripts: Scripts, record: Record) -> None:
    path = record(START, delta("a"), delta("b"), done("ab"), gap_s=HOUR)
    played = events(scripts("agent-workers", "replay", f"--speed={HOUR / 0.15}", path).stdout)
    times = [datetime.fromisoformat(event["ts"]) for event in played]
    assert (times[-1] - times[0]).total_seconds() >= 0.4


def begun(process: subprocess.Popen[bytes]) -> None:
    """Waits for the first line."""
    assert process.stdout
    assert json.loads(process.stdout.readline())["type"] == "start"


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_a_stop_signal_ends_it_with_aborted(number: int, scripts: Scripts, record: Record) -> None:
    with scripts.running("agent-workers", "replay", record(START, SESSION, done(), gap_s=HOUR)) as process:
        begun(process)
        process.send_signal(number)
        output, _ = process.communicate(timeout=PATIENCE_S)
    [last] = events(output.decode())
    assert (last["type"], last["reason"], last["seq"]) == ("aborted", "signal", 2)
    assert process.returncode == 3


def test_an_abort_in_mid_run_knows_the_session(scripts: Scripts, record: Record) -> None:
    path = record(START, {**SESSION, "ts": "2026-01-01T00:00:00.000Z"}, done(), gap_s=HOUR)
    with scripts.running("agent-workers", "replay", path) as process:
        begun(process)
        assert process.stdout
        assert json.loads(process.stdout.readline())["type"] == "session"
        process.terminate()
        output, _ = process.communicate(timeout=PATIENCE_S)
    assert events(output.decode())[-1]["session_id"] == SESSION_ID


@pytest.mark.parametrize("closed", ["0<&-", "1>&-", "2>&-"])
def test_the_recording_takes_the_place_of_no_standard_stream(closed: str, scripts: Scripts, record: Record) -> None:
    command = ["sh", "-c", f'exec agent-workers replay --speed max "$0" {closed}', record(START, done())]
    played = subprocess.run(
        command, env=scripts.environ(), capture_output=True, text=True, timeout=PATIENCE_S, check=False
    )
    assert played.stderr == ""
    assert (played.returncode, len(played.stdout.splitlines())) == ((4, 0) if closed == "1>&-" else (0, 2))


def test_a_closed_stdout_ends_it_with_status_4(scripts: Scripts, record: Record) -> None:
    with scripts.running("agent-workers", "replay", record(START, done(), gap_s=HOUR)) as process:
        begun(process)
        assert process.stdout
        process.stdout.close()
        assert process.wait(PATIENCE_S) == 4


SECOND_ATTEMPT = Path(__file__).parents[2] / "conformance/v1/transcripts/second-attempt.ndjson"


def test_a_run_that_began_again_does_so_when_it_is_played(scripts: Scripts) -> None:
    played = scripts("agent-workers", "replay", "--speed", "max", SECOND_ATTEMPT)
    assert played.returncode == 0
    assert bodies(played.stdout) == bodies(SECOND_ATTEMPT.read_text())
    assert [event["seq"] for event in events(played.stdout)] == [*range(1, 12), *range(1, 10)]
    assert [event["simulated"] for event in events(played.stdout) if event["type"] == "start"] == [True, True]
    assert scripts("agent-workers", "validate", given=played.stdout).stdout == "a valid run\n"


def test_of_a_later_attempt_that_is_lost_as_well_the_end_repeats_what_its_start_said(
    scripts: Scripts, record: Record
) -> None:
    path = record(START, SESSION, {**START, "attempt": 2, "user": "ada"}, delta("Hi"))
    *_, lost = events(scripts("agent-workers", "replay", "--speed", "max", path).stdout)
    assert (lost["code"], lost["user"]) == ("worker_lost", "ada")
    assert "session_id" not in lost


def test_a_start_that_begins_no_later_attempt_makes_it_no_recording(scripts: Scripts, record: Record) -> None:
    refused = scripts("agent-workers", "replay", record(START, delta("Hi"), START, done()))
    assert refused.returncode == 2
    assert "line 3: start begins no later attempt than 1" in refused.stdout
