"""The layers of the house."""

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parent.parent


def test_imports_point_down_only() -> None:
    command = [Path(sys.executable).with_name("lint-imports"), "--no-cache"]
    checked = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=120, check=False)
    assert checked.returncode == 0, checked.stdout


def test_a_worker_starts_without_the_sdk_the_event_loop_and_the_command_line_library() -> None:
    code = (
        "import sys, agent_workers.cli.worker as w; w.WORKERS['agent-chat']; import agent_workers.stdio.serve;"
        "slow = {'claude_agent_sdk', 'mcp', 'anyio', 'asyncio', 'click', 'rich', 'jsonschema'};"
        "print(*slow & sys.modules.keys())"
    )
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True)
    assert loaded.stdout.split() == []
