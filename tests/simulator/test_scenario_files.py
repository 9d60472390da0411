"""Scenario files: what is shipped, and what is said of a wrong one."""

import json
from pathlib import Path

import pytest

from agent_workers.simulator import (
    InvalidScenarioError,
    ScenarioError,
    UnknownScenarioError,
    load_scenario,
    parse_scenario,
    scenario_names,
)

HELLO = {"type": "text", "text": "Hello."}
EXPECTED = """
    bad-request-400 billing context-overflow cut-mid-stream cut-then-ok error-mid-stream forbidden-403 hello
    huge-delta long-text many-deltas max-tokens memory not-found-404 overloaded-529 parallel-tools question
    rate-limited-429 rate-limited-429-long refusal server-error-500 server-error-then-ok slow stall-before
    stall-mid-stream structured-output structured-output-ignored structured-output-invalid subagent task-demo
    task-notes task-output task-slow task-touch task-two-questions thinking too-large-413 tool-loop unauthorized-401
    unicode
"""


def test_the_promised_scenarios_are_shipped():
    assert set(EXPECTED.split()) <= set(scenario_names())


@pytest.mark.parametrize("name", scenario_names())
def test_every_shipped_scenario_can_be_read_and_describes_itself(name):
    scenario = load_scenario(name)

    assert scenario.name == name
    assert scenario.description.endswith((".", "default."))
    assert scenario.steps


def test_an_unknown_name_is_answered_with_the_nearest_and_all_names():
    with pytest.raises(UnknownScenarioError) as caught:
        load_scenario("overloded")

    assert "Did you mean 'overloaded-529'?" in str(caught.value)
    assert all(name in str(caught.value) for name in scenario_names())


def test_a_name_that_resembles_nothing_gets_no_guess():
    with pytest.raises(UnknownScenarioError) as caught:
        load_scenario("zzzzzz")

    assert "Did you mean" not in str(caught.value)


def test_a_scenario_can_be_read_from_a_toml_file_anywhere(tmp_path: Path):
    file = tmp_path / "mine.toml"
    file.write_text('description = "Mine."\n[[steps]]\nkind = "stall"\n')

    assert load_scenario(file).name == "mine"
    assert load_scenario(str(file)).steps[0].kind == "stall"


def test_a_json_file_may_hold_lone_surrogates(tmp_path: Path):
    file = tmp_path / "mine.json"
    step = {"content": [{"type": "text", "text": "\ud83d"}]}
    file.write_text(json.dumps({"description": "Mine.", "steps": [step]}))

    assert load_scenario(file).steps[0].content[0].text == "\ud83d"


def test_a_path_that_leads_nowhere_is_an_unknown_scenario(tmp_path: Path):
    with pytest.raises(UnknownScenarioError):
        load_scenario(tmp_path / "missing.toml")


def test_a_name_never_reaches_outside_the_shipped_scenarios(tmp_path: Path):
    (tmp_path / "secret.toml").write_text('description = "Secret."\n[[steps]]\nkind = "stall"\n')

    with pytest.raises(UnknownScenarioError):
        load_scenario(str(tmp_path / "secret"))


@pytest.mark.parametrize(
    ("table", "problem"),
    [
        ({"steps": [{"content": [HELLO]}]}, "'description' is missing"),
        ({"description": "No steps."}, "steps: must be a list"),
        ({"description": "Empty.", "steps": []}, "steps: must be a list"),
        ({"steps": [{"kind": "dance"}]}, "steps[0]: 'kind' must be one of message, failure, stall"),
        ({"steps": ["hello"]}, "steps[0]: must be a table"),
        ({"steps": [{"text": "Hello."}]}, "steps[0]: 'content' must be a list of blocks"),
        ({"steps": [{"content": [HELLO], "delay": 5}]}, "'delay' is not a known key; did you mean 'delay_ms'?"),
        ({"steps": [{"content": [HELLO], "delay_ms": -5}]}, "'delay_ms' must be a whole number of 0 or more"),
        ({"steps": [{"content": [HELLO], "cut": 0}]}, "'cut' must be at least 1"),
        ({"steps": [{"content": [HELLO], "cut": "line"}]}, "'cut' must be 'word' or"),
        ({"steps": [{"content": [{"type": "image"}]}]}, "steps[0].content[0]: 'type' must be one of"),
        (
            {"steps": [{"content": [HELLO], "interruption": {"kind": "fire"}}]},
            "steps[0].interruption: 'kind'",
        ),
        ({"steps": [{"kind": "failure", "status": 500}]}, "'error' is missing"),
        (
            {"steps": [{"content": [HELLO]}], "batch": {"poll": 2}},
            "batch: 'poll' is not a known key; did you mean 'polls'?",
        ),
        ({"steps": [{"content": [HELLO]}], "batch": {"ends": 0}}, "batch: 'ends' must be true or false"),
        ({"steps": [{"content": [HELLO]}], "limit": 5}, "limit: must be a table"),
        ({"steps": [{"content": [HELLO]}], "limit": {"per_s": 1}}, "limit: 'requests' is missing"),
        ({"steps": [{"content": [HELLO]}], "limit": {"requests": 1.5}}, "limit: 'requests' must be a whole number"),
        (
            {"steps": [{"content": [HELLO]}], "limit": {"requests": 1, "per_s": -0.5}},
            "limit: 'per_s' must be a number of 0 or more",
        ),
        (
            {"steps": [{"content": [HELLO]}], "limit": {"requests": 0}},
            "limit: 'requests' and 'per_s' must be more than 0",
        ),
        (
            {"steps": [{"kind": "failure", "status": True, "error": "e", "message": "m"}]},
            "'status' must be a whole number",
        ),
    ],
)
def test_a_wrong_file_is_refused_with_the_place_and_the_reason(table, problem):
    with pytest.raises(InvalidScenarioError) as caught:
        parse_scenario("mine", {"description": "Mine.", **table} if problem[0] != "'" else table)

    assert problem in str(caught.value)


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("mine.toml", b"steps = ["),
        ("mine.json", b"{"),
        ("mine.json", b"[]"),
        ("mine.toml", b"\xff"),
        ("mine.json", b"[" * 100_000),
    ],
)
def test_a_file_that_is_no_table_at_all_is_refused(tmp_path: Path, name: str, text: bytes):
    (tmp_path / name).write_bytes(text)

    with pytest.raises(ScenarioError, match="Scenario 'mine'"):
        load_scenario(tmp_path / name)
