"""Part of ``make bench``: how many streams one gateway carries, and what each of them costs.

    BENCH_READERS=1000,10000 BENCH_RUNS=20 BENCH_RATE=1 python -m tests.bench.gateway

The gateway is a process of its own, each run is a recording that ``agent-workers replay`` plays in a worker process,
and the readers are in this process. They share the runs evenly. A delta's delay is from its ``ts``, when its worker
wrote it, to when a reader has it. Each stream is checked: whole, in order, up to its terminal event.

Then the same on a fleet, for BENCH_RELAYED streams, as ``tests.bench.fleet_relay`` has it: each of a run of its own,
whose events are written into Redis five times a second.
"""

import asyncio
import json
import os
import resource
import shutil
import sys
import tempfile
import time
from array import array
from datetime import UTC, datetime, timedelta
from pathlib import Path
from statistics import quantiles
from typing import Any

from agent_workers.fleet.fleet import Fleet
from tests.bench import fleet_relay
from tests.fleet.redis_server import RedisServer, running_redis
from tests.gateway.served import AUDIENCE, SCRIPTS, Served

STREAMS = [int(number) for number in os.environ.get("BENCH_READERS", "100,1000").split(",") if number]
RELAYED = [int(number) for number in os.environ.get("BENCH_RELAYED", "10,50,100").split(",") if number]
RUNS = int(os.environ.get("BENCH_RUNS", "20"))
RATE = float(os.environ.get("BENCH_RATE", "2"))
"""Deltas of a run each second."""
SECONDS = float(os.environ.get("BENCH_SECONDS", "15"))
AT_ONCE = 100
"""Connections that are opened at once."""
_WORD = "Some words of an answer. "


class Reader(asyncio.Protocol):
    """One stream: counts its events, and notes how late its deltas are."""

    def __init__(self, request: bytes, delays: "array[float]", ready: asyncio.Semaphore) -> None:
        self.is_whole = False
        self.over: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._request = request
        self._delays = delays
        self._ready = ready
        self._rest = b""
        self._seq = 0
        self._is_open = False

    def connection_made(self, transport: Any) -> None:
        transport.write(self._request)

    def data_received(self, data: bytes) -> None:
        now = time.time()
        *frames, self._rest = (self._rest + data).split(b"\n\n")
        for frame in frames:
            _, found, line = frame.partition(b"\ndata: ")
            if found and line.startswith(b'{"v":1'):
                self._note(json.loads(line), now)
        if not self._is_open and self._seq:
            self._is_open = True
            self._ready.release()

    def _note(self, event: dict[str, Any], now: float) -> None:
        assert event["seq"] == self._seq + 1, (event["seq"], self._seq)
        self._seq += 1
        if event["type"] == "delta":
            self._delays.append((now - datetime.fromisoformat(event["ts"]).timestamp()) * 1000)
        if event["type"] == "done":
            self.is_whole = True
            self.over.set_result(None)

    def connection_lost(self, exc: Exception | None) -> None:
        if not self.over.done():
            self.over.set_result(None)


