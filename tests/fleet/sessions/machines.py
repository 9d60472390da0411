"""Machines of a fleet: each has a home, a state directory and a carrier of its own, and they share a Redis."""

import asyncio
import json
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from typing import Any, TypeVar

from agent_workers.client import Event
from agent_workers.client.aio import AsyncProcessRunner
from agent_workers.client.session_files import SessionFiles
from agent_workers.fleet.connection import connect
from agent_workers.fleet.sessions.address import open_store
from agent_workers.fleet.sessions.carrier import SessionCarrier
from agent_workers.fleet.sessions.store import SessionStore
from agent_workers.simulator import Simulator
from tests.waiting import PATIENCE_S

T = TypeVar("T")
PREFIX = "fleet"
TERMINAL = ("done", "error", "aborted")
Request = dict[str, Any]


class Slot:
    """A slot of a machine, which does with a run what the fleet's own does, but for the run's stream.

    Args:
        env: The machine's variables.
        port: Where Redis is.
        store: Address of the store.
        lease_s: For how long a lost run keeps its session.
    """

    def __init__(self, env: Mapping[str, str], port: int, store: str = "redis:", lease_s: float = 30) -> None:
        self.env = dict(env)
        self.files = SessionFiles(env)
        self._port = port
        self._address = store
        self._lease_s = lease_s

    @asynccontextmanager
    async def carrier(self, store: SessionStore | None = None) -> AsyncIterator[SessionCarrier]:
        client = connect(f"redis://127.0.0.1:{self._port}")
        try:
            chosen = store or open_store(self._address, client=client, prefix=PREFIX)
            yield SessionCarrier(chosen, client=client, prefix=PREFIX, files=self.files, lease_s=self._lease_s)
        finally:
            await client.aclose()

    async def attempt(
        self,
        run: str,
        request: Request,
        *,
        attempt: int = 1,
        worker: str = "agent-chat",
        is_final: bool = True,
        options: tuple[str, ...] = (),
        store: SessionStore | None = None,
        seen: Callable[[Event], Awaitable[None]] | None = None,
    ) -> list[Event]:
        """Makes an attempt of a run; returns its events."""
        events: list[Event] = []
        async with (
            self.carrier(store) as carrier,
            carrier.around(run=run, attempt=attempt, request=request) as carried,
            AsyncProcessRunner(worker, *options, env=self.env).stream(request) as stream,
        ):
            async for event in stream:
                await carried.saw(event)
                if event["type"] in TERMINAL and (notice := await carried.end(is_final)):
                    events.append(notice)
                events.append(event)
                if seen:
                    await seen(event)
        return events


def wait(work: Awaitable[T]) -> T:
    """Waits for what an event loop does, not for ever."""

    async def main() -> T:
        async with asyncio.timeout(PATIENCE_S):
            return await work

    return asyncio.run(main())


def counts(simulator: Simulator, *prompts: str) -> list[int]:
    """How often each text was said to the model, as its last call has it."""
    called = simulator.requests("/v1/messages")[-1].body
    body = json.dumps([message for message in called["messages"] if message["role"] == "user"])
    return [body.count(prompt) for prompt in prompts]


def main() -> None:
    """Makes an attempt in a process of its own, which can be killed; prints each event."""
    given = json.loads(sys.argv[1])

    async def tell(event: Event) -> None:
        print(json.dumps(event), flush=True)  # noqa: T201 its parent reads

    wait(Slot(given["env"], given["port"]).attempt(given["run"], given["request"], seen=tell))


if __name__ == "__main__":
    main()
