"""Connections of many calls: as many as are needed, hardly more than are allowed, and used again."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import anyio
import anyio.abc
import anyio.lowlevel
import pytest

from agent_workers.engine.messages.access import Access
from agent_workers.engine.messages.pools import Pools
from tests.waiting import PATIENCE_S

pytestmark = pytest.mark.anyio


class Server:
    """Counts its connections, and answers once it is opened."""

    def __init__(self) -> None:
        self.connections = 0
        self.waiting = 0
        self.opened = anyio.Event()
        self.url = ""

    async def serve(self, stream: anyio.abc.SocketStream) -> None:
        self.connections += 1
        async with stream:
            while True:
                try:
                    await stream.receive()
                except (anyio.EndOfStream, anyio.BrokenResourceError):
                    return
                self.waiting += 1
                await self.opened.wait()
                self.waiting -= 1
                await stream.send(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}")


@asynccontextmanager
async def serving() -> AsyncIterator[Server]:
    server = Server()
    listener = await anyio.create_tcp_listener(local_host="127.0.0.1")
    server.url = f"http://127.0.0.1:{listener.extra(anyio.abc.SocketAttribute.local_port)}"
    async with listener, anyio.create_task_group() as tasks:
        tasks.start_soon(listener.serve, server.serve)
        yield server
        tasks.cancel_scope.cancel()


async def test_hardly_more_calls_are_under_way_than_are_allowed_and_none_is_lost() -> None:
    async with serving() as server:
        pools = Pools(Access(server.url, {}, is_simulated=True), 40)
        answers = []

        async def call() -> None:
            async with pools.stream("GET", server.url) as response:
                answers.append(await response.aread())

        with anyio.fail_after(PATIENCE_S):
            async with anyio.create_task_group() as tasks:
                for _ in range(100):
                    tasks.start_soon(call)
                while server.waiting < 40:
                    await anyio.lowlevel.checkpoint()
                server.opened.set()
            for _ in range(3):
                await call()
        await pools.close()
        assert answers == [b"{}"] * 103
        assert server.connections == 42  # in three pools of equal size


async def test_one_call_after_the_other_has_one_connection() -> None:
    async with serving() as server:
        server.opened.set()
        pools = Pools(Access(server.url, {}, is_simulated=True), 128)
        with anyio.fail_after(PATIENCE_S):
            for _ in range(20):
                async with pools.stream("GET", server.url) as response:
                    await response.aread()
        await pools.close()
        assert server.connections == 1
