"""A worker that Python runs: its events, one of them terminal, and nothing left, whatever the worker does."""

import itertools
import json
import os
import resource
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import anyio
import pytest
from anyio.lowlevel import checkpoint

from agent_workers.client import (
    AsyncProcessRunner,
    AsyncRun,
    Event,
    FakeRunner,
    ProcessRunner,
    Result,
    RunAborted,
    RunFailed,
    RunRefused,
)
from agent_workers.client.command import WorkerCommand
from agent_workers.client.conversation import Conversation
from agent_workers.simulator import Simulator, journal, running_simulator
from tests.e2e.stream import check_whole
from tests.waiting import PATIENCE_S, until

Request = dict[str, Any]
ASK: Request = {"prompt": "Hello"}


@pytest.fixture(scope="module")
def simulator() -> Iterator[Simulator]:
    with running_simulator() as simulator:
        yield simulator


@pytest.fixture
def env(tmp_path: Path, simulator: Simulator) -> dict[str, str]:
    return {
        "PATH": os.environ["PATH"],
        "HOME": str(tmp_path),
        "AGENT_WORKERS_STATE_DIR": str(tmp_path / "state"),
        "ANTHROPIC_BASE_URL": simulator.base_url,
        "ANTHROPIC_API_KEY": "key-canary",
    }


def worker(path: Path, *commands: str) -> str:
    """A program in place of a worker, which first reads its request."""
    path.write_text("\n".join(["#!/bin/bash", "read -r request", *commands, ""]), "utf-8")
    path.chmod(0o755)
    return str(path)


def line(seq: int, kind: str, **fields: Any) -> str:
    event = {"v": 1, "seq": seq, "run": "r", "ts": "2026-01-01T00:00:00.000Z", "type": kind, **fields}
    return json.dumps(event)


DONE = line(1, "done", stop_reason="end_turn", text="", session_id="s", usage={}, duration_ms=1, turns=1)
Stream = Callable[..., list[Event]]


def streamed(program: str, request: Request = ASK, **options: Any) -> list[Event]:
    return list(ProcessRunner(program, **options).stream(request))


def streamed_in_a_loop(program: str, request: Request = ASK, **options: Any) -> list[Event]:
    async def events() -> list[Event]:
        with anyio.fail_after(PATIENCE_S):
            async with AsyncProcessRunner(program, **options).stream(request) as run:
                return [event async for event in run]

    return anyio.run(events)


@pytest.fixture(params=[streamed, streamed_in_a_loop], ids=["waiting", "in a loop"])
def stream(request: pytest.FixtureRequest) -> Stream:
    found: Stream = request.param
    return found


def test_an_answer_comes_as_a_result_and_as_events(env: dict[str, str]) -> None:
    runner = ProcessRunner("agent-chat", env=env)
    run = runner.stream({**ASK, "run": "mine"})
    events = list(run)
    check_whole(events)
    assert {event["run"] for event in events} == {"mine"} == {run.id}
    text = "".join(event["text"] for event in events if event["type"] == "delta")
    assert (run.result().text, run.exit_status) == (text, 0)
    result = runner.run(ASK)
    assert (result.text, result.stop_reason, result.event["type"]) == (text, "end_turn", "done")
    assert result.session_id
    assert result.usage["output_tokens"] > 0
    assert result.run not in ("", "mine")


def test_an_event_loop_runs_several_at_once(env: dict[str, str]) -> None:
    async def results() -> list[Result]:
        runner = AsyncProcessRunner("agent-chat", env=env)
        found: list[Result] = []

        async def one() -> None:
            found.append(await runner.run(ASK))

        with anyio.fail_after(PATIENCE_S):
            async with anyio.create_task_group() as tasks:
                for _ in range(3):
                    tasks.start_soon(one)
        return found

    found = anyio.run(results)
    assert len({result.run for result in found}) == 3
    assert len({result.text for result in found}) == 1


def test_a_failure_is_an_exception_that_says_what_to_do(env: dict[str, str], simulator: Simulator) -> None:
    simulator.play("rate-limited-429")
    with pytest.raises(RunFailed) as failed:
        ProcessRunner("agent-chat", env=env).run(ASK)
    assert (failed.value.code, failed.value.retryable) == ("rate_limited", True)
    assert failed.value.event["type"] == "error"
    assert not isinstance(failed.value, RunRefused)
    simulator.play("hello")


