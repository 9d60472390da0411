"""Where batches of the real program run, start after start, against the simulator behind a proxy."""

import json
import os
import signal
import subprocess
from collections import Counter
from pathlib import Path
from typing import Any

from agent_workers.simulator import Simulator
from tests.batch.between import Between
from tests.e2e.worker import SCRIPTS
from tests.waiting import PATIENCE_S


class Night:
    """A batch in the economy lane, with its files.

    Attributes:
        simulator: The API.
        between: What stands before it.
    """

    def __init__(self, root: Path, simulator: Simulator, between: Between) -> None:
        self.root = root
        self.simulator = simulator
        self.between = between
        self.environ = {
            "PATH": os.environ["PATH"],
            "HOME": str(root),
            "TMPDIR": str(root),
            "AGENT_WORKERS_STATE_DIR": str(root / "state"),
            "ANTHROPIC_BASE_URL": between.base_url,
            "ANTHROPIC_API_KEY": "key-canary",
        }
        (root / "out").touch()
        (root / "err").touch()

    def write(self, *requests: dict[str, Any]) -> None:
        (self.root / "in").write_text("".join(f"{json.dumps(request)}\n" for request in requests), "utf-8")

    def write_prompts(self, count: int, **more: Any) -> None:
        self.write(*(chat(f"Prompt {number}", **more) for number in range(1, count + 1)))

    def start(
        self, *arguments: str, checkpoint: str = "checkpoint", stderr: Any = None, economy: bool = True
    ) -> "Started":
        """Starts it; results are added to those of before."""
        lane = ["--economy"] if economy else []
        command = [str(SCRIPTS / "agent-batch"), "--worker=agent-chat", "--results", *lane, *arguments]
        command.append(f"--checkpoint={self.root / checkpoint}")
        with (
            (self.root / "in").open("rb") as lines,
            (self.root / "out").open("ab") as out,
            (self.root / "err").open("wb") as errors,
        ):
            return Started(command, stdin=lines, stdout=out, stderr=stderr or errors, env=self.environ)

    def run(self, *arguments: str, checkpoint: str = "checkpoint", economy: bool = True) -> int:
        """Starts it and waits for its end; returns its exit status."""
        with self.start(*arguments, checkpoint=checkpoint, economy=economy) as batch:
            return batch.wait(PATIENCE_S)

    @property
    def results(self) -> list[dict[str, Any]]:
        """The whole lines of all starts."""
        lines = (self.root / "out").read_bytes().splitlines(keepends=True)
        return [json.loads(line) for line in lines if line.endswith(b"\n")]

    @property
    def lanes(self) -> dict[int, str | None]:
        """The lane of each line that was done; fails where one has two results."""
        found = [result for result in self.results if result["status"] == "done"]
        assert Counter(result["line"] for result in found).most_common(1)[0][1] == 1
        return {result["line"]: result.get("lane") for result in found}

    @property
    def said(self) -> list[str]:
        """What the latest start has said."""
        return (self.root / "err").read_text("utf-8").splitlines()

    @property
    def sent(self) -> Counter[str]:
        """How often each line was sent in a batch, without what others have sent."""
        ids = [each for batch in self.simulator.batches for each in batch.custom_ids]
        return Counter(each.rpartition("-")[2] for each in ids if not each.startswith("their-"))

    @property
    def live(self) -> int:
        """How many messages were asked for at once."""
        return len(self.simulator.requests("/v1/messages"))


class Started(subprocess.Popen[bytes]):
    """One start; a test that fails does not leave it running."""

    def __exit__(self, kind: Any, error: Any, trace: Any) -> None:
        if error:
            self.kill()
        super().__exit__(kind, error, trace)


def chat(prompt: str, **more: Any) -> dict[str, Any]:
    """A request of the engine messages."""
    return {"engine": "messages", "prompt": prompt, **more}


def killed(batch: "subprocess.Popen[bytes]") -> None:
    """Kills a start."""
    batch.send_signal(signal.SIGKILL)
    assert batch.wait(PATIENCE_S) == -signal.SIGKILL
