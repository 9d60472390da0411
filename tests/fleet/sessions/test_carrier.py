"""A conversation that was begun on a machine goes on on another, each message in it exactly once."""

import asyncio
import json
import re
import shutil
import subprocess
import sys
import uuid
from collections.abc import Callable
from pathlib import Path

import pytest

from agent_workers.client import Event
from agent_workers.engine.host.session_record import Binding
from agent_workers.engine.host.sessions import take_lease
from agent_workers.errors import SessionBusy, SessionDamaged, StoreUnreachable
from agent_workers.protocol.v1.settings import ResumeSession
from agent_workers.simulator import Simulator
from tests.e2e.worker import Home
from tests.fleet.redis_server import RedisServer
from tests.fleet.sessions.machines import PREFIX, Request, Slot, counts, wait
from tests.waiting import PATIENCE_S, until

FIRST, SECOND, THIRD = "First word aardvark.", "Second word bandicoot.", "Third word capybara."
LostAt = Callable[[int, Request], None]
NEW = str(uuid.UUID(int=7))


def ask(prompt: str, session: str | None = None, **fields: object) -> Request:
    return {"prompt": prompt, **({"session": {"resume": session}} if session else {}), **fields}


def begin(slot: Slot, engine: str, run: str = "one") -> str:
    """Has the first message said; returns the session."""
    events = wait(slot.attempt(run, ask(FIRST, engine=engine)))
    assert events[-1]["type"] == "done", events
    return str(events[-1]["session_id"])


def test_three_messages_on_alternating_machines_stand_once_each(
    machines: list[Slot], simulator: Simulator, engine: str
) -> None:
    session = begin(machines[0], engine)
    second = wait(machines[1].attempt("two", ask(SECOND, session, engine=engine)))
    assert (second[-1]["type"], second[-1].get("session_id")) == ("done", session), second
    assert counts(simulator, FIRST, SECOND) == [1, 1]
    third = wait(machines[0].attempt("three", ask(THIRD, session, engine=engine)))
    assert third[-1]["type"] == "done", third
    assert counts(simulator, FIRST, SECOND, THIRD) == [1, 1, 1]


def test_a_run_that_is_lost_with_its_machine_asks_its_question_once(
    machines: list[Slot], lost_at: LostAt, simulator: Simulator, engine: str
) -> None:
    session = begin(machines[0], engine)
    lost_at(0, ask(SECOND, session, engine=engine))
    again = wait(machines[1].attempt("two", ask(SECOND, session, engine=engine), attempt=2))
    assert again[-1]["type"] == "done", again
    assert counts(simulator, FIRST, SECOND) == [1, 1]
    third = wait(machines[0].attempt("three", ask(THIRD, session, engine=engine)))
    assert third[-1]["type"] == "done", third
    assert counts(simulator, FIRST, SECOND, THIRD) == [1, 1, 1]


@pytest.mark.parametrize("machine", [0, 1])
def test_a_new_session_of_a_lost_attempt_begins_anew_on_any_machine(
    machines: list[Slot], lost_at: LostAt, simulator: Simulator, engine: str, machine: int
) -> None:
    request: Request = {"prompt": SECOND, "engine": engine, "session": {"id": NEW}}
    lost_at(0, request)
    again = wait(machines[machine].attempt("two", request, attempt=2))
    assert (again[-1]["type"], again[-1].get("session_id")) == ("done", NEW), again
    assert counts(simulator, SECOND) == [1]
    other = wait(machines[1 - machine].attempt("three", {**request, "prompt": THIRD}))
    assert other[-1]["code"] == "session_exists"


@pytest.fixture
def lost_at(homes: list[Home], redis: RedisServer, simulator: Simulator) -> LostAt:
    """Has the run ``two`` begin on a machine, and kills it while it answers."""

    def lost_at(machine: int, request: Request) -> None:
        simulator.play("slow")
        lose(homes[machine], redis, request)
        simulator.play("memory")

    return lost_at


def lose(home: Home, redis: RedisServer, request: Request) -> None:
    """Has a run begin in a process of its own, and kills all of it while it answers."""
    given = {"env": home.environ, "port": redis.port, "run": "two", "request": request}
    command = [sys.executable, "-m", "tests.fleet.sessions.machines", json.dumps(given)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, cwd=Path(__file__).parents[3]) as slot:
        assert slot.stdout
        for line in slot.stdout:
            if json.loads(line)["type"] == "delta":
                break
        asked = request["prompt"].partition(" [[")[0].encode()
        said_by_the_user = re.compile(rb'"role": ?"user".*' + re.escape(asked))  # it is noted before as what waits
        until(lambda: any(map(said_by_the_user.search, noted(redis))), what="its question is stored as it goes")
        slot.kill()
        home.kill_all()
        slot.wait(timeout=PATIENCE_S)
    until(lambda: not home.processes(), what=home.left)
    for left in home.temporary.iterdir():
        shutil.rmtree(left)


