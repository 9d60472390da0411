"""Jobs of a fleet whose parts are killed at random.

``python -m tests.fleet.chaos --jobs 200`` tells the figures of many.
"""

import asyncio
import signal
import sys
import threading
import time
from argparse import ArgumentParser
from collections import Counter
from contextlib import suppress
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory
from typing import Any
from uuid import UUID

from agent_workers.fleet.fleet import Fleet, NoSuchRun, RunOver
from agent_workers.protocol.v1.job import parse_job
from agent_workers.simulator import Scenario, Simulator, running_simulator
from agent_workers.simulator.scenario import Message, Text, ToolUse
from agent_workers.workers import WORKERS
from tests.e2e.conftest import home_at
from tests.e2e.worker import Home
from tests.fleet.audience import Application, Reader, insist, pause
from tests.fleet.judge import Judge
from tests.fleet.killer import Killer
from tests.fleet.redis_server import RedisServer, running_redis
from tests.waiting import PATIENCE_S, until

_LOOK_S = 1.0  # how often it looks whether all has come to a standstill
_AT_ONCE = 20
_TENANTS = ["a", "b", "c", "d"]
_PAY = {
    "name": "pay",
    "description": "Pays an order.",
    "input_schema": {"type": "object", "properties": {"order": {"type": "string"}}, "required": ["order"]},
    "timeout_s": PATIENCE_S,
}
_KINDS: dict[str, dict[str, Any]] = {
    "chat": {"worker": "agent-chat"},
    "messages": {"worker": "agent-chat", "engine": "messages"},
    "tool": {"worker": "agent-chat", "app_tools": [_PAY]},
    "tool, messages": {"worker": "agent-chat", "engine": "messages", "app_tools": [_PAY]},
    "permission": {
        "worker": "agent-task",
        "tools": ["Bash"],
        "permissions": {"mode": "ask", "timeout_s": PATIENCE_S},
    },
}
_WEIGHTS = (2, 4, 2, 3, 1)
_SCENARIO = Scenario(
    name="chaos",
    description="Words, calls of the tools that the request has, and words again.",
    steps=(
        Message(
            content=(
                Text(text="You said: ${prompt} ", words=25),
                ToolUse(name="mcp__app__pay", input={"order": "7"}, fit="valid"),
                ToolUse(name="Bash", input={"command": "touch paid", "description": "Pay"}, fit="valid"),
            ),
            delay_ms=30,
        ),
        Message(content=(Text(text="${result} It is paid. ", words=25),), delay_ms=30),
    ),
)


