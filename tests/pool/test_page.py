"""What the pool's page says of settings, options and metrics is so, and its commands run."""

import os
import re
import signal
import socket
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from agent_workers.cli.pool import pool as command
from agent_workers.pool.metrics import _FAMILIES
from agent_workers.pool.settings import PoolSettings, PoolTable
from tests.e2e.worker import SCRIPTS, Home
from tests.pool.served import ServedPool
from tests.waiting import PATIENCE_S, until

PAGE = (Path(__file__).parents[2] / "docs/pool.md").read_text("utf-8")


def section(heading: str) -> str:
    return PAGE.partition(f"\n### {heading}\n")[2].partition("\n### ")[0]


def rows(text: str) -> list[list[str]]:
    """The cells of each row of a table."""
    found = re.search(r"^\|.*\n\|[-|]+\|\n((?:\|.*\n)+)", text, re.MULTILINE)
    assert found
    return [[cell.strip() for cell in row.strip("|").split("|")] for row in found[1].splitlines()]


def test_the_page_has_every_setting_with_its_default_and_its_option() -> None:
    server, _, table = section("Settings").partition("In the table of a pool:")
    options: set[str] = {"--config"}
    for model, text in ((PoolSettings, server), (PoolTable, table)):
        told = {key.strip("`"): (default, option) for key, _, default, option in rows(text)}
        assert list(told) == list(model.model_fields)
        for name, field in model.model_fields.items():
            if field.default is not None and field.default_factory is None:
                assert told[name][0].strip("`") == str(field.default), name
        options |= {name for _, option in told.values() for name in re.findall(r"`(--[\w-]+)`", option)}
    assert options == {option for parameter in command.params for option in parameter.opts}


def test_the_page_has_every_metric_with_its_type_and_its_labels(shared: ServedPool) -> None:
    shared.run({"prompt": "Hi", "model": "claude-x"})
    told = {name.strip("`"): (kind, labels) for name, kind, labels, _ in rows(section("Metrics"))}
    assert {name: kind for name, (kind, _) in told.items()} == {name: kind for name, kind, *_ in _FAMILIES}
    client = shared.connect()
    client.write(b"GET /metrics HTTP/1.1\r\n\r\n")
    text = client.connection.makefile("rb").read().decode()
    client.close()
    samples = re.findall(r"^agent_workers_pool_(\w+)\{(.*)\} ", text, re.MULTILINE)
    for name, labels in samples:
        family = re.sub(r"_(bucket|sum|count)$", "", name)
        assert set(re.findall(r"(\w+)=", labels)) <= {"pool", *re.findall(r"`(\w+)`", told[family][1])}
    assert {re.sub(r"_(bucket|sum|count)$", "", name) for name, _ in samples} >= {"processes", "cold_total"}


def test_the_page_names_no_metric_that_is_none() -> None:
    named = set(re.findall(r"agent_workers_pool_(\w+)[`{]", section("Metrics"))) - {""}
    assert named <= {name for name, *_ in _FAMILIES}


SNIPPETS = re.findall(r"^```sh\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
# Of these the first three have tests of their own; for the last one there is no service manager here.
_APART = ("--min-idle", "agent-workers simulate", "AGENT_WORKERS_POOL=", "systemd-run")
COMMANDS = [text for text in SNIPPETS if not any(words in text for words in _APART)]


@pytest.mark.parametrize("snippet", COMMANDS)
def test_a_command_of_the_page_runs(snippet: str, shared: ServedPool) -> None:
    path = f"{SCRIPTS}:{shared.home.environ['PATH']}"
    env = shared.home.environ | {"AGENT_WORKERS_POOL": str(shared.path), "PATH": path}
    shell = ["bash", "-euo", "pipefail", "-c", snippet]
    ran = subprocess.run(
        shell, env=env, cwd=shared.home.root, capture_output=True, text=True, timeout=PATIENCE_S, check=False
    )
    assert (ran.returncode, ran.stderr) == (0, "")


def test_the_pages_own_start_is_a_command_line_of_the_pool(serve: Callable[..., ServedPool]) -> None:
    [line] = re.findall(r"^agent-workers pool (--socket .*)$", section("Starting it"), re.MULTILINE)
    options = line.partition(" --")[2]
    pool = serve(*f"--{options}".replace("--min-idle 4", "--min-idle 0").replace("www-data", "root").split())
    assert pool.status["pools"]["default"]["max"] == 16


def test_the_page_can_be_tried(home: Home) -> None:
    start, use = (text for text in SNIPPETS if "~/pool.sock" in text)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = str(free.getsockname()[1])
    env = {name: value for name, value in home.environ.items() if not name.startswith("ANTHROPIC_")}
    env["PATH"] = f"{SCRIPTS}:{env['PATH']}"
    shell = ["bash", "-euo", "pipefail", "-c"]
    log = home.root / "log"
    with log.open("wb") as written:
        started = subprocess.Popen(
            [*shell, start.replace("8420", port)], env=env, stdout=written, stderr=written, start_new_session=True
        )
    try:
        until(lambda: "listening at" in log.read_text("utf-8"), what=lambda: log.read_text("utf-8"))
        ran = subprocess.run([*shell, use], env=env, capture_output=True, text=True, timeout=PATIENCE_S, check=False)
        assert (ran.returncode, ran.stderr) == (0, "")
        assert ran.stdout.splitlines()[0] == "live"
    finally:
        os.killpg(started.pid, signal.SIGTERM)
        started.wait(PATIENCE_S)