def main() -> None:
    """Measures and reports."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    print(
        f"load before: {os.getloadavg()[0]:.1f} on {os.cpu_count()} processors; {RUNS} runs, {RATE:g} deltas a second"
    )
    for count in STREAMS:
        folder = Path(tempfile.mkdtemp(prefix="gateway-bench-"))
        lead_s = 8 + RUNS / 4 + count / 400
        (folder / "run.ndjson").write_bytes(recording(lead_s))
        served = Served(folder, settings(folder / "run.ndjson"))
        try:
            asyncio.run(measured(served, count))
        finally:
            served.stop()
            shutil.rmtree(folder)
    for count in RELAYED:
        with tempfile.TemporaryDirectory(prefix="gateway-bench-") as name, running_redis(Path(name, "redis")) as redis:
            served = Served(Path(name), f'redis = "{redis.url}"\n{settings(Path(name))}')
            try:
                asyncio.run(relayed(served, redis, count))
            finally:
                served.stop()


async def relayed(served: Served, redis: RedisServer, count: int) -> None:
    """Has each of so many runs of a fleet followed by one reader, and reports."""
    async with Fleet.open(redis.url) as fleet:
        runs = [f"{count}-{number}" for number in range(count)]
        store: Any = fleet.redis
        for run in runs:
            await fleet_relay.begin(fleet, run)
            await store.hset(fleet.keys.job(run), "user", "7")
        before = memory(served.process.pid)
        delays: array[float] = array("d")
        readers = await opened(served, runs, count, delays)
        size = (memory(served.process.pid) - before) / count
        connections = len(redis.client.client_list())
        used = processor_s(served.process.pid)
        await fleet_relay.write(fleet, runs)
        await asyncio.gather(*(reader.over for reader in readers))
        used = processor_s(served.process.pid) - used
    report(count, sum(reader.is_whole for reader in readers), delays)
    print(f"{'':15} each of a run of the fleet; {size:.1f} KiB a stream, {connections} connections to Redis")
    print(f"{'':15} {used:.1f} s of a processor for {fleet_relay.SECONDS:g} s")


def settings(file: Path) -> str:
    """Returns settings whose worker plays the recording, and whose limits let everybody in."""
    limits = {"max_runs": RUNS, "runs_per_user": RUNS, "streams_per_user": 100_000, "streams_per_address": 100_000}
    limits |= {"max_streams": 100_000, "max_connections": 100_000, "heartbeat_s": 600}
    lines = "\n".join(f"{name} = {value}" for name, value in limits.items())
    command = json.dumps([str(SCRIPTS / "agent-workers"), "replay", str(file)])
    key = '[key.main]\nalgorithm = "HS256"\nvariable = "TOKEN_KEY"\n'
    return f'audience = "{AUDIENCE}"\n[workers]\nagent-chat = {command}\n{key}[preset.chat]\n[limits]\n{lines}\n'


def recording(lead_s: float) -> bytes:
    """Returns a run that says nothing for a while, and then a word now and then."""
    began = datetime.now(UTC)
    about = {"worker": "agent-chat", "worker_version": "0", "sdk_version": "0", "simulated": True}
    count = round(SECONDS * RATE)
    bodies: list[tuple[float, dict[str, Any]]] = [(0, {"type": "start", **about})]
    bodies += [(lead_s + number / RATE, {"type": "delta", "text": _WORD, "block": 1}) for number in range(count)]
    end = {
        "stop_reason": "end_turn",
        "text": _WORD * count,
        "session_id": "s",
        "usage": {},
        "duration_ms": 1,
        "turns": 1,
    }
    bodies.append((lead_s + SECONDS, {"type": "done", **end}))
    lines = []
    for seq, (at, body) in enumerate(bodies, 1):
        ts = (began + timedelta(seconds=at)).isoformat(timespec="milliseconds").replace("+00:00", "Z")
        lines.append(json.dumps({"v": 1, "seq": seq, "run": "recorded", "ts": ts, **body}) + "\n")
    return "".join(lines).encode()


async def measured(served: Served, count: int) -> None:
    """Has so many readers follow the runs, and reports."""
    token = served.token()
    before = memory(served.process.pid)
    runs = [
        served.post("/v1/runs", {"prompt": "Hello"}, token, Accept="application/json").json["run"] for _ in range(RUNS)
    ]
    delays: array[float] = array("d")
    began = time.monotonic()
    readers = await opened(served, runs, count, delays)
    opened_s, early = time.monotonic() - began, len(delays)
    held = memory(served.process.pid)
    used = processor_s(served.process.pid)
    await asyncio.gather(*(reader.over for reader in readers))
    used = processor_s(served.process.pid) - used
    whole = sum(reader.is_whole for reader in readers)
    report(count, whole, delays)
    size = (held - before) / count
    print(f"{'':15} {size:.1f} KiB a stream; opened in {opened_s:.1f} s; {used:.1f} s of a processor for {SECONDS:g} s")
    if early:
        print(f"{'':15} {early} deltas came before all streams were open", file=sys.stderr)


async def opened(served: Served, runs: list[str], count: int, delays: "array[float]") -> list[Reader]:
    """Opens so many streams, of these runs in turn; returns their readers when each has had an event."""
    ready, opening = asyncio.Semaphore(0), asyncio.Semaphore(AT_ONCE)
    token = served.token()
    readers: list[Reader] = []

    async def follow(number: int) -> None:
        async with opening:
            reader = Reader(request_of(served, runs[number % len(runs)], token), delays, ready)
            readers.append(reader)
            await asyncio.get_running_loop().create_connection(lambda: reader, "127.0.0.1", served.port)

    await asyncio.gather(*(follow(number) for number in range(count)))
    for _ in range(count):
        await ready.acquire()
    return readers


def request_of(served: Served, run: str, token: str) -> bytes:
    head = f"GET /v1/runs/{run}/events HTTP/1.0\r\nHost: 127.0.0.1:{served.port}\r\nAuthorization: Bearer {token}\r\n"
    return f"{head}Accept: text/event-stream\r\n\r\n".encode()


def report(count: int, whole: int, delays: "array[float]") -> None:
    """Prints what was seen."""
    cuts = quantiles(delays, n=100)
    late = f"p50 {cuts[49]:.1f} ms, p99 {cuts[98]:.1f} ms, worst {max(delays):.0f} ms"
    print(f"{count:6} streams: {whole} whole and in order; {late} ({len(delays)} deltas)")


def memory(pid: int) -> int:
    """Resident memory of a process, in KiB."""
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmRSS"))


def processor_s(pid: int) -> float:
    """Seconds of a processor that a process has had."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


if __name__ == "__main__":
    main()
