"""One named pool: its worker processes, and which of them serves a request."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import anyio

from agent_workers.pool.figures import Figures

if TYPE_CHECKING:
    from agent_workers.pool.hello import Hello
    from agent_workers.pool.member import Member
    from agent_workers.pool.settings import PoolTable
    from agent_workers.pool.wishes import Wishes

_LONGEST_PAUSE_S = 30
_PROVEN_S = 10  # an agent that has waited for so long, or has answered, was started well


class Pool:
    """A pool.

    Args:
        name: Its name.
        table: Its settings.
        users: The numbers of those who may use it; None for all who may connect.

    Attributes:
        members: Its worker processes.
        figures: What it has counted.
        fault: Why no agent can be started ahead; empty where it can.
        turn: Whose turn it is of the requests that wait.
        waiting: How many requests wait for a process.
        forking: How many processes are being started that are no members yet.
    """

    def __init__(self, name: str, table: PoolTable, users: frozenset[int] | None) -> None:
        self.name = name
        self.table = table
        self.members: set[Member] = set()
        self.figures = Figures()
        self.fault = ""
        self.turn = anyio.Lock()
        self.waiting = 0
        self.forking = 0
        self._users = users
        self._failures = 0
        self._failed_at = 0.0
        self._not_before = 0.0

    def admits(self, uid: int) -> bool:
        """Returns whether a user may use it."""
        return self._users is None or uid in self._users

    def of_state(self, *states: str) -> list[Member]:
        """Returns its processes in these states, those first that are longest in it."""
        return sorted((member for member in self.members if member.state in states), key=lambda member: member.since)

    def why_cold(self, hello: Hello, wishes: Wishes) -> str:
        """Returns why no agent of it that was started ahead can serve a request; empty where one can."""
        if hello.credential is not None:
            return "credential"
        if hello.worker != self.table.worker:
            return "worker"
        if wishes.cold:
            return wishes.cold
        return "model" if wishes.model != self.table.model else ""

    def take_ahead(self) -> Member | None:
        """Returns the agent that has waited longest; None where none does."""
        waiting = [*self.of_state("idle"), *(member for member in self.of_state("starting") if member.is_ahead)]
        return waiting[0] if waiting else None

    @property
    def lacks(self) -> int:
        """How many agents are to be started ahead: none while requests wait for a place."""
        if self.waiting or time.monotonic() < self._not_before:
            return 0
        waiting = [member for member in self.of_state("starting", "idle") if member.is_ahead]
        return max(0, min(self.table.min_idle - len(waiting), self.table.max - len(self.members)))

    def order(self, *, ahead: bool, policy: str | None) -> dict[str, object]:
        """Returns what a new worker process is told."""
        table = self.table
        request = {"model": table.model, "max_turns": table.max_turns}
        return {
            "pool": self.name,
            "worker": table.worker if ahead else None,
            "request": {name: value for name, value in request.items() if value is not None},
            "policy": policy,
            "own_policy": table.policy,
            "keeps": table.max_live > 0 and table.keep_s > 0,
        }

    def note_failure(self, why: str) -> None:
        """Has the next start ahead wait: longer after each failure."""
        self._failures += 1
        self.fault = why
        self._failed_at = time.monotonic()
        self._not_before = self._failed_at + min(_LONGEST_PAUSE_S, 2 ** min(self._failures, 5))

    def note_start(self) -> None:
        """Notes that an agent that was started ahead was of use."""
        self._failures, self._not_before, self.fault = 0, 0.0, ""

    def note_proven(self) -> None:
        """Notes that agents can be started ahead, where one has waited for a while that came after the last failure."""
        idle = [member for member in self.of_state("idle") if member.is_ahead and member.since > self._failed_at]
        if self._failures and any(_age(member) >= _PROVEN_S for member in idle):
            self.note_start()

    def note_end(self, member: Member) -> None:
        """Notes that a process has ended that was at no work: others like it are to be started later then."""
        if member.state == "starting" or (member.fault and _age(member) < _PROVEN_S):
            self.note_failure(member.fault or "it ended while it was started")


def _age(member: Member) -> float:
    return time.monotonic() - member.since
