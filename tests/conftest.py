"""How the tests are spread over processes, and what these do not take over from whoever started them."""

import ast
import gc
import signal
from collections.abc import Generator, Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from xdist.scheduler import LoadScopeScheduling

from agent_workers.engine.input_check import end_idle
from tests.e2e.loaded import LoadedWorkers

# Under nohup, and in the background of a script, these are ignored, and then by all that the tests start: bash cannot
# even trap them.
for _number in (signal.SIGHUP, signal.SIGQUIT):
    signal.signal(_number, signal.SIG_DFL)
signal.signal(signal.SIGINT, signal.default_int_handler)

ROOT = Path(__file__).parents[1]
_SITES = {
    "tests/laravel/test_browser.py": "pages",
    "tests/laravel/test_commands.py": "pages",
    "tests/laravel/test_front_ends.py": "pages",
    "tests/laravel/test_live.py": "pages",
    "tests/laravel/test_looks.py": "pages",
    "tests/laravel/test_partners.py": "pages",
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
        file, _, rest = nodeid.partition("::")
        return _SITES.get(file) or _shared(file).get(rest.partition("[")[0].rpartition("::")[2], nodeid)


@cache
def _shared(file: str) -> dict[str, str]:
    """Which tests of a module take a fixture that is made once for it, and what stands for that and all beside it.

    Such a fixture may be a part of the module, or ``begin``, which keeps what the module's tests begin from.
    """
    functions = [node for node in ast.parse((ROOT / file).read_text("utf-8")).body if isinstance(node, ast.FunctionDef)]
    taken = {each.name: {argument.arg for argument in each.args.args} for each in functions}
    costly = {each.name for each in functions if any(map(_is_of_module, each.decorator_list))} | {"begin"}
    reached = {name: costly & _reached(name, taken) for name in taken}
    groups: list[set[str]] = []
    for fixtures in filter(None, reached.values()):
        beside = [group for group in groups if group & fixtures]
        groups = [group for group in groups if group not in beside] + [fixtures.union(*beside)]
    return {name: f"{file}::{min(group)}" for name, fixtures in reached.items() for group in groups if group & fixtures}


def _is_of_module(decorator: ast.expr) -> bool:
    return isinstance(decorator, ast.Call) and "scope='module'" in map(ast.unparse, decorator.keywords)


def _reached(name: str, taken: dict[str, set[str]]) -> set[str]:
    """What a function takes, and what that takes in its turn, and the function itself."""
    found: set[str] = set()
    ahead = {name}
    while ahead:
        found |= ahead
        ahead = set().union(*(taken.get(each, ()) for each in ahead)) - found
    return found


@pytest.fixture(scope="session")
def loaded() -> Iterator[LoadedWorkers]:
    """Starts the programs of the tests that use it; for whole modules by a mark."""
    workers = LoadedWorkers()
    yield workers
    workers.close()


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> LoadScopeScheduling:
    """Has pytest-xdist spread the tests so; its own groups do nothing under pytest 9.2."""
    return _Spread(config, log)


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Generator[None, object, object]:
    """Looks for no garbage among what is imported and collected, neither meanwhile nor later: it stays to the end."""
    gc.disable()
    try:
        return (yield)
    finally:
        gc.freeze()
        gc.enable()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begins with what lasts longest: what waits, and then what starts processes."""
    items.sort(key=_rank)


def _rank(item: pytest.Item) -> int:
    folder, module = item.path.parent.name, item.path.stem
    if folder == "e2e" and module in _WAITING:
        return 0
    return 1 if folder in ("conformance", "e2e", "cli", "simulator", "laravel", "tests") else 2


@pytest.fixture(scope="session", autouse=True)
def _end_checks() -> Generator[None]:
    """Ends what checks values against schemas in processes of its own, and waits for more."""
    yield
    end_idle()
