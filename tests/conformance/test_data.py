"""The cases, runs, profiles and transcripts are what the page says they are, for readers in any language."""

import json
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from agent_workers.client import ProcessRunner
from agent_workers.conformance import load_cases, load_profile
from agent_workers.conformance.case import SECTIONS, load_runs
from agent_workers.conformance.reading import digest, digest_of, encoded, facts, reading, reading_of
from agent_workers.protocol.v1.envelope import TERMINAL
from agent_workers.protocol.v1.events import BODIES
from agent_workers.simulator import Scenario, load_scenario, parse_scenario
from agent_workers.validation import check
from agent_workers.validation.stream import STREAM_RULES
from tests.conformance.record import SOURCES, WRITTEN, record
from tests.golang import GO_ENV
from tests.waiting import PATIENCE_S

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / "conformance" / "v1"
PAGE = (ROOT / "conformance" / "README.md").read_text("utf-8")
TRANSCRIPTS = {path.stem: path.read_bytes() for path in sorted((FOLDER / "transcripts").glob("*.ndjson"))}
DIGESTS: dict[str, str] = json.loads((FOLDER / "digests.json").read_text())


def document(path: Path) -> Any:
    return json.loads(path.read_text("utf-8"))


@pytest.mark.parametrize("path", sorted((FOLDER / "cases").glob("*.json")), ids=lambda path: path.stem)
def test_a_case_is_as_its_schema_says(path: Path) -> None:
    case = document(path)
    Draft202012Validator(document(FOLDER / "case.schema.json")).validate(case)
    assert case["id"] == path.stem
    assert case["section"] in SECTIONS
    assert case.get("run", "plain") in load_runs()
    assert ("run" in case) == ("expect" in case)


def test_the_page_has_a_section_for_each_case_in_the_order_of_the_report() -> None:
    headings = re.findall(r"^## (.+)$", PAGE.partition("# The contract")[2].partition("# For the kit")[0], re.MULTILINE)
    assert headings == list(SECTIONS)


def test_each_rule_of_a_stream_is_a_case_that_holds_in_every_run() -> None:
    in_every_run = {case.id for case in load_cases() if case.run is None}
    assert set(STREAM_RULES) - {"terminal"} <= in_every_run  # a missing end is for the case that wanted one


def test_each_run_has_a_script_that_the_simulator_can_play() -> None:
    for name, run in load_runs().items():
        script = run["scenario"]
        played = (
            load_scenario(script) if isinstance(script, str) else parse_scenario(name, {"description": "", **script})
        )
        assert isinstance(played, Scenario)


@pytest.mark.parametrize("path", sorted((FOLDER / "profiles").glob("*.json")), ids=lambda path: path.stem)
def test_a_profile_of_ours_can_be_used(path: Path) -> None:
    assert load_profile(path.stem, [path.stem]).name == path.stem


def test_the_profile_on_the_page_can_be_used(tmp_path: Path) -> None:
    shown = next(text for text in re.findall(r"```json\n(.*?)```", PAGE, re.DOTALL) if "asks_model" in text)
    (tmp_path / "conform.json").write_text(shown)
    profile = load_profile(str(tmp_path / "conform.json"), ["worker"])
    assert set(profile.runs) == {"slow", "failing"}


def test_the_page_names_every_key_of_a_profile_and_every_condition() -> None:
    for key in document(FOLDER / "profile.schema.json")["properties"]:
        assert f"| `{key}` |" in PAGE
    for name in ("$contains", "$lacks", "$in", "$all", "$type", "$absent"):
        assert f"`{name}`" in PAGE


def test_the_facts_of_a_reading_are_fields_of_the_events() -> None:
    for kind, fields in facts().items():
        assert set(fields) <= set(BODIES[kind].model_fields)
    assert set(BODIES) - set(facts()) == {"delta", "thinking", "ping"}


def test_every_transcript_has_a_digest_and_a_reading() -> None:
    assert set(TRANSCRIPTS) == set(DIGESTS) == {*SOURCES, *WRITTEN}
    assert {name: digest(lines) for name, lines in TRANSCRIPTS.items()} == DIGESTS
    for name, lines in TRANSCRIPTS.items():
        shown = document(FOLDER / "readings" / f"{name}.json")
        assert digest_of(shown) == digest(lines)


@pytest.mark.parametrize("command", [["node", "digest.mjs"], ["go", "run", "digest.go"]], ids=["Node", "Go"])
def test_a_reader_made_from_the_page_alone_reads_the_transcripts_alike(command: list[str]) -> None:
    ran = subprocess.run(
        [*command, str(FOLDER)],
        cwd=Path(__file__).parent,
        env=GO_ENV,
        capture_output=True,
        timeout=PATIENCE_S,
        check=True,
    )
    assert json.loads(ran.stdout) == DIGESTS


@pytest.mark.parametrize("name", TRANSCRIPTS)
def test_the_python_client_reads_a_transcript_alike(name: str) -> None:
    worker = ProcessRunner("/bin/sh", "-c", 'exec cat "$0"', str(FOLDER / "transcripts" / f"{name}.ndjson"))
    with worker.stream({"prompt": "Hello"}) as run:
        events = list(run)
    assert events[-1]["type"] in TERMINAL  # also where the worker has written no end
    assert digest_of(reading_of(events)) == DIGESTS[name]


def test_the_transcripts_are_valid_runs_but_for_the_one_that_crashed() -> None:
    faults = {name: {fault.rule for fault in check(lines, "events")[1]} for name, lines in TRANSCRIPTS.items()}
    assert faults.pop("crash") == {"lines", "terminal"}
    assert set().union(*faults.values()) == set()


def test_a_run_without_an_end_is_read_as_lost() -> None:
    entries, text, _ = reading(TRANSCRIPTS["crash"])
    assert entries[-1] == ["error", "worker_lost", True, None, None]
    assert text


def test_a_value_is_encoded_as_the_page_shows() -> None:
    shown = re.search(r"So `(\[.+?\])` is `(.+?)`", PAGE)
    assert shown
    assert encoded(json.loads(shown[1])).decode() == shown[2]
    assert encoded({"b": [], "a": {}, "é": None, "z": {"x": None}}) == b"d1:ale1:ble1:zlee"
    assert encoded(["é", True, False, None, -7]) == b"l2:\xc3\xa9tfni-7ee"


@pytest.mark.parametrize("name", ["thinking", "app-tool-fails", "retry", "refused"])
def test_a_real_worker_still_says_what_its_transcript_holds(name: str) -> None:
    assert digest(record(name)) == DIGESTS[name]
