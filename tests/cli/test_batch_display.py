"""What a person sees of ``agent-batch``: while it runs, and what remains."""

import json
import os
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from agent_workers.simulator import Simulator, running_simulator
from tests.cli.conftest import Shown
from tests.cli.terminal import Terminal
from tests.cli.test_batch import Place
from tests.e2e.worker import SCRIPTS
from tests.missing import where_missing
from tests.waiting import PATIENCE_S

HERE = {"worker": "agent-chat", "engine": "messages"}


@pytest.fixture
def simulator() -> Iterator[Simulator]:
    with running_simulator() as simulator:
        yield simulator


@pytest.fixture
def place(tmp_path: Path, simulator: Simulator) -> Place:
    place = Place(tmp_path)
    place.environ |= {"ANTHROPIC_BASE_URL": simulator.base_url, "ANTHROPIC_API_KEY": "simulated"}
    return place


def ask(place: Place, *requests: dict[str, Any]) -> None:
    place.write(*({**HERE, "prompt": "Hello", **request} for request in requests))


def at_terminal(place: Place, *arguments: str, stdout: Path | None = None) -> Terminal:
    """Runs a batch whose stderr is a terminal, and its stdout where no file is named; returns what is seen."""
    ours, its = os.openpty()
    command = [str(SCRIPTS / "agent-batch"), *arguments]
    environ = place.environ | {"TERM": "xterm-256color", "COLUMNS": "80", "LINES": "24"}
    with (place.root / "in").open("rb") as lines, (stdout or Path(os.devnull)).open("ab") as file:
        out = file.fileno() if stdout else its
        process = subprocess.Popen(command, stdin=lines, stdout=out, stderr=its, env=environ)
    os.close(its)
    try:
        terminal, _ = Shown(process, ours, Terminal(80, 24)).to_end()
    finally:
        process.kill()
        process.wait(PATIENCE_S)
        os.close(ours)
    return terminal


def last(place: Place) -> str:
    return place.errors.splitlines()[-1]


def test_a_last_line_says_what_a_batch_came_to(place: Place) -> None:
    ask(place, {}, {"max_tokens": 0}, {})
    assert place.run("--results", quick=False)[0] == 1
    assert re.fullmatch(
        r"agent-batch: 2 done, 1 failed \(invalid_request 1\), \d+\.\d s, \d+\.\d/s, \$0\.\d{4}", last(place)
    )


def test_the_last_line_stays_on_a_terminal(place: Place) -> None:
    ask(place, {}, {})
    seen = at_terminal(place, "--results", stdout=place.root / "out").text.splitlines()
    assert [line for line in seen if line][-1].startswith("agent-batch: 2 done, 0 failed, ")
    assert len((place.root / "out").read_bytes().splitlines()) == 2


def test_results_and_the_line_that_is_painted_share_a_terminal(place: Place) -> None:
    ask(place, *({"run": f"run-{number}"} for number in range(40)))
    seen = at_terminal(place, "--results", "--concurrency=3")
    lines = re.findall(r'^\{"run":"run-\d+"', "\n".join(seen.text.splitlines()), re.MULTILINE)
    assert len(lines) == 40
    assert [line for line in seen.text.splitlines() if '{"run"' in line[1:]] == []
    assert [line for line in seen.text.splitlines() if re.match(r"\d+/40 done", line)] == []


def test_a_summary_says_the_same_as_the_last_line_and_more(place: Place) -> None:
    ask(place, {}, {})
    assert place.run("--results", "--summary", quick=False)[0] == 0
    told = dict(re.findall(r"^ *(\w[\w ]+?)  +(.+?) *$", place.errors, re.MULTILINE))
    assert told.keys() >= {"done", "failed", "attempts", "cost", "tokens", "time", "lines a second", "exit status"}
    assert {"of them by earlier starts", "out at the batch API", "aborted", "stopped by"}.isdisjoint(told)
    assert not any(line.startswith("agent-batch: 2 done") for line in place.errors.splitlines())


def test_a_summary_as_json_is_all_that_is_said_at_the_end(place: Place) -> None:
    ask(place, {}, {})
    assert place.run("--results", "--summary=json", quick=False)[0] == 0
    summary = json.loads(last(place))
    assert summary["seconds"] > 0
    assert summary["per_second"] == pytest.approx(2 / summary["seconds"], rel=0.05)
    assert (summary["simulated"], summary["attempts"]) == (False, 2)
    assert len(place.errors.splitlines()) == 2  # how many run at once comes first


def test_what_earlier_starts_have_used_counts_as_what_they_have_cost(place: Place, simulator: Simulator) -> None:
    ask(place, {}, {"prompt": "[[scenario:server-error-500]] x"}, {})
    arguments = ("--results", "--checkpoint=checkpoint", "--summary=json", "--attempts=1")
    summaries = []
    for _ in range(2):
        assert place.run(*(f"--checkpoint={place.root}/c" if "=checkpoint" in a else a for a in arguments), quick=False)
        summaries.append(json.loads(last(place)))
    first, second = summaries
    assert (second["earlier"], second["done"], second["failed"]) == (2, 2, 1)
    assert second["cost_usd"] == pytest.approx(first["cost_usd"])
    assert second["usage"] == first["usage"]
    assert second["usage"]["output_tokens"] > 0
    assert (first["attempts"], second["attempts"]) == (3, 4)


def test_a_batch_that_a_simulator_answers_says_so(place: Place, simulator: Simulator) -> None:
    ask(place, {}, {})
    place.environ["ANTHROPIC_BASE_URL"] = simulator.marked_url
    assert place.run("--results", quick=False)[0] == 0
    first, told, end = place.errors.splitlines()
    assert "SIMULATED" not in first
    assert told == "agent-batch: SIMULATED: a script answers, not a model"
    assert end.endswith("SIMULATED")
    assert place.run("--results", "--summary=json", quick=False)[0] == 0
    assert json.loads(last(place))["simulated"] is True


def test_with_the_option_it_is_said_once(place: Place) -> None:
    ask(place, {})
    assert place.run("--results", "--simulate", quick=False)[0] == 0
    assert place.errors.count("SIMULATED") == 2  # where it begins, and where it ends


def test_a_record_names_the_engine_that_did_its_work(place: Place) -> None:
    place.environ["AGENT_WORKERS_CLI"] = "/nonexistent"
    ask(place, {}, {"engine": "agent"}, {"max_tokens": 0})
    _, records = place.run("--results", "--attempts=1", quick=False)
    assert {record["line"]: record.get("engine") for record in records} == {1: "messages", 2: "agent", 3: None}


@pytest.mark.parametrize(("package", "extra"), [("httpx2", "messages"), ("uvicorn", "simulator")])
def test_the_economy_lane_says_which_extra_it_needs(place: Place, package: str, extra: str) -> None:
    ask(place, {})
    command = [*where_missing(package, str(SCRIPTS / "agent-workers-entry")), "agent-batch", "--economy", "--simulate"]
    command.append(f"--checkpoint={place.root / 'c'}")
    with (place.root / "in").open("rb") as lines:
        options: dict[str, Any] = {"stdin": lines, "env": place.environ, "timeout": PATIENCE_S}
        asked = subprocess.run(command, capture_output=True, text=True, check=False, **options)
    assert asked.returncode == 2
    assert asked.stderr.splitlines()[-1] == f"Error: --economy needs the extra {extra}: pip install '.[{extra}]'"
