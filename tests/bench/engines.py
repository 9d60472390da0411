"""Part of ``make bench``: many requests on each engine, and by a ten-line script, against the same API.

Runs a second, processor and memory a run, at 1, 16 and 128 at once. The API runs on the same processors.
"""

import json
import os
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import NamedTuple

from tests.bench.clocked_api import clocked_api

ROUNDS = int(os.environ.get("BENCH_ROUNDS", "3"))
BIN = Path(sys.executable).parent
DELTAS = 20
AT_ONCE = (1, 16, 128)


class Took(NamedTuple):
    """What some requests took.

    Attributes:
        seconds: By the clock.
        cpu: Seconds of processor, of all processes.
        peak_mib: Peak memory of the process that was started, in MiB.
    """

    seconds: float
    cpu: float
    peak_mib: float


@dataclass(frozen=True)
class Way:
    """A way to have many requests answered.

    Attributes:
        name: For the table.
        command: With the number at once for ``{n}``.
        request: What each line holds besides its prompt.
        items: How many lines, by how many at once; none where that is more than the machine has memory for.
    """

    name: str
    command: list[str]
    request: dict
    items: dict[int, int]


BATCH = [str(BIN / "agent-batch"), "--results", "--worker", "agent-chat", "--concurrency", "{n}"]
COLD = ["xargs", "-d", "\\n", "-n", "1", "-P", "{n}", "sh", "-c", f"""printf %s "$1" | '{BIN}/agent-chat'""", "sh"]
WAYS = [
    Way("messages, in a batch", BATCH, {"engine": "messages"}, {1: 100, 16: 600, 128: 1000}),
    Way("ten-line script's loop", [sys.executable, "-m", "tests.bench.plain", "{n}"], {}, {1: 100, 16: 600, 128: 1000}),
    Way("messages, a process each", COLD, {"engine": "messages"}, {1: 12, 16: 48}),
    Way("agent, in a batch", BATCH, {}, {1: 4, 16: 24}),
]


def took(way: Way, at_once: int, environ: dict[str, str]) -> Took:
    """Has the requests answered."""
    count = way.items[at_once]
    command = [word.replace("{n}", str(at_once)) for word in way.command]
    with tempfile.TemporaryFile() as lines, tempfile.TemporaryFile() as output:
        for number in range(count):
            lines.write(json.dumps({"prompt": f"Request {number}", **way.request}).encode() + b"\n")
        lines.seek(0)
        before, began = os.times(), time.monotonic()
        actions = [(os.POSIX_SPAWN_DUP2, each.fileno(), number) for number, each in enumerate((lines, output))]
        pid = os.posix_spawnp(command[0], command, environ, file_actions=actions)
        _, status, usage = os.wait4(pid, 0)
        seconds, after = time.monotonic() - began, os.times()
        output.seek(0)
        answered = sum(b'"type":"done"' in line or (b'"text"' in line and b'"type"' not in line) for line in output)
    if status or answered != count:
        raise SystemExit(f"{way.name} failed with status {status} after {answered} of {count}")
    cpu = sum(after[2:4]) - sum(before[2:4])
    return Took(seconds, cpu, usage.ru_maxrss / 1024)


def main() -> None:
    """Measures and reports."""
    with clocked_api() as api, tempfile.TemporaryDirectory() as home:
        environ = {"PATH": os.environ["PATH"], "HOME": home, "TMPDIR": home, "ANTHROPIC_API_KEY": "dummy"}
        environ |= {"ANTHROPIC_BASE_URL": api.base_url, "CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC": "1"}
        api.deltas = DELTAS
        print(f"{'':28}{'at once':>8}{'runs/s':>9}{'CPU a run':>12}{'memory':>10}")
        for at_once in AT_ONCE:
            ways = [way for way in WAYS if at_once in way.items]
            rounds = [[took(way, at_once, environ) for way in ways] for _ in range(ROUNDS)]
            for way, found in zip(ways, zip(*rounds, strict=True), strict=True):
                count = way.items[at_once]
                rate = count / median(each.seconds for each in found)
                cpu = median(each.cpu for each in found) / count * 1000
                print(f"{way.name:28}{at_once:8}{rate:9.1f}{cpu:9.1f} ms{found[0].peak_mib:6.0f} MiB", flush=True)
            ratio = median(ours.cpu / script.cpu for ours, script, *_ in rounds)
            print(f"{'':28}CPU of the batch to that of the script's loop: {ratio:.2f}", flush=True)
    print("aim: 100 runs a second or more in a batch, at most twice the CPU of the script's loop")


if __name__ == "__main__":
    main()
