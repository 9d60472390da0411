"""What a simulator answers for a skill."""

from pathlib import Path

import pytest

from agent_workers.skills.checks import violations
from agent_workers.skills.load import load, load_examples
from agent_workers.skills.lookup import BUNDLED
from agent_workers.skills.settings import Settings
from agent_workers.skills.simulated import simulated_output
from agent_workers.skills.skill import Example

CHECKS = Settings.model_validate(
    {
        "checks": [
            {"check": "evidence", "at": "/evidence/*"},
            {"check": "ids", "at": "/best/*/id", "of": {"input": "/all/*"}},
            {"check": "unique", "at": "/best/*/id"},
        ]
    }
).checks
EXAMPLE = Example(
    "one", {"all": ["a", "b"], "x/y": 1}, {"evidence": ["/x~1y", "/all/1"], "best": [{"id": "a"}, {"id": "b"}]}
)


def test_the_example_of_the_same_input_is_told_as_it_is() -> None:
    assert simulated_output([EXAMPLE], CHECKS, EXAMPLE.input) == EXAMPLE.output


def test_for_another_input_evidence_and_ids_are_such_as_that_has() -> None:
    output = simulated_output([EXAMPLE], CHECKS, {"all": ["c", "d"]})
    assert output == {"evidence": ["/all", "/all/1"], "best": [{"id": "c"}, {"id": "d"}]}
    assert EXAMPLE.output["best"][0]["id"] == "a"


def test_where_no_example_can_be_bent_there_is_none() -> None:
    assert simulated_output([EXAMPLE], CHECKS, {"all": ["c"]}) is None
    assert simulated_output([EXAMPLE], CHECKS, {"all": []}) is None
    assert simulated_output([], CHECKS, {"all": ["c"]}) is None


@pytest.mark.parametrize("folder", sorted(BUNDLED.iterdir()), ids=lambda folder: folder.name)
def test_a_bundled_skill_is_answered_for_an_input_with_next_to_nothing_in_it(folder: Path) -> None:
    skill = load(folder)
    example = load_examples(skill)[0]
    bare = {name: example.input[name] for name in skill.input_schema["required"]}
    output = simulated_output(load_examples(skill), skill.settings.checks, bare)
    assert output is not None
    assert violations(skill.settings.checks, bare, output) == []
