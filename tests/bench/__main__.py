"""``make bench``: agent-chat beside what one would use instead, in turn, against the same loopback API.

``make bench BASE=/path/of/another/checkout`` measures it beside the agent-chat of that checkout's ``.venv`` alone.
Each figure is the median over the rounds; quote the ratios, since absolute times are this machine's.
"""

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median, quantiles

from agent_workers.engine.claude.launch.installation import find_cli
from tests.bench.clocked_api import ClockedApi, clocked_api

ROUNDS = int(os.environ.get("BENCH_ROUNDS", "9"))
PACED, PAUSE_S = 100, 0.005
MANY = 10_000
PROMPT = "Say something."
HERE = Path(__file__).parent


@dataclass
class Contender:
    """One way to stream an answer.

    Attributes:
        name: For the table.
        argv: The command.
        stdin: What it reads.
        delta: Takes the text out of a line it writes, None if the line holds none.
    """

    name: str
    argv: list[str]
    stdin: bytes
    delta: Callable[[dict], str | None]
    first: list[float] = field(default_factory=list)
    latency: list[float] = field(default_factory=list)
    leaving: list[float] = field(default_factory=list)
    whole_cpu: list[float] = field(default_factory=list)
    cpu: list[float] = field(default_factory=list)
    memory: list[float] = field(default_factory=list)


def contenders() -> list[Contender]:
    """agent-chat and what it is measured beside, each with the same prompt and without tools."""
    request = json.dumps({"prompt": PROMPT}).encode()
    message = {"type": "user", "message": {"role": "user", "content": PROMPT}}
    raw = [str(find_cli({})), "--print", "--output-format", "stream-json", "--input-format", "stream-json", "--verbose"]
    raw += ["--include-partial-messages", "--setting-sources=", "--strict-mcp-config", "--tools", ""]
    raw += ["--system-prompt", "You are a helpful assistant."]
    if base := os.environ.get("BENCH_BASE"):
        return [here(request), Contender("base", [str(Path(base, ".venv/bin/agent-chat"))], request, event_text)]
    return [
        here(request),
        plain(json.dumps({"prompt": PROMPT, "engine": "messages"}).encode()),
        Contender("script on the API's SDK", [sys.executable, str(HERE / "plain.py")], request, event_text),
        Contender("obvious SDK script", [sys.executable, str(HERE / "obvious.py")], request, event_text),
        Contender("raw CLI", raw, json.dumps(message).encode() + b"\n", cli_text),
    ]


def here(request: bytes) -> Contender:
    """The agent-chat of this checkout."""
    return Contender("agent-chat", [str(Path(sys.executable).with_name("agent-chat"))], request, event_text)


def plain(request: bytes) -> Contender:
    """The same without an agent."""
    return Contender("agent-chat, messages", here(request).argv, request, event_text)


def event_text(line: dict) -> str | None:
    """The text of our own and of the script's events."""
    return line["text"] if line["type"] == "delta" else None


def cli_text(line: dict) -> str | None:
    """The text of the CLI's stream-json."""
    delta = line.get("event", {}).get("delta", {})
    return delta.get("text") if delta.get("type") == "text_delta" else None


def run(contender: Contender, environ: dict[str, str]) -> tuple[float, list[float], float, float, float]:
    """One run: seconds to the first delta, latency of each, seconds from the last to the exit, CPU seconds, MiB."""
    began = time.monotonic_ns()
    process = subprocess.Popen(
        contender.argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, env=environ
    )
    process.stdin.write(contender.stdin)
    process.stdin.close()
    latencies, first, last, memory = [], 0, 0, 0.0
    for raw in process.stdout:
        text = contender.delta(json.loads(raw))
        if text:
            last = time.monotonic_ns()
            first = first or last
            latencies += [(last - int(sent)) / 1e9 for sent in text.split()]
            if len(latencies) == PACED:
                memory = resident_mib(process.pid)
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    ended = time.monotonic_ns()
    if process.returncode or not latencies:
        raise SystemExit(f"{contender.name} failed with status {process.returncode}")
    return (first - began) / 1e9, latencies, (ended - last) / 1e9, usage.ru_utime + usage.ru_stime, memory


