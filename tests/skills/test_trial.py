"""What an answer should have in common with the example of a skill."""

from typing import Any

import pytest

from agent_workers.skills.load import load, load_examples
from agent_workers.skills.lookup import BUNDLED
from agent_workers.skills.skill import Example
from agent_workers.skills.trial import Status, Try, answered, differences, rate


def differing(decisive: str, expected: Any, found: Any) -> list[tuple[list[Any], list[Any]]]:
    return [(each.expected, each.found) for each in differences(Example("x", {}, expected, (decisive,)), found)]


@pytest.mark.parametrize(
    ("place", "expected", "found", "is_same"),
    [
        ("/status", {"status": "watch"}, {"status": "watch", "score": 0.1}, True),
        ("/status", {"status": "watch"}, {"status": "healthy"}, False),
        ("/status", {"status": "watch"}, {}, False),
        ("/status", {}, {"status": "watch"}, False),
        ("/status", {}, {}, True),
        ("/status", {"status": None}, {}, False),
        ("/rank", {"rank": 1}, {"rank": 1.0}, True),
        ("/rank", {"rank": 1}, {"rank": 2}, False),
        ("/rank", {"rank": 1}, {"rank": True}, False),
        ("/rank", {"rank": 1042}, {"rank": 1043}, False),
        ("/score", {"score": 0.7}, {"score": 0.8}, True),
        ("/score", {"score": 0.7}, {"score": 0.81}, False),
        ("/score", {"score": 1}, {"score": 0.95}, True),
        ("/score", {"score": 0.5}, {"score": "0.5"}, False),
        ("/cost", {"cost": 1000.5}, {"cost": 1100}, True),
        ("/cost", {"cost": 1000.5}, {"cost": 1200}, False),
        ("/m/*/id", {"m": [{"id": "a"}, {"id": "b"}]}, {"m": [{"id": "b"}, {"id": "a"}, {"id": "a"}]}, True),
        ("/m/*/id", {"m": [{"id": "a"}]}, {"m": [{"id": "a"}, {"id": "b"}]}, False),
        ("/m/*/id", {"m": [{"id": "a"}, {"id": "b"}]}, {"m": [{"id": "a"}]}, False),
        ("/m/*/id", {"m": []}, {"m": []}, True),
        ("/m/*/x", {"m": [{"x": 0.1}, {"x": 2}]}, {"m": [{"x": 2}, {"x": 0.15}]}, True),
        ("/m/*/x", {"m": [{"x": 0.1}]}, {"m": [{"x": 0.3}]}, False),
        ("/m/0/id", {"m": [{"id": "a"}, {"id": "b"}]}, {"m": [{"id": "b"}, {"id": "a"}]}, False),
        ("/m", {"m": [{"x": [1]}]}, {"m": [{"x": [1.0]}]}, True),
        ("/m", {"m": []}, {"m": [{}]}, False),
    ],
)
def test_decisive_places_are_compared_as_json(place: str, expected: Any, found: Any, is_same: bool) -> None:
    assert (differing(place, expected, found) == []) is is_same


def test_a_difference_names_both_sides() -> None:
    assert differing("/m/*/id", {"m": [{"id": "a"}]}, {"m": []}) == [(["a"], [])]


def test_an_answer_is_held_to_schema_and_checks_too_and_to_the_decisive_places_where_a_model_has_answered() -> None:
    skill = load(BUNDLED / "partner-health")
    example = next(each for each in load_examples(skill) if each.name == "growing-integrator")
    assert answered(skill, example, example.output, live=True) == ([], [])
    worse = {**example.output, "status": "watch", "evidence": ["/metrics/none"]}
    different, broken = answered(skill, example, worse, live=True)
    assert [each.pointer for each in different] == ["/status"]
    assert [each.pointer for each in broken] == ["/evidence/0"]
    assert answered(skill, example, worse, live=False) == ([], broken)
    _, broken = answered(skill, example, {**example.output, "status": "splendid", "more": 1}, live=False)
    assert {each.pointer for each in broken} == {"/more", "/status"}


def test_a_rate_counts_what_has_passed() -> None:
    tries = [Try("a", 1, Status.PASSED), Try("a", 2, Status.DIFFERS), Try("b", 1, Status.FAILED)]
    assert rate(tries) == (1, 3)
    assert rate(tries, "a").share == 0.5
    assert rate([]).share == 0
