"""Processes of a fleet, and somebody who kills them, their workers, the agents and Redis."""

import os
import signal
import threading
import time
from collections import Counter
from contextlib import suppress
from random import Random

from tests.e2e.worker import Home, command_of
from tests.fleet.redis_server import RedisServer
from tests.fleet.served import Working, processes_below
from tests.waiting import PATIENCE_S, until

LEASE_S = 2.0
_PROCESSES = 4
_KILLS = {
    "fleet": 3,
    "worker": 4,
    "cli": 3,
    "zombie": 3,
    "standstill": 2,
    "killed_redis": 2,
    "frozen_redis": 1,
    "drain": 3,
}


class Killer:
    """Kills at random moments, and starts anew what has ended, as a service manager does.

    Args:
        home: Where runs live.
        redis: The fleet's Redis.
        seed: What the random choices follow from.

    Attributes:
        kills: What was killed.
        faults: What must not be.
    """

    def __init__(self, home: Home, redis: RedisServer, seed: int) -> None:
        self._home = home
        self._redis = redis
        self._random = Random(seed)
        self._done = threading.Event()
        self._all: list[Working] = []
        self.kills: Counter[str] = Counter()
        self.faults: list[str] = []
        self._working = [self._start() for _ in range(_PROCESSES)]
        self._does = {name: getattr(self, f"_{name}") for name in _KILLS}

    def wait_up(self) -> None:
        """Waits until all take jobs."""
        for each in self._working:
            each.wait_up()

    def kill_on(self) -> None:
        """Kills until it is told to stop; then all is there."""
        try:
            while not self._done.is_set():
                self._pause(self._random.uniform(0.3, 1.5))
                what = self._random.choices(tuple(_KILLS), tuple(_KILLS.values()))[0]
                if self._does[what]():
                    self.kills[what] += 1
                self._supervise()
        finally:
            self._supervise()

    def stop_killing(self) -> None:
        """Lets live."""
        self._done.set()

    def supervise(self) -> None:
        """Starts anew what has ended."""
        self._supervise()

    def stop(self) -> None:
        """Ends the fleet, as its operator does."""
        self.wait_up()
        for each in self._working:
            each.send(signal.SIGTERM)
        for each in self._working:
            if (status := each.process.wait(PATIENCE_S)) != 0:
                self.faults.append(f"a process of the fleet ended with {status}: {each.log.read_text()[-2000:]}")
        for each in self._all:
            self.faults += failures(each.log.read_text())

    def kill_all(self) -> None:
        """Leaves nothing, whatever happened."""
        for each in self._all:
            if each.process.poll() is None:
                each.process.kill()
                each.process.wait(PATIENCE_S)

    def _start(self) -> Working:
        options = ("--queue", "default=2", "--lease-s", str(LEASE_S), "--grace-s", "1")
        self._all.append(Working(self._home, self._redis, *options))
        return self._all[-1]

    def _supervise(self) -> None:
        for number, each in enumerate(self._working):
            if each.process.poll() is not None:
                self._working[number] = self._start()

    def _one(self) -> Working:
        return self._random.choice(self._working)

    def _fleet(self) -> bool:
        self._end(self._one(), signal.SIGKILL)
        self._pause(self._random.uniform(0, 2))
        return True

    def _drain(self) -> bool:
        working = self._one()
        self._end(working, signal.SIGTERM)
        return True

    def _end(self, working: Working, number: signal.Signals) -> None:
        working.send(number)
        if number is signal.SIGKILL:
            working.process.wait(PATIENCE_S)
        else:  # its replacement starts at once, beside it
            self._working[self._working.index(working)] = self._start()

    def _worker(self) -> bool:
        return self._kill_one(children(self._one().process.pid))

    def _cli(self) -> bool:
        grown = [pid for child in children(self._one().process.pid) for pid in family(child)[1:]]
        return self._kill_one([pid for pid in grown if (words := command_of(pid)) and b"agent_workers" not in words])

    def _kill_one(self, pids: list[int]) -> bool:
        if pids:
            with suppress(ProcessLookupError):
                os.kill(self._random.choice(pids), signal.SIGKILL)
        return bool(pids)

    def _zombie(self) -> bool:
        """It stands still for longer than its lease; its workers go on."""
        return self._stand_still(self._one(), LEASE_S * self._random.uniform(1.2, 2.5))

    def _standstill(self) -> bool:
        return self._stand_still(self._one(), LEASE_S * self._random.uniform(0.2, 1.1))

    def _stand_still(self, working: Working, seconds: float) -> bool:
        working.send(signal.SIGSTOP)
        self._pause(seconds)
        working.send(signal.SIGCONT)
        return True

    def _killed_redis(self) -> bool:
        self._redis.kill()
        self._pause(self._random.uniform(0, 2 * LEASE_S))
        self._redis.start()
        return True

    def _frozen_redis(self) -> bool:
        os.kill(self._redis.pid, signal.SIGSTOP)
        self._pause(LEASE_S * self._random.uniform(0.5, 2))
        os.kill(self._redis.pid, signal.SIGCONT)
        return True

    def _pause(self, seconds: float) -> None:
        end = time.monotonic() + seconds
        until(lambda: time.monotonic() > end or self._done.is_set())


def failures(log: str) -> list[str]:
    """What has gone wrong in a process while it served; what Python says at its exit is none of it."""
    parts = log.partition("stops: what runs has")[0].split("agent-workers fleet: ")
    return [part[:500] + part[-2000:] for part in parts if "Traceback" in part]


def children(pid: int) -> list[int]:
    """The processes that a process has started; none of one that has ended."""
    try:
        return processes_below(pid)
    except OSError:
        return []


def family(pid: int) -> list[int]:
    """A process and all that it has started."""
    return [pid, *(each for child in children(pid) for each in family(child))]
