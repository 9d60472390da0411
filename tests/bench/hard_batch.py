"""Many skill runs in one batch, against an API that refuses what is too much and cuts each answer once, and a SIGKILL.

``python -m tests.bench.hard_batch [LINES]`` reports how fast that went, and what memory and processor it took.
"""

import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path
from typing import Any, NamedTuple

from agent_workers.simulator import Simulator, running_simulator
from tests.skills.making import make_skill
from tests.waiting import until

SCENARIO = """
description = "Refuses what is too much, cuts the first answer of each conversation, and gives the output after that."
limit = { requests = %d, per_s = 1 }

[[steps]]
interruption = { kind = "cut", after = 3 }
content = [{ type = "tool_use", name = "StructuredOutput", fit = "valid" }]

[[steps]]
content = [{ type = "tool_use", name = "StructuredOutput", fit = "valid" }]
"""
BIN = Path(sys.executable).parent


class Ended(NamedTuple):
    """One start of a batch.

    Attributes:
        status: Its exit status, negative for the signal that killed it.
        seconds: By the clock.
        cpu: Seconds of processor, of it and all that it has started.
        peak_mib: Its peak memory.
    """

    status: int
    seconds: float
    cpu: float
    peak_mib: float


class HardBatch:
    """A batch with its checkpoint and its results.

    Args:
        root: An empty folder.
        lines: How many requests.
        simulator: Who answers.
    """

    def __init__(self, root: Path, lines: int, simulator: Simulator) -> None:
        self.root = root
        self.lines = lines
        self.environ = {
            "PATH": os.environ["PATH"],
            "HOME": str(root),
            "ANTHROPIC_BASE_URL": simulator.marked_url,
            "ANTHROPIC_API_KEY": "simulated",
            "AGENT_WORKERS_SKILLS_PATH": str(root),
            "CLAUDE_CODE_MAX_RETRIES": "8",
        }
        if not (root / "score").exists():
            make_skill(root, settings={"engine": "messages"})
        requests = [{"skill": "score", "input": {"deal": {"name": f"Deal {n}"}}, "key": n} for n in range(lines)]
        (root / "in").write_text("".join(json.dumps(request) + "\n" for request in requests))

    @property
    def results(self) -> list[dict[str, Any]]:
        """What has been written, but for half a line."""
        lines = (self.root / "out").read_bytes().splitlines(keepends=True) if (self.root / "out").exists() else []
        return [json.loads(line) for line in lines if line.endswith(b"\n")]

    def start(self, *arguments: str, kill_after: int | None = None) -> Ended:
        """Runs the batch to its end, or until it is killed after so many results."""
        command = [str(BIN / "agent-batch"), "--results", f"--checkpoint={self.root / 'checkpoint'}", *arguments]
        began = time.monotonic()
        with (self.root / "in").open("rb") as lines, (self.root / "out").open("ab") as out:
            process = subprocess.Popen(
                command, stdin=lines, stdout=out, stderr=subprocess.DEVNULL, env=self.environ, cwd=self.root
            )
        if kill_after is not None:
            until(lambda: len(self.results) >= kill_after)
            process.send_signal(signal.SIGKILL)
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        seconds = time.monotonic() - began
        return Ended(process.returncode, seconds, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024)

    def check(self) -> None:
        """Checks that each line has come to one result, and that it is done."""
        results = self.results
        found = Counter(result["line"] for result in results)
        assert sorted(found) == list(range(1, self.lines + 1)), "some lines have no result"
        assert set(found.values()) == {1}, "some lines have two results"
        assert {result["status"] for result in results} == {"done"}
        assert all(result["output"]["score"] == 0.7 and result["key"] == result["line"] - 1 for result in results)


def scenario(root: Path, requests_per_s: int) -> Path:
    """Writes the scenario, with a limit on the requests of a second."""
    path = root / "scenario.toml"
    path.write_text(SCENARIO % requests_per_s)
    return path


def main() -> None:
    """Measures and reports."""
    lines = int(sys.argv[1]) if sys.argv[1:] else 5_000
    for count in (lines // 10, lines):
        with tempfile.TemporaryDirectory() as folder, running_simulator(scenario(Path(folder), 150)) as simulator:
            batch = HardBatch(Path(folder), count, simulator)
            starts = [batch.start(kill_after=count // 3), batch.start()]
            batch.check()
            seconds, cpu = (sum(each[column] for each in starts) for column in (1, 2))
            peak = max(each.peak_mib for each in starts)
            print(f"{count} runs, killed and started again: {seconds:.0f} s, {count / seconds:.0f} a second", end=", ")
            print(
                f"{cpu / count * 1000:.1f} ms of processor a run, {peak:.0f} MiB at most; answers of the API", end=": "
            )
            print(", ".join(f"{number} with {status}" for status, number in sorted(simulator.statuses.items())))


if __name__ == "__main__":
    main()
