"""What nobody should write, and somebody does: it harms no run but its own, and no reader waits for it for ever."""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

import pytest
from redis.exceptions import RedisError, ResponseError

from agent_workers.fleet.fleet import Fleet, NoSuchRun
from agent_workers.fleet.lines import WORKER_LOST, around_run, line
from agent_workers.fleet.scripts import Ended, Held, Line
from agent_workers.fleet.serving.sink import may_pass
from agent_workers.protocol.v1.job import parse_job
from agent_workers.workers import WORKERS
from tests.fleet.redis_server import RedisServer
from tests.fleet.served import CHAT, User, Working
from tests.waiting import PATIENCE_S, until

Work = Callable[..., Working]
P = "agent-workers"
JOBS = f"{P}:queue:default:jobs"
SLOW = {**CHAT, "prompt": "Go. [[scenario:slow]]"}
ENTRIES: tuple[dict[Any, Any], ...] = (
    {b"\xff": b"\xfe"},
    {"run": b"\xff\xfe"},
    {"run": ""},
    {"run": "there-is-none"},
    {"run": "there-is-none", "traceparent": b"\xff"},
    {"__data__": "{"},
    {"data": b"\x89BIN\x0d\x0a\x1a\x0a\xff"},
)


def with_fleet(redis: RedisServer, use: Callable[[Fleet], Coroutine[Any, Any, None]]) -> None:
    async def main() -> None:
        async with Fleet.open(redis.url) as fleet, asyncio.timeout(PATIENCE_S):
            await use(fleet)

    asyncio.run(main())


async def begin(fleet: Fleet, job: dict[str, Any], consumer: str = "host/1") -> Held:
    """Has a job begin."""
    await fleet.scripts.keep("default", 60_000, [consumer], [])
    await fleet.submit(parse_job(job, WORKERS))
    ((entry, _),) = await fleet.redis.xrevrange(JOBS, count=1)
    held = Held(job["run"], entry.decode(), consumer)
    assert await fleet.scripts.begin("default", held, "host")
    return held


async def last_of(fleet: Fleet, run: str) -> dict[str, Any]:
    return [entry.event async for entry in fleet.follow(run)][-1]


def test_entries_that_no_script_has_written_stop_no_slot(work: Work, user: User, redis: RedisServer) -> None:
    work("--lease-s", "2")
    for entry in ENTRIES:
        redis.client.xadd(JOBS, entry)
    assert user.run(CHAT)[-1]["type"] == "done"
    until(lambda: redis.client.xlen(JOBS) == 0, what="they are taken out")


def test_messages_that_cannot_be_read_leave_a_run_alone(work: Work, user: User, redis: RedisServer) -> None:
    work()
    run = user.submit({**SLOW, "attempts": 1}).run
    user.wait_for(run, "delta")
    for message in (
        b"[" * 100_000,
        b"\xff",
        b'{"n":' + b"9" * 5_000 + b"}",
        b'{"type":"steer","text":NaN}',
        b"[]",
        b"",
    ):
        redis.client.xadd(f"{P}:run:{{{run}}}:control", {"message": message})
    redis.client.xadd(f"{P}:run:{{{run}}}:control", {"other": "field"})
    user.abort(run)
    assert user.follow(run)[-1].event["type"] == "aborted"
    user.check(run)


def test_an_escalation_that_cannot_be_read_ends_no_process(work: Work, user: User, redis: RedisServer) -> None:
    for job in (b"[]", b"{", b'{"on_failure":"people"}', b'{"on_failure":{"queue":5}}', b"[" * 100_000):
        redis.client.hset(f"{P}:run:{{{len(job)}}}:job", "job", job)
        redis.client.xadd(f"{P}:escalations", {"run": str(len(job))})
    redis.client.xadd(f"{P}:escalations", {"other": b"\xff"})
    working = work()
    until(lambda: redis.client.xlen(f"{P}:escalations") == 0, what=working.log.read_text)
    assert user.run(CHAT)[-1]["type"] == "done"


@pytest.mark.parametrize("at", [5, 6, 7, 8])
def test_a_job_that_could_not_wait_is_refused_as_a_whole(redis: RedisServer, at: int) -> None:
    async def use(fleet: Fleet) -> None:
        given: list[object] = ["r", "{}", "default", "", "", 0, 3, "", "", "agent-chat", "", "", 0]
        given[at] = "soon"
        with pytest.raises(ResponseError, match="no valid"):
            await fleet.scripts.submit(given, {})
        assert await fleet.status("r") is None

    with_fleet(redis, use)


@pytest.mark.parametrize("lacking", ["state", "tenant", "credential", "queue", "priority", "order", "attempts", "job"])
def test_a_job_that_lacks_a_field_stops_none_of_the_others(redis: RedisServer, lacking: str) -> None:
    async def use(fleet: Fleet) -> None:
        for run in ("broken", "whole"):
            await fleet.submit(parse_job({**CHAT, "run": run, "tenant": "t"}, WORKERS))
        await fleet.redis.hdel(fleet.keys.job("broken"), lacking)
        await fleet.scripts.keep("default", 60_000, ["host/1", "host/2"], [])
        await fleet.scripts.tick("default", *around_run())
        whole = await fleet.status("whole")
        assert whole
        assert whole.state == "admitted"
        if lacking == "state":
            with pytest.raises(NoSuchRun):
                await last_of(fleet, "broken")
        else:
            await fleet.abort("broken")
            assert (await last_of(fleet, "broken"))["type"] == "aborted"

    with_fleet(redis, use)


