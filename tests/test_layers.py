"""The layers of the house: what may import what, and what a start pays for."""

import json
import os
import re
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest

from tests.cli.pool import HELLO, LAST, pool_at, saying
from tests.waiting import PATIENCE_S

ROOT = Path(__file__).parent.parent
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())
BIN = Path(sys.executable).parent

PLACES = "Imports point down, and every room has its place"
CIRCLES = "No room's files import each other in a circle"
ENGINES = "Engines are apart, and every engine has its place"
ROOMS = "The rooms of the Claude engine are free of circles"
EXTRAS = "The extra for the {} is known to that room alone"


def broken(folder: Path) -> tuple[set[str], str]:
    """The names of the contracts that the package in a folder breaks, and all that was said of it."""
    command = [BIN / "lint-imports", "--no-cache"]
    environ = {**os.environ, "COLUMNS": "200"}
    checked = subprocess.run(
        command, cwd=folder, env=environ, capture_output=True, text=True, timeout=PATIENCE_S, check=False
    )
    found = re.findall(r"^(.+) BROKEN", checked.stdout, re.MULTILINE)
    assert checked.returncode == (1 if found else 0), checked.stdout + checked.stderr
    return set(found), checked.stdout


def test_imports_point_down_only() -> None:
    found, told = broken(ROOT)
    assert not found, told


@pytest.mark.parametrize(
    ("file", "line", "contract"),
    [
        ("gatehouse/__init__.py", "", PLACES),
        (
            "batch/__init__.py",
            "import agent_workers.run",
            "A run is made by the front door of its own process, and by the engine runner",
        ),
        (
            "fleet/queue.py",
            "from agent_workers.stdio.serve import serve",
            "The front door of one process is opened by the command line alone",
        ),
        (
            "gateway/app.py",
            "from agent_workers.engine.claude import start_agent",
            "The engine is known to those alone who make a run or look at its host",
        ),
        ("batch/tokens.py", "import jwt", EXTRAS.format("gateway")),
        ("fleet/socket.py", "import websockets", EXTRAS.format("connect")),
        ("records/server.py", "import uvicorn", EXTRAS.format("simulator")),
        ("stdio/web.py", "from starlette.applications import Starlette", EXTRAS.format("simulator")),
        ("client/again.py", "import stamina", EXTRAS.format("batch")),
        ("policy/tables_in_yaml.py", "import yaml", EXTRAS.format("skills")),
        ("policy/sizes.py", "import agent_workers.admission", PLACES),
        ("workers/menu.py", "import click", "Only the command line knows click and rich"),
        ("wire_types.py", "", PLACES),
        ("simulator/rules.py", "import agent_workers.policy", "The simulator knows nothing of the rest"),
        ("run_types.py", "import claude_agent_sdk", "Only the Claude engine knows the SDK"),
        ("engine/batch.py", "", ENGINES),
        ("engine/recorded/__init__.py", "import agent_workers.engine.base", ENGINES),
        ("engine/claude/cache/__init__.py", "", ROOMS),
        ("engine/claude/warm.py", "from agent_workers.engine.claude.launch.boot import boot", ROOMS),
    ],
)
def test_a_package_in_the_wrong_place_breaks_its_contract(file: str, line: str, contract: str, tmp_path: Path) -> None:
    clone(tmp_path)
    planted = tmp_path / "agent_workers" / file
    planted.parent.mkdir(exist_ok=True)
    (planted.parent / "__init__.py").touch()
    planted.write_text(f'"""Planted."""\n{line}\n')
    assert contract in broken(tmp_path)[0]


def test_a_circle_is_found_where_one_half_of_it_is_for_the_type_checker_only(tmp_path: Path) -> None:
    clone(tmp_path)
    stdout = tmp_path / "agent_workers/stdio/stdout.py"
    before, condition, after = stdout.read_text().partition("if TYPE_CHECKING:\n")
    stdout.write_text(f"{before}{condition}    from agent_workers.stdio.serve import Invocation\n{after}")
    assert CIRCLES in broken(tmp_path)[0]


