"""How the tests are spread over processes, and what these do not take over from whoever started them."""

import signal
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from xdist.scheduler import LoadScopeScheduling

signal.signal(signal.SIGHUP, signal.SIG_DFL)  # under nohup it is ignored, and then by all that the tests start

ROOT = Path(__file__).parents[1]
_SITES = {
    "tests/laravel/test_browser.py": "pages",
    "tests/laravel/test_states.py": "pages",
    "tests/laravel/test_task_page.py": "pages",
    "tests/laravel/test_console.py": "site",
    "tests/laravel/test_fpm.py": "site",
    "tests/laravel/test_queue.py": "site",
}
"""What shares a site, and a browser where it shows pages."""
_WAITING = ("test_limits", "test_mcp_servers", "test_output")
"""Modules whose tests mostly wait, some of them for longer than half a minute."""


class _Spread(LoadScopeScheduling):
    """Gives each process one test after the other, but all that share a costly fixture to the same one, and first."""

    def _split_scope(self, nodeid: str) -> str:
        file = nodeid.partition("::")[0]
        return _SITES.get(file) or (file if _has_fixture_of_its_own(file) else nodeid)


@cache
def _has_fixture_of_its_own(file: str) -> bool:
    """Whether the module has a fixture that its tests share, or what they begin from."""
    text = (ROOT / file).read_text("utf-8")
    return 'fixture(scope="module"' in text or "import Begin\n" in text


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> LoadScopeScheduling:
    """Has pytest-xdist spread the tests so; its own groups do nothing under pytest 9.2."""
    return _Spread(config, log)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begins with what lasts longest: what waits, and then what starts processes."""
    items.sort(key=_rank)


def _rank(item: pytest.Item) -> int:
    folder, module = item.path.parent.name, item.path.stem
    if folder == "e2e" and module in _WAITING:
        return 0
    return 1 if folder in ("e2e", "cli", "simulator", "laravel", "tests") else 2
