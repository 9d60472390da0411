"""A worker's start has pydantic find no plugins, and does not pay for the search."""

import subprocess
import sys

from tests.waiting import PATIENCE_S


def said(code: str) -> list[str]:
    """The words that a Python prints."""
    command = [sys.executable, "-EP", "-c", code]
    ran = subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE_S, check=False)
    assert ran.returncode == 0, ran.stderr
    return ran.stdout.split()


# The request's model is made, and its input checked.
ACCEPTED = """
from agent_workers.cli.worker import prepare_process
{before}
from agent_workers.workers import WORKERS
WORKERS["agent-chat"].accept({{"prompt": "Hello"}})
{after}
"""


def test_reading_a_request_loads_nothing_that_reads_installed_distributions() -> None:
    code = ACCEPTED.format(before="prepare_process()", after="import sys; print(*sys.modules)")
    assert set(said(code)) & {"importlib.metadata", "email", "zipfile"} == set()


def test_pydantic_asks_for_plugins_where_a_worker_says_that_there_are_none() -> None:
    before = """
from agent_workers.cli.no_plugins import LOADER, load_no_plugins
load_no_plugins()
import sys
loader = sys.modules[LOADER]
loader.get_plugins = lambda: print("asked") or ()
"""
    assert "asked" in said(ACCEPTED.format(before=before, after=""))


def test_a_pydantic_that_asks_for_something_else_gets_its_own_loader() -> None:
    before = "prepare_process(); from pydantic.plugin._loader import PYDANTIC_ENTRY_POINT_GROUP as group"
    assert said(ACCEPTED.format(before=before, after="print(group)")) == ["pydantic"]
