"""Opens what a gateway needs before it serves: its keys, and where its runs are made."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager, closing, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from agent_workers.gateway.conversations import Conversations
from agent_workers.gateway.local_runs import LocalRuns
from agent_workers.gateway.once import Once, OnceHere
from agent_workers.gateway.outbox import Outbox
from agent_workers.gateway.secret_text import UnusableKey
from agent_workers.gateway.webhooks import Webhooks

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from agent_workers.gateway.runs import Runs
    from agent_workers.gateway.settings import GatewaySettings


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


@asynccontextmanager
async def open_runs(settings: GatewaySettings) -> AsyncIterator[tuple[Runs, Once, Webhooks | None]]:
    """Opens where runs are made, what remembers used tokens, and who is told; closes them at the end."""
    async with _webhooks(settings) as webhooks:
        if settings.redis is None:
            path = Path(settings.state, "conversations.sqlite") if settings.state else None
            if webhooks:
                webhooks.lose_all()  # their workers have ended with the process that had started them
            with closing(Conversations(path)) as conversations:
                yield LocalRuns(settings, conversations, webhooks), OnceHere(), webhooks
            return
        from agent_workers.fleet.fleet import Fleet  # its extra may be missing where there is none
        from agent_workers.gateway.fleet_once import FleetOnce
        from agent_workers.gateway.fleet_runs import FleetRuns

        async with Fleet.open(settings.redis, prefix=settings.prefix) as fleet:
            runs = FleetRuns(settings, fleet, webhooks)
            runs.resume_soon()
            yield runs, FleetOnce(fleet), webhooks


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
