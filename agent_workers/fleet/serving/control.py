"""What a run is told, from Redis to its worker."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

import anyio
from redis.exceptions import RedisError

from agent_workers.fleet.connection import BLOCK_MS
from agent_workers.fleet.streams import read
from agent_workers.protocol.document import parse_json
from agent_workers.protocol.v1.problem import RequestProblems

if TYPE_CHECKING:
    from agent_workers.client.aio import AsyncRun
    from agent_workers.fleet.scripts import Begun
    from agent_workers.fleet.serving.machine import Machine
    from agent_workers.fleet.serving.records import AttemptRecord

logger = logging.getLogger("agent_workers.fleet")

_OF_ANY_ATTEMPT = ("abort", "steer")
"""The other messages answer questions of one attempt; a later one has not asked them."""
_PAUSE_S = 0.2


async def relay(machine: Machine, run: str, begun: Begun, worker: AsyncRun, record: AttemptRecord) -> None:
    """Passes on what a run is told, and was told before it began, until it is cancelled."""
    key = machine.keys.control(run)
    after = "0-0"
    while True:
        try:
            found = await read(machine.redis, key, after, block_ms=BLOCK_MS)
        except RedisError:  # it comes back, and has kept what was said
            await anyio.sleep(_PAUSE_S)
            continue
        for name, fields in found:
            after = name
            message = _read(fields.get(b"message", b""))
            is_for_us = int(after.split("-")[0]) >= begun.now_ms or begun.attempt == 1
            if message and (is_for_us or message.get("type") in _OF_ANY_ATTEMPT):
                worker.send(message)
                record.told(message)


def _read(text: bytes) -> dict[str, Any] | None:
    try:
        found = parse_json(text)
    except RequestProblems:
        return None
    return found if isinstance(found, dict) else None
