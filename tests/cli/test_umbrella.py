"""The commands as a whole."""

import subprocess
import sys

import pytest

from agent_workers import __version__
from agent_workers.cli.umbrella import agent_workers
from tests.cli.conftest import Scripts
from tests.waiting import PATIENCE_S

pytestmark = pytest.mark.usefixtures("loaded")

COMMANDS = sorted(agent_workers.commands)


@pytest.mark.usefixtures("installed")
def test_the_versions_of_all_that_runs_are_told(scripts: Scripts) -> None:
    first, second, third = scripts("agent-workers", "--version").stdout.splitlines()
    assert first == f"agent-workers {__version__}"
    assert second.startswith("claude-agent-sdk 0.")
    assert third.startswith("claude 2.")


def test_help_names_every_command_in_a_whole_sentence(scripts: Scripts) -> None:
    help_text = scripts("agent-workers", "--help").stdout
    assert COMMANDS == [
        "completion",
        "conform",
        "connect",
        "convert",
        "doctor",
        "fleet",
        "gateway",
        "policy",
        "pool",
        "records",
        "replay",
        "schema",
        "sessions",
        "simulate",
        "usage",
        "validate",
        "verify",
    ]
    for command in COMMANDS:
        [line] = [line for line in help_text.splitlines() if line.startswith(f"  {command} ")]
        assert not line.endswith("...")


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_shows_examples(command: str, scripts: Scripts) -> None:
    shown = scripts("agent-workers", command, "--help")
    assert shown.returncode == 0
    assert f"agent-workers {command}" in shown.stdout.partition("Examples:")[2]


@pytest.mark.usefixtures("installed")
def test_an_unknown_command_is_refused(scripts: Scripts) -> None:
    assert scripts("agent-workers", "doctr").returncode == 2


def test_a_worker_does_not_pay_for_the_other_commands() -> None:
    code = (
        "import sys, agent_workers.cli.worker\n"
        "print([name for name in ('click', 'rich', 'agent_workers.cli.umbrella') if name in sys.modules])"
    )
    loaded = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=PATIENCE_S, check=True, env={}
    )
    assert loaded.stdout == "[]\n"


def test_a_command_does_not_pay_for_what_the_others_need() -> None:
    code = (
        "import sys, agent_workers.cli.umbrella\n"
        "print([name for name in ('anyio', 'pydantic', 'agent_workers.simulator') if name in sys.modules])"
    )
    loaded = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=PATIENCE_S, check=True, env={}
    )
    assert loaded.stdout == "[]\n"


@pytest.mark.usefixtures("installed")
def test_a_reader_that_goes_away_is_no_error_worth_a_traceback(scripts: Scripts) -> None:
    ended = scripts("bash", "-c", "agent-workers schema event | head -n 1")
    assert ended.stdout == "{\n"
    assert "Traceback" not in ended.stderr
