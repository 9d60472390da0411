"""What the page on transcripts says runs, and its form of signatures is the one that is checked."""

import re
import subprocess
from pathlib import Path

import pytest

from agent_workers.simulator import running_simulator
from tests.test_readme import run as run_here

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs/transcripts.md").read_text("utf-8")
SNIPPETS = re.findall(r"^```sh\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)


def run(snippets: list[str], folder: Path) -> subprocess.CompletedProcess[str]:
    (folder / "examples").symlink_to(ROOT / "examples")
    (folder / "home").mkdir()
    with running_simulator("hello") as simulator:
        return run_here(["bash", "-euo", "pipefail", "-c", "\n".join(snippets)], folder, simulator.base_url)


def test_the_commands_of_the_page_run_one_after_the_other(tmp_path: Path) -> None:
    lines = [snippet.replace("agent-workers verify --json < run.ndjson\n", "") for snippet in SNIPPETS]
    done = run(lines, tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "whole: each line is followed by one that names it" in done.stdout
    assert "whole: each line up to the known end is the one that was written" in done.stdout


@pytest.mark.parametrize("what", ["changed", "dropped", "added", "reordered", "end", "decision"])
def test_the_page_has_what_can_be_found(what: str) -> None:
    assert f"\n| `{what}` | " in PAGE
