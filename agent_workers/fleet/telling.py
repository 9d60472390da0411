"""Tells a run something and hears what its worker makes of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from uuid import uuid4

import anyio

from agent_workers.fleet.streams import last_id

if TYPE_CHECKING:
    from collections.abc import Mapping

    from agent_workers.fleet.fleet import Fleet


async def tell(fleet: Fleet, run: str, message: Mapping[str, Any], *, patience_s: float) -> dict[str, Any] | None:
    """Sends a control message.

    Args:
        fleet: The fleet.
        run: The run's id.
        message: The message; its ``id`` may be left out.
        patience_s: Seconds to wait for the answer.

    Returns:
        The ``ack`` of its worker, or the event that the run ended with before it; None where neither came in time.

    Raises:
        NoSuchRun: There is no such run.
        RunOver: It has ended.
    """
    name = str(message.get("id") or uuid4())
    after = await last_id(fleet.redis, fleet.keys.events(run)) or "0-0"
    await fleet.send(run, {**message, "id": name})
    with anyio.move_on_after(patience_s):
        async for entry in fleet.follow(run, after):
            if entry.is_terminal or (entry.event["type"] == "ack" and entry.event.get("id") == name):
                return entry.event
    return None
