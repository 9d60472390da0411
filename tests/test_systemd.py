"""The units and settings of examples/systemd: what systemd reads without a word, and how little they may."""

import re
import shlex
import shutil
import subprocess
import sys
import tomllib
from configparser import ConfigParser, RawConfigParser
from pathlib import Path

import pytest

from agent_workers.cli.fleet_work import work
from agent_workers.pool.settings import DEFAULT, PoolSettings
from tests.waiting import PATIENCE_S

FOLDER = Path(__file__).parent.parent / "examples/systemd"
UNITS = sorted(path.name for path in FOLDER.glob("agent-*"))
POOL = "agent-workers-pool.service"
FLEET = "agent-workers-fleet@.service"
GATEWAY = "agent-workers-gateway.service"
SETTINGS = (FOLDER / "pool.toml").read_text("utf-8")
needs_systemd = pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="needs systemd-analyze")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The units as on a host that has what they start."""
    for name in UNITS:
        text = (FOLDER / name).read_text("utf-8")
        programs = re.findall(r"^Exec\w+=(/\S+)", text, re.MULTILINE)
        for program in (program for program in programs if not Path(program).exists()):
            text = text.replace(program, sys.executable)
        (tmp_path / name).write_text(text, "utf-8")
    return tmp_path


def analyze(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = ["systemd-analyze", *arguments]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=PATIENCE_S, check=False)


@needs_systemd
@pytest.mark.parametrize("unit", UNITS)
def test_systemd_reads_a_unit_without_a_complaint(unit: str, folder: Path) -> None:
    verified = analyze(folder, "verify", "--man=no", f"./{unit}")
    assert (verified.returncode, verified.stderr) == (0, "")


@needs_systemd
@pytest.mark.parametrize("unit", [POOL, FLEET, GATEWAY])
def test_the_services_are_exposed_as_little_as_their_work_lets(unit: str, folder: Path) -> None:
    rated = analyze(folder, "security", "--offline=true", "--threshold=20", f"./{unit}")
    assert rated.returncode == 0, rated.stdout
    assert "Unknown" not in rated.stderr


def values(unit: str) -> RawConfigParser:
    parser = ConfigParser(strict=False, interpolation=None, delimiters=["="])
    parser.optionxform = str  # type: ignore[assignment,method-assign]
    parser.read_string((FOLDER / unit).read_text("utf-8"))
    return parser


def test_the_unit_leaves_a_pool_the_time_to_stop_and_the_memory_below_what_kills() -> None:
    service = values(POOL)["Service"]
    settings = PoolSettings.model_validate(tomllib.loads(SETTINGS))
    assert int(service["TimeoutStopSec"]) > settings.stop_s + 16
    assert settings.memory_bound
    assert settings.memory_bound < int(service["MemoryMax"].removesuffix("G")) << 30
    assert (service["MemoryDenyWriteExecute"], service["KillMode"], service["Type"]) == ("no", "mixed", "notify")


def test_the_unit_leaves_a_process_of_the_fleet_the_time_to_drain() -> None:
    service = values(FLEET)["Service"]
    words = shlex.split(service["ExecStart"].replace("%i", "default").replace("${SLOTS}", "4"))
    given = work.make_context("work", words[3:]).params
    assert int(service["TimeoutStopSec"]) >= given["grace_s"] + 20
    assert given["queues"] == (("default", 4),)
    assert (service["KillMode"], service["Type"]) == ("mixed", "notify")


def test_the_socket_is_where_the_settings_and_the_page_have_it() -> None:
    path = values("agent-workers-pool.socket")["Socket"]["ListenStream"]
    assert f'socket = "{path}"' in SETTINGS
    assert path in (FOLDER.parents[1] / "docs/pool.md").read_text("utf-8")


def test_the_settings_show_every_key_and_what_is_commented_out_is_the_default() -> None:
    whole = re.sub(r"^# (\w+ = )", r"\1", SETTINGS, flags=re.MULTILINE)
    shown = tomllib.loads(whole)
    settings = PoolSettings.model_validate(shown)
    assert list(settings.pool) == [DEFAULT]
    server, _, table = SETTINGS.partition(f"[pool.{DEFAULT}]")
    for text, read in ((server, settings), (table, settings.pool[DEFAULT])):
        fields = type(read).model_fields
        assert set(re.findall(r"^(?:# )?(\w+) = ", text, re.MULTILINE)) == set(fields) - {"pool"}
        for name in re.findall(r"^# (\w+) = ", text, re.MULTILINE):
            assert fields[name].default is None or fields[name].default == getattr(read, name), name
