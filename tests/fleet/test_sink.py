"""How an attempt's events get into Redis: each once, in order, also where Redis forgets its last moments."""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

from agent_workers.fleet.connection import connect
from agent_workers.fleet.fleet import Fleet
from agent_workers.fleet.lines import line
from agent_workers.fleet.scripts import Ended, Held
from agent_workers.fleet.serving.sink import LeaseLost, RunSink
from agent_workers.protocol.v1.job import parse_job
from agent_workers.workers import WORKERS
from tests.fleet.redis_server import RedisServer
from tests.fleet.served import CHAT
from tests.waiting import PATIENCE_S

KEY = "agent-workers:run:{r:1}"
HELD = Held("r:1", "", "host/1")


def with_sink(redis: RedisServer, use: Callable[[Fleet, Held, RunSink], Coroutine[Any, Any, None]]) -> None:
    """Has an attempt begin, and uses its sink."""

    async def main() -> None:
        client = connect(redis.url)
        async with asyncio.timeout(PATIENCE_S):
            fleet = Fleet(client)
            await fleet.scripts.keep("default", 60_000, [HELD.consumer], [])
            await fleet.submit(parse_job({**CHAT, "run": "r:1"}, WORKERS))
            ((entry, _),) = await client.xrange(fleet.keys.jobs("default"))
            held = Held("r:1", entry.decode(), HELD.consumer)
            assert await fleet.scripts.begin("default", held, "host")
            await use(fleet, held, RunSink(fleet.scripts, held, 1))
        await client.aclose()

    asyncio.run(main())


async def say(sink: RunSink, *numbers: int) -> None:
    for number in numbers:
        event = {"type": "delta", "seq": number, "text": str(number), "block": 1}
        await sink.take(event, line("r:1", event, number))
    await sink.flush()


def numbers(redis: RedisServer) -> list[str]:
    entries: Any = redis.client.xrange(KEY)
    return [name.decode() for name, fields in entries if b"event" in fields]


def test_what_redis_has_forgotten_is_written_again(redis: RedisServer) -> None:
    async def use(fleet: Fleet, held: Held, sink: RunSink) -> None:
        await say(sink, 1, 2, 3)
        before: Any = await fleet.redis.xrange(KEY)
        await say(sink, 4, 5)
        await fleet.redis.delete(KEY)
        for name, fields in before:
            await fleet.redis.xadd(KEY, fields, id=name)
        await say(sink, 6)
        await sink.end(7, line("r:1", {"type": "aborted", "reason": "client"}, 7), Ended("aborted"))

    with_sink(redis, use)
    assert numbers(redis) == [f"1-{number}" for number in range(1, 8)]


def test_an_event_that_is_said_twice_is_written_once(redis: RedisServer) -> None:
    async def use(fleet: Fleet, held: Held, sink: RunSink) -> None:
        await say(sink, 1, 2, 3)
        await say(RunSink(fleet.scripts, held, 1), 2, 3, 4)

    with_sink(redis, use)
    assert numbers(redis) == ["1-1", "1-2", "1-3", "1-4"]


def test_an_end_whose_answer_was_lost_is_said_again_and_stands_once(redis: RedisServer) -> None:
    async def use(fleet: Fleet, held: Held, sink: RunSink) -> None:
        for _ in range(2):
            await sink.end(1, line("r:1", {"type": "aborted", "reason": "client"}, 1), Ended("aborted"))

    with_sink(redis, use)
    assert numbers(redis) == ["1-1"]


def test_a_sink_whose_run_is_anothers_writes_nothing_more(redis: RedisServer) -> None:
    async def use(fleet: Fleet, held: Held, sink: RunSink) -> None:
        await say(sink, 1)
        assert await fleet.scripts.lose("default", held.entry, held.run, b"{}") == "queued"
        try:
            await say(sink, 2)
        except LeaseLost:
            return
        raise AssertionError("the sink has not noticed")

    with_sink(redis, use)
    assert numbers(redis) == ["1-1"]