def clone(folder: Path) -> None:
    shutil.copy(ROOT / "pyproject.toml", folder)
    ignored = shutil.ignore_patterns("__pycache__")
    shutil.copytree(ROOT / "agent_workers", folder / "agent_workers", ignore=ignored)


def extras() -> set[str]:
    """The packages that the project's extras bring, as they are imported."""
    wanted = {
        re.split(r"[^\w.-]", requirement)[0]
        for requirements in PROJECT["project"]["optional-dependencies"].values()
        for requirement in requirements
    }
    brought = packages_distributions().items()
    return {
        package
        for package, names in brought
        if wanted & {name.lower().replace("_", "-") for name in names} and package[0] != "_"
    }


def test_the_contract_of_each_extra_names_all_that_it_brings() -> None:
    contracts = {each["name"]: each for each in PROJECT["tool"]["importlinter"]["contracts"]}
    protected = [
        contracts[EXTRAS.format(extra)]["protected_modules"] for extra in PROJECT["project"]["optional-dependencies"]
    ]
    assert extras() == set().union(*protected)


@pytest.fixture
def own(tmp_path: Path) -> dict[str, str]:
    """Nothing of this machine's."""
    return {"PATH": os.defpath, "HOME": str(tmp_path), "TMPDIR": str(tmp_path), "ANTHROPIC_API_KEY": "dummy"}


@pytest.fixture
def environ(own: dict[str, str]) -> Iterator[dict[str, str]]:
    """Nothing of this machine's, and a simulator in the API's place."""
    command = [BIN / "agent-workers", "simulate"]
    with subprocess.Popen(command, env=own, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as simulator:
        try:
            name, _, url = simulator.stdout.readline().strip().partition("=")
            yield {**own, name: url}
        finally:
            simulator.terminate()


@pytest.mark.parametrize("engine", ["agent", "messages"])
def test_a_chat_loads_no_extra_and_nothing_of_the_command_line_another_worker_or_another_engine(
    environ: dict[str, str], engine: str
) -> None:
    command = [sys.executable, "-X", "importtime", "-EP", BIN / "agent-workers-entry", "agent-chat"]
    ran = subprocess.run(
        command,
        input=json.dumps({"prompt": "Hello", "engine": engine}),
        env=environ,
        capture_output=True,
        text=True,
        timeout=PATIENCE_S,
        check=False,
    )
    assert json.loads(ran.stdout.splitlines()[-1])["type"] == "done", ran.stderr
    loaded = set(re.findall(r"^import time:.*\| +([\w.]+)$", ran.stderr, re.MULTILINE))
    assert "agent_workers.stdio.live" in loaded
    command_line = {"click", "rich", "agent_workers.cli.options"}
    of_others = {"jsonschema", "agent_workers.policy", "agent_workers.protocol.v1.task_request"}
    of_agents = {"claude_agent_sdk", "mcp", "agent_workers.engine.claude.engine"}
    others = {"agent": {"tomllib", "agent_workers.engine.messages"}, "messages": of_agents}[engine]
    own = {"messages": {"httpx2", "httpcore2"}}.get(engine, set())
    assert loaded & {*(extras() - own), *command_line, *of_others, *others} == set()
    assert own <= loaded


def test_a_worker_starts_without_the_sdk_the_event_loop_and_the_command_line_library() -> None:
    code = (
        "import sys, agent_workers.cli.worker as w; w.WORKERS['agent-chat']; import agent_workers.stdio.serve;"
        "slow = {'claude_agent_sdk', 'mcp', 'anyio', 'asyncio', 'click', 'rich', 'jsonschema'};"
        "print(*slow & sys.modules.keys())"
    )
    loaded = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=PATIENCE_S, check=True
    )
    assert loaded.stdout.split() == []


