"""Part of ``make bench``: what a fleet adds to a run of its own process, and what it takes.

    python -m tests.bench.fleet [latency rate recovery scripts memory]

Direct runs and runs of the fleet take turns against the same loopback API. Redis, the fleet and the reader are on this
machine. Read the differences, which are medians of those of each round.
"""

import asyncio
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import ExitStack, contextmanager
from functools import partial
from pathlib import Path
from statistics import median
from typing import Any, NamedTuple
from uuid import uuid4

import anyio

from agent_workers.client.aio import AsyncProcessRunner
from agent_workers.fleet.fleet import Fleet
from agent_workers.fleet.scripts import Ended, Held, Line
from agent_workers.protocol.v1.job import parse_job
from agent_workers.workers import WORKERS
from tests.bench.__main__ import p
from tests.bench.clocked_api import ClockedApi, clocked_api
from tests.fleet.redis_server import RedisServer, running_redis

ROUNDS = int(os.environ.get("BENCH_ROUNDS", "9"))
BIN = Path(sys.executable).parent
DELTAS, PAUSE_S = 100, 0.01
JOBS, RUNS, SLOTS = 40, 20, 16
EVENTS = 500
LEASE_S = 3
ENVIRON: dict[str, str] = {}
CHAT: dict[str, Any] = {"worker": "agent-chat", "prompt": "Say something."}
MESSAGES = {**CHAT, "engine": "messages"}


class Took(NamedTuple):
    """A run: seconds to its first delta, and of each from the API to the reader."""

    first: float
    each: list[float]


async def timed(events: AsyncIterator[dict[str, Any]], began: float) -> Took:
    """Reads a run's events; each delta says when it was sent."""
    first, each = 0.0, []
    async for event in events:
        if event["type"] == "delta":
            now = time.monotonic_ns()
            first = first or time.monotonic() - began
            each += [(now - int(sent)) / 1e9 for sent in event["text"].split()]
        elif event["type"] in {"error", "aborted"}:
            raise SystemExit(f"a run failed: {event}")
    return Took(first, each)


async def direct(_: Fleet, job: dict[str, Any]) -> Took:
    """Runs a request in a worker of its own, as this process's child."""
    runner = AsyncProcessRunner("agent-chat", env=ENVIRON)
    began = time.monotonic()
    async with runner.stream({name: value for name, value in job.items() if name != "worker"}) as run:
        return await timed(aiter(run), began)


async def by_fleet(fleet: Fleet, job: dict[str, Any]) -> Took:
    """Submits a job, and follows its run."""

    async def events(run: str) -> AsyncIterator[dict[str, Any]]:
        async for entry in fleet.follow(run):
            yield entry.event

    began = time.monotonic()
    return await timed(events(await submit(fleet, job)), began)


async def submit(fleet: Fleet, job: dict[str, Any]) -> str:
    """Submits a job; returns its run."""
    return (await fleet.submit(parse_job({**job, "run": str(uuid4())}, WORKERS))).run


async def end_of(fleet: Fleet, run: str) -> None:
    """Follows a run to its end."""
    async for _ in fleet.follow(run):
        pass


@contextmanager
def working(redis: RedisServer, *options: str, log: Path) -> Iterator[subprocess.Popen[bytes]]:
    """A process of the fleet, which is up."""
    command = [str(BIN / "agent-workers"), "fleet", "work", "--redis", redis.url, *options]
    with log.open("wb") as stderr, subprocess.Popen(command, env=ENVIRON, stderr=stderr) as process:
        try:
            while b"takes jobs" not in log.read_bytes():
                time.sleep(0.02)
            yield process
        finally:
            process.terminate()


async def latency(fleet: Fleet, redis: RedisServer, api: ClockedApi, folder: Path) -> None:
    """Prints what the fleet adds, on both engines."""
    api.deltas, api.pause_s = DELTAS, PAUSE_S
    print(f"{'':12}{'first delta':>14}{'by the fleet':>14}{'added':>10}{'begun after':>13}", end="")
    print(f"{'each delta p50':>17}{'p99':>10}{'added p50':>12}{'p99':>10}")
    with working(redis, log=folder / "latency"):
        for name, job in (("messages", MESSAGES), ("agent", CHAT)):
            pairs = []
            for number in range(ROUNDS + 1):
                pair = await direct(fleet, job), await by_fleet(fleet, job)
                if number:
                    pairs.append(pair)
                print(f"{name}: round {number} of {ROUNDS}", file=sys.stderr, flush=True)
            begun = [await _begun_after(fleet) for _ in range(ROUNDS)]
            _report_latency(name, pairs, begun)
    print("aim: 15 ms added to the first delta, 2 ms to each (p50)", flush=True)


