"""The lock of a session: Redis that is away takes it from nobody, another run does."""

import asyncio

from agent_workers.fleet.connection import connect
from agent_workers.fleet.sessions.lock import Holder, SessionLock
from tests.fleet.redis_server import RedisServer

FIRST, SECOND = Holder("one", 1, "a/1"), Holder("two", 1, "b/1")
LOCK = "p:session:s:lock"


def test_a_lock_that_has_expired_is_kept_on_unless_another_run_has_had_it(redis: RedisServer) -> None:
    async def main() -> list[bool]:
        async with connect(redis.url) as client:
            lock = SessionLock(client, "p", lease_s=30)
            said = [await lock.take("s", FIRST)]
            await client.delete(LOCK)  # as if its time had passed while Redis was away
            said.append(await lock.keep("s", FIRST))
            said.append(await lock.take("s", SECOND))
            await client.delete(LOCK)
            said.append(await lock.take("s", SECOND))
            await lock.release("s", SECOND)
            return [*said, await lock.keep("s", FIRST)]

    assert asyncio.run(main()) == [True, True, False, True, False]


def test_a_later_attempt_takes_the_lock_from_the_lost_one(redis: RedisServer) -> None:
    async def main() -> list[bool]:
        async with connect(redis.url) as client:
            lock = SessionLock(client, "p", lease_s=30)
            later = Holder("one", 2, "b/1")
            return [await lock.take("s", FIRST), await lock.take("s", later), await lock.keep("s", FIRST)]

    assert asyncio.run(main()) == [True, True, False]