def test_a_job_whose_entry_has_gone_is_admitted_again(redis: RedisServer) -> None:
    async def use(fleet: Fleet) -> None:
        await fleet.scripts.keep("default", 60_000, ["host/1"], [])
        await fleet.submit(parse_job({**CHAT, "run": "r"}, WORKERS))
        await fleet.redis.delete(JOBS)
        await fleet.scripts.tick("default", *around_run())
        ((_, fields),) = await fleet.redis.xrange(JOBS)
        assert fields[b"run"] == b"r"

    with_fleet(redis, use)


@pytest.mark.parametrize("delay_ms", [0, 3_600_000])
def test_no_attempt_follows_one_that_fails_while_its_run_is_to_stop(redis: RedisServer, delay_ms: int) -> None:
    async def use(fleet: Fleet) -> None:
        held = await begin(fleet, {**CHAT, "run": "r", "user": "u"})
        await fleet.scripts.write(held, 1, [Line(1, b'{"type":"start","seq":1}')], last=0, fields={})
        await fleet.abort("r")
        assert await fleet.scripts.requeue(held, 1, delay_ms=delay_ms, is_failure=True, last=Line(2, b"{}"))
        last = await last_of(fleet, "r")
        assert (last["type"], last["seq"], last["user"]) == ("aborted", 2, "u")
        assert not await fleet.redis.scard(fleet.keys.of_queue("default", "running"))

    with_fleet(redis, use)


def test_a_run_that_is_to_stop_ends_where_its_worker_is_lost(redis: RedisServer) -> None:
    async def use(fleet: Fleet) -> None:
        held = await begin(fleet, {**CHAT, "run": "r"})
        await fleet.abort("r")
        assert await fleet.scripts.lose("default", held.entry, "r", line("r", WORKER_LOST)) == "aborted"
        assert (await last_of(fleet, "r"))["type"] == "aborted"

    with_fleet(redis, use)


def test_tenants_that_may_not_begin_are_looked_at_once(redis: RedisServer) -> None:
    async def use(fleet: Fleet) -> None:
        await fleet.redis.hset(fleet.keys.limits, "tenant:*", "0")  # type: ignore[misc]
        await fleet.redis.hset(fleet.keys.limits, mapping={f"tenant:free-{n}": "1" for n in range(9)})  # type: ignore[misc]
        names = [f"held-{n}" for n in range(300)] + [f"free-{n}" for n in range(9)]
        for name in names:
            await fleet.submit(parse_job({**CHAT, "run": name, "tenant": name}, WORKERS))
        await fleet.scripts.keep("default", 60_000, [f"host/{n}" for n in range(12)], [])
        await fleet.redis.config_resetstat()
        await fleet.scripts.tick("default", *around_run())
        asked = (await fleet.redis.info("commandstats"))["cmdstat_scard"]["calls"]
        assert await fleet.redis.xlen(JOBS) == 9
        assert asked < 2 * len(names)

    with_fleet(redis, use)


def test_a_tenants_credentials_share_its_turn(redis: RedisServer) -> None:
    async def use(fleet: Fleet) -> None:
        for at, (tenant, credential) in enumerate([("a", "x"), ("a", "y"), ("a", "z"), ("a", "y"), ("b", "x")]):
            job = {**CHAT, "run": f"r{at}", "tenant": tenant, "credential": credential}
            await fleet.submit(parse_job(job, WORKERS))
        await fleet.scripts.pause("x", 60_000)
        order = []
        for slots in range(1, 5):
            await fleet.scripts.keep("default", 60_000, [f"host/{slots}"], [])
            await fleet.scripts.tick("default", *around_run())
            lanes = await fleet.redis.zrange(fleet.keys.of_queue("default", "lanes"), 0, -1)
            order = [fields[b"run"].decode() for _, fields in await fleet.redis.xrange(JOBS)]
        assert sorted(order) == ["r1", "r2", "r3"]
        assert set(lanes) == {b"a\nx", b"b\nx"}

    with_fleet(redis, use)


def test_a_run_that_has_ended_is_not_told_to_stop_again(redis: RedisServer) -> None:
    async def use(fleet: Fleet) -> None:
        held = await begin(fleet, {**CHAT, "run": "r"})
        await fleet.abort("r")
        end = Line(1, line("r", {"type": "done", "text": ""}, 1))
        assert (await fleet.scripts.write(held, 1, [end], last=0, fields={}, ended=Ended("done"))).is_held
        assert await fleet.scripts.lose("default", held.entry, "r", b"{}") == "dropped"
        assert (await last_of(fleet, "r"))["type"] == "done"

    with_fleet(redis, use)


@pytest.mark.parametrize("trouble", [("CONFIG", "SET", "maxmemory", "1"), ("REPLICAOF", "127.0.0.1", "1")])
@pytest.mark.parametrize("ended", [None, Ended("done")])
def test_what_a_full_or_read_only_redis_refuses_is_written_when_it_is_well(
    redis: RedisServer, trouble: tuple[str, ...], ended: Ended | None
) -> None:
    async def use(fleet: Fleet) -> None:
        held = await begin(fleet, {**CHAT, "run": "r"})
        redis.client.execute_command(*trouble)
        with pytest.raises(RedisError) as refused:
            await fleet.scripts.write(held, 1, [Line(1, b"{}")], last=0, fields={}, ended=ended)
        assert may_pass(refused.value)
        redis.client.config_set("maxmemory", "0")
        redis.client.replicaof("NO", "ONE")
        assert (await fleet.scripts.write(held, 1, [Line(1, b"{}")], last=0, fields={}, ended=ended)).is_held

    with_fleet(redis, use)
