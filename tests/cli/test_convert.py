"""``agent-workers convert``: a run's events as the frames of a front end's protocol."""

import json
import re
import signal
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.cli.bodies import ABORTED, SESSION, START, delta, done, error
from tests.cli.conftest import SCRIPTS, Record, Scripts
from tests.convert.recorded import FRAMES, RUNS
from tests.waiting import PATIENCE_S, until


def chunks(frames: str) -> list[dict[str, Any]]:
    return [json.loads(frame[6:]) for frame in frames.split("\n\n") if frame.startswith("data: {")]


@pytest.mark.parametrize("name", ["ai-sdk", "ag-ui", "laravel"])
def test_a_run_becomes_the_recorded_frames(name: str, scripts: Scripts) -> None:
    converted = scripts("agent-workers", "convert", "--to", name, given=RUNS["tools"].read_bytes())
    assert converted.stdout == (FRAMES / name / "tools.sse").read_text("ascii")
    assert (converted.returncode, converted.stderr) == (0, "")


def test_it_stands_behind_a_worker_in_a_pipe(scripts: Scripts) -> None:
    pipe = "agent-chat --simulate=hello | agent-workers convert --to ai-sdk"
    converted = scripts("sh", "-c", pipe, given='{"prompt": "Hello"}')
    assert converted.stdout.endswith("data: [DONE]\n\n")
    assert "finish" in [chunk["type"] for chunk in chunks(converted.stdout)]
    assert converted.returncode == 0


@pytest.mark.parametrize(
    ("bodies", "status"),
    [
        ([START, done()], 0),
        ([START, error()], 1),
        ([error("invalid_request")], 2),
        ([START, ABORTED], 3),
        ([START, error("overloaded", retryable=True)], 75),
        ([START, SESSION], 75),
    ],
    ids=["done", "error", "refused", "aborted", "retryable", "lost"],
)
def test_the_exit_status_is_that_of_the_run(
    bodies: list[dict[str, Any]], status: int, scripts: Scripts, record: Record
) -> None:
    converted = scripts("agent-workers", "convert", "--to", "ag-ui", given=record(*bodies).read_bytes())
    assert (converted.returncode, converted.stderr) == (status, "")


@pytest.mark.parametrize("run", ["crash", "lost-at-once"])
def test_a_stream_without_an_end_ends_with_worker_lost(run: str, scripts: Scripts) -> None:
    converted = scripts("agent-workers", "convert", "--to", "ag-ui", given=RUNS[run].read_bytes())
    assert chunks(converted.stdout)[-1]["code"] == "worker_lost"


def test_no_stream_at_all_is_a_lost_worker(scripts: Scripts) -> None:
    converted = scripts("agent-workers", "convert", "--to", "ai-sdk")
    assert [chunk["type"] for chunk in chunks(converted.stdout)] == ["start", "message-metadata", "error"]
    assert converted.returncode == 75


def test_a_line_that_is_no_event_is_told_on_stderr_and_ends_the_frames(scripts: Scripts, record: Record) -> None:
    given = record(START, SESSION).read_bytes() + b"Traceback (most recent call last)\n" + record(done()).read_bytes()
    converted = scripts("agent-workers", "convert", "--to", "ai-sdk", given=given)
    assert converted.stderr == "agent-workers convert: line 3 of stdin is no event of a run: it is not JSON.\n"
    assert converted.stdout.endswith(
        'data: {"type":"error","errorText":"The run ended without a result. Try again."}\n\ndata: [DONE]\n\n'
    )
    assert converted.returncode == 1


@pytest.mark.parametrize("number", ["NaN", "Infinity", "-Infinity"])
def test_what_python_alone_reads_is_no_event(number: str, scripts: Scripts, record: Record) -> None:
    given = record(START, SESSION).read_bytes()[:-2] + f',"cost":{number}}}\n'.encode()
    converted = scripts("agent-workers", "convert", "--to", "laravel", given=given)
    assert number not in converted.stdout
    assert converted.stderr == "agent-workers convert: line 2 of stdin is no event of a run: it is not JSON.\n"