def resident_mib(pid: int) -> float:
    """Peak resident memory of a process and its descendants, summed, in MiB; Linux only."""
    total = 0.0
    for member in family(pid):
        status = Path(f"/proc/{member}/status").read_text()
        total += next((int(line.split()[1]) for line in status.splitlines() if line.startswith("VmHWM")), 0) / 1024
    return total


def family(pid: int) -> list[int]:
    """The process and its descendants."""
    tasks = Path(f"/proc/{pid}/task").iterdir()
    children = [int(child) for task in tasks for child in (task / "children").read_text().split()]
    return [pid] + [member for child in children for member in family(child)]


def measure(api: ClockedApi, everyone: list[Contender], environ: dict[str, str]) -> None:
    """Runs all in turn, so that a drift of the machine meets each of them alike."""
    for contender in everyone:
        run(contender, environ)  # warms the page cache
    for number in range(ROUNDS):
        for contender in everyone:
            api.deltas, api.pause_s = PACED, PAUSE_S
            first, latencies, leaving, few_cpu, memory = run(contender, environ)
            contender.first.append(first)
            contender.latency += latencies
            contender.leaving.append(leaving)
            contender.memory.append(memory)
            contender.whole_cpu.append(few_cpu)
            if number % 3 == 0:
                api.deltas, api.pause_s = MANY, 0
                *_, many_cpu, _ = run(contender, environ)
                contender.cpu.append((many_cpu - few_cpu) / (MANY - PACED) * 1000)
        print(f"round {number + 1} of {ROUNDS}", file=sys.stderr, flush=True)


def report(everyone: list[Contender]) -> None:
    """Prints the table and the ratios."""
    ours, *others = everyone
    quiet = others[-1]
    base = [p(quiet.latency, 50), p(quiet.latency, 99)]
    print(f"{'':24}{'first delta':>13}{'added p50':>12}{'added p99':>12}{'CPU a run':>11}{'CPU/1000':>12}", end="")
    print(f"{'to exit':>10}{'memory':>10}")
    for c in everyone:
        added = [f"{(p(c.latency, q) - b) * 1000:.2f} ms" for q, b in zip((50, 99), base, strict=True)]
        print(
            f"{c.name:24}{median(c.first) * 1000:10.0f} ms{added[0]:>12}{added[1]:>12}"
            f"{median(c.whole_cpu):9.2f} s{median(c.cpu) * 1000:9.0f} ms"
            f"{median(c.leaving) * 1000:7.0f} ms{median(c.memory):6.0f} MiB"
        )
    print()
    for c in others:
        print(
            f"agent-chat to {c.name}: first delta {ratio(ours.first, c.first):.2f}, CPU a run "
            f"{ratio(ours.whole_cpu, c.whole_cpu):.2f}, CPU per 1000 deltas {median(ours.cpu) / median(c.cpu):.2f}"
        )
    if len(others) > 1:
        messages = others[0]
        print(
            f"agent-chat, messages, to {quiet.name}: first delta {ratio(messages.first, quiet.first):.2f} (aim: 0.60)"
        )
        print("aim: first delta at most 0.55 of the obvious script's")


def p(values: list[float], percent: int) -> float:
    """A percentile."""
    return quantiles(values, n=100)[percent - 1]


def ratio(ours: list[float], theirs: list[float]) -> float:
    """The median of the ratios, round by round."""
    return median(a / b for a, b in zip(ours, theirs, strict=True))


def main() -> None:
    """Measures and reports."""
    with clocked_api() as api, tempfile.TemporaryDirectory() as home:
        environ = {"PATH": os.environ["PATH"], "HOME": home, "TMPDIR": home, "ANTHROPIC_API_KEY": "dummy"}
        environ |= {"ANTHROPIC_BASE_URL": api.base_url, "CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC": "1"}
        everyone = contenders()
        measure(api, everyone, environ)
        report(everyone)


if __name__ == "__main__":
    main()
