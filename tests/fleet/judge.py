"""What holds for every run of a fleet that has come to rest, whatever was killed meanwhile."""

import json
from typing import Any

from redis import Redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from tests.e2e.stream import TERMINAL, Event, check_whole
from tests.fleet.redis_server import RedisServer
from tests.waiting import PATIENCE_S

_OF_ONE_QUEUE = ("running", "asking", "lanes", "later")


class Judge:
    """Looks at what a fleet has left in its Redis.

    Args:
        redis: The server.
        prefix: What the fleet's keys begin with.
        stream_of: Names the stream of a run.
    """

    def __init__(self, redis: RedisServer, prefix: str, stream_of: Any) -> None:
        self._redis = Redis.from_url(redis.url, retry=Retry(NoBackoff(), 0), socket_timeout=PATIENCE_S, protocol=2)
        self._prefix = prefix
        self._stream_of = stream_of

    def entries(self, run: str) -> list[tuple[str, bytes]]:
        """What any reader of a run must have: each event's id and line."""
        found: Any = self._redis.xrange(self._stream_of(run))
        return [(name.decode(), fields[b"event"]) for name, fields in found if b"event" in fields]

    def faults_of(self, run: str, job: dict[str, Any]) -> list[str]:
        """What is wrong with a run that has ended."""
        entries = self.entries(run)
        try:
            self._check(run, job, entries)
        except AssertionError as fault:
            told = "\n".join(f"  {name} {line[:160].decode()}" for name, line in [*entries[:3], *entries[-6:]])
            return [f"{run}: {fault}\n{told}\n  {self.state(run)}"]
        return []

    def _check(self, run: str, job: dict[str, Any], entries: list[tuple[str, bytes]]) -> None:
        events = [(*map(int, name.split("-")), json.loads(line)) for name, line in entries]
        ends = [number for number, (*_, event) in enumerate(events) if event["type"] in TERMINAL]
        assert ends == [len(events) - 1], f"terminal events at {ends} of {len(events)}"
        attempts: dict[int, list[Event]] = {}
        for attempt, seq, event in events:
            attempts.setdefault(attempt, []).append(event)
            assert (event["run"], event["seq"]) == (run, seq), f"{attempt}-{seq} is {event}"
            assert len(attempts[attempt]) == seq, f"before {attempt}-{seq} an event is missing"
        assert list(attempts) == sorted(attempts)
        for attempt, of_it in attempts.items():
            said = of_it[0].get("attempt", 1)
            assert of_it[0]["type"] != "start" or said == attempt, f"attempt {attempt} says that it is {said}"
        last = list(attempts.values())[-1]
        if last[0]["type"] == "start":
            check_whole(last)
        if job.get("attempts") == 1:
            assert len(attempts) == 1, "it may begin once"
        state = self.state(run)
        assert state["state"] == last[-1]["type"]
        assert state.get("code", "") == last[-1].get("code", "")
        assert max(1, int(state["attempt"])) >= max(attempts)

    def state(self, run: str) -> dict[str, str]:
        """What the fleet knows of a run."""
        found: Any = self._redis.hgetall(f"{self._stream_of(run)}:job")
        return {name.decode(): value.decode() for name, value in found.items() if name != b"job"}

    def left(self, tenants: list[str]) -> list[str]:
        """What is left of runs that have all ended, besides their events."""
        queue = f"{self._prefix}:queue:default"
        keys = [f"{queue}:{name}" for name in _OF_ONE_QUEUE]
        keys += [f"{self._prefix}:tenant:{tenant}:running" for tenant in tenants]
        keys += [f"{self._prefix}:expiring", *(key.decode() for key in self._redis.keys(f"{queue}:lane:*"))]
        found = [key for key in keys if self._redis.exists(key)]
        if entries := self._redis.xlen(f"{queue}:jobs"):
            found.append(f"{entries} entries of jobs")
        if pending := self._redis.xpending(f"{queue}:jobs", "workers")["pending"]:
            found.append(f"{pending} pending entries")
        return found
