"""``agent-skill test``: a skill's examples, run through the real program."""

import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from agent_workers.simulator import Simulator
from agent_workers.simulator.scenario import Message, Scenario, ToolUse
from agent_workers.skills.lookup import BUNDLED
from tests.e2e.engines import BOTH
from tests.e2e.worker import SCRIPTS, Home
from tests.waiting import PATIENCE_S

HEALTHY, EMPTY = "growing-integrator", "new-partner-without-metrics"


@pytest.fixture
def folder(home: Home, engine: str) -> Path:
    """A skill of the name of a bundled one, with two examples, in a place where none is looked for."""
    folder = home.root / "ours/partner-health"
    shutil.copytree(BUNDLED / "partner-health", folder)
    for file in (folder / "examples").iterdir():
        if file.stem not in (HEALTHY, EMPTY):
            file.unlink()
    with (folder / "agents/agent-workers.yaml").open("a") as settings:
        settings.write(f"engine: {engine}\n")
    return folder


def change(folder: Path, example: str, **parts: Any) -> dict[str, Any]:
    """Changes the input or the output of an example, and returns the output."""
    file = folder / f"examples/{example}.json"
    document = json.loads(file.read_text())
    for name, part in parts.items():
        document[name] |= part
    file.write_text(json.dumps(document))
    return document["output"]


def ran(home: Home, *arguments: str | Path) -> "subprocess.CompletedProcess[str]":
    command = [str(SCRIPTS / "agent-skill"), "test", *map(str, arguments)]
    return subprocess.run(
        command, env=home.environ, cwd=home.root, capture_output=True, text=True, timeout=PATIENCE_S, check=False
    )


def test_on_the_simulator_each_example_comes_back_and_no_model_is_asked(home: Home, simulator: Simulator) -> None:
    ended = ran(home, "co-sell-match", "--example=no-candidates", "--example=must-have-unknown")
    assert (ended.returncode, ended.stderr) == (0, "")
    title, _, *rows, total = ended.stdout.splitlines()
    assert title == "co-sell-match 1.0.0 (SIMULATED: no model has answered; shape and checks only)"
    assert [row.split()[:4] for row in rows] == [
        ["must-have-unknown", "1", "of", "1"],
        ["no-candidates", "1", "of", "1"],
    ]
    assert "would be marked for review" in rows[0]
    assert total == "100% passed: 2 of 2 runs"
    assert simulator.requests("/v1/messages") == []


def test_an_example_that_breaks_the_skills_checks_is_said_to_and_one_that_a_stronger_model_sees_too_is_right(
    home: Home, folder: Path
) -> None:
    settings = folder / "agents/agent-workers.yaml"
    settings.write_text(settings.read_text().replace("[checks_failed]", "[checks_failed, low_confidence]"))
    change(folder, HEALTHY, output={"evidence": ["/metrics/turnover\u202e"]})
    ended = ran(home, folder, f"--example={HEALTHY}")
    assert ended.returncode == 1
    assert "/evidence/0 must be a JSON pointer" in " ".join(ended.stdout.split())
    assert "\u202e" not in ended.stdout
    assert ended.stdout.splitlines()[-1] == "0% passed: 0 of 1 runs"
    told = json.loads(ran(home, folder, "--json").stdout)
    [broken, sound] = told["examples"]
    assert (told["simulated"], told["runs"], told["passed"], told["pass_rate"]) == (True, 2, 1, 0.5)
    assert (broken["example"], broken["pass_rate"], sound["pass_rate"]) == (HEALTHY, 0, 1)
    [tried] = broken["tries"]
    assert (tried["status"], tried["code"]) == ("failed", "output_schema")
    assert [problem["pointer"] for problem in tried["problems"]] == ["/evidence/0"]


def test_an_example_whose_input_the_skill_does_not_take_is_refused(home: Home, folder: Path) -> None:
    change(folder, HEALTHY, input={"metric": {}})
    ended = ran(home, folder, "--json")
    assert ended.returncode == 2
    [tried] = json.loads(ended.stdout)["examples"][0]["tries"]
    assert (tried["status"], tried["code"]) == ("refused", "invalid_request")
    assert [problem["pointer"] for problem in tried["problems"]] == ["/input/metric"]
    assert ran(home, folder, f"--example={EMPTY}").returncode == 0


@BOTH
def test_live_the_models_answers_are_compared_at_the_decisive_places(
    home: Home, folder: Path, simulator: Simulator
) -> None:
    answer = change(folder, HEALTHY, output={"evidence": ["/partner/name"]})
    answer = {**answer, "score": 0.75, "reasons": [], "actions": []}
    schema = json.loads((folder / "output.schema.json").read_text())
    schema["properties"]["reasons"]["minItems"] = schema["properties"]["actions"]["minItems"] = 0
    (folder / "output.schema.json").write_text(json.dumps(schema))
    steps = (Message(content=(ToolUse(name="StructuredOutput", input=answer),)),)
    simulator.play(Scenario(name="answer", description="", steps=steps))
    ended = ran(home, folder, "--live", "--json")
    assert ended.returncode == 1
    told = json.loads(ended.stdout)
    assert (told["simulated"], told["runs"], told["passed"], told["pass_rate"]) == (False, 2, 1, 0.5)
    assert told["cost_usd"] > 0
    like, other = told["examples"]
    assert (like["example"], like["passed"], other["passed"]) == (HEALTHY, 1, 0)
    [tried] = other["tries"]
    assert (tried["number"], tried["status"], tried["models"]) == (1, "differs", ["claude-sonnet-5"])
    assert tried["differences"][0] == {"pointer": "/status", "expected": ["watch"], "found": ["healthy"]}
    shown = ran(home, folder, "--live", "--repeat=2", f"--example={EMPTY}")
    assert shown.returncode == 1
    assert shown.stdout.startswith("partner-health 1.0.0 (live)\n")
    assert 'run 2: /status is "healthy", not "watch"' in " ".join(shown.stdout.split())
    assert "by estimate" in shown.stdout.splitlines()[-1]


def test_what_cannot_be_tried_is_refused_with_a_word_on_the_cure(home: Home, folder: Path) -> None:
    empty = home.root / "empty/partner-health"
    shutil.copytree(folder, empty)
    shutil.rmtree(empty / "examples")
    faulty = home.root / "faulty/partner-health"
    shutil.copytree(folder, faulty)
    (faulty / "input.schema.json").unlink()
    (home.root / "partner").mkdir()
    odd = home.root / "a:b/partner-health"
    shutil.copytree(folder, odd)
    for arguments, words in [
        (("partner-helth",), "did you mean partner-health?"),
        (("partner",), "say ./partner"),
        (("./nowhere",), "there is no such folder"),
        ((empty,), "write examples/NAME.json"),
        ((faulty,), "agent-skill check says all that is wrong with it"),
        ((odd,), "move the folder"),
        ((folder, "--example=x"), f"it has {HEALTHY}, {EMPTY}"),
        ((folder, "--repeat=0"), "--repeat"),
    ]:
        ended = ran(home, *arguments)
        assert (ended.returncode, ended.stdout) == (2, ""), arguments
        assert words in ended.stderr, arguments
        assert "Traceback" not in ended.stderr
