"""Runs that no worker writes, in frames: alike in Python and PHP, and within the rules of each protocol."""

import json
import subprocess
from pathlib import Path

import pytest

from agent_workers.convert import FORMATS, read_event
from tests.convert.odd_runs import OddRuns
from tests.convert.test_clients import READER
from tests.waiting import PATIENCE_S

PHP = Path(__file__).parents[2] / "php-bridge/tests/fixtures/convert.php"
RUNS = 150


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    folder = tmp_path_factory.mktemp("runs")
    for seed in range(RUNS):
        (folder / f"{seed}.ndjson").write_text(OddRuns(seed).run(), "utf-8")
    return sorted(folder.glob("*.ndjson"))


def frames(name: str, file: Path) -> bytes:
    encoder = FORMATS[name]()
    lines = file.read_bytes().split(b"\n")[:-1]
    told = [encoder.event(read_event(line)) for line in lines]
    return "".join([encoder.opening(), *told, encoder.closing()]).encode()


@pytest.mark.parametrize("name", FORMATS)
def test_php_writes_the_same_bytes(name: str, files: list[Path]) -> None:
    subprocess.run(["php", str(PHP), name, *map(str, files)], check=True, timeout=PATIENCE_S)
    for file in files:
        assert file.with_name(f"{file.name}.{name}").read_bytes() == frames(name, file), file.read_text("utf-8")


def test_the_protocols_own_clients_take_no_offence(files: list[Path], tmp_path: Path) -> None:
    for name in ("ai-sdk", "ag-ui"):
        (tmp_path / name).mkdir()
        for file in files:
            (tmp_path / name / f"{file.stem}.sse").write_bytes(frames(name, file))
    done = subprocess.run(["node", str(READER), str(tmp_path)], capture_output=True, timeout=PATIENCE_S, check=True)
    read = json.loads(done.stdout)
    refused = {run: each["refused"] for runs in read.values() for run, each in runs.items() if "refused" in each}
    failed = {run: each["failure"] for run, each in read["ag-ui"].items() if each.get("failure")}
    assert (refused, failed) == ({}, {})