async def _begun_after(fleet: Fleet) -> float:
    """Milliseconds from the submission of a job to its beginning, by the clock of Redis."""
    run = await submit(fleet, MESSAGES)
    await end_of(fleet, run)
    found: Any = await fleet.redis.hmget(fleet.keys.job(run), "submitted", "begun")
    return float(int(found[1]) - int(found[0]))


def _report_latency(name: str, pairs: list[tuple[Took, Took]], begun: list[float]) -> None:
    firsts = [median(each[way].first for each in pairs) * 1000 for way in (0, 1)]
    added = median(theirs.first - ours.first for ours, theirs in pairs) * 1000
    each = [[seconds * 1000 for pair in pairs for seconds in pair[way].each] for way in (0, 1)]
    print(f"{name:12}{firsts[0]:11.0f} ms{firsts[1]:11.0f} ms{added:7.0f} ms{median(begun):10.0f} ms", end="")
    print(f"{p(each[0], 50):14.2f} ms{p(each[0], 99):7.2f} ms", end="")
    print(f"{p(each[1], 50) - p(each[0], 50):9.2f} ms{p(each[1], 99) - p(each[0], 99):7.2f} ms", flush=True)


class Recorded(NamedTuple):
    """A run that was recorded.

    Attributes:
        size: Bytes of its events.
        worker: The option that has it stand in for the worker.
    """

    size: int
    worker: str


async def recorded(api: ClockedApi, folder: Path) -> Recorded:
    """Records a run of ``EVENTS`` events."""
    api.deltas, api.pause_s = EVENTS - 3, 0.002  # beside start, session and done
    runner = AsyncProcessRunner("agent-chat", env=ENVIRON)
    async with runner.stream({"prompt": "Say something.", "engine": "messages"}) as run:
        data = b"".join([run.line + b"\n" async for _ in run])
    path = anyio.Path(folder / "run.ndjson")
    await path.write_bytes(data)
    return Recorded(len(data), f"agent-chat={BIN / 'agent-workers'} replay --speed max {path}")


async def rate(fleet: Fleet, redis: RedisServer, recording: Recorded, folder: Path) -> None:
    """Prints the jobs a second where a recording stands in for the worker."""
    print(f"\njobs a second, each a process that plays {EVENTS} events; two slots a process of the fleet")
    for count in (1, 2, 4):
        with ExitStack() as processes:
            for number in range(count):
                options = ("--queue", "default=2", "--worker", recording.worker)
                processes.enter_context(working(redis, *options, log=folder / f"rate{number}"))
            began = time.monotonic()
            runs = [await submit(fleet, CHAT) for _ in range(JOBS)]
            submitted = JOBS / (time.monotonic() - began)
            await asyncio.gather(*(end_of(fleet, run) for run in runs))
            jobs = JOBS / (time.monotonic() - began)
        print(f"{count} processes: {jobs:6.1f} jobs a second, {jobs * EVENTS:8.0f} events a second;", end="")
        print(f" submitted at {submitted:.0f} a second", flush=True)


async def recovery(fleet: Fleet, redis: RedisServer, api: ClockedApi, folder: Path) -> None:
    """Prints how long after kill -9 of a process of the fleet its run begins again on another."""
    api.deltas, api.pause_s = 100_000, 0.05
    fenced, took = [], []
    for number in range(3):
        with working(redis, "--lease-s", str(LEASE_S), log=folder / f"lost{number}") as lost:
            run = await submit(fleet, MESSAGES)
            await _first(fleet, run, lambda event: event["type"] == "delta")
            with working(redis, "--lease-s", str(LEASE_S), log=folder / f"heir{number}"):
                lost.send_signal(signal.SIGKILL)
                began = time.monotonic()
                await fleet.redis.xread({fleet.keys.events(run): "1-18446744073709551615"}, block=60_000)
                fenced.append(time.monotonic() - began)
                await _first(fleet, run, lambda event: event.get("attempt") == 2)
                took.append(time.monotonic() - began)
                await fleet.abort(run)
                await end_of(fleet, run)
    print(
        f"\nafter kill -9 a run begins again within {median(took):.1f} s ({', '.join(f'{s:.1f}' for s in took)})",
        end="",
    )
    print(f" at a lease of {LEASE_S} s; aim: {LEASE_S + 1} s", flush=True)


async def _first(fleet: Fleet, run: str, is_it: Callable[[dict[str, Any]], bool]) -> None:
    async for entry in fleet.follow(run):
        if is_it(entry.event):
            return


