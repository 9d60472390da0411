"""The fleet's rules: Lua scripts, each of which Redis runs as one step."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, Any

from agent_workers.chain import head_of, prev_of
from agent_workers.fleet.keys import GROUP

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from redis.asyncio import Redis
    from redis.commands.core import AsyncScript

    from agent_workers.fleet.keys import Keys


@cache
def source(name: str) -> str:
    """Returns a script's text, after what all of them share."""
    folder = files("agent_workers.fleet") / "scripts"
    return "\n".join((folder / f"{part}.lua").read_text() for part in ("common", name))


@dataclass(frozen=True, slots=True)
class Begun:
    """An attempt that has begun.

    Attributes:
        job: The job, as JSON.
        attempt: Number of the attempt, from 1.
        now_ms: When, by Redis's clock, in milliseconds since the epoch.
        expires_ms: Until when it had to begin; None for no such time.
        failures: How many attempts have failed before.
    """

    job: bytes
    attempt: int
    now_ms: int
    expires_ms: int | None
    failures: int


@dataclass(frozen=True, slots=True)
class Line:
    """An event on its way into a run's stream.

    Attributes:
        seq: Its number.
        data: Its line, without the newline.
        is_call: Whether it calls a tool of the application.
    """

    seq: int
    data: bytes
    is_call: bool = False


@dataclass(frozen=True, slots=True)
class Written:
    """What became of events that were to be written.

    Attributes:
        is_held: Whether the run is this slot's; else nothing was written.
        missing_after: Number of the last event that is there, where some that were written are not: nothing was written
            now, and they have to come first. None where all is well.
    """

    is_held: bool
    missing_after: int | None = None


@dataclass(frozen=True, slots=True)
class Held:
    """A run that a slot has in hand.

    Attributes:
        run: Its id.
        entry: Id of its entry in the queue's stream.
        consumer: The slot's name.
    """

    run: str
    entry: str
    consumer: str


@dataclass(frozen=True, slots=True)
class Ended:
    """How a run has ended.

    Attributes:
        state: ``done``, ``error`` or ``aborted``.
        code: Of an error; else empty.
        is_dead: Whether its job is kept for a person to look at.
    """

    state: str
    code: str = ""
    is_dead: bool = False


class Scripts:
    """Runs the scripts.

    Args:
        redis: A client that returns bytes.
        keys: The fleet's keys.
        keep_ms: How long a run's events are kept after its end.
        dead_ms: How long the job of one that failed for good is kept.
    """

    def __init__(self, redis: Redis, keys: Keys, *, keep_ms: int, dead_ms: int) -> None:
        self._redis = redis
        self._keys = keys
        self._keep_ms = keep_ms
        self._dead_ms = dead_ms
        self._known: dict[str, AsyncScript] = {}

    async def submit(self, required: Sequence[object], more: Mapping[str, object]) -> tuple[str, str]:
        """Submits a job; ``submit.lua`` says in which order. Returns ``new``, ``known`` or ``other``, and its state."""
        found = await self._run("submit", *required, *_flat(more))
        return found[0].decode(), found[1].decode()

    async def begin(self, queue: str, held: Held, host: str) -> Begun | None:
        """Begins an attempt of the run that an entry names; None where there is nothing to run."""
        found = await self._run("begin", queue, held.entry, held.run, held.consumer, host)
        if found[0] != b"begun":
            return None
        expires_ms = int(found[4]) if found[4] else None
        return Begun(found[1], int(found[2]), int(found[3]), expires_ms, int(found[5]))

    async def write(
        self,
        held: Held,
        attempt: int,
        lines: Iterable[Line],
        *,
        last: int,
        fields: Mapping[str, object],
        ended: Ended | None = None,
    ) -> Written:
        """Writes events, each once.

        Args:
            held: The run, and who has it in hand.
            attempt: Number of the attempt.
            lines: The events.
            last: Number of the last event that was written before.
            fields: What else is noted of the run.
            ended: How it ends with the last of these events; None where it goes on.
        """
        end = (ended.state, ended.code) if ended else ("", "")
        is_dead = int(bool(ended and ended.is_dead))
        each = [part for line in lines for part in (line.seq, line.data, "call" if line.is_call else "")]
        given = (held.run, attempt, held.consumer, last, *end, self._keep_ms, is_dead, self._dead_ms)
        said = await self._run("write", *given, len(fields), *_flat(fields), *each)
        return Written(said != b"lost", int(said) if said.isdigit() else None)

    async def requeue(
        self, held: Held, attempt: int, *, delay_ms: int, is_failure: bool, last: Line | None = None
    ) -> bool:
        """Gives a run back for another attempt, or ends it where it was to stop.

        Returns:
            False where it is not this slot's any more.
        """
        event = (last.seq, last.data) if last else (0, "")
        head = head_of(last.data) if last and prev_of(last.data) else ""
        given = (held.run, attempt, held.consumer, delay_ms, int(is_failure), *event, self._keep_ms, head)
        return bool(await self._run("requeue", *given) != b"lost")

    async def lose(self, queue: str, entry: str, run: str, line: bytes) -> str:
        """Takes a run from a slot that has gone; returns ``dropped``, ``queued``, ``aborted`` or ``dead``."""
        return str((await self._run("lost", queue, entry, run, line, self._keep_ms, self._dead_ms)).decode())

    async def keep(self, queue: str, lease_ms: int, consumers: Sequence[str], held: Iterable[Held]) -> list[str]:
        """Says that slots live, and keeps what they have in hand; returns the runs that they have lost."""
        each = [part for one in held for part in (one.entry, one.run, one.consumer)]
        found = await self._run("keep", queue, lease_ms, len(consumers), *consumers, *each)
        return [run.decode() for run in found]

    async def leave(self, queue: str, consumers: Sequence[str]) -> None:
        """Takes slots out of a queue: they begin nothing more."""
        await self._run("leave", queue, *consumers)

    async def drop(self, stream: str, entry: str) -> None:
        """Takes an entry out of a queue's stream that is no job's."""
        await self._redis.xack(stream, GROUP, entry)
        await self._redis.xdel(stream, entry)

    async def control(self, run: str, kind: str, message: bytes, last: bytes) -> str:
        """Tells a run something; returns ``sent``, ``ended``, ``over`` or ``unknown``."""
        return str((await self._run("control", run, kind, message, last, self._keep_ms)).decode())

    async def settle(self, run: str, again: str = "") -> bool:
        """Takes a failed run off the list of those that wait for a person.

        Args:
            run: Its id.
            again: The run that its job was submitted again as; empty where it is dropped.

        Returns:
            Whether it was on the list.
        """
        return bool(await self._run("settle", run, again) == b"settled")

    async def tick(self, queue: str, before: bytes, after: bytes) -> int:
        """Does what is due in a queue; returns how many jobs have expired."""
        return int(await self._run("tick", queue, self._keep_ms, before, after))

    async def pause(self, credential: str, delay_ms: int) -> int:
        """Pauses the jobs of a credential; returns until when, in milliseconds since the epoch."""
        return int(await self._run("pause", credential, delay_ms))

    async def _run(self, name: str, *arguments: Any) -> Any:
        script = self._known.get(name)
        if script is None:
            script = self._known[name] = self._redis.register_script(source(name))
        return await script(keys=[self._keys.prefix], args=list(arguments))


def _flat(pairs: Mapping[str, object]) -> list[Any]:
    return [part for pair in pairs.items() for part in pair]
