"""What is known of conversations, where runs are the fleet's: all gateways of it share that."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

import anyio

from agent_workers.gateway.conversations import busy, has_begun, unknown

if TYPE_CHECKING:
    from collections.abc import Mapping

    from agent_workers.fleet.fleet import Fleet
    from agent_workers.gateway.owner import Owner

_PATIENCE_S = 3
"""How long a run that is asked to end may take, before the next one is refused."""
_POLL_S = 0.1
_TAKE = """
local owner = redis.call('HGET', KEYS[1], 'owner')
if owner and owner ~= ARGV[1] then return 'other' end
redis.call('HSET', KEYS[1], 'owner', ARGV[1])
local run = redis.call('HGET', KEYS[1], 'run')
if run and run ~= ARGV[3] then return run end
redis.call('HSET', KEYS[1], 'run', ARGV[2])
return 'taken'
"""


class FleetConversations:
    """The conversations of a fleet's runs.

    Args:
        fleet: The fleet.
    """

    def __init__(self, fleet: Fleet) -> None:
        self._fleet = fleet
        self._take = fleet.redis.register_script(_TAKE)

    async def begin(self, conversation: str, owner: Owner, run: str) -> dict[str, Any]:
        """Takes a conversation for a run; returns the ``session`` of its request.

        Raises:
            Refusal: It is somebody else's, or another run is at work in it.
        """
        over = ""
        with anyio.move_on_after(_PATIENCE_S):
            while True:
                said = (await self._take(keys=[self._key(conversation)], args=[owner.key, run, over])).decode()
                if said == "other":
                    raise unknown()
                if said == "taken":
                    return await self._session(conversation)
                over = said if await self._is_over(conversation, said) else ""
                if not over:
                    await anyio.sleep(_POLL_S)
        raise busy()

    async def note(self, conversation: str, event: Mapping[str, Any]) -> None:
        """Learns from a run's event."""
        begun = has_begun(event)
        if begun is not None:
            await self._note(conversation, begun=begun)

    async def _is_over(self, conversation: str, run: str) -> bool:
        status = await self._fleet.status(run)
        if status is not None and status.fields.get("session_id"):
            await self._note(conversation, begun=True)
        return status is None or status.is_over

    async def _note(self, conversation: str, *, begun: bool) -> None:
        redis: Any = self._fleet.redis
        await redis.hset(self._key(conversation), "begun", int(begun))

    async def _session(self, conversation: str) -> dict[str, Any]:
        begun = await cast("Any", self._fleet.redis.hget(self._key(conversation), "begun"))
        return {"session": {"resume": conversation} if begun == b"1" else {"id": conversation}}

    def _key(self, conversation: str) -> str:
        return f"{self._fleet.keys.prefix}:gateway:conversation:{conversation}"
