"""Part of ``make bench``: how many streams of a fleet's runs one pool of php-fpm relays, and what each costs.

    python -m tests.bench.fleet_relay

Redis, nginx, php-fpm and Laravel are real; runs are events that are written into their streams at a steady pace, so
that nothing else is measured. A delta's delay is from before it is written to when a reader has it: one that reads
Redis itself, and one behind the relay.
"""

import asyncio
import json
import os
import shutil
import subprocess
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path
from statistics import mean, quantiles
from typing import Any

import httpx
from redis.asyncio import Redis

from agent_workers.fleet.fleet import Fleet
from agent_workers.fleet.lines import line
from agent_workers.protocol.v1.job import parse_job
from agent_workers.simulator import running_simulator
from agent_workers.workers import WORKERS
from tests.laravel.fleet_site import FleetSite
from tests.laravel.site import REPOSITORY, command_of, parent_of, pids

STREAMS = [int(number) for number in os.environ.get("BENCH_STREAMS", "10,50,100").split(",")]
SECONDS = float(os.environ.get("BENCH_SECONDS", "10"))
A_SECOND = 5
"""Deltas of each run."""
_START = {"type": "start", "worker": "agent-chat", "worker_version": "0", "sdk_version": "0", "simulated": True}
_DONE = {"type": "done", "text": "", "stop_reason": "end_turn", "duration_ms": 1, "num_turns": 1}


class RelaySite(FleetSite):
    """The site with a pool that has a process for each stream."""

    def _fpm_conf(self) -> str:
        text = super()._fpm_conf().replace("STREAMS] = 20", "STREAMS] = 0")
        return text.replace("max_children = 24", f"max_children = {max(STREAMS) + 4}")

    def relays(self) -> list[int]:
        """The processes of the pool for streams."""
        master = int((self.root / "fpm.pid").read_text())
        found = (pid for pid in pids() if "pool streams" in command_of(pid))
        return [pid for pid in found if parent_of(pid) == master]

    def forget_requests(self) -> None:
        """Lets everybody ask as often as before."""
        for each in (self.app / "storage/framework/cache/data").glob("*"):
            shutil.rmtree(each) if each.is_dir() else None


@dataclass
class Found:
    """What was seen with so many streams, in milliseconds and MiB."""

    direct: list[float] = field(default_factory=list)
    relayed: list[float] = field(default_factory=list)
    children: int = 0
    pss: list[float] = field(default_factory=list)
    own: list[float] = field(default_factory=list)
    missing: int = 0


def main() -> None:
    """Measures and reports."""
    subprocess.run([REPOSITORY / "examples/laravel/setup.sh"], check=True, timeout=300)
    root = Path(tempfile.mkdtemp(prefix="relay-"))
    root.chmod(0o755)
    with running_simulator() as simulator:
        site = RelaySite(root, simulator.base_url)
        try:
            site.start()
            print(f"load before: {os.getloadavg()[0]:.0f} on {os.cpu_count()} processors")
            for count in STREAMS:
                site.forget_requests()
                report(count, asyncio.run(measured(site, count)))
        finally:
            site.stop()
            shutil.rmtree(root, ignore_errors=True)


def report(count: int, found: Found) -> None:
    """Prints what was seen."""
    for name, times in (("Redis", found.direct), ("relay", found.relayed)):
        cuts = quantiles(times, n=100)
        print(f"{count:4} streams, {name}: p50 {cuts[49]:6.1f} ms, p99 {cuts[98]:7.1f} ms ({len(times)} deltas)")
    memory = f"PSS {mean(found.pss):.1f} MiB each, of which {mean(found.own):.1f} MiB their own"
    print(f"{'':12} children {found.children}, {memory}, {found.missing} deltas missing")


async def measured(site: RelaySite, count: int) -> Found:
    """Has so many runs relayed, for some seconds."""
    found = Found()
    async with Fleet.open(site.redis.url) as fleet:
        runs = [f"{count}-{number}" for number in range(count)]
        for run in runs:
            await begin(fleet, run)
        limits = httpx.Limits(max_connections=count)
        base = f"http://127.0.0.1:{site.port}"
        async with httpx.AsyncClient(base_url=base, timeout=60, limits=limits, trust_env=False) as client:
            ready = asyncio.Semaphore(0)
            async with asyncio.TaskGroup() as tasks:
                # One after another: with pm = ondemand, php-fpm may let those wait that come in the same moment.
                for run in runs:
                    tasks.create_task(follow(client, run, ready, found.relayed))
                    await ready.acquire()
                for run in runs[:: max(1, count // 5)]:
                    tasks.create_task(read(fleet, run, found.direct))
                look_at(site, found)
                await write(fleet, runs)
    found.missing = count * round(SECONDS * A_SECOND) - len(found.relayed)
    return found


async def begin(fleet: Fleet, run: str) -> None:
    """Makes a run that a machine seems to have."""
    await fleet.submit(parse_job({"worker": "agent-chat", "prompt": "Hello", "run": run, "queue": "bench"}, WORKERS))
    await add(fleet.redis, fleet, run, 1, _START)
    redis: Any = fleet.redis
    await redis.hset(fleet.keys.job(run), mapping={"state": "running", "attempt": 1})


async def add(redis: Redis, fleet: Fleet, run: str, seq: int, body: dict[str, Any]) -> None:
    await redis.xadd(fleet.keys.events(run), {"event": line(run, body, seq)}, id=f"1-{seq}")


async def write(fleet: Fleet, runs: list[str]) -> None:
    """Writes to all runs at a steady pace, one after another; ends them."""
    redis: Any = fleet.redis
    total = round(SECONDS * A_SECOND)
    began = time.monotonic()
    for number in range(total):
        for at, run in enumerate(runs):
            due = began + (number + at / len(runs)) / A_SECOND
            await asyncio.sleep(max(0.0, due - time.monotonic()))
            body = {"type": "delta", "text": str(time.monotonic_ns()), "block": 1}
            await add(redis, fleet, run, number + 2, body)
    for run in runs:
        await add(redis, fleet, run, total + 2, _DONE)
        await redis.hset(fleet.keys.job(run), "state", "done")


async def follow(client: httpx.AsyncClient, run: str, ready: asyncio.Semaphore, delays: list[float]) -> None:
    """Reads a run as a page does."""
    async with client.stream("GET", f"/agent/runs/{run}/events") as response:
        response.raise_for_status()
        async for text in response.aiter_lines():
            if not text.startswith("data: "):
                continue
            kind = note(json.loads(text.removeprefix("data: ")), delays)
            if kind == "start":
                ready.release()


async def read(fleet: Fleet, run: str, delays: list[float]) -> None:
    """Reads a run from Redis."""
    async for entry in fleet.follow(run):
        note(entry.event, delays)


def note(event: dict[str, Any], delays: list[float]) -> str:
    if event.get("type") == "delta":
        delays.append((time.monotonic_ns() - int(event["text"])) / 1e6)
    return str(event.get("type"))


def look_at(site: RelaySite, found: Found) -> None:
    """Notes which processes there are, and their memory."""
    for pid in site.relays():
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()[1:]
        sizes = {name: int(rest.split()[0]) / 1024 for name, _, rest in (each.partition(":") for each in lines)}
        found.pss.append(sizes["Pss"])
        found.own.append(sizes["Private_Dirty"] + sizes["Private_Clean"])
    found.children = len(found.pss)


if __name__ == "__main__":
    main()
