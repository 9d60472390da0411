"""Part of ``make bench``: a pool beside agent-chat that is started for each request, the raw CLI and the script.

    python -m tests.bench.pool

All take turns against the same loopback API. Read the ratios, which are medians of those of each round.
"""

import json
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from typing import NamedTuple

from tests.bench.__main__ import contenders, ratio
from tests.bench.clocked_api import clocked_api

ROUNDS = int(os.environ.get("BENCH_ROUNDS", "9"))
AT_ONCE = (2, 8, 32)
BIN = Path(sys.executable).parent
ROOT = Path(__file__).parents[2]
DELTAS = 20
PROMPT = "Say something."
_HELLO = b'{"pool": 1, "worker": "agent-chat", "control": true}\n'
_TICK = os.sysconf("SC_CLK_TCK")
# What Laravel does for each request, without the start of PHP itself.
_PHP = """<?php
require $argv[1];
use AgentWorkers\\PoolRunner;
use AgentWorkers\\ProcessRunner;
use AgentWorkers\\Request;
$runner = new PoolRunner($argv[2], 'agent-chat', new ProcessRunner($argv[3]));
while (($session = fgets(STDIN)) !== false) {
    $began = hrtime(true);
    $request = Request::prompt('Say something.');
    $session = trim($session);
    $run = $runner->stream($session === '' ? $request : $request->session(resume: $session));
    $first = null;
    foreach ($run as $event) {
        if ($first === null && $event instanceof AgentWorkers\\Event\\Delta) {
            $first = (hrtime(true) - $began) / 1e9;
        }
        $last = $event;
    }
    echo json_encode([$first, $last->sessionId]), "\\n";
}
"""


class Took(NamedTuple):
    """A run: seconds to its first delta, and its session."""

    first: float
    session: str


@dataclass
class Way:
    """A way to run a request.

    Attributes:
        name: For the table.
        run: Runs one, of the conversation of an earlier one where that is given.
        is_live: Whether each run goes on with the conversation of the one before.
        first: Seconds to the first delta, a round each.
        cpu: Seconds of processor of one run, of all processes, a round each.
    """

    name: str
    run: Callable[[str | None], Took]
    is_live: bool = False
    session: str | None = None
    first: list[float] = field(default_factory=list)
    cpu: list[float] = field(default_factory=list)


def over_socket(path: Path) -> Callable[[str | None], Took]:
    """A client that speaks the pool's protocol itself, as PHP's does."""

    def run(session: str | None) -> Took:
        began = time.monotonic()
        with socket.socket(socket.AF_UNIX) as connection:
            connection.connect(str(path))
            connection.sendall(_HELLO + _request(session) + b"\n")
            with connection.makefile("rb") as lines:
                return _read(lines, began)

    return run


def over_command(*command: str) -> Callable[[str | None], Took]:
    """A process for each run."""

    def run(session: str | None) -> Took:
        began = time.monotonic()
        process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, env=ENVIRON
        )
        process.stdin.write(_request(session))
        process.stdin.close()
        took = _read(process.stdout, began)
        process.wait(60)
        return took

    return run


def over_php(process: subprocess.Popen) -> Callable[[str | None], Took]:
    """The bridge's client, in a PHP that is up, as php-fpm's are."""

    def run(session: str | None) -> Took:
        process.stdin.write(f"{session or ''}\n")
        process.stdin.flush()
        return Took(*json.loads(process.stdout.readline()))

    return run


def over_contender(name: str) -> Callable[[str | None], Took]:
    """One of those of the main benchmark, which tells of no session."""
    contender = next(each for each in contenders() if each.name == name)

    def run(session: str | None) -> Took:
        began = time.monotonic()
        process = subprocess.Popen(
            contender.argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, env=ENVIRON
        )
        process.stdin.write(contender.stdin)
        process.stdin.close()
        first = 0.0
        for line in process.stdout:
            if not first and contender.delta(json.loads(line)):
                first = time.monotonic() - began
        process.wait(60)
        return Took(first, "")

    return run


