"""What asks Redis can be cancelled at any moment: it ends, and nobody gets another's answer."""

import asyncio
import signal
from collections.abc import Iterator

import pytest
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import TimeoutError as TimeoutAtRedis

from agent_workers.fleet.connection import Redis, connect
from tests.fleet.redis_server import RedisServer, running_redis
from tests.fleet.sessions.machines import wait
from tests.waiting import PATIENCE_S

_MOMENTS = 60
"""Turns of the event loop: more than a connection and a command take."""


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RedisServer]:
    folder = tmp_path_factory.mktemp("redis")
    with running_redis(folder, "--unixsocket", str(folder / "socket")) as server:
        yield server


@pytest.fixture(params=["tcp", "unix"])
def address(server: RedisServer, request: pytest.FixtureRequest) -> str:
    return server.url if request.param == "tcp" else f"unix://{server.folder / 'socket'}"


@pytest.mark.parametrize("connected", [True, False], ids=["connected", "connecting"])
def test_a_call_ends_that_is_cancelled_at_any_moment(address: str, *, connected: bool) -> None:
    async def ask(redis: Redis) -> None:
        while True:
            await redis.echo("somebody else's")

    async def main() -> None:
        async with connect(address) as redis:
            for turns in range(_MOMENTS):
                if not connected:
                    await redis.connection_pool.disconnect()
                asking = asyncio.create_task(ask(redis))
                for _ in range(turns):
                    await asyncio.sleep(0)
                asking.cancel()
                await asyncio.wait([asking], timeout=PATIENCE_S / 10)
                assert asking.cancelled(), f"cancelled after {turns} turns: {asking}"
                assert await redis.echo(str(turns)) == str(turns).encode()

    wait(main())


@pytest.mark.parametrize("connected", [True, False], ids=["connected", "connecting"])
def test_a_redis_that_is_late_leaves_nothing_cancelled_behind(server: RedisServer, *, connected: bool) -> None:
    async def main() -> None:
        async with connect(server.url, retry=Retry(NoBackoff(), 0), socket_timeout=0.1) as redis:
            await redis.ping()
            if not connected:
                await redis.connection_pool.disconnect()
            server.send(signal.SIGSTOP)
            try:
                with pytest.raises(TimeoutAtRedis):
                    await redis.ping()
            finally:
                server.send(signal.SIGCONT)
            task = asyncio.current_task()
            assert task
            assert not task.cancelling()
            with pytest.raises(TimeoutError):
                async with asyncio.timeout(0.01):
                    await asyncio.Event().wait()

    wait(main())
