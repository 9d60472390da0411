"""The skills that come with the package: each is usable as it is, and its examples are right."""

import copy
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft7Validator
from skills_ref.validator import validate

import agent_workers
from agent_workers.protocol.v1.request import parse_request
from agent_workers.protocol.v1.skill_request import SkillRequest
from agent_workers.skills.check import faults_of
from agent_workers.skills.checks import violations
from agent_workers.skills.load import load, load_examples
from agent_workers.skills.skill import Example, Skill

ROOT = Path(__file__).parents[2]
BUNDLED = Path(agent_workers.__file__).parent / "skills/bundled"
SKILLS = {folder.name: load(folder) for folder in sorted(BUNDLED.iterdir())}
EXAMPLES = [(skill, example) for skill in SKILLS.values() for example in load_examples(skill)]

every_skill = pytest.mark.parametrize("skill", SKILLS.values(), ids=list(SKILLS))
every_example = pytest.mark.parametrize(
    ("skill", "example"), EXAMPLES, ids=[f"{skill.name}/{example.name}" for skill, example in EXAMPLES]
)

BANDS = {
    "partner-health": [(0.7, "healthy"), (0.4, "watch"), (0, "at_risk")],
    "delivery-quality": [(0.7, "good"), (0.4, "watch"), (0, "poor")],
}


def example_of(name: str, example: str) -> Example:
    return next(each for each in load_examples(SKILLS[name]) if each.name == example)


def schemas_in(schema: dict[str, Any], place: str = "") -> Iterator[tuple[str, dict[str, Any]]]:
    yield place, schema
    for name, part in schema.get("properties", {}).items():
        yield from schemas_in(part, f"{place}/{name}")
    if "items" in schema:
        yield from schemas_in(schema["items"], f"{place}/*")


def test_there_are_these() -> None:
    assert set(SKILLS) == {
        "partner-health",
        "delivery-quality",
        "co-sell-match",
        "implementation-risk",
        "co-marketing-plan",
    }


@every_skill
def test_a_folder_has_no_fault_and_passes_the_validator_of_agent_skills_unchanged(skill: Skill) -> None:
    assert faults_of(skill.folder) == []
    assert validate(skill.folder) == []
    assert (skill.license, skill.version, skill.owner) == ("MIT", "1.0.0", "agent-workers")


@every_skill
def test_every_property_is_described_and_no_object_takes_others(skill: Skill) -> None:
    for schema in (skill.input_schema, skill.output_schema):
        Draft7Validator.check_schema(schema)
        assert schema["$schema"] == "http://json-schema.org/draft-07/schema#"
        for place, part in schemas_in(schema):
            assert re.fullmatch(r"[a-z][a-z0-9_]*|\*|", place.rpartition("/")[2]), place
            assert place.endswith("*") or part["description"].endswith("."), place
            assert ("properties" in part) == (part.get("additionalProperties") is False), place
            assert set(part.get("required", ())) <= set(part.get("properties", ())), place


@every_skill
def test_an_input_is_checked_without_a_process_of_its_own(skill: Skill) -> None:
    keywords = {keyword for _, part in schemas_in(skill.input_schema) for keyword in part}
    assert not keywords & {"pattern", "patternProperties", "$ref", "uniqueItems"}


@every_skill
def test_no_answer_needs_a_keyword_that_a_model_could_not_keep(skill: Skill) -> None:
    keywords = {keyword for _, part in schemas_in(skill.output_schema) for keyword in part}
    known = {"type", "description", "properties", "required", "additionalProperties", "items", "enum"}
    assert keywords <= known | {"$schema", "title", "minimum", "maximum", "minItems", "maxItems"}


def test_what_the_outputs_have_in_common_has_one_shape() -> None:
    for name in ("reasons", "actions", "confidence", "evidence"):
        parts = [skill.output_schema["properties"][name] for skill in SKILLS.values()]
        assert len({json.dumps({**part, "description": ""}) for part in parts}) == 1, name
    for skill in SKILLS.values():
        assert {"reasons", "actions", "confidence"} <= set(skill.output_schema["required"])
        assert "evidence" not in skill.output_schema["required"]


