"""What the page on transcripts says runs, and its form of signatures is the one that is checked."""

import os
import re
import subprocess
from pathlib import Path

import pytest

from agent_workers.simulator import running_simulator
from tests.e2e.worker import SCRIPTS
from tests.waiting import PATIENCE_S

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs/transcripts.md").read_text("utf-8")
SNIPPETS = re.findall(r"^```sh\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)


def run(snippets: list[str], folder: Path) -> subprocess.CompletedProcess[str]:
    (folder / "examples").symlink_to(ROOT / "examples")
    with running_simulator("hello") as simulator:
        environ = {"PATH": f"{SCRIPTS}:{os.environ['PATH']}", "HOME": str(folder), "TMPDIR": str(folder)}
        environ |= {"ANTHROPIC_BASE_URL": simulator.base_url, "ANTHROPIC_API_KEY": "dummy"}
        command = ["bash", "-euo", "pipefail", "-c", "\n".join(snippets)]
        return subprocess.run(
            command,
            cwd=folder,
            env=environ,
            capture_output=True,
            text=True,
            timeout=PATIENCE_S,
            check=False,
            stdin=subprocess.DEVNULL,
        )


def test_the_commands_of_the_page_run_one_after_the_other(tmp_path: Path) -> None:
    lines = [snippet.replace("agent-workers verify --json < run.ndjson\n", "") for snippet in SNIPPETS]
    done = run(lines, tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "whole: each line is followed by one that names it" in done.stdout
    assert "whole: each line up to the known end is the one that was written" in done.stdout


@pytest.mark.parametrize("what", ["changed", "dropped", "added", "reordered", "end", "decision"])
def test_the_page_has_what_can_be_found(what: str) -> None:
    assert f"\n| `{what}` | " in PAGE
