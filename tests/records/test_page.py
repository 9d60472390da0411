"""``docs/records.md`` says what is so."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from agent_workers.cli.umbrella import agent_workers
from agent_workers.records import RecordsSettings, read_settings
from agent_workers.records.keeping import KEPT_EVENTS
from agent_workers.records.tables import Tables
from agent_workers.simulator import running_simulator
from tests.waiting import PATIENCE_S

PAGE = (Path(__file__).parents[2] / "docs/records.md").read_text("utf-8")
SCRIPTS = Path(sys.executable).parent


def blocks(kind: str) -> list[str]:
    return re.findall(rf"^```{kind}\n(.*?)^```", PAGE, re.DOTALL | re.MULTILINE)


@pytest.mark.parametrize(
    ("kind", "command"), [("sh", ["bash", "-euo", "pipefail", "-c"]), ("python", [sys.executable, "-c"])]
)
def test_what_the_page_shows_runs(kind: str, command: list[str], tmp_path: Path) -> None:
    snippet = next(each for each in blocks(kind) if "artisan" not in each)
    with running_simulator("hello") as simulator:
        env = {"PATH": f"{SCRIPTS}:{os.environ['PATH']}", "HOME": str(tmp_path), "ANTHROPIC_API_KEY": "dummy"}
        env |= {"ANTHROPIC_BASE_URL": simulator.base_url, "CLAUDE_CONFIG_DIR": str(tmp_path / "claude")}
        ran = subprocess.run(
            [*command, snippet], cwd=tmp_path, env=env, capture_output=True, text=True, timeout=PATIENCE_S, check=False
        )
    assert (ran.returncode, ran.stderr) == (0, "")
    assert ran.stdout


def test_the_settings_of_the_page_can_be_read_and_are_all(tmp_path: Path) -> None:
    [text] = blocks("toml")
    (tmp_path / "records.toml").write_text(text)
    found = read_settings(tmp_path / "records.toml", env={})
    assert found.model_fields_set == set(RecordsSettings.model_fields)
    assert found.events == list(KEPT_EVENTS)
    assert found.spool_mb == RecordsSettings().spool_mb


def test_the_page_names_every_table_and_column() -> None:
    for name, table in Tables().metadata.tables.items():
        _, _, section = PAGE.partition(f"### `{name}`")
        section = section.partition("\n## ")[0].partition("\n### ")[0]
        counted = {"id"} if table.c.id.type.python_type is int else set()
        assert [column for column in set(table.c.keys()) - counted if f"`{column}`" not in section] == [], name


def test_the_page_lists_every_command() -> None:
    for group in ("records", "sessions"):
        for name in agent_workers.commands[group].commands:
            assert re.search(rf"`agent-workers {group} {name}\b|, `{name}`", PAGE), name
