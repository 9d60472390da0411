"""Runs that no worker writes, in frames: alike in Python and PHP, and within the rules of each protocol."""

import json
import subprocess
import tracemalloc
from pathlib import Path

import pytest

from agent_workers.convert import FORMATS, NotAnEvent, read_event
from tests.convert.odd_runs import OddRuns
from tests.convert.test_clients import READER
from tests.waiting import PATIENCE_S

PHP = Path(__file__).parents[2] / "php-bridge/tests/fixtures/convert.php"
RUNS = 150
DEEPEST = 511


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


@pytest.mark.parametrize("name", FORMATS)
def test_what_is_nested_as_deep_as_php_reads_is_the_same_bytes(name: str, tmp_path: Path) -> None:
    file = tmp_path / "deep.ndjson"
    file.write_text(deep("{", DEEPEST) + deep("[", DEEPEST), "utf-8")
    subprocess.run(["php", str(PHP), name, str(file)], check=True, timeout=PATIENCE_S)
    assert file.with_name(f"{file.name}.{name}").read_bytes() == frames(name, file)


@pytest.mark.parametrize("bracket", ["{", "["])
def test_what_is_nested_deeper_is_no_event_in_either_language(bracket: str, tmp_path: Path) -> None:
    line = deep(bracket, DEEPEST + 1)
    with pytest.raises(NotAnEvent, match="nested deeper than 511 levels"):
        read_event(line.encode())
    (tmp_path / "deep.ndjson").write_text(line, "utf-8")
    command = ["php", str(PHP), "ai-sdk", str(tmp_path / "deep.ndjson")]
    assert subprocess.run(command, capture_output=True, timeout=PATIENCE_S, check=False).returncode != 0


def deep(bracket: str, levels: int) -> str:
    """Returns the line of a call whose event has so many levels."""
    begin, end = {"{": ('{"":', "}"), "[": ("[", "]")}[bracket]
    value = begin * (levels - 3) + begin[0] + end + end * (levels - 3)
    told = f'"tool_use_id":"{bracket}","name":"n","input":{{"x":{value}}}'
    return f'{{"v":1,"seq":1,"run":"r","ts":"t","type":"tool_call",{told}}}\n'


@pytest.mark.parametrize("name", FORMATS)
def test_an_encoder_does_not_keep_what_it_has_told(name: str) -> None:
    head = '{"v":1,"seq":1,"run":"r","ts":"t",'
    encoder = FORMATS[name]()
    tracemalloc.start()
    for number in range(200):
        given = "x" * 10_000
        call = f'{head}"type":"tool_call","tool_use_id":"{number}","name":"Write","input":{{"content":"{given}"}}}}'
        encoder.event(read_event(call.encode()))
        result = f'{head}"type":"tool_result","tool_use_id":"{number}","status":"ok","content":"{given}"}}'
        encoder.event(read_event(result.encode()))
    kept, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert kept < 200 * 10_000 / 10


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