def _request(session: str | None) -> bytes:
    return json.dumps({"prompt": PROMPT} | ({"session": {"resume": session}} if session else {})).encode()


def _read(lines: Iterator[bytes], began: float) -> Took:
    first, session = 0.0, ""
    for line in lines:
        event = json.loads(line)
        if not first and event.get("type") == "delta":
            first = time.monotonic() - began
        elif event.get("type") == "done":
            session = event["session_id"]
        elif event.get("type") == "error":
            raise SystemExit(f"a run failed: {event}")
    return Took(first, session)


@contextmanager
def served(home: Path, name: str, *options: str) -> Iterator[Path]:
    """A pool."""
    path, config = home / f"{name}.sock", home / f"{name}.toml"
    config.write_text("queue_s = 300.0\n[pool.default]\n", "utf-8")
    command = [str(BIN / "agent-workers"), "pool", "--socket", str(path), "--config", str(config), *options]
    with (home / f"{name}.log").open("wb") as log, subprocess.Popen(command, env=ENVIRON, stderr=log) as process:
        try:
            while not path.exists():
                time.sleep(0.05)
            yield path
        finally:
            process.terminate()


def status(path: Path) -> dict:
    """What a pool tells of itself."""
    with socket.socket(socket.AF_UNIX) as connection:
        connection.connect(str(path))
        connection.sendall(b'{"pool": 1, "status": true}\n')
        return json.loads(connection.makefile("rb").readline())["pools"]["default"]


def settled(path: Path, idle: int) -> dict:
    """Waits until so many agents wait, and have done nothing for a moment; returns the status."""
    while True:
        found = status(path)
        waiting = [each for each in found["processes"] if each["state"] == "idle" and each["for_s"] > 1.5]
        if len(waiting) >= idle and not found["busy"]:
            return found
        time.sleep(0.1)


def spent() -> float:
    """Seconds of processor of all processes of this benchmark but for itself, with those that have ended."""
    mark = f"\0HOME={ENVIRON['HOME']}\0".encode()
    total = 0
    for process in Path("/proc").glob("[0-9]*"):
        try:
            if mark in b"\0" + (process / "environ").read_bytes():
                times = (process / "stat").read_text().rpartition(") ")[2].split()[11:15]
                total += sum(map(int, times))
        except OSError:
            continue
    return total / _TICK + sum(os.times()[2:4])


def measure(ways: list[Way], pause: Callable[[], None]) -> None:
    """Has all take turns; before each, the pools are as they are when nobody has asked for a while."""
    for number in range(ROUNDS + 1):
        for way in ways:
            pause()
            before = spent()
            took = way.run(way.session if way.is_live else None)
            way.session = took.session
            pause()
            if number:
                way.first.append(took.first)
                way.cpu.append(spent() - before)
        print(f"round {number} of {ROUNDS}", file=sys.stderr, flush=True)


def report(ways: list[Way]) -> None:
    """Prints the table and the ratios to the raw CLI, which is last but one, and the obvious script."""
    raw, script = ways[-2:]
    print(f"{'':32}{'first delta':>12}{'CPU a run':>11}{'to raw CLI':>12}{'CPU':>6}{'to script':>11}")
    for way in ways:
        ratios = ratio(way.first, raw.first), median(way.cpu) / median(raw.cpu), ratio(way.first, script.first)
        print(f"{way.name:32}{median(way.first) * 1000:9.0f} ms{median(way.cpu):9.2f} s", end="")
        print(f"{ratios[0]:12.2f}{ratios[1]:6.2f}{ratios[2]:11.2f}")
    print(
        "aim: warm at most 0.50 of the raw CLI's first delta, live 0.20 of it and 0.25 of its CPU, cold 0.55 of the",
        end="",
    )
    print(" script's first delta", flush=True)


