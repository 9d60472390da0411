"""A conversation goes on wherever its next message is run, and one run at a time is in it."""

import json
import shutil
import signal
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from agent_workers.simulator import Simulator
from tests.e2e.conftest import home_at
from tests.e2e.worker import SCRIPTS
from tests.fleet.redis_server import RedisServer
from tests.fleet.served import CHAT, User, Working
from tests.waiting import until

Machines = Callable[[str], Working]


@pytest.fixture
def machines(tmp_path: Path, simulator: Simulator, redis: RedisServer) -> Iterator[Machines]:
    """Starts a machine with a home and a state directory of its own, which serves the queue of its name."""
    homes = {}
    working: list[Working] = []

    def machine(name: str) -> Working:
        if name not in homes:
            (tmp_path / name).mkdir()
            places.append(home_at(tmp_path / name, simulator))
            homes[name] = places[-1].__enter__()
        working.append(Working(homes[name], redis, "--queue", name, "--lease-s", "2"))
        return working[-1].wait_up()

    places: list[object] = []
    try:
        yield machine
    finally:
        for each in working:
            if each.process.poll() is None:
                each.stop()
        for place in places:
            place.__exit__(None, None, None)  # type: ignore[attr-defined]


def said(simulator: Simulator) -> list[str]:
    """What the user has said, as the last call of the API has it."""
    messages = simulator.requests("/v1/messages")[-1].body["messages"]
    texts = []
    for message in messages:
        content = message["content"]
        blocks = [{"type": "text", "text": content}] if isinstance(content, str) else content
        if message["role"] == "user":
            texts += [block["text"] for block in blocks if block["type"] == "text"]
    return [text for text in texts if not text.startswith("<")]


@pytest.mark.parametrize("engine", ["agent", "messages"])
def test_a_conversation_goes_on_on_another_machine(
    machines: Machines, user: User, simulator: Simulator, engine: str
) -> None:
    for name in ("a", "b"):
        machines(name)
    session = user.run({**CHAT, "queue": "a", "prompt": "one", "engine": engine})[-1]["session_id"]
    for queue, prompt in (("b", "two"), ("a", "three"), ("b", "four")):
        last = user.run({**CHAT, "queue": queue, "prompt": prompt, "session": {"resume": session}})[-1]
        assert (last["type"], last["session_id"]) == ("done", session)
    assert said(simulator) == ["one", "two", "three", "four"]


def test_a_message_whose_machine_is_lost_stands_once_in_its_conversation(
    machines: Machines, user: User, simulator: Simulator
) -> None:
    first = machines("a")
    session = user.run({**CHAT, "queue": "a", "prompt": "one"})[-1]["session_id"]
    simulator.play("slow")
    run = user.submit({**CHAT, "queue": "a", "prompt": "two", "session": {"resume": session}}).run
    user.wait_for(run, "delta")
    first.stop(signal.SIGKILL)
    simulator.play("hello")
    machines("a")
    assert user.follow(run)[-1].event["type"] == "done"
    assert user.check(run)[0]["attempt"] == 2
    assert said(simulator) == ["one", "two"]


def test_the_second_of_two_runs_in_one_conversation_is_told_so(
    machines: Machines, user: User, simulator: Simulator
) -> None:
    for name in ("a", "b"):
        machines(name)
    session = user.run({**CHAT, "queue": "a", "prompt": "one"})[-1]["session_id"]
    simulator.play("slow")
    run = user.submit({**CHAT, "queue": "a", "prompt": "two", "session": {"resume": session}}).run
    user.wait_for(run, "delta")
    busy = user.run({**CHAT, "queue": "b", "prompt": "also", "session": {"resume": session}})[-1]
    assert (busy["type"], busy["code"], busy["retryable"]) == ("error", "session_busy", True)
    user.abort(run)
    until(lambda: user.status(run).is_over)  # type: ignore[union-attr]
    simulator.play("hello")
    assert user.run({**CHAT, "queue": "b", "prompt": "three", "session": {"resume": session}})[-1]["type"] == "done"


def test_two_runs_of_one_recording_at_once_both_end(work: Callable[..., Working], user: User, tmp_path: Path) -> None:
    session = "0c5d3a52-6a1e-4c0e-9a5a-0d8f1f1b7a01"
    bodies: list[dict[str, object]] = [
        {"type": "start", "worker": "agent-chat", "worker_version": "1", "sdk_version": "1", "simulated": True},
        {"type": "session", "session_id": session, "model": "m", "cli_version": "1", "tools": [], "resumed": False},
        {"type": "delta", "text": "Hello", "block": 1},
        {"type": "done", "stop_reason": "end_turn", "text": "Hello", "session_id": session, "usage": {}}
        | {"duration_ms": 3_000, "turns": 1},
    ]
    recording = tmp_path / "run.ndjson"
    lines = [
        json.dumps({"v": 1, "seq": seq, "run": "r", "ts": f"2026-11-20T23:19:0{seq}.000Z", **body})
        for seq, body in enumerate(bodies, 1)
    ]
    recording.write_text("".join(f"{line}\n" for line in lines))
    work("--queue", "default=2", "--worker", f"agent-chat={SCRIPTS}/agent-workers replay --speed 4 {recording}")
    runs = [user.submit({**CHAT, "attempts": 1}).run for _ in range(2)]
    for run in runs:
        user.wait_for(run, "session")
    for run in runs:
        user.follow(run)
        assert [event["type"] for event in user.check(run)] == ["start", "session", "delta", "done"]


def test_a_conversation_that_could_not_be_stored_is_told_so_before_the_end(
    work: Callable[..., Working], user: User, tmp_path: Path
) -> None:
    store = tmp_path / "store"
    store.mkdir()
    work("--sessions", f"file://{store}")
    run = user.submit({**CHAT, "prompt": "Go. [[scenario:slow]]"}).run
    user.wait_for(run, "delta")
    shutil.rmtree(store)
    user.abort(run)
    user.follow(run)
    *_, notice, last = user.check(run)
    assert (notice["type"], notice["code"]) == ("notice", "session_not_saved")
    assert last["type"] == "aborted"
    assert "session_id" not in last
