"""What the fleet's page and the README say of the terminal is so, and their commands run."""

import re
import subprocess
from collections.abc import Callable
from dataclasses import fields
from pathlib import Path

import pytest

from agent_workers.fleet.overview import Machine, Overview, Queue, Tenant
from tests.e2e.worker import SCRIPTS, Home
from tests.fleet.redis_server import RedisServer
from tests.fleet.served import Working
from tests.waiting import PATIENCE_S

Work = Callable[..., Working]

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs/fleet.md").read_text("utf-8").partition("\n## At the terminal\n")[2].partition("\n## ")[0]
README = (ROOT / "README.md").read_text("utf-8").partition("\n## On any machine\n")[2].partition("\n## ")[0]


def snippets(text: str) -> list[str]:
    return re.findall(r"^```sh\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)


[START] = [text for text in snippets(README) if "fleet work" in text]


@pytest.mark.parametrize("snippet", [*snippets(PAGE), *(text for text in snippets(README) if text != START)])
def test_a_command_for_the_terminal_runs(snippet: str, work: Work, home: Home, redis: RedisServer) -> None:
    work(*START.split()[3:])
    env = home.environ | {"AGENT_WORKERS_REDIS": redis.url, "PATH": f"{SCRIPTS}:{home.environ['PATH']}"}
    shell = ["bash", "-euo", "pipefail", "-c", snippet]
    ran = subprocess.run(shell, env=env, cwd=home.root, capture_output=True, text=True, timeout=PATIENCE_S, check=False)
    assert ran.returncode == 0, ran.stderr
    assert ran.stdout


def test_the_page_names_each_field_of_the_status() -> None:
    table = PAGE.partition("### How the fleet does\n")[2]
    named = {name for row in re.findall(r"^\|(.*)\|$", table, re.MULTILINE) for name in re.findall(r"`(\w+)`", row)}
    assert {field.name for kind in (Overview, Queue, Tenant, Machine) for field in fields(kind)} <= named