class Chaos:
    """Jobs of a fleet, and somebody who kills.

    Args:
        home: Where runs live.
        redis: The fleet's Redis.
        seed: What the random choices follow from.

    Attributes:
        outcomes: How the runs have ended.
        attempts: How many attempts they took.
        faults: What must not be.
    """

    def __init__(self, home: Home, redis: RedisServer, seed: int) -> None:
        self._random = Random(seed)
        self._redis = redis
        self._home = home
        self._at_once = asyncio.Semaphore(_AT_ONCE)
        self._moved = time.monotonic()
        self.killer = Killer(home, redis, seed)
        self.outcomes: Counter[str] = Counter()
        self.attempts: Counter[int] = Counter()
        self.faults: list[str] = []

    async def run(self, jobs: int) -> None:
        """Has so many jobs run while parts are killed, and looks at what is left."""
        async with Fleet.open(self._redis.url) as fleet:
            self.judge = Judge(self._redis, fleet.keys.prefix, fleet.keys.events)
            self.application = Application(fleet, Random(self._random.random()))
            killing = threading.Thread(target=self.killer.kill_on)
            killing.start()
            serving = asyncio.create_task(self.application.serve())
            try:
                each = [asyncio.create_task(self._one(fleet, *self._job())) for _ in range(jobs)]
                await self._all_of(each, killing)
            finally:
                self.killer.stop_killing()
                await asyncio.to_thread(killing.join, PATIENCE_S)
                await _end(serving)
        await asyncio.to_thread(self._at_rest)

    async def _all_of(self, each: list[asyncio.Task[None]], killing: threading.Thread) -> None:
        """Waits for all; they hang where none moves for long, even though nobody kills any more."""
        waiting: set[asyncio.Task[None]] = set(each)
        while waiting:
            done, waiting = await asyncio.wait(waiting, timeout=_LOOK_S)
            for task in done:
                task.result()
            still_s = time.monotonic() - self._moved
            if still_s > PATIENCE_S:
                self.killer.stop_killing()
            if not killing.is_alive():
                await asyncio.to_thread(self.killer.supervise)
            if still_s > 2 * PATIENCE_S:
                self.faults.append(f"{len(waiting)} hang: {sorted(task.get_name() for task in waiting)}")
                await _end(*waiting)
                return

    def _job(self) -> tuple[dict[str, Any], float | None]:
        """Returns a job, and after how many seconds it is aborted."""
        random = self._random
        run = str(UUID(int=random.getrandbits(128), version=4))
        kind = random.choices(list(_KINDS), _WEIGHTS)[0]
        attempts = random.choices((1, 3, 10), (1, 1, 4))[0]
        job = {**_KINDS[kind], "run": run, "prompt": f"canary-{run}", "attempts": attempts, "user": run}
        job |= {"tenant": random.choice(_TENANTS), "priority": random.randint(-2, 2)}
        if job["worker"] == "agent-task":
            job["cwd"] = str(self._home.root)
        return job, random.uniform(0, 6) if random.random() < 0.15 else None

    async def _one(self, fleet: Fleet, job: dict[str, Any], abort_s: float | None) -> None:
        run = job["run"]
        task = asyncio.current_task()
        assert task
        task.set_name(run)
        async with self._at_once:
            await insist(lambda: fleet.submit(parse_job(job, WORKERS)))
            readers = [
                Reader(fleet, run, answers=True),
                Reader(fleet, run, Random(self._random.random())),
            ]
            async with asyncio.TaskGroup() as tasks:
                for reader in readers:
                    tasks.create_task(reader.follow())
                if abort_s is not None:
                    tasks.create_task(self._abort(fleet, run, abort_s))
        self._moved = time.monotonic()
        entries = await insist(lambda: asyncio.to_thread(self.judge.entries, run))
        self.faults += [fault for reader in readers for fault in reader.faults]
        self.faults += [f"{run}: a reader saw something else" for reader in readers if reader.entries != entries]
        self.faults += await insist(lambda: asyncio.to_thread(self.judge.faults_of, run, job))
        state = await insist(lambda: asyncio.to_thread(self.judge.state, run))
        self.outcomes[state.get("code") or state["state"]] += 1
        self.attempts[int(state["attempt"])] += 1
        if state["state"] == "done" and f"canary-{run}".encode() not in b"".join(line for _, line in entries):
            self.faults.append(f"{run} was told something else")

    @staticmethod
    async def _abort(fleet: Fleet, run: str, after_s: float) -> None:
        await pause(after_s)
        with suppress(RunOver, NoSuchRun):
            await insist(lambda: fleet.abort(run))

    def _at_rest(self) -> None:
        self.faults += [f"{run} was paid {count} times" for run, count in self.application.effects.items() if count > 1]
        try:
            until(lambda: not self.judge.left(_TENANTS), within_s=20)
        except AssertionError:
            self.faults += [f"left: {name}" for name in self.judge.left(_TENANTS)]
        self.killer.stop()
        self.faults += self.killer.faults


async def _end(*tasks: asyncio.Task[None]) -> None:
    """Cancels tasks until they have ended: Python 3.11's ``wait_for``, which redis-py uses, may swallow that."""
    waiting = set(tasks)
    while waiting:
        for task in waiting:
            task.cancel()
        _, waiting = await asyncio.wait(waiting, timeout=_LOOK_S)


def chaos_over(home: Home, simulator: Simulator, redis: RedisServer, seed: int, jobs: int) -> Chaos:
    """Has so many jobs run over a fleet of four processes, which is stopped at the end."""
    simulator.play(_SCENARIO)
    chaos = Chaos(home, redis, seed)
    try:
        chaos.killer.wait_up()
        asyncio.run(chaos.run(jobs))
    finally:
        chaos.killer.kill_all()
    return chaos


def main() -> None:
    """Tells the figures of a run of it."""
    parser = ArgumentParser()
    parser.add_argument("--jobs", type=int, default=200)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--fsync", choices=("always", "everysec"), default="everysec")
    asked = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("stopped"))
    with (
        TemporaryDirectory() as folder,
        running_simulator() as simulator,
        home_at(Path(folder), simulator) as home,
        running_redis(Path(folder) / "redis", "--appendfsync", asked.fsync) as redis,
    ):
        began = time.monotonic()
        chaos = chaos_over(home, simulator, redis, asked.seed, asked.jobs)
        lines = [f"{asked.jobs} jobs in {time.monotonic() - began:.0f} s; seed {asked.seed}"]
        lines += [f"{name}: {dict(sorted(getattr(chaos, name).items()))}" for name in ("outcomes", "attempts")]
        lines += [f"kills: {dict(chaos.killer.kills)}"]
        application = chaos.application
        lines += [f"effects: {len(application.effects)}, answered from the record: {application.replays.total()}"]
        lines += [f"faults: {len(chaos.faults)}", *chaos.faults]
    sys.stdout.write("\n".join(lines) + "\n")


if __name__ == "__main__":
    main()