@every_skill
def test_the_instructions_speak_of_fields_and_values_that_there_are(skill: Skill) -> None:
    known = {"null", "0"}
    for schema in (skill.input_schema, skill.output_schema):
        for place, part in schemas_in(schema):
            known |= {place.rpartition("/")[2], *map(str, part.get("enum", ()))}
    places = {place for place, _ in schemas_in(skill.input_schema)}
    for word in re.findall(r"`([^`\n]+)`", skill.instructions):
        general = re.sub(r"/[0-9]+", "/*", word)
        assert general in places if word.startswith("/") else word in known, word


@every_skill
def test_each_list_of_pointers_and_each_confidence_is_checked(skill: Skill) -> None:
    checked = {(check.check, check.at) for check in skill.settings.checks}  # type: ignore[attr-defined]  # each has one
    places = [place for place, _ in schemas_in(skill.output_schema)]
    assert {("evidence", place) for place in places if place.endswith("/evidence/*")} <= checked
    assert {("ids", place) for place in places if place.endswith(("partner_id", "project_id"))} <= checked
    assert ("confidence", "/confidence") in checked
    assert all(place in places for _, place in checked)


@every_skill
def test_there_are_three_examples_at_least_and_one_of_them_is_awkward(skill: Skill) -> None:
    examples = load_examples(skill)
    assert len(examples) >= 3
    assert any([] in example.input.values() or example.output["confidence"] < 0.5 for example in examples)
    assert max(example.output["confidence"] for example in examples) > 0.7


@every_example
def test_an_example_is_right_by_schemas_and_checks(skill: Skill, example: Example) -> None:
    Draft7Validator(skill.input_schema).validate(example.input)
    Draft7Validator(skill.output_schema).validate(example.output)
    assert violations(skill.settings.checks, example.input, example.output) == []
    assert example.decisive


@every_example
def test_an_example_answers_as_the_instructions_ask(skill: Skill, example: Example) -> None:
    output = example.output
    weights = [abs(reason["weight"]) for reason in output["reasons"]]
    assert weights == sorted(weights, reverse=True)
    assert len({action["title"] for action in output["actions"]}) == len(output["actions"]) >= 1
    if skill.name in BANDS:
        assert output["status"] == next(name for least, name in BANDS[skill.name] if output["score"] >= least)
    if skill.name == "partner-health" and output["status"] != "healthy":
        longest = 7 if output["status"] == "at_risk" else 14
        assert all(action["due_in_days"] <= longest for action in output["actions"])
    if output.get("status") in ("at_risk", "poor"):
        assert output["actions"][0]["due_in_days"] <= 7
    if skill.name == "co-sell-match":
        scores = [match["score"] for match in output["matches"]]
        assert scores == sorted(scores, reverse=True)
        ids = [each["partner_id"] for each in (*output["matches"], *output["excluded"])]
        assert len(set(ids)) == len(ids)
        assert sum(match["role"] == "lead" for match in output["matches"]) <= 1
    if skill.name == "implementation-risk":
        risks = [(risk["likelihood"], risk["impact"]) for risk in output["risks"]]
        assert risks == sorted(risks, key=lambda risk: risk[0] * risk[1], reverse=True)
        grave = any(likelihood >= 0.5 and impact >= 4 for likelihood, impact in risks)
        notable = any(likelihood >= 0.3 and impact >= 3 for likelihood, impact in risks)
        status = "at_risk" if grave else "watch" if notable else "on_track"
        assert output["status"] == (status if risks else "unknown")
    if skill.name == "co-marketing-plan":
        starts = [each["start_week"] for each in output["activities"] if each["channel"] != "reserve"]
        assert starts == sorted(starts)
        assert all(each["start_week"] + each["weeks"] - 1 <= example.input["weeks"] for each in output["activities"])