def rates(home: Path) -> None:
    """Prints the runs a second at 2, 8 and 32 at once."""
    print(f"\n{'runs a second':32}" + "".join(f"{number:>8}" for number in AT_ONCE) + "   at once")
    cold = over_command(str(BIN / "agent-chat"))
    with (
        served(home, "new", "--min-idle", "8", "--max", "48", "--max-live", "0") as new,
        served(home, "kept", "--min-idle", "0", "--max", "48", "--max-live", "40") as kept,
    ):
        ask, talk = over_socket(new), over_socket(kept)
        settled(new, 8)
        figures: dict[str, list[float]] = {"cold": [], "pool, each a new conversation": [], "pool, live": []}
        for at_once in AT_ONCE:
            with ThreadPoolExecutor(at_once) as threads:
                count = max(8, at_once)
                figures["cold"].append(_rate(lambda _: cold(None), threads, count))
                settled(new, 8)
                figures["pool, each a new conversation"].append(_rate(lambda _: ask(None), threads, count))
                talks = [took.session for took in threads.map(lambda _: talk(None), range(at_once))]
                figures["pool, live"].append(_rate(lambda n, t=talks: _talk(talk, t[n]), threads, at_once, 4))
        for name, found in figures.items():
            print(f"{name:32}" + "".join(f"{rate:8.1f}" for rate in found), flush=True)
        memory(status(kept))


def _talk(direct: Callable[[str | None], Took], session: str) -> None:
    for _ in range(4):
        direct(session)


def _rate(run: Callable[[int], object], threads: ThreadPoolExecutor, count: int, each: int = 1) -> float:
    began = time.monotonic()
    list(threads.map(run, range(count)))
    return count * each / (time.monotonic() - began)


def memory(found: dict) -> None:
    """Prints what the agents take that wait."""
    for state in ("idle", "live"):
        sizes = [each["memory"] / (1 << 20) for each in found["processes"] if each["state"] == state and each["memory"]]
        if sizes:
            print(f"memory of an agent that is {state}: {median(sizes):.0f} MiB (PSS, of {len(sizes)})")


@contextmanager
def php(home: Path, path: Path) -> Iterator[subprocess.Popen | None]:
    """A PHP that runs requests over the pool; None without PHP."""
    if shutil.which("php") is None:
        yield None
        return
    script = home / "pool.php"
    script.write_text(_PHP)
    loader = ROOT / "php-bridge/tests/bootstrap.php"
    command = ["php", str(script), str(loader), str(path), str(BIN / "agent-chat")]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=ENVIRON) as process:
        try:
            yield process
        finally:
            process.stdin.close()


ENVIRON: dict[str, str] = {}


def main() -> None:
    """Measures and reports."""
    with clocked_api() as api, tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        ENVIRON.update({"PATH": os.environ["PATH"], "HOME": folder, "TMPDIR": folder, "ANTHROPIC_API_KEY": "dummy"})
        ENVIRON.update({"ANTHROPIC_BASE_URL": api.base_url, "CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC": "1"})
        api.deltas = DELTAS
        chat = str(BIN / "agent-chat")
        # Two pools: an agent that is kept would take the place of the one that is started ahead for the next run.
        with (
            served(home, "warm", "--min-idle", "1", "--max-live", "0") as warm,
            served(home, "live", "--min-idle", "0", "--max-live", "8") as live,
            php(home, warm) as php_warm,
            php(home, live) as php_live,
        ):
            ways = [
                Way("agent-chat, cold", over_command(chat)),
                Way("agent-chat --pool, warm", over_command(chat, "--pool", str(warm))),
                Way("socket, warm", over_socket(warm)),
                *([Way("PHP, warm", over_php(php_warm))] if php_warm else []),
                Way("agent-chat --pool, live", over_command(chat, "--pool", str(live)), is_live=True),
                Way("socket, live", over_socket(live), is_live=True),
                *([Way("PHP, live", over_php(php_live), is_live=True)] if php_live else []),
                Way("raw CLI", over_contender("raw CLI")),
                Way("obvious SDK script", over_contender("obvious SDK script")),
            ]
            measure(ways, lambda: settled(warm, 1))
            report(ways)
            memory(settled(warm, 1))
        rates(home)


if __name__ == "__main__":
    main()
