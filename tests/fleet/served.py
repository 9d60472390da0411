"""A fleet as its operators and users have it: processes that work, and whoever submits and follows."""

import asyncio
import json
import os
import signal
import subprocess
from collections.abc import Callable, Coroutine, Mapping
from pathlib import Path
from typing import Any, TypeVar

from agent_workers.fleet.events import Entry
from agent_workers.fleet.fleet import Fleet, Submitted
from agent_workers.fleet.status import RunStatus
from agent_workers.protocol.v1.job import parse_job
from agent_workers.workers import WORKERS
from tests.e2e.stream import TERMINAL, Event, check_whole
from tests.e2e.worker import SCRIPTS, Home
from tests.fleet.redis_server import RedisServer
from tests.waiting import PATIENCE_S, until

T = TypeVar("T")
CHAT = {"worker": "agent-chat", "prompt": "Hello"}


class Working:
    """A process of the fleet.

    Args:
        home: Where its runs live.
        redis: The fleet's Redis.
        options: Of its command line.
    """

    def __init__(self, home: Home, redis: RedisServer, *options: str, env: Mapping[str, str] | None = None) -> None:
        self.log = home.root / f"fleet-{os.urandom(4).hex()}.log"
        command = [str(SCRIPTS / "agent-workers"), "fleet", "work", "--redis", redis.url, *options]
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                command, env={**home.environ, **(env or {})}, stdin=subprocess.DEVNULL, stdout=log, stderr=log
            )

    def wait_up(self) -> "Working":
        """Waits until it takes jobs."""
        until(lambda: "takes jobs" in self.log.read_text(), what=self.log.read_text)
        return self

    def send(self, number: signal.Signals) -> None:
        self.process.send_signal(number)

    def stop(self, number: signal.Signals = signal.SIGTERM) -> int:
        """Ends it; returns its exit status."""
        self.process.send_signal(signal.SIGCONT)
        self.process.send_signal(number)
        return self.process.wait(timeout=PATIENCE_S)


class User:
    """Submits jobs and follows runs."""

    def __init__(self, redis: RedisServer) -> None:
        self.redis = redis

    def submit(self, job: dict[str, Any]) -> Submitted:
        return self._with(lambda fleet: fleet.submit(parse_job(job, WORKERS)))

    def status(self, run: str) -> RunStatus | None:
        return self._with(lambda fleet: fleet.status(run))

    def send(self, run: str, message: dict[str, Any]) -> str:
        return self._with(lambda fleet: fleet.send(run, message))

    def abort(self, run: str) -> None:
        self._with(lambda fleet: fleet.abort(run))

    def follow(self, run: str, after: str = "0-0", until_: Callable[[Event], bool] | None = None) -> list[Entry]:
        """Follows a run to its end, or to an event."""

        async def follow(fleet: Fleet) -> list[Entry]:
            entries = []
            async for entry in fleet.follow(run, after):
                entries.append(entry)
                if until_ and until_(entry.event):
                    break
            return entries

        return self._with(follow)

    def wait_for(self, run: str, kind: str) -> Event:
        return self.follow(run, until_=lambda event: event["type"] == kind)[-1].event

    def run(self, job: dict[str, Any]) -> list[Event]:
        """Has a job run; returns its events."""
        return [entry.event for entry in self.follow(self.submit(job).run)]

    def entries(self, run: str) -> list[tuple[str, Event]]:
        """Returns the events that a run's stream has."""
        found: Any = self.redis.client.xrange(f"agent-workers:run:{{{run}}}")
        return [(name.decode(), json.loads(fields[b"event"])) for name, fields in found if b"event" in fields]

    def check(self, run: str) -> list[Event]:
        """Checks a run that has ended; returns its last attempt."""
        entries = self.entries(run)
        events = [event for _, event in entries]
        assert [event["type"] for event in events if event["type"] in TERMINAL] == [events[-1]["type"]]
        attempts: dict[int, list[Event]] = {}
        for name, event in entries:
            attempt, seq = map(int, name.split("-"))
            assert seq == event["seq"]
            attempts.setdefault(attempt, []).append(event)
        assert list(attempts) == sorted(attempts)
        last = list(attempts.values())[-1]
        if last[0]["type"] == "start":
            check_whole(last)
        return last

    def _with(self, ask: Callable[[Fleet], Coroutine[Any, Any, T]]) -> T:
        async def main() -> T:
            async with Fleet.open(self.redis.url) as fleet, asyncio.timeout(PATIENCE_S):
                return await ask(fleet)

        return asyncio.run(main())


def processes_below(pid: int) -> list[int]:
    """Returns the processes that a process has started."""
    tasks = Path(f"/proc/{pid}/task")
    return [int(child) for task in tasks.iterdir() for child in (task / "children").read_text().split()]
