"""All pools of a server: picks a worker process for each request, and keeps their numbers within bounds."""

from __future__ import annotations

import logging
import os
import signal
import time
from functools import partial
from typing import TYPE_CHECKING, Any

import anyio

from agent_workers.errors import InvalidRequest, PolicyDenied, PoolFull
from agent_workers.pool.forkserver import Forkserver, ForkserverLost
from agent_workers.pool.hangups import Hangups
from agent_workers.pool.log import told_line
from agent_workers.pool.pool import Pool
from agent_workers.pool.users import always_allowed, uids_of
from agent_workers.pool.wishes import wishes_of
from agent_workers.workers import WORKERS

if TYPE_CHECKING:
    from anyio.abc import TaskGroup

    from agent_workers.pool.caller import Asked, Caller
    from agent_workers.pool.member import Member
    from agent_workers.pool.settings import PoolSettings
    from agent_workers.pool.wishes import Wishes

logger = logging.getLogger("agent_workers.pool")

_END_S = 8  # a worker ends its agent within 5 s
_PAUSE_S = 1
_NONE_IDLE = "none_idle"


class Pools:
    """The pools.

    Args:
        settings: The server's settings.
        forkserver: Forks the worker processes.
        tasks: Where each process is listened to.

    Attributes:
        changed: Set, and replaced, when a process has become something else.
        pools: The pools by their names.
        fault: Why the settings that were read last are not in force; empty where they are.
        began: ``time.monotonic()`` of the start.
        set_up: Likewise, from when on these settings are in force.
    """

    def __init__(self, settings: PoolSettings, forkserver: Forkserver, tasks: TaskGroup) -> None:
        self._tasks = tasks
        self._forkserver = forkserver
        self._hangups = Hangups()
        tasks.start_soon(self._hangups.watch)
        self._mending = anyio.Lock()
        self._retired: list[Forkserver] = []
        self.changed = anyio.Event()
        self._old: set[Member] = set()
        self.pools: dict[str, Pool] = {}
        self.fault = ""
        self.began = time.monotonic()
        self._set_up(settings)

    def _set_up(self, settings: PoolSettings) -> None:
        self.settings, self.fault, self.set_up = settings, "", time.monotonic()
        earlier = self.pools
        self.pools = {}
        for name, table in settings.pool.items():
            users = None if table.allow_users is None else uids_of(table.allow_users) | always_allowed()
            self.pools[name] = Pool(name, table, users)
            if name in earlier:
                self.pools[name].figures = earlier[name].figures

    async def replace(self, settings: PoolSettings, forkserver: Forkserver) -> None:
        """Has new requests served by other settings; runs that have begun end as they began."""
        members = self.members
        old, self._forkserver = self._forkserver, forkserver
        self._set_up(settings)
        self._old |= set(members)
        for member in members:
            if member.state != "busy":
                member.end()
        self._note_change()
        self._retired.append(old)
        await old.retire()

    @property
    def members(self) -> list[Member]:
        """All processes of the pools."""
        return [member for pool in self.pools.values() for member in pool.members]

    @property
    def everyone(self) -> list[Member]:
        """Likewise, with those of earlier settings that still run."""
        return [*self.members, *self._old]

    async def serve(self, caller: Caller, asked: Asked) -> None:
        """Finds a worker process for a request and hands it the connection.

        Raises:
            WorkerError: There is none for it.
        """
        wishes = wishes_of(_content(asked), WORKERS[asked.hello.worker], asked.hello.skill)
        if wishes.resumes:
            self._hear_all()  # the answer that this one follows may have ended just now
        pool = self._chosen(caller, asked, wishes)
        why = pool.why_cold(asked.hello, wishes)
        if wishes.resumes and await self._served_live(pool, caller, asked, wishes):
            return
        if not (why or pool.waiting) and await self._served_ahead(pool, caller, asked):
            return
        with self._hangups.cancelling(caller.connection) as gone, anyio.move_on_after(self.settings.queue_s):
            while not await self._served_in_turn(pool, caller, asked, why):
                pool = self._chosen(caller, asked, wishes)  # there are other settings
                why = pool.why_cold(asked.hello, wishes)
            return
        if gone.cancelled_caught:
            logger.info("uid=%d caller=%d has gone before its turn", caller.peer.uid, caller.peer.pid)
            return
        pool.figures.refused[PoolFull.code] += 1
        raise PoolFull(cause=f"all processes of the pool {pool.name} have been busy for {self.settings.queue_s:g} s")

    def _chosen(self, caller: Caller, asked: Asked, wishes: Wishes) -> Pool:
        """Returns the pool that a request belongs to.

        The named one, else that of its live agent, else the first with its model, else of its worker, else of all.
        """
        hello, uid = asked.hello, caller.peer.uid
        if hello.name is not None and hello.name not in self.pools:
            words = f"There is no pool called {hello.name!r}; there are {', '.join(self.pools)}."
            raise InvalidRequest(words, cause=words)
        named = [self.pools[hello.name]] if hello.name is not None else list(self.pools.values())
        open_to = [pool for pool in named if pool.admits(uid)]
        if not open_to:
            words = f"User {uid} may use none of the pools {', '.join(p.name for p in named)}: see their allow_users."
            raise PolicyDenied(words, cause=words)
        of_worker = [pool for pool in open_to if pool.table.worker == hello.worker]
        of_model = [pool for pool in of_worker if pool.table.model == wishes.model]
        with_agent = [pool for pool in of_worker if wishes.resumes in {each.session for each in pool.of_state("live")}]
        if wishes.resumes and with_agent and wishes.model in {None, with_agent[0].table.model}:
            return with_agent[0]  # a conversation goes on with the model that it had
        return (of_model or of_worker or open_to)[0]

    async def _served_live(self, pool: Pool, caller: Caller, asked: Asked, wishes: Wishes) -> bool:
        """Hands a request to the agent of its conversation; any other agent of it is ended first."""
        found = [member for member in self.everyone if member.session == wishes.resumes and member.state == "live"]
        for member in found:
            own = member in pool.members and not wishes.forks and asked.hello.credential is None
            if own and await member.hand_over(caller, asked, ""):
                return True
            member.end()
            with anyio.move_on_after(_END_S):
                await member.gone.wait()
        return False

    async def _served_ahead(self, pool: Pool, caller: Caller, asked: Asked) -> bool:
        while member := pool.take_ahead():
            if await member.hand_over(caller, asked, ""):
                self._note_change()
                return True
            member.become("ending")
        return False

    async def _served_in_turn(self, pool: Pool, caller: Caller, asked: Asked, why: str) -> bool:
        """Waits for an agent or a place; returns False where the pool is no more."""
        pool.waiting += 1
        try:
            async with pool.turn:  # first come, first served
                while self._is_current(pool):
                    changed = self.changed
                    if not why and await self._served_ahead(pool, caller, asked):
                        return True
                    if self._has_place(pool):
                        member = await self._forked(pool, ahead=False)
                        if member and await member.hand_over(caller, asked, why or _NONE_IDLE):
                            return True
                        continue
                    self._make_place(pool)
                    await changed.wait()
        finally:
            pool.waiting -= 1
        return False

    def _is_current(self, pool: Pool) -> bool:
        return self.pools.get(pool.name) is pool

    def _has_place(self, pool: Pool, spare: int = 0) -> bool:
        """Returns whether another process may be started, and so many more after it."""
        taken = len(self.everyone) + sum(each.forking for each in self.pools.values()) + spare
        return len(pool.members) + pool.forking < pool.table.max and taken < self.settings.max

    def _make_place(self, pool: Pool) -> None:
        """Has agents end that are not at work, one for each request that waits: those that were kept come first."""
        candidates = dict.fromkeys([pool, *(self.pools.values() if len(pool.members) < pool.table.max else ())])
        on_its_way = sum(member.state == "ending" for member in self.everyone)
        waiting = [member for state in ("live", "idle") for each in candidates for member in each.of_state(state)]
        for member in waiting[: max(0, pool.waiting - on_its_way)]:
            member.end()

    async def _forked(self, pool: Pool, *, ahead: bool) -> Member | None:
        pool.forking += 1
        try:
            member = await self._forkserver.fork(pool.order(ahead=ahead, policy=self.settings.policy))
            pool.members.add(member)
        except ForkserverLost:
            member = None
        finally:
            pool.forking -= 1
        if member is None:
            await self._mend()
            return None
        if not ahead:
            member.become("idle")
        if not self._is_current(pool):  # there are other settings since
            self._old.add(member)
            member.end()
        self._tasks.start_soon(self._attend, pool, member)
        return member

    async def _mend(self) -> None:
        """Starts another process that forks, where the one has ended."""
        async with self._mending:
            while self._forkserver.lost:
                logger.warning("the process that forks workers has ended; another one is started")
                try:
                    new = await Forkserver.started()
                except ForkserverLost:
                    await anyio.sleep(_PAUSE_S)
                    continue
                old, self._forkserver = self._forkserver, new
                self._retired.append(old)
                await old.retire()
        self._retired = [forkserver for forkserver in self._retired if not forkserver.has_ended]

    async def _attend(self, pool: Pool, member: Member) -> None:
        """Listens to a process until it has ended."""
        ways: list[str] = []

        await member.listen(partial(self._hear, pool, member, ways))
        pool.members.discard(member)
        self._old.discard(member)
        if member.state == "busy" and not member.told_end:
            pool.figures.lost += 1
            logger.warning(told_line(pool, member, lost=True))
        else:
            pool.note_end(member)
        self._note_change()

    def _hear(self, pool: Pool, member: Member, ways: list[str], message: dict[str, Any]) -> None:
        member.memory = message.get("memory", member.memory)
        match message.get("state"):
            case "idle":
                if member.state == "starting":
                    member.become("idle")
            case "failed":
                member.fault = message["why"]
                logger.error("an agent of the pool %s could not wait: %s", pool.name, message["why"])
            case "took":
                member.note_taken()
            case "running":
                member.run = message["run"]
                ways[:] = [message["way"]]
                pool.figures.note_way(message["way"], message.get("why"))
            case "ended":
                member.told_end = True
                self._keep(pool, member, message.get("session"))
                if ways == ["warm"] and not message["exit"]:
                    pool.note_start()
                pool.figures.note_end(ways[0] if ways else "", message)
                logger.info(told_line(pool, member, way=ways[0] if ways else "", **message))
        self._note_change()

    def _keep(self, pool: Pool, member: Member, session: str | None) -> None:
        """Takes note of an agent that stays after its run."""
        member.session = session
        if session is None:
            return
        if member in self._old or self.is_over_memory:
            member.end()
            return
        member.become("live")
        table = pool.table
        most = min(table.max_live, max(1, table.max - table.min_idle))  # the others leave room for those started ahead
        for surplus in pool.of_state("live")[: -most if table.max_live else None]:
            surplus.end()

    def _hear_all(self) -> None:
        for member in self.everyone:
            if member.state == "busy":
                member.hear()

    def _note_change(self) -> None:
        self.changed.set()
        self.changed = anyio.Event()

    # Keeping the numbers

    async def tend(self) -> None:
        """Starts agents ahead and ends those that have waited long, until cancelled."""
        while True:
            changed = self.changed
            self._end_expired()
            for pool in list(self.pools.values()):
                pool.note_proven()
                for _ in range(pool.lacks):
                    if self._may_start_ahead(pool):
                        await self._forked(pool, ahead=True)
            await self._mend()
            with anyio.move_on_after(1):
                await changed.wait()

    def _may_start_ahead(self, pool: Pool) -> bool:
        waiting = sum(each.waiting for each in self.pools.values())
        return self._is_current(pool) and self._has_place(pool, spare=waiting) and not self.is_over_memory

    def _end_expired(self) -> None:
        now = time.monotonic()
        for member in self.everyone:
            if member.state == "ending" and now - member.since > _END_S:
                member.signal(signal.SIGKILL)  # it does not run
        for pool in self.pools.values():
            for member in pool.of_state("idle", "live"):
                limit = pool.table.keep_s if member.state == "live" else pool.table.max_idle_s
                if now - member.since > limit:
                    member.end()
        if self.is_over_memory and (kept := [m for m in self.members if m.state == "live"]):
            min(kept, key=lambda member: member.since).end()

    @property
    def is_over_memory(self) -> bool:
        """Whether no agent is to be started ahead or kept."""
        bound = self.settings.memory_bound
        return bound is not None and sum(member.memory for member in self.everyone) >= bound


def _content(asked: Asked) -> bytes:
    return os.pread(asked.file, asked.size, 0)