def noted(redis: RedisServer) -> list[bytes]:
    """What is stored of the run's conversation before it has ended."""
    names = [key for key in keys(redis, "run:two") if redis.client.type(key) == b"string"]
    return [said for said in redis.client.mget(names) if said] if names else []


def keys(redis: RedisServer, part: str) -> list[bytes]:
    return [key for key in redis.client.scan_iter(f"{PREFIX}:session:*") if part.encode() in key]


def test_two_runs_never_write_one_session_at_once(machines: list[Slot], engine: str) -> None:
    session = begin(machines[0], engine)

    async def both() -> None:
        begun = asyncio.Event()

        async def seen(event: dict[str, object]) -> None:
            if event["type"] == "delta":
                begun.set()

        request = ask(f"{SECOND} [[scenario:slow]]", session, engine=engine)
        first = asyncio.create_task(machines[0].attempt("two", request, seen=seen))
        await begun.wait()
        with pytest.raises(SessionBusy):
            await machines[1].attempt("three", ask(THIRD, session, engine=engine))
        first.cancel()
        await asyncio.wait([first])

    wait(both())


def test_a_run_that_loses_its_session_to_another_is_stopped(
    machines: list[Slot], homes: list[Home], redis: RedisServer
) -> None:
    session = begin(machines[0], "messages")
    short = Slot(homes[0].environ, redis.port, lease_s=0.6)

    async def seen(event: dict[str, object]) -> None:
        if event["type"] == "delta":
            redis.client.set(f"{PREFIX}:session:{session}:lock", "other/1/x")

    with pytest.raises(SessionBusy):
        wait(short.attempt("two", ask(f"{SECOND} [[scenario:slow]]", session, engine="messages"), seen=seen))
    assert redis.client.get(f"{PREFIX}:session:{session}:lock") == b"other/1/x"


def test_a_conversation_from_before_the_fleet_is_taken_over(
    machines: list[Slot], homes: list[Home], simulator: Simulator, engine: str
) -> None:
    before = homes[0].run({"prompt": FIRST, "engine": engine})
    session = before.last["session_id"]
    wait(machines[0].attempt("two", ask(SECOND, session, engine=engine)))
    third = wait(machines[1].attempt("three", ask(THIRD, session, engine=engine)))
    assert third[-1]["type"] == "done", third
    assert counts(simulator, FIRST, SECOND, THIRD) == [1, 1, 1]


def test_a_session_that_nobody_knows_is_not_found(machines: list[Slot]) -> None:
    events = wait(machines[0].attempt("one", ask(FIRST, NEW)))
    assert events[-1]["code"] == "session_not_found"


def test_a_fork_goes_on_from_what_another_machine_has_said(
    machines: list[Slot], simulator: Simulator, engine: str
) -> None:
    session = begin(machines[0], engine)
    request = ask(SECOND, session, engine=engine)
    request["session"]["fork"] = True
    fork = wait(machines[1].attempt("two", request))[-1]
    assert (fork["type"], counts(simulator, FIRST, SECOND)) == ("done", [1, 1])
    wait(machines[0].attempt("three", ask(THIRD, fork["session_id"], engine=engine)))
    assert counts(simulator, FIRST, SECOND, THIRD) == [1, 1, 1]
    wait(machines[1].attempt("four", ask(THIRD, session, engine=engine)))
    assert counts(simulator, FIRST, SECOND, THIRD) == [1, 0, 1]


def test_what_a_run_had_said_is_kept_where_it_is_lost_for_good(
    machines: list[Slot], lost_at: LostAt, simulator: Simulator, engine: str
) -> None:
    session = begin(machines[0], engine)
    lost_at(0, ask(SECOND, session, engine=engine))

    async def settle() -> bool:
        async with machines[1].carrier() as carrier:
            return await carrier.settle("two", session)

    assert wait(settle())
    assert not wait(settle())
    third = wait(machines[1].attempt("three", ask(THIRD, session, engine=engine)))
    assert third[-1]["type"] == "done", third
    assert counts(simulator, FIRST, SECOND, THIRD) == [1, 1, 1]


@pytest.mark.parametrize("fault", ["cut", "swapped", "gone"])
def test_a_conversation_whose_stored_bytes_are_damaged_is_refused(
    machines: list[Slot], redis: RedisServer, fault: str
) -> None:
    session, other = begin(machines[0], "messages"), begin(machines[0], "messages", "other")
    head = f"{PREFIX}:session:{session}"
    version, place = redis.client.hmget(head, "id", "at")
    chunk = place + b":" + version + b":0"
    if fault == "cut":
        redis.client.set(chunk, redis.client.get(chunk)[:-1])
    elif fault == "gone":
        redis.client.delete(chunk)
    else:
        redis.client.copy(f"{PREFIX}:session:{other}", head, replace=True)
    with pytest.raises(SessionDamaged) as raised:
        wait(machines[1].attempt("two", ask(SECOND, session, engine="messages")))
    assert (raised.value.code, raised.value.retryable) == ("state_unavailable", False)
    assert machines[1].files.locate(session) is None