async def memory(fleet: Fleet, redis: RedisServer, recording: Recorded, folder: Path) -> None:
    """Prints what runs take in Redis, and what processes of the fleet take."""
    with working(redis, "--queue", "default=2", "--worker", recording.worker, log=folder / "memory"):
        await end_of(fleet, await submit(fleet, CHAT))
        before = (await fleet.redis.info("memory"))["used_memory"]
        runs = [await submit(fleet, CHAT) for _ in range(RUNS)]
        await asyncio.gather(*(end_of(fleet, run) for run in runs))
        after = (await fleet.redis.info("memory"))["used_memory"]
    stream = await fleet.redis.memory_usage(fleet.keys.events(runs[-1]), samples=0)
    job = await fleet.redis.memory_usage(fleet.keys.job(runs[-1]), samples=0)
    print(
        f"\na run of {EVENTS} events, {recording.size / 1024:.0f} KiB: its stream takes {stream / 1024:.0f} KiB", end=""
    )
    print(f" and its job {job / 1024:.1f} KiB in Redis; by used_memory {(after - before) / RUNS / 1024:.0f} KiB a run")
    sizes = {}
    for slots in (1, 1 + SLOTS):
        with working(redis, "--queue", f"default={slots}", log=folder / f"slots{slots}") as process:
            await asyncio.sleep(2)
            sizes[slots] = _resident_mib(process.pid)
    each = (sizes[1 + SLOTS] - sizes[1]) / SLOTS
    print(f"an idle process of the fleet: {sizes[1]:.0f} MiB with one slot, {each:.2f} MiB more for each further one")


async def scripts(fleet: Fleet, *_: object) -> None:
    """Prints how long the rules keep Redis busy."""
    print(f"\n{'Redis is busy for':24}{'submit':>10}{'begin':>10}{'an event':>10}{'the end':>10}   of a job")
    for waiting in (0, 1_000):
        for number in range(waiting):
            await submit(fleet, {**CHAT, "queue": f"of-{waiting}", "tenant": f"tenant-{number}"})
        keep = partial(fleet.scripts.keep, f"of-{waiting}", 600_000, ["bench/1"], [])
        await keep()
        took = [await _life(fleet, f"of-{waiting}") for _ in range(200)]
        shown = "".join(f"{median(each) * 1e6:7.0f} us" for each in zip(*took, strict=True))
        print(f"{waiting} tenants wait".ljust(24) + shown, flush=True)


async def _life(fleet: Fleet, queue: str) -> list[float]:
    """Has a job pass through, of a tenant that goes to the end of the others; returns the seconds of each script."""
    took = [await _busy(fleet, lambda: submit(fleet, {**CHAT, "queue": queue, "tenant": "bench"}))]
    [(entry, fields)] = await fleet.redis.xrange(fleet.keys.jobs(queue), count=1)
    held = Held(fields[b"run"].decode(), entry.decode(), "bench/1")
    took.append(await _busy(fleet, lambda: fleet.scripts.begin(queue, held, "bench")))
    event, end = Line(1, b'{"type":"delta","text":"' + b"x" * 120 + b'"}'), Line(2, b'{"type":"done"}')
    write = partial(fleet.scripts.write, held, 1, fields={})
    took.append(await _busy(fleet, lambda: write([event], last=0)))
    took.append(await _busy(fleet, lambda: write([end], last=1, ended=Ended("done"))))
    return took


async def _busy(fleet: Fleet, ask: Callable[[], Awaitable[object]]) -> float:
    """Seconds that a script takes in Redis, by its own count."""
    await fleet.redis.config_resetstat()
    await ask()
    stats: Any = await fleet.redis.info("commandstats")
    return float(stats["cmdstat_evalsha"]["usec"]) / 1e6


def _resident_mib(pid: int) -> float:
    status = Path(f"/proc/{pid}/status").read_text()
    return next(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmRSS")) / 1024


async def measure(redis: RedisServer, api: ClockedApi, folder: Path, parts: list[str]) -> None:
    """Measures and reports."""
    async with Fleet.open(redis.url) as fleet:
        recording = await recorded(api, folder)
        does: dict[str, Callable[[], Awaitable[None]]] = {
            "latency": lambda: latency(fleet, redis, api, folder),
            "rate": lambda: rate(fleet, redis, recording, folder),
            "recovery": lambda: recovery(fleet, redis, api, folder),
            "scripts": lambda: scripts(fleet),
            "memory": lambda: memory(fleet, redis, recording, folder),
        }
        for part in parts or does:
            await does[part]()


def main() -> None:
    """Measures and reports."""
    with (
        clocked_api() as api,
        tempfile.TemporaryDirectory() as folder,
        running_redis(Path(folder) / "redis", "--appendfsync", "everysec") as redis,
    ):
        ENVIRON.update({"PATH": os.environ["PATH"], "HOME": folder, "TMPDIR": folder, "ANTHROPIC_API_KEY": "dummy"})
        ENVIRON.update({"ANTHROPIC_BASE_URL": api.base_url, "CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC": "1"})
        asyncio.run(measure(redis, api, Path(folder), sys.argv[1:]))


if __name__ == "__main__":
    main()
