"""Opens what a gateway needs before it serves: its keys, and where its runs are made."""

from __future__ import annotations

import asyncio
import os
from contextlib import asynccontextmanager, closing, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import anyio.to_thread

from agent_workers.errors import WorkerError
from agent_workers.gateway.conversations import Conversations
from agent_workers.gateway.local_runs import LocalRuns
from agent_workers.gateway.once import Once, OnceHere
from agent_workers.gateway.outbox import Outbox
from agent_workers.gateway.run_records import RunRecords
from agent_workers.gateway.secret_text import UnusableKey
from agent_workers.gateway.webhooks import Webhooks
from agent_workers.gateway.witness import Witnesses
from agent_workers.protocol.toml_file import Unreadable

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from agent_workers.gateway.runs import Runs
    from agent_workers.gateway.settings import GatewaySettings


class NotReady(Exception):
    """Raised where what a gateway needs cannot be opened; its text says why, and what to do."""


def load_keys(settings: GatewaySettings) -> dict[str, Any]:
    """Returns the keys, as PyJWT takes them, by their ``kid``.

    Raises:
        UnusableKey: One of them cannot be used.
    """
    keys = {}
    for kid, key in settings.key.items():
        try:
            keys[kid] = key.load()
        except UnusableKey as fault:
            raise UnusableKey(f"key.{kid} {fault}") from None
    if settings.webhook:
        settings.webhook.load()
    return keys


def check_presets(settings: GatewaySettings) -> None:
    """Checks that somebody answers what runs of the presets ask the application.

    Raises:
        NotReady: Nobody would.
    """
    for name, preset in settings.preset.items():
        if settings.redis is None and preset.request.get("app_tools"):
            words = "the application answers its tools on a fleet alone: name its redis, or leave them out"
            raise NotReady(f"preset.{name} has app_tools: {words}")


@asynccontextmanager
async def open_runs(settings: GatewaySettings) -> AsyncIterator[tuple[Runs, Once, Webhooks | None]]:
    """Opens where runs are made, what remembers used tokens, and who is told; closes them at the end.

    Raises:
        NotReady: The records cannot be opened.
    """
    async with _webhooks(settings) as webhooks, _records(settings) as records:
        witnesses = Witnesses(witness for witness in (webhooks, records) if witness is not None)
        if settings.redis is None:
            path = Path(settings.state, "conversations.sqlite") if settings.state else None
            if webhooks:
                webhooks.lose_all()  # their workers have ended with the process that had started them
            with closing(Conversations(path, names_sessions="AGENT_WORKERS_POOL" not in os.environ)) as conversations:
                yield LocalRuns(settings, conversations, witnesses), OnceHere(), webhooks
            return
        from agent_workers.fleet.fleet import Fleet  # its extra may be missing where there is none
        from agent_workers.gateway.fleet_once import FleetOnce
        from agent_workers.gateway.fleet_runs import FleetRuns

        async with Fleet.open(settings.redis, prefix=settings.prefix) as fleet:
            runs = FleetRuns(settings, fleet, witnesses)
            if webhooks:
                runs.resume(webhooks.open_runs())
            yield runs, FleetOnce(fleet), webhooks


@asynccontextmanager
async def _records(settings: GatewaySettings) -> AsyncIterator[RunRecords | None]:
    if not settings.records:
        yield None
        return
    try:
        from agent_workers.records import BadAddress, Recorder
    except ModuleNotFoundError:
        raise NotReady("the records need their extra: pip install 'claude-agent-workers[records]'") from None
    try:
        records = RunRecords(Recorder())
    except (BadAddress, Unreadable, WorkerError) as fault:
        raise NotReady(f"the records cannot be opened: {fault}") from None
    try:
        yield records
    finally:
        await anyio.to_thread.run_sync(records.close)


@asynccontextmanager
async def _webhooks(settings: GatewaySettings) -> AsyncIterator[Webhooks | None]:
    if settings.webhook is None or settings.state is None:
        yield None
        return
    address = f"{(settings.public_url or '').rstrip('/')}/v1/runs"
    with closing(Outbox(Path(settings.state, "webhooks.sqlite"))) as outbox:
        webhooks = Webhooks(settings.webhook, settings.webhook.load(), outbox, address)
        delivering = asyncio.create_task(webhooks.deliver())
        try:
            yield webhooks
        finally:
            delivering.cancel()
            with suppress(asyncio.CancelledError):
                await delivering