def test_a_store_that_is_away_fails_a_run_before_it_starts(
    machines: list[Slot], homes: list[Home], redis: RedisServer, tmp_path: Path
) -> None:
    slot = Slot(homes[0].environ, redis.port, store=f"file://{tmp_path}/share")
    with pytest.raises(StoreUnreachable) as raised:
        wait(slot.attempt("one", ask(FIRST, NEW)))
    assert (raised.value.code, raised.value.retryable) == ("state_unavailable", True)


def test_a_store_that_goes_away_meanwhile_is_told_before_the_end(
    homes: list[Home], redis: RedisServer, tmp_path: Path
) -> None:
    share = tmp_path / "share"
    share.mkdir()
    slot = Slot(homes[0].environ, redis.port, store=f"file://{share}")
    session = begin(slot, "messages")

    async def seen(event: dict[str, object]) -> None:
        if event["type"] == "session":
            share.rename(tmp_path / "away")

    events = wait(slot.attempt("two", ask(SECOND, session, engine="messages"), seen=seen))
    assert [event.get("code") for event in events[-2:]] == ["session_not_saved", None]
    assert events[-1]["type"] == "done"


def test_an_attempt_that_is_not_the_last_leaves_the_conversation_as_it_was(
    machines: list[Slot], simulator: Simulator, engine: str
) -> None:
    session = begin(machines[0], engine)
    wait(machines[0].attempt("two", ask(SECOND, session, engine=engine), is_final=False))
    wait(machines[0].attempt("two", ask(SECOND, session, engine=engine), attempt=2))
    assert counts(simulator, FIRST, SECOND) == [1, 1]


def test_an_attempt_that_was_lost_between_its_storing_and_its_end_is_undone(
    machines: list[Slot], redis: RedisServer, simulator: Simulator, engine: str
) -> None:
    session = begin(machines[0], engine)

    async def lost(event: dict[str, object]) -> None:
        if event["type"] == "done":
            raise KeyError("its end is never written")

    with pytest.raises(KeyError):
        wait(machines[0].attempt("two", ask(SECOND, session, engine=engine), seen=lost))
    wait(machines[1].attempt("two", ask(SECOND, session, engine=engine), attempt=2))
    assert counts(simulator, FIRST, SECOND) == [1, 1]
    kept = {key.rpartition(b":")[2] for key in keys(redis, session) if redis.client.type(key) == b"hash"}
    assert kept == {session.encode()}, "nothing of a run is left that has ended"


def test_a_task_goes_on_in_the_same_directory_of_another_machine(
    machines: list[Slot], simulator: Simulator, tmp_path: Path
) -> None:
    shared = tmp_path / "project"
    shared.mkdir()
    request: Request = {"prompt": FIRST, "cwd": str(shared), "tools": ["Read"]}
    first = wait(machines[0].attempt("one", request, worker="agent-task"))
    more: Request = {**request, "prompt": SECOND, "session": {"resume": first[-1]["session_id"]}}
    second = wait(machines[1].attempt("two", more, worker="agent-task"))
    assert second[-1]["type"] == "done", second
    assert counts(simulator, FIRST, SECOND) == [1, 1]
    (tmp_path / "elsewhere").mkdir()
    other = wait(machines[1].attempt("three", {**more, "cwd": str(tmp_path / "elsewhere")}, worker="agent-task"))
    assert other[-1]["code"] == "session_not_found"
    third = wait(machines[0].attempt("four", {**more, "prompt": THIRD}, worker="agent-task"))
    assert third[-1]["type"] == "done", third
    assert counts(simulator, FIRST, SECOND, THIRD) == [1, 1, 1]


def test_the_worker_of_a_lost_attempt_that_still_goes_is_waited_for(
    machines: list[Slot], homes: list[Home], simulator: Simulator
) -> None:
    session = begin(machines[0], "messages")
    located = machines[0].files.locate(session)
    assert located
    with located.files["transcript"].open("ab") as transcript:
        transcript.write(b'{"role": "user", "content": []}\n')
    binding = Binding("agent-chat", None, None, "messages")
    lease = take_lease(ResumeSession(resume=session), homes[0].root / "state/sessions", binding)

    async def again() -> list[Event]:
        asyncio.get_running_loop().call_later(0.5, lease.release)
        return await machines[0].attempt("two", ask(SECOND, session, engine="messages"), attempt=2)

    assert wait(again())[-1]["type"] == "done"
    assert counts(simulator, FIRST, SECOND) == [1, 1]
