"""How the tests are spread over processes, and what these do not take over from whoever started them."""

import signal

import pytest

signal.signal(signal.SIGHUP, signal.SIG_DFL)  # under nohup it is ignored, and then by all that the tests start

_SERVERS = ("running_browser", "running_site")
"""Fixtures of the whole session that take seconds to start."""
_WAITING = ("test_limits", "test_mcp_servers", "test_output")
"""Modules whose tests mostly wait, some of them for longer than half a minute."""


@pytest.hookimpl(tryfirst=True)  # before pytest-xdist reads the groups
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Keeps the tests that share a costly fixture in one process, and begins with what lasts longest."""
    for item in items:
        if group := _group(item):
            item.add_marker(pytest.mark.xdist_group(group))
    items.sort(key=_rank)


def _group(item: pytest.Item) -> str:
    """The name of what the test shares with others, if it does."""
    found = [each for several in item._fixtureinfo.name2fixturedefs.values() for each in several]
    ours = [each for each in found if each.baseid.startswith("tests") and not each._autouse]
    if any(each.scope == "module" for each in ours):
        return item.path.stem
    names = {each.argname for each in ours}
    return next((name for name in _SERVERS if name in names), "")


def _rank(item: pytest.Item) -> int:
    """Groups first, for each is one piece of work; then what waits; then what starts processes."""
    if item.get_closest_marker("xdist_group"):
        return 0
    folder, module = item.path.parent.name, item.path.stem
    if folder == "e2e" and module in _WAITING:
        return 1
    return 2 if folder in ("e2e", "cli", "simulator", "laravel", "tests") else 3