def test_a_refused_request_is_told_with_each_of_its_problems(env: dict[str, str]) -> None:
    with pytest.raises(RunRefused) as refused:
        ProcessRunner("agent-chat", env=env).run({"promt": "Hello", "limits": {"timeout_s": "long"}})
    assert {problem["pointer"] for problem in refused.value.details} == {"/prompt", "/promt", "/limits/timeout_s"}


def test_what_is_not_json_is_refused_before_anything_starts(tmp_path: Path) -> None:
    runner = ProcessRunner(worker(tmp_path / "w", f"touch {tmp_path / 'started'}"))
    for wrong in ({"prompt": {1, 2}}, {"prompt": float("nan")}, {"prompt": b"bytes"}):
        with pytest.raises(ValueError, match="cannot be written as JSON"):
            runner.stream(wrong)
    run = runner.stream(ASK)
    with pytest.raises(ValueError, match="cannot be written as JSON"):
        run.send({"type": "abort", "why": object()})
    assert not (tmp_path / "started").exists()


def test_a_run_may_bring_its_own_key_which_is_used_alone(
    env: dict[str, str], simulator: Simulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(journal, "_SECRETS", frozenset())
    ask = {**ASK, "engine": "messages"}
    simulator.play("hello")
    assert ProcessRunner("agent-chat", env=env).run(ask, credential="sk-ant-own-1\n").text
    anyio.run(lambda: AsyncProcessRunner("agent-chat", env=env).run(ask, credential="sk-ant-own-2"))
    ProcessRunner("agent-chat", env=env).run(ask)
    keys = [record.headers["x-api-key"] for record in simulator.requests("/v1/messages")[-3:]]
    assert keys == ["sk-ant-own-1", "sk-ant-own-2", "key-canary"]


@pytest.mark.parametrize("credential", ["", " \n", "two\nlines"])
def test_a_key_that_is_none_is_refused_before_anything_starts(credential: str, tmp_path: Path) -> None:
    for runner in (ProcessRunner(str(tmp_path / "none")), FakeRunner()):
        with pytest.raises(ValueError, match="pass the key alone"):
            runner.stream(ASK, credential=credential)


def test_a_control_message_reaches_the_worker_and_its_ack_comes_back(env: dict[str, str], simulator: Simulator) -> None:
    simulator.play("stall-mid-stream")
    run = ProcessRunner("agent-chat", env=env).stream(ASK)
    name: str | None = None
    acks: list[Event] = []
    for event in run:
        if event["type"] == "delta" and name is None:
            name = run.abort()
        if event["type"] == "ack":
            acks.append(event)
    assert [(ack["id"], ack["ok"]) for ack in acks] == [(name, True)]
    with pytest.raises(RunAborted) as aborted:
        run.result()
    assert aborted.value.reason == "client"
    assert run.send({"type": "abort"}) is None
    simulator.play("hello")


def test_a_loop_that_is_left_leaves_nothing_running(env: dict[str, str], simulator: Simulator) -> None:
    simulator.play("stall-mid-stream")
    with ProcessRunner("agent-chat", env=env).stream(ASK) as run:
        for event in run:
            if event["type"] == "delta":
                break
    assert run.exit_status == 3
    simulator.play("hello")


def test_a_worker_whose_loop_was_left_is_waited_for_no_longer_than_it_takes(tmp_path: Path) -> None:
    program = worker(tmp_path / "w", f"echo '{line(1, 'delta', text='x', block=1)}'", "exec sleep 300")
    with ProcessRunner(program, grace_s=PATIENCE_S).stream(ASK) as run:
        next(iter(run))
    assert run.exit_status == -signal.SIGTERM


def test_a_cancelled_loop_leaves_nothing_running(env: dict[str, str], simulator: Simulator) -> None:
    simulator.play("stall-mid-stream")

    async def cancelled() -> int | None:
        with anyio.fail_after(PATIENCE_S), anyio.CancelScope() as scope:
            async with AsyncProcessRunner("agent-chat", env=env).stream(ASK) as run:
                async for event in run:
                    if event["type"] == "delta":
                        scope.cancel()
        return run.exit_status

    assert anyio.run(cancelled) == 3
    simulator.play("hello")


def test_another_thread_stops_a_run(env: dict[str, str], simulator: Simulator) -> None:
    simulator.play("stall-mid-stream")
    run = ProcessRunner("agent-chat", env=env).stream(ASK)
    events = []
    for event in run:
        events.append(event)
        if event["type"] == "delta":
            thread = threading.Thread(target=run.stop)
            thread.start()
            thread.join()
    assert (events[-1]["type"], events[-1]["reason"], run.exit_status) == ("aborted", "signal", 3)
    simulator.play("hello")


FAULTS: dict[str, tuple[list[str], dict[str, Any]]] = {
    "says nothing": ([], {"code": "worker_lost", "retryable": True}),
    "dies in a line": ([f"printf '%s' '{DONE[:40]}'", "kill -9 $$"], {"code": "worker_lost"}),
    "ends a line by its end": ([f"printf '%s' '{DONE}'"], {"type": "done"}),
    "prints what is no event": (["echo Warning: deprecated", "echo '[1]'", f"echo '{DONE}'"], {"type": "done"}),
    "ends without an answer": (["echo '" + DONE.replace('"text"', '"txt"') + "'"], {"code": "worker_lost"}),
    "fails without a code": (["echo '" + line(1, "error", message="m", retryable=True) + "'"], {"code": "worker_lost"}),
    "tells what nobody can reckon with": (
        [
            "echo '" + line(1, "delta", text="x", block=1) + "'",
            "echo '" + line(2, "discard", blocks=[[1]]) + "'",
            *("echo '" + DONE.replace('"usage": {}', f'"usage": {odd}') + "'" for odd in ('"x"', "NaN", "[1e999]")),
            "echo '" + DONE.replace('"text"', '"truncated_bytes": "1", "text"') + "'",
            "echo '" + line(3, "error", code="c", message="m", retryable=True, retry_after_ms="1") + "'",
            "echo '" + line(3, "error", code="c", message="m", retryable=True, details=["x"]) + "'",
        ],
        {"code": "worker_lost"},
    ),
    "speaks another version": ([f"echo '{DONE}'".replace('"v": 1', '"v": 2')], {"code": "unsupported_version"}),
    "goes on after its end": ([f"echo '{DONE}'", f"echo '{DONE}'"], {"type": "done"}),
    "closes its stdout": (["exec >&-", "while :; do sleep 0.01; done"], {"code": "worker_lost"}),
    "floods a line": (["head -c 5000000 /dev/zero | tr '\\0' x", f"echo '{DONE}'"], {"code": "internal"}),
    "floods stderr": (["head -c 3000000 /dev/zero | tr '\\0' x >&2", f"echo '{DONE}'"], {"type": "done"}),
    "leaves its stdout to another": (["sleep 300 &", "echo $! > left", "exit 5"], {"code": "worker_lost"}),
    "ignores its deadline": (
        ["trap '' TERM", "while :; do sleep 0.01; done"],
        {"code": "timeout", "retryable": False},
    ),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_there_is_one_terminal_event_whatever_a_worker_does(fault: str, stream: Stream, tmp_path: Path) -> None:
    commands, expected = FAULTS[fault]
    program = worker(tmp_path / "worker", *commands)
    limits = {"limits": {"timeout_s": 0.2}} if fault == "ignores its deadline" else {}
    events = stream(program, {**ASK, **limits}, cwd=tmp_path, grace_s=0.2, overtime_s=0.2 if limits else 30)
    assert expected.items() <= events[-1].items()
    assert [event["type"] in ("done", "error", "aborted") for event in events] == [False] * (len(events) - 1) + [True]
    if (tmp_path / "left").exists():
        os.kill(int((tmp_path / "left").read_text()), signal.SIGKILL)


def test_a_gap_is_told(stream: Stream, tmp_path: Path) -> None:
    late = line(4, "delta", text="x", block=1)
    events = stream(worker(tmp_path / "w", f"echo '{late}'", f"echo '{DONE.replace('1', '5', 1)}'"))
    assert [event["type"] for event in events][:2] == ["notice", "delta"]
    assert events[0]["code"] == "protocol_error"
    assert "3" in events[0]["message"]


def test_a_worker_that_cannot_be_started_is_told_apart(stream: Stream, tmp_path: Path) -> None:
    (tmp_path / "plain").write_text("no program")
    assert stream(str(tmp_path / "missing"))[-1]["code"] == "cli_missing"
    assert stream("no-such-worker")[-1]["code"] == "cli_missing"
    assert stream(str(tmp_path / "plain"))[-1]["code"] == "internal"
    assert stream("agent-chat", cwd=tmp_path / "nowhere")[-1]["code"] == "internal"


@pytest.mark.parametrize("timeout_s", [1e300, 10**400, "inf", -40, [1]], ids=lambda limit: str(limit)[:5])
def test_a_time_limit_that_is_none_is_for_the_worker_to_refuse(
    timeout_s: object, stream: Stream, tmp_path: Path
) -> None:
    program = worker(tmp_path / "w", "sleep 0.1", f"echo '{DONE}'")
    assert stream(program, {**ASK, "limits": {"timeout_s": timeout_s}})[-1]["type"] == "done"


def test_what_is_nested_too_deeply_to_be_written_is_refused(tmp_path: Path) -> None:
    deep: list[Any] = []
    for _ in range(sys.getrecursionlimit()):
        deep = [deep]
    with pytest.raises(ValueError, match="JSON"):
        ProcessRunner(worker(tmp_path / "w")).run({"prompt": deep})


@pytest.mark.parametrize(
    ("skill", "request_", "is_long"),
    [
        ({"skill": "score"}, ASK, True),
        ({"skill": "score"}, {**ASK, "limits": {"timeout_s": 60}}, False),
        ({}, ASK, False),
    ],
)
def test_a_skill_has_the_time_that_it_says_itself(
    skill: dict[str, str], request_: Request, is_long: bool, tmp_path: Path
) -> None:
    start = line(1, "start", worker="agent-skill", **skill)
    program = worker(tmp_path / "w", f"echo '{start}'", "read -r")
    conversation = Conversation(WorkerCommand(program, (), None, None, grace_s=1, overtime_s=30), request_)
    conversation.begin()
    while not [event["type"] for event in conversation.take()]:
        conversation.wait()
    patience_s = conversation.patience_s
    conversation.close()
    assert patience_s
    assert (patience_s > 24 * 3600) == is_long


OBSTINATE = (
    "trap '' TERM",
    "echo '" + line(1, "ping", idle_ms=1) + "'",
    "for ((i = 0; i < 300; i++)); do sleep 0.05; done",
    "exit 7",
)


def test_a_silent_worker_that_does_not_obey_a_stop_is_killed_though_its_caller_waits_already(tmp_path: Path) -> None:
    program = worker(tmp_path / "w", *OBSTINATE)
    run = ProcessRunner(program, grace_s=0.2).stream(ASK)
    kinds = []
    for event in run:
        kinds.append(event["type"])
        if event["type"] == "ping":
            threading.Timer(0.2, run.stop).start()
    assert (kinds, run.exit_status) == (["ping", "aborted"], -signal.SIGKILL)

    async def stopped() -> int | None:
        async with AsyncProcessRunner(program, grace_s=0.2).stream(ASK) as run, anyio.create_task_group() as tasks:
            async for event in run:
                if event["type"] == "ping":
                    tasks.start_soon(stop_later, run)
        return run.exit_status

    async def stop_later(run: AsyncRun) -> None:
        await checkpoint()  # the loop waits for the next event by now
        run.stop()

    assert anyio.run(stopped) == -signal.SIGKILL


def test_where_no_descriptor_is_left_the_run_may_succeed_later_and_nothing_stays_open(tmp_path: Path) -> None:
    runner = ProcessRunner(worker(tmp_path / "w", f"echo '{DONE}'"))
    runner.run(ASK)
    limits, before = resource.getrlimit(resource.RLIMIT_NOFILE), _open_files()
    free = (number for number in itertools.count() if number not in before)
    for limit in itertools.islice(free, 12):  # one descriptor more each time
        resource.setrlimit(resource.RLIMIT_NOFILE, (limit, limits[1]))
        try:
            event = [*runner.stream(ASK)][-1]
        finally:
            resource.setrlimit(resource.RLIMIT_NOFILE, limits)
        assert event["type"] == "done" or (event["code"], event["retryable"]) == ("internal", True)
        until(lambda: _open_files() <= before, what=_open_files)


def _open_files() -> set[int]:
    with os.scandir("/proc/self/fd") as entries:
        numbers = {int(entry.name) for entry in entries}
    return {number for number in numbers if os.path.lexists(f"/proc/self/fd/{number}")}


def test_a_worker_learns_that_its_caller_is_gone(tmp_path: Path) -> None:
    program = worker(tmp_path / "w", f"echo '{line(1, 'delta', text='x', block=1)}'", "read -r", "touch gone")
    code = (
        f"from agent_workers.client import ProcessRunner; import os\n"
        f"for _ in ProcessRunner({program!r}, cwd={str(tmp_path)!r}).stream({{}}): os.kill(os.getpid(), 9)"
    )
    assert subprocess.run([sys.executable, "-c", code], timeout=PATIENCE_S, check=False).returncode == -9
    until((tmp_path / "gone").exists)


def test_a_run_that_was_stopped_before_it_began_is_aborted_and_starts_nothing(tmp_path: Path) -> None:
    run = ProcessRunner(worker(tmp_path / "w", f"touch {tmp_path / 'started'}")).stream(ASK)
    run.stop()
    assert [event["type"] for event in run] == ["aborted"]
    assert not (tmp_path / "started").exists()


def test_a_run_is_iterated_once(tmp_path: Path) -> None:
    run = ProcessRunner(worker(tmp_path / "w", f"echo '{DONE}'")).stream(ASK)
    list(run)
    with pytest.raises(RuntimeError, match="iterated once"):
        list(run)


def test_a_text_that_was_cut_to_fit_its_line_is_whole_in_the_result(tmp_path: Path) -> None:
    text = "ä" * 4 + "end"
    deltas = [line(number, "delta", text=part, block=1) for number, part in enumerate(["old ", *text], 1)]
    cut = {"text": "ää", "truncated_bytes": len(text.encode()) - 4}
    done = DONE.replace('"seq": 1,', '"seq": 9,').replace('"text": ""', json.dumps(cut)[1:-1])
    program = worker(tmp_path / "w", *(f"echo '{each}'" for each in [*deltas, done]))
    assert ProcessRunner(program).run(ASK).text == text


def test_a_long_request_and_many_messages_pass_a_worker_that_reads_slowly(stream: Stream, tmp_path: Path) -> None:
    program = worker(tmp_path / "w", 'echo ${#request} > "$0.size"', f"echo '{DONE}'")
    assert stream(program, {"prompt": "x" * 300_000})[-1]["type"] == "done"
    assert int((tmp_path / "w.size").read_text()) > 300_000


def test_stderr_is_kept_for_operators_up_to_its_last_64_kib(tmp_path: Path) -> None:
    program = worker(tmp_path / "w", "seq 100000 >&2", f"echo '{DONE}'")
    run = ProcessRunner(program).stream(ASK)
    list(run)
    assert len(run.stderr) == 1 << 16
    assert run.stderr.endswith("\n99999\n100000\n")


def test_many_small_writes_to_stderr_cost_no_more_than_a_large_one(tmp_path: Path) -> None:
    code = "import os; [os.write(2, b'x') for _ in range(100_000)]"
    program = worker(tmp_path / "w", f'{sys.executable} -c "{code}"', f"echo '{DONE}'")
    run = ProcessRunner(program).stream(ASK)
    assert list(run)[-1]["type"] == "done"
    assert run.stderr == "x" * (1 << 16)


def test_nothing_stays_open(tmp_path: Path, stream: Stream) -> None:
    program = worker(tmp_path / "w", f"echo '{DONE}'")
    stream(program)
    before = _open_files()
    for _ in itertools.repeat(None, 5):
        stream(program)
    until(lambda: _open_files() <= before, what=_open_files)  # a thread of the test itself may just have one open