@pytest.mark.parametrize(("cut", "status"), [(1, 0), (2, 75)], ids=["whole", "cut"])
def test_a_last_line_without_its_newline_counts_if_it_is_whole(
    cut: int, status: int, scripts: Scripts, record: Record
) -> None:
    given = record(START, done()).read_bytes()[:-cut]
    converted = scripts("agent-workers", "convert", "--to", "ai-sdk", given=given)
    assert (converted.returncode, converted.stderr) == (status, "")
    assert ("finish" in [chunk["type"] for chunk in chunks(converted.stdout)]) == (cut == 1)


def test_a_stdin_that_cannot_be_read_is_told_and_ends_the_frames(scripts: Scripts) -> None:
    converted = scripts("sh", "-c", "agent-workers convert --to ai-sdk < /")
    assert converted.stderr.startswith("agent-workers convert: stdin cannot be read: ")
    assert converted.stderr.count("\n") == 1
    assert converted.stdout.endswith("data: [DONE]\n\n")
    assert converted.returncode == 75


@pytest.fixture
def open_pipe(scripts: Scripts) -> Any:
    """The command with its pipes open, ended after the test."""
    command = [SCRIPTS / "agent-workers", "convert", "--to", "ai-sdk"]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    with subprocess.Popen(command, env=scripts.environ(), bufsize=0, **pipes) as process:
        try:
            yield process
        finally:
            process.kill()


def frame(process: subprocess.Popen[bytes]) -> bytes:
    """Reads one frame; a wait without end is the end of pytest's own patience."""
    read = b""
    while not read.endswith(b"\n\n"):
        read += process.stdout.read(1)
    return read


def test_each_frame_is_there_as_soon_as_its_event(open_pipe: subprocess.Popen[bytes], record: Record) -> None:
    assert frame(open_pipe) == b": ping\n\n"
    start, said = record(START, delta("Hi")).read_bytes().splitlines(keepends=True)
    open_pipe.stdin.write(start)
    assert b'"type":"start"' in frame(open_pipe)
    open_pipe.stdin.write(said[:20])
    open_pipe.stdin.write(said[20:])
    assert [b"start-step" in frame(open_pipe), b"text-start" in frame(open_pipe), b"Hi" in frame(open_pipe)] == [
        True
    ] * 3


def test_a_reader_that_goes_away_ends_it_at_once_with_status_4(open_pipe: subprocess.Popen[bytes]) -> None:
    frame(open_pipe)
    open_pipe.stdout.close()
    assert open_pipe.wait(PATIENCE_S) == 4


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_ctrl_c_and_the_end_of_a_service_leave_it_the_last_words_of_the_worker(
    open_pipe: subprocess.Popen[bytes], record: Record, number: signal.Signals
) -> None:
    frame(open_pipe)
    open_pipe.send_signal(number)
    open_pipe.stdin.write(record(START, ABORTED).read_bytes())
    assert open_pipe.wait(PATIENCE_S) == 3
    assert b'{"type":"abort","reason":' in open_pipe.stdout.read()


@pytest.mark.parametrize("times", [1, 2])
def test_sigterm_ends_it_though_no_worker_ends_and_at_once_the_second_time(
    open_pipe: subprocess.Popen[bytes], times: int
) -> None:
    frame(open_pipe)
    open_pipe.send_signal(signal.SIGTERM)
    if times == 2:
        until(lambda: not _catches(open_pipe.pid, signal.SIGTERM), what="the first one")
        open_pipe.send_signal(signal.SIGTERM)
    assert open_pipe.wait(PATIENCE_S) == -signal.SIGTERM


def _catches(pid: int, number: signal.Signals) -> bool:
    caught = re.search(r"^SigCgt:\s*(\S+)", Path(f"/proc/{pid}/status").read_text(), re.MULTILINE)
    assert caught
    return bool(int(caught[1], 16) >> number - 1 & 1)


def test_a_protocol_must_be_named(scripts: Scripts) -> None:
    refused = scripts("agent-workers", "convert")
    assert refused.returncode == 2
    assert "Missing option '--to'" in refused.stderr
