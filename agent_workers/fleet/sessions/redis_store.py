"""Conversations in the fleet's own Redis: nothing more to set up."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from uuid import uuid4

from agent_workers.errors import SessionDamaged
from agent_workers.fleet.sessions.redis_calls import answered, text
from agent_workers.fleet.sessions.store import TTL_S, Version, hash_of

if TYPE_CHECKING:
    from collections.abc import Sequence

_CHUNK = 1 << 19
_IN_FLIGHT_MS = 60_000  # whoever is reading a version when it is replaced reads it to its end
_TRIES = 3
# KEYS: the names' heads. A head lists the version that counts; its chunks lie under the head's key, version and number.
_CHUNKS = """
local function chunks(key, id, count, ms)
  for i = 0, tonumber(count) - 1 do
    redis.call('PEXPIRE', key .. ':' .. id .. ':' .. i, ms)
  end
end
local function drop(key, ms)
  local old = redis.call('HMGET', key, 'id', 'chunks', 'at')
  if old[1] then chunks(old[3], old[1], old[2], ms) end
end
"""
# ARGV: id, length, sha256, chunks, TTL in ms, ms for the last version.
_SWITCH = f"""{_CHUNKS}
drop(KEYS[1], ARGV[6])
redis.call('HSET', KEYS[1], 'id', ARGV[1], 'length', ARGV[2], 'sha256', ARGV[3], 'chunks', ARGV[4], 'at', KEYS[1])
redis.call('PEXPIRE', KEYS[1], ARGV[5])
chunks(KEYS[1], ARGV[1], ARGV[4], ARGV[5])
"""
# ARGV: TTL in ms. Returns the head.
_USE = f"""{_CHUNKS}
local head = redis.call('HMGET', KEYS[1], 'id', 'length', 'sha256', 'chunks', 'at')
if not head[1] then return nil end
redis.call('PEXPIRE', KEYS[1], ARGV[1])
chunks(head[5], head[1], head[4], ARGV[1])
return head
"""
# ARGV: ms for the last version.
_MOVE = f"""{_CHUNKS}
if redis.call('EXISTS', KEYS[1]) == 0 then return 0 end
drop(KEYS[2], ARGV[1])
redis.call('RENAME', KEYS[1], KEYS[2])
return 1
"""
# ARGV: id, TTL in ms, ms for the last version.
_COPY = f"""{_CHUNKS}
local head = redis.call('HMGET', KEYS[1], 'id', 'length', 'sha256', 'chunks', 'at')
if not head[1] then return 0 end
drop(KEYS[2], ARGV[3])
for i = 0, tonumber(head[4]) - 1 do
  redis.call('COPY', head[5] .. ':' .. head[1] .. ':' .. i, KEYS[2] .. ':' .. ARGV[1] .. ':' .. i)
end
redis.call('HSET', KEYS[2], 'id', ARGV[1], 'length', head[2], 'sha256', head[3], 'chunks', head[4], 'at', KEYS[2])
redis.call('PEXPIRE', KEYS[2], ARGV[2])
chunks(KEYS[2], ARGV[1], head[4], ARGV[2])
return 1
"""
_REMOVE = f"{_CHUNKS} drop(KEYS[1], ARGV[1]) redis.call('DEL', KEYS[1])"


class RedisSessionStore:
    """See ``SessionStore``. A conversation lies in chunks, so that no command is long.

    Args:
        client: From ``redis.asyncio``; it may decode replies or not.
        prefix: The fleet's prefix.
        ttl_s: For how many seconds a conversation is kept that nobody uses.
    """

    def __init__(self, client: Any, prefix: str, *, ttl_s: int = TTL_S) -> None:
        self._client = client
        self._prefix = prefix
        self._ttl_ms = ttl_s * 1000

    async def find(self, name: str) -> Version | None:
        """Returns which version is stored; None where there is none."""
        head = await self._head(name)
        return head and head[0]

    async def read(self, name: str) -> bytes | None:
        """Returns what is stored; None where there is nothing."""
        for _ in range(_TRIES):  # it may be replaced meanwhile
            if (head := await self._head(name)) is None:
                return None
            version, keys = head
            data = b"".join([await self._chunk(key) for key in keys])
            if version.fits(data):
                return data
        raise SessionDamaged(cause=f"what Redis has of the conversation {name} is not what was stored")

    async def write(self, name: str, data: bytes) -> Version:
        """Stores a new version."""
        version = Version(uuid4().hex, len(data), hash_of(data))
        key = self._key(name)
        pieces = [data[at : at + _CHUNK] for at in range(0, len(data), _CHUNK)]
        for number, piece in enumerate(pieces):
            await answered(self._client.set(f"{key}:{version.id}:{number}", piece, px=self._ttl_ms))
        await self._run(_SWITCH, [key], [*version, len(pieces), self._ttl_ms, _IN_FLIGHT_MS])
        return version

    async def move(self, source: str, target: str) -> bool:
        """Puts what is stored under a name in another's place."""
        return bool(await self._run(_MOVE, [self._key(source), self._key(target)], [_IN_FLIGHT_MS]))

    async def copy(self, source: str, target: str) -> bool:
        """Stores under another name what is stored under one."""
        keys = [self._key(source), self._key(target)]
        return bool(await self._run(_COPY, keys, [uuid4().hex, self._ttl_ms, _IN_FLIGHT_MS]))

    async def remove(self, name: str) -> None:
        """Removes what is stored, if anything is."""
        await self._run(_REMOVE, [self._key(name)], [_IN_FLIGHT_MS])

    def _key(self, name: str) -> str:
        return f"{self._prefix}:session:{name}"

    async def _head(self, name: str) -> tuple[Version, list[str]] | None:
        found = await self._run(_USE, [self._key(name)], [self._ttl_ms])
        if not found:
            return None
        version, length, sha256, chunks, key = map(text, found)
        return Version(version, int(length), sha256), [f"{key}:{version}:{at}" for at in range(int(chunks))]

    async def _chunk(self, key: str) -> bytes:
        data: bytes | None = await answered(self._client.execute_command("GET", key, NEVER_DECODE=True))
        return data or b""

    async def _run(self, script: str, keys: Sequence[str], arguments: Sequence[object]) -> Any:
        return await answered(self._client.eval(script, len(keys), *keys, *arguments))
