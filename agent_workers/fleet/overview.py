"""How a fleet does as a whole: its queues, tenants, credentials, machines, and what has ended."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, cast

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from redis.asyncio import Redis

    from agent_workers.fleet.fleet import Fleet

_AT_ONCE = 1000


@dataclass
class Queue:
    """A queue as it is now.

    Attributes:
        waiting: Jobs that could begin, but for a slot, a limit or a pause.
        scheduled: Jobs that wait for their time.
        running: Runs that a slot has in hand.
        asking: Those of them that wait for an answer.
        slots: Slots alive.
        limit: How many runs it may have at once; None for no limit.
        ended: How often runs ended, by ``done``, ``aborted``, ``error:CODE``, and ``lost`` for attempts of which the
            machine went.
    """

    waiting: int = 0
    scheduled: int = 0
    running: int = 0
    asking: int = 0
    slots: int = 0
    limit: int | None = None
    ended: dict[str, int] = field(default_factory=dict)


@dataclass
class Tenant:
    """A tenant that has a limit and jobs.

    Attributes:
        waiting: Jobs of its that could begin.
        running: Runs of its, in all queues.
        limit: How many it may have at once.
    """

    waiting: int
    running: int
    limit: int

    @property
    def is_full(self) -> bool:
        """Whether it has as many as it may."""
        return self.running >= self.limit


@dataclass
class Machine:
    """A process that works.

    Attributes:
        slots: Its slots that take jobs; none while it stops.
        running: Runs that it has in hand.
    """

    slots: int = 0
    running: int = 0


@dataclass
class Overview:
    """A fleet as it is now.

    Attributes:
        now: When, in milliseconds since the epoch, by Redis.
        queues: By their names.
        tenants: Those that have as many runs as they may, by their names.
        paused: Credentials that wait, each with until when; the empty name is the machines' own.
        machines: By their names.
        dead: How many failed runs wait for a person.
    """

    now: int
    queues: dict[str, Queue]
    tenants: dict[str, Tenant]
    paused: dict[str, int]
    machines: dict[str, Machine]
    dead: int

    def as_json(self) -> dict[str, Any]:
        """Returns it as one object."""
        found: dict[str, Any] = {"now": self.now, "paused": self.paused, "dead": self.dead}
        for name in ("queues", "tenants", "machines"):
            found[name] = {key: vars(value) for key, value in getattr(self, name).items()}
        return found


async def overview(fleet: Fleet) -> Overview:
    """Looks at a fleet. What begins or ends meanwhile may be counted twice or not at all."""
    return await _Look(fleet).overview()


class _Look:
    def __init__(self, fleet: Fleet) -> None:
        self._redis: Redis = fleet.redis
        self._keys = fleet.keys
        self._machines: dict[str, Machine] = {}
        self._waiting: Counter[str] = Counter()  # by tenant
        self._tenants: set[str] = set()

    async def overview(self) -> Overview:
        seconds, micros = await self._redis.time()
        now = seconds * 1000 + micros // 1000
        limits = await self._hash(self._keys.limits)
        names = sorted(name.decode() for name in await cast("Any", self._redis.smembers(self._keys.queues)))
        queues = {name: await self._queue(name, now, limits) for name in names}
        paused = {name: till for name, till in (await self._hash(self._keys.paused)).items() if till > now}
        dead = await self._redis.zcard(self._keys.dead)
        tenants = await self._full(limits)
        return Overview(now, queues, tenants, paused, dict(sorted(self._machines.items())), dead)

    async def _queue(self, name: str, now: int, limits: Mapping[str, int]) -> Queue:
        async with self._redis.pipeline(transaction=True) as asked:
            asked.zrange(self._of(name, "lanes"), 0, -1)
            asked.zcard(self._of(name, "later"))
            asked.smembers(self._of(name, "running"))
            asked.scard(self._of(name, "asking"))
            asked.zrangebyscore(self._of(name, "slots"), now, "+inf")
            asked.hgetall(self._of(name, "ended"))
            lanes, scheduled, running, asking, slots, ended = await asked.execute()
        for slot in slots:
            self._machine(slot).slots += 1
        waiting = await self._in_lanes(name, lanes)
        begun = await self._running(running)
        return Queue(
            waiting + len(running) - begun,  # what is on its way to a slot waits, too
            *(scheduled, begun, asking, len(slots), limits.get(f"queue:{name}", limits.get("queue:*"))),
            {how.decode(): int(count) for how, count in sorted(ended.items())},
        )

    async def _in_lanes(self, queue: str, lanes: Iterable[bytes]) -> int:
        async with self._redis.pipeline(transaction=False) as asked:
            for lane in lanes:
                asked.zcard(self._of(queue, f"lane:{lane.decode()}"))
            counts = await asked.execute()
        for lane, count in zip(lanes, counts, strict=True):
            self._waiting[lane.decode().partition("\n")[0]] += count
        return sum(counts)

    async def _running(self, runs: Iterable[bytes]) -> int:
        """Counts the runs that slots have in hand, for their machines; returns how many there are."""
        names = [run.decode() for run in runs]
        begun = 0
        for at in range(0, len(names), _AT_ONCE):
            async with self._redis.pipeline(transaction=False) as asked:
                for run in names[at : at + _AT_ONCE]:
                    asked.hmget(self._keys.job(run), "state", "owner", "tenant")
                found = await asked.execute()
            for state, owner, tenant in found:
                self._tenants.add((tenant or b"").decode())
                if state == b"running":
                    begun += 1
                    self._machine(owner or b"?").running += 1
        return begun

    async def _full(self, limits: Mapping[str, int]) -> dict[str, Tenant]:
        """Returns the tenants that have as many runs as they may."""
        usual = limits.get("tenant:*")
        found = {}
        for name in sorted({*self._tenants, *self._waiting} - {""}):
            most = limits.get(f"tenant:{name}", usual)
            if most is not None:
                running = await cast("Any", self._redis.scard(self._keys.running_of(name)))
                found[name] = Tenant(self._waiting[name], running, most)
        return {name: tenant for name, tenant in found.items() if tenant.is_full}

    def _machine(self, consumer: bytes) -> Machine:
        return self._machines.setdefault(consumer.decode().rpartition("/")[0] or consumer.decode(), Machine())

    def _of(self, queue: str, what: str) -> str:
        return self._keys.of_queue(queue, what)

    async def _hash(self, key: str) -> dict[str, int]:
        found = await cast("Any", self._redis.hgetall(key))
        return {name.decode(): int(number) for name, number in sorted(found.items())}
