"""Part of ``make bench``: agent-batch beside a shell loop of as many agent-chats at once, against the same API.

It also tells the peak memory of agent-batch itself for fifty requests and for five thousand; for these, a shell that
plays a recorded run stands in for the worker.
"""

import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from statistics import median
from typing import NamedTuple

from tests.bench.clocked_api import clocked_api

ROUNDS = int(os.environ.get("BENCH_ROUNDS", "3"))
ITEMS, AT_ONCE = 16, 4
FEW, MANY = 50, 5_000
BIN = Path(sys.executable).parent
# Without --results each event goes through; "{}" is the line.
LOOP = [
    "xargs",
    "-d",
    "\\n",
    "-n",
    "1",
    "-P",
    str(AT_ONCE),
    "sh",
    "-c",
    f"""printf %s "$1" | '{BIN}/agent-chat'""",
    "sh",
]
BATCH = [str(BIN / "agent-batch"), "--results", "--worker", "agent-chat", "--concurrency", str(AT_ONCE)]


class Took(NamedTuple):
    """What some requests took.

    Attributes:
        seconds: By the clock.
        cpu: Seconds of processor, of all processes.
        peak_mib: Peak memory of the process that starts the others, in MiB.
    """

    seconds: float
    cpu: float
    peak_mib: float


def took(command: list[str], requests: list[dict], environ: dict[str, str]) -> Took:
    """Runs a command on these requests, a line each."""
    with tempfile.TemporaryFile() as lines:
        lines.writelines(json.dumps(request).encode() + b"\n" for request in requests)
        lines.seek(0)
        before, began = os.times(), time.monotonic()
        process = subprocess.Popen(command, stdin=lines, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, env=environ)
    peak, told = 0.0, 0
    for told, _ in enumerate(process.stdout, 1):
        if told % AT_ONCE == 0:
            peak = max(peak, peak_mib(process.pid))
    if process.wait() or told < len(requests):
        raise SystemExit(f"{command[0]} failed with status {process.returncode} after {told} lines")
    after = os.times()
    cpu = sum(after[2:4]) - sum(before[2:4])
    return Took(time.monotonic() - began, cpu, peak)


def peak_mib(pid: int) -> float:
    """Peak resident memory of one process; 0 for one that has just ended."""
    status = Path(f"/proc/{pid}/status").read_text()
    return next((int(line.split()[1]) for line in status.splitlines() if line.startswith("VmHWM")), 0) / 1024


def beside_a_loop(environ: dict[str, str]) -> None:
    """Prints time and processor per request of both, and the ratios round by round."""
    requests = [{"prompt": f"Request {number}"} for number in range(ITEMS)]
    rounds = [(took(BATCH, requests, environ), took(LOOP, requests, environ)) for _ in range(ROUNDS)]
    for name, found in zip(("agent-batch", "shell loop"), zip(*rounds, strict=True), strict=True):
        seconds, cpu = (median(getattr(each, key) for each in found) / ITEMS for key in ("seconds", "cpu"))
        print(f"{name:22}{seconds * 1000:8.0f} ms a request{cpu:8.2f} s of processor{found[0].peak_mib:8.0f} MiB")
    ratios = [median(getattr(a, key) / getattr(b, key) for a, b in rounds) for key in ("seconds", "cpu")]
    print(f"agent-batch to a shell loop, {AT_ONCE} at once: time {ratios[0]:.2f}, CPU {ratios[1]:.2f}")


def memory(environ: dict[str, str], folder: Path) -> None:
    """Prints the peak memory of agent-batch for few and for many requests."""
    recording = folder / "recording.ndjson"
    request = json.dumps({"prompt": "Hello", "run": "RUN"}).encode()
    played = subprocess.run([BIN / "agent-chat"], input=request, capture_output=True, env=environ, check=True)
    recording.write_bytes(played.stdout)
    # The events of the recording under the run id of the request, which is one line: its stdin stays open.
    play = r"""read -r line; run=${line#*'"run":"'}; sed "s/\"run\":\"RUN\"/\"run\":\"${run%%\"*}\"/" """ + str(
        recording
    )
    script = folder / "played"
    script.write_text(f"#!/bin/sh\n{play}\n")
    script.chmod(0o755)
    command = [str(BIN / "agent-batch"), "--results", "--worker", "played", "--concurrency", "8"]
    command += ["--command", f"played={script}"]
    peaks = [took(command, [{"prompt": str(n)} for n in range(count)], environ).peak_mib for count in (FEW, MANY)]
    print(f"agent-batch, peak memory: {peaks[0]:.1f} MiB for {FEW} requests, {peaks[1]:.1f} MiB for {MANY}")


def main() -> None:
    """Measures and reports."""
    with clocked_api() as api, tempfile.TemporaryDirectory() as home:
        environ = {"PATH": os.environ["PATH"], "HOME": home, "TMPDIR": home, "ANTHROPIC_API_KEY": "dummy"}
        environ |= {"ANTHROPIC_BASE_URL": api.base_url, "CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC": "1"}
        api.deltas = 20
        beside_a_loop(environ)
        memory(environ, Path(home))


if __name__ == "__main__":
    main()
