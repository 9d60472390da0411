"""The lock of a session in Redis: on all machines together one run writes it.

On each machine the session's record is a lock besides, for whatever runs there without the fleet.
"""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING, Any, NamedTuple

from agent_workers.fleet.sessions.redis_calls import answered

if TYPE_CHECKING:
    from typing import Final

_PATIENCE_S = 6  # as on one machine, for a run that writes only its end
_POLL_S = 0.02
_BUSY, _TAKEN, _ENDING = range(3)
# KEYS of each: the lock, who is ending, who had the lock last. A run's later attempt takes the lock of its lost one.
# ARGV: run, attempt, holder, lease in ms.
_TAKE: Final = """
local held = redis.call('GET', KEYS[1])
if held then
  local run, attempt = string.match(held, '^([^/]*)/(%d+)/')
  if run ~= ARGV[1] or tonumber(attempt) > tonumber(ARGV[2]) then
    return redis.call('GET', KEYS[2]) == held and 2 or 0
  end
end
redis.call('SET', KEYS[1], ARGV[3], 'PX', ARGV[4])
redis.call('SET', KEYS[3], ARGV[3], 'PX', 86400000)
return 1
"""
# ARGV: holder, lease in ms. One that expired, as where Redis was away, is there again if nobody has had it meanwhile.
_KEEP: Final = """
local held = redis.call('GET', KEYS[1])
if held and held ~= ARGV[1] or redis.call('GET', KEYS[3]) ~= ARGV[1] then return 0 end
redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
redis.call('PEXPIRE', KEYS[3], 86400000)
return 1
"""
_RELEASE: Final = """
if redis.call('GET', KEYS[1]) == ARGV[1] then redis.call('DEL', KEYS[1], KEYS[2], KEYS[3]) end
"""
# ARGV: holder, ms.
_ANNOUNCE: Final = "redis.call('SET', KEYS[2], ARGV[1], 'PX', ARGV[2])"


class Holder(NamedTuple):
    """Who holds a session.

    Attributes:
        run: The run's id.
        attempt: The attempt's number.
        consumer: The slot that runs it.
    """

    run: str
    attempt: int
    consumer: str

    def __str__(self) -> str:
        return f"{self.run}/{self.attempt}/{self.consumer}"


class SessionLock:
    """The locks of a fleet's sessions.

    Args:
        client: From ``redis.asyncio``.
        prefix: The fleet's prefix.
        lease_s: For how long a lock is held that nobody keeps.

    Attributes:
        lease_s: The same.
    """

    def __init__(self, client: Any, prefix: str, *, lease_s: float) -> None:
        self.lease_s = lease_s
        self._client = client
        self._prefix = prefix

    async def take(self, session: str, holder: Holder) -> bool:
        """Takes a session's lock, also from an attempt of the same run; waits briefly for a run that only ends.

        Returns:
            Whether it has it; else another run does.
        """
        deadline = time.monotonic() + _PATIENCE_S
        while True:
            found = await self._run(_TAKE, session, holder.run, holder.attempt, holder, self._lease_ms)
            if found != _ENDING or time.monotonic() > deadline:
                return found == _TAKEN
            await asyncio.sleep(_POLL_S)

    async def keep(self, session: str, holder: Holder) -> bool:
        """Keeps the lock for another lease; False where it is lost."""
        return bool(await self._run(_KEEP, session, holder, self._lease_ms))

    async def announce_end(self, session: str, holder: Holder) -> None:
        """Announces that the run writes only its end from now on, so that the next run may wait for it."""
        await self._run(_ANNOUNCE, session, holder, _PATIENCE_S * 1000)

    async def release(self, session: str, holder: Holder) -> None:
        """Lets go of the lock, where it is still held."""
        await self._run(_RELEASE, session, holder)

    @property
    def _lease_ms(self) -> int:
        return int(self.lease_s * 1000)

    async def _run(self, script: str, session: str, *arguments: object) -> int:
        keys = [f"{self._prefix}:session:{session}:{what}" for what in ("lock", "ending", "holder")]
        return int(await answered(self._client.eval(script, len(keys), *keys, *map(str, arguments))) or 0)