# In place of the fork that starts the CLI.
LOADED_AT_THE_START = """
import os, sys
def tell():
    print(*sys.modules, file=sys.stderr)
    os._exit(0)
os.fork = tell
from agent_workers.cli import start
start()
"""


@pytest.mark.parametrize(("worker", "more"), [("agent-chat", {}), ("agent-task", {"tools": ["Read", "Bash"]})])
def test_a_cli_is_started_before_anything_slow_is_loaded(
    worker: str, more: dict[str, object], own: dict[str, str], tmp_path: Path
) -> None:
    started = subprocess.run(
        [sys.executable, "-EP", "-c", LOADED_AT_THE_START, worker],
        input=json.dumps({"prompt": "Hello", **more, **({"cwd": str(tmp_path)} if more else {})}),
        env=own,
        capture_output=True,
        text=True,
        timeout=PATIENCE_S,
        check=True,
    )
    loaded = set(started.stderr.split())
    assert "agent_workers.engine.process.guardian_process" in loaded
    rules = PROJECT["tool"]["ruff"]["lint"]["flake8-tidy-imports"]
    slow = set(rules["banned-module-level-imports"]) - {"shutil", "traceback"}  # pydantic and logging load these two
    of_others = set() if more else {"agent_workers.policy", "agent_workers.workers.task"}
    assert loaded & {*slow, *extras(), *of_others} == set()


def test_the_cli_of_a_plain_chat_is_started_before_what_checks_requests_is_loaded(
    own: dict[str, str], tmp_path: Path
) -> None:
    request = tmp_path / "request.json"
    request.write_text(json.dumps({"prompt": "Hello"}))
    command = [sys.executable, "-EP", "-c", LOADED_AT_THE_START, "agent-chat"]
    with request.open("rb") as there:  # before the worker looks
        started = subprocess.run(
            command, stdin=there, env=own, capture_output=True, text=True, timeout=PATIENCE_S, check=True
        )
    loaded = set(started.stderr.split())
    assert "agent_workers.engine.process.guardian_process" in loaded
    later = {"pydantic", "typing_extensions", "dataclasses", "inspect", "logging", "importlib.metadata"}
    assert loaded & later == set()


# A pool that answers at once, and the modules that the client of its run has loaded.
LOADED_FOR_A_POOL = """
import os, sys
before = {*sys.modules}
def tell(status):
    os.write(2, " ".join({*sys.modules} - before).encode())
    os.kill(os.getpid(), 9)
os._exit = tell
from agent_workers.cli import start
start()
"""
STANDARD = {"__future__", "_socket", "errno", "select"}


@pytest.mark.parametrize("words", [["agent-chat"], ["agent-skill", "partner-health", "--control"]])
def test_a_run_that_a_pool_serves_loads_the_client_of_the_pool_alone(
    words: list[str], own: dict[str, str], tmp_path: Path
) -> None:
    with pool_at(tmp_path / "pool.sock", saying(HELLO, LAST)) as pool:
        served = subprocess.run(
            [sys.executable, "-EP", "-c", LOADED_FOR_A_POOL, *words],
            input=b'{"prompt": "Hello"}\n',
            env={**own, "AGENT_WORKERS_POOL": pool.path},
            capture_output=True,
            timeout=PATIENCE_S,
            check=False,
        )
    assert served.stdout == HELLO
    loaded = set(served.stderr.decode().split())
    others = {name for name in loaded if not name.startswith("agent_workers.cli.pooled")}
    ours = {"agent_workers", "agent_workers.cli", "agent_workers.stdio", "agent_workers.stdio.unblocked"}
    names = {"agent_workers.skills", "agent_workers.skills.names"}
    assert others - names <= ours | STANDARD
    assert loaded & {"agent_workers.cli.pooled.ending", "agent_workers.cli.pooled.rendered"} == set()
