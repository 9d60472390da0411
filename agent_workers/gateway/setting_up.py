"""Opens what a gateway needs before it serves: its keys, and where its runs are made."""

from __future__ import annotations

from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from agent_workers.gateway.conversations import Conversations
from agent_workers.gateway.local_runs import LocalRuns
from agent_workers.gateway.once import Once, OnceHere
from agent_workers.gateway.secret_text import UnusableKey

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
    return keys


@asynccontextmanager
async def open_runs(settings: GatewaySettings) -> AsyncIterator[tuple[Runs, Once]]:
    """Opens where runs are made, and what remembers used tokens; closes both at the end."""
    if settings.redis is not None:
        from agent_workers.fleet.fleet import Fleet  # its extra may be missing where there is none
        from agent_workers.gateway.fleet_once import FleetOnce
        from agent_workers.gateway.fleet_runs import FleetRuns

        async with Fleet.open(settings.redis, prefix=settings.prefix) as fleet:
            yield FleetRuns(settings, fleet), FleetOnce(fleet)
        return
    conversations = Conversations(Path(settings.state, "conversations.sqlite") if settings.state else None)
    try:
        yield LocalRuns(settings, conversations), OnceHere()
    finally:
        conversations.close()
