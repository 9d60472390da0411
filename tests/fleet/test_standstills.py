"""What stands still for a while, or whose answer is lost, ends no run that is in good hands."""

import asyncio
import os
import signal
import time
from collections.abc import Callable
from typing import Any

from agent_workers.fleet.fleet import Fleet
from agent_workers.fleet.scripts import Begun, Held
from agent_workers.protocol.v1.job import parse_job
from agent_workers.workers import WORKERS
from tests.fleet.redis_server import RedisServer
from tests.fleet.served import CHAT, User, Working
from tests.waiting import until

Work = Callable[..., Working]
LEASE_S = 2
SLOW = {**CHAT, "prompt": "Go. [[scenario:slow]]", "attempts": 1}


def goes_on(user: User, run: str) -> None:
    """Checks that a run that may begin once is still told, and ends it."""
    last = user.entries(run)[-1][0]
    user.follow(run, last, lambda event: event["type"] == "delta" and event["seq"] > int(last.split("-")[1]) + 50)
    user.abort(run)
    user.follow(run)
    events = user.check(run)
    assert (events[-1]["type"], user.status(run).attempt) == ("aborted", 1)  # type: ignore[union-attr]


def stands_still(pid: int, is_long_enough: Callable[[], bool]) -> None:
    os.kill(pid, signal.SIGSTOP)
    try:
        until(is_long_enough)
    finally:
        os.kill(pid, signal.SIGCONT)


def test_a_process_that_stood_still_past_its_lease_keeps_its_run_where_nobody_has_taken_it(
    work: Work, user: User, redis: RedisServer
) -> None:
    working = work("--lease-s", str(LEASE_S))
    run = user.submit(SLOW).run
    user.wait_for(run, "delta")

    def is_past_its_lease() -> bool:
        found: Any = redis.client.xpending_range("agent-workers:queue:default:jobs", "workers", "-", "+", 1)
        return bool(found[0]["time_since_delivered"] > 2 * 1000 * LEASE_S)

    stands_still(working.process.pid, is_past_its_lease)
    goes_on(user, run)


def test_redis_that_stood_still_for_longer_than_a_lease_ends_no_run(work: Work, user: User, redis: RedisServer) -> None:
    work("--lease-s", str(LEASE_S))
    work("--lease-s", str(LEASE_S))
    runs = [user.submit(SLOW).run for _ in range(2)]
    for run in runs:
        user.wait_for(run, "delta")
    end = time.monotonic() + 2 * LEASE_S
    stands_still(redis.pid, lambda: time.monotonic() > end)
    for run in runs:
        goes_on(user, run)


def test_a_process_that_is_stopped_while_redis_is_away_ends_in_peace(work: Work, redis: RedisServer) -> None:
    working = work()
    redis.kill()
    assert working.stop() == 0
    assert "Traceback" not in working.log.read_text()
    redis.start()


def with_fleet(redis: RedisServer, ask: Callable[[Fleet], Any]) -> Any:
    async def main() -> Any:
        async with Fleet.open(redis.url) as fleet:
            return await ask(fleet)

    return asyncio.run(main())


def test_a_beginning_whose_answer_was_lost_is_said_again_and_is_the_same(redis: RedisServer) -> None:
    async def begin(fleet: Fleet) -> list[Begun | None]:
        job = parse_job({**CHAT, "run": "r"}, WORKERS)
        await fleet.scripts.keep("default", 60_000, ["a/1"], [])
        await fleet.submit(job)
        [(entry, _)] = await fleet.redis.xrange(fleet.keys.jobs("default"))
        held, another = Held("r", entry.decode(), "a/1"), Held("r", entry.decode(), "b/1")
        return [await fleet.scripts.begin("default", each, "a") for each in (held, held, another)]

    first, again, another = with_fleet(redis, begin)
    assert first.attempt == 1
    assert again == first
    assert another is None
    assert redis.client.xlen("agent-workers:queue:default:jobs") == 1


def test_what_a_run_is_told_again_because_the_answer_was_lost_it_is_told_once(redis: RedisServer) -> None:
    async def tell(fleet: Fleet) -> int:
        await fleet.submit(parse_job({**CHAT, "run": "r"}, WORKERS))
        for name in ("a", "b", "a"):
            await fleet.send("r", {"type": "steer", "id": name, "prompt": "Go."})
        return int(await fleet.redis.xlen(fleet.keys.control("r")))

    assert with_fleet(redis, tell) == 2