@pytest.mark.parametrize(
    ("skill", "example", "place", "value", "told"),
    [
        ("partner-health", "growing-integrator", "/reasons/0/evidence/0", "/metrics/turnover", "in the input"),
        ("partner-health", "growing-integrator", "/actions/0/evidence/0", "/notes/7/text", "in the input"),
        ("partner-health", "new-partner-without-metrics", "/evidence/0", "", "within the input"),
        ("partner-health", "growing-integrator", "/score", 88, "must be at most 1"),
        ("partner-health", "growing-integrator", "/confidence", 92, "from 0 to 1"),
        ("partner-health", "growing-integrator", "/actions/0/due_in_days", -3, "must be at least 0"),
        ("delivery-quality", "rework-pattern", "/projects/0/project_id", "pr-999", "one of the ids"),
        ("delivery-quality", "rework-pattern", "/projects/1/project_id", "pr-530", "is the same as"),
        ("delivery-quality", "rework-pattern", "/projects/2/evidence/0", "/projects/3/csat", "in the input"),
        ("co-sell-match", "hospital-needs-an-integrator", "/matches/0/partner_id", "p-9999", "one of the ids"),
        ("co-sell-match", "hospital-needs-an-integrator", "/matches/1/partner_id", "p-1042", "is the same as"),
        ("co-sell-match", "hospital-needs-an-integrator", "/excluded/0/partner_id", "Medihaus IT", "one of the ids"),
        ("co-sell-match", "hospital-needs-an-integrator", "/matches/1/score", 0.1, "must be at least 0.3"),
        ("co-sell-match", "hospital-needs-an-integrator", "/matches/0/gaps/0/evidence/0", "deal", "begins with /"),
        ("implementation-risk", "quiet-project", "/risks/0/evidence/0", "/signals/3/text", "in the input"),
        ("implementation-risk", "quiet-project", "/risks/1/likelihood", 1, "must be at most 0.95"),
        ("implementation-risk", "quiet-project", "/risks/0/impact", 6, "must be at most 5"),
        ("co-marketing-plan", "goal-out-of-reach", "/activities/0/cost_eur", 500, "come to 2900, not 3000"),
        ("co-marketing-plan", "goal-out-of-reach", "/contributions/0/amount_eur", 2500, "come to 3500, not 3000"),
        ("co-marketing-plan", "goal-out-of-reach", "/contributions/1/partner_id", "own", "is the same as"),
        ("co-marketing-plan", "goal-out-of-reach", "/activities/0/lead_partner_id", "Murtal", "one of the ids"),
        ("co-marketing-plan", "goal-out-of-reach", "/activities/2/start_week", 11, "at most 10 (/weeks of the input)"),
    ],
)
def test_a_broken_answer_is_caught(skill: str, example: str, place: str, value: Any, told: str) -> None:
    right = example_of(skill, example)
    output = copy.deepcopy(right.output)
    *above, last = [int(step) if step.isdecimal() else step for step in place.split("/")[1:]]
    part: Any = output
    for step in above:
        part = part[step]
    assert part[last] != value
    part[last] = value
    found = violations(SKILLS[skill].settings.checks, right.input, output)
    assert [problem.message for problem in found if place.startswith(problem.pointer) and told in problem.message]


def test_an_answer_that_fills_an_empty_list_is_caught() -> None:
    empty = example_of("co-sell-match", "no-candidates")
    match = {"partner_id": "p-1042", "score": 0.9, "role": "lead", "strengths": [], "gaps": []}
    output = {**empty.output, "matches": [match]}
    [problem] = violations(SKILLS["co-sell-match"].settings.checks, empty.input, output)
    assert problem.pointer == "/matches/0/partner_id"
    assert "the input has none there" in problem.message


@every_skill
def test_the_request_in_the_examples_folder_is_one_of_its_examples(skill: Skill) -> None:
    document = json.loads((ROOT / f"examples/requests/{skill.name}.json").read_text())
    assert [*document] == ["input"]
    assert document["input"] in [example.input for example in load_examples(skill)]
    assert parse_request({**document, "skill": skill.name}, SkillRequest).input == document["input"]
