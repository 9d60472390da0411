"""What becomes of the answers of a run."""

from typing import Any

import pytest

from agent_workers.protocol.v1.skill_use import Verdict
from agent_workers.skills.review import Review
from agent_workers.skills.settings import Settings
from tests.skills.making import DEAL, GOOD, SETTINGS

WRONG = {**GOOD, "score": 7}
UNSURE = {**GOOD, "confidence": 0.3}
STRONGER: dict[str, Any] = {"model": "stronger", "when": ["checks_failed", "low_confidence"]}


def review(**settings: Any) -> Review:
    return Review(Settings.model_validate({**SETTINGS, **settings}), DEAL)


def verdicts(judge: Review, *outputs: dict[str, Any]) -> list[Verdict]:
    return [judge.judge(output) for output in outputs]


def test_an_answer_that_keeps_the_rules_stands() -> None:
    assert review().judge(GOOD) == Verdict(output=GOOD)
    assert review(review_below=0.6).judge(GOOD) == Verdict(output=GOOD, needs_review=False)


def test_one_that_breaks_them_is_corrected_as_often_as_the_skill_says_and_then_told_with_each_violation() -> None:
    wrong = {**GOOD, "score": 7, "evidence": ["/deal/none"]}
    first, second, last = verdicts(review(corrections=2), wrong, wrong, wrong)
    for told in (first, second):
        assert told.again
        assert "/score" in told.again
        assert "/evidence/0" in told.again
        assert told.model is None
    assert last.again is None
    assert [problem.pointer for problem in last.violations] == ["/score", "/evidence/0"]


def test_without_corrections_the_first_broken_answer_is_the_last() -> None:
    assert review(corrections=0).judge(WRONG).violations


def test_a_stronger_model_tries_once_more_and_is_corrected_as_often() -> None:
    judge = review(escalation=STRONGER)
    corrected, escalated, again, last = verdicts(judge, WRONG, WRONG, WRONG, WRONG)
    assert (corrected.model, escalated.model, again.model) == (None, "stronger", None)
    assert corrected.again
    assert escalated.again
    assert again.again
    assert last.violations


@pytest.mark.parametrize("when", [["checks_failed"], ["low_confidence"]])
def test_it_tries_for_the_reasons_that_the_skill_names_alone(when: list[str]) -> None:
    escalation = {"model": "stronger", "when": when}
    judge = review(escalation=escalation, corrections=0, review_below=0.6)
    assert (judge.judge(WRONG).model == "stronger") == (when == ["checks_failed"])
    judge = review(escalation=escalation, corrections=0, review_below=0.6)
    assert (judge.judge(UNSURE).model == "stronger") == (when == ["low_confidence"])


def test_an_unsure_answer_is_for_a_person_to_look_at_where_no_stronger_model_is_surer() -> None:
    unsure, still = verdicts(review(escalation=STRONGER, review_below=0.6), UNSURE, {**UNSURE, "score": 0.2})
    assert unsure.model == "stronger"
    assert still == Verdict(output={**UNSURE, "score": 0.2}, needs_review=True)
    assert review(review_below=0.6).judge(UNSURE) == Verdict(output=UNSURE, needs_review=True)
    assert review(review_below=0.3).judge(UNSURE) == Verdict(output=UNSURE, needs_review=False)


def test_the_unsure_answer_stands_where_the_stronger_model_only_breaks_the_rules() -> None:
    *_, last = verdicts(review(escalation=STRONGER, review_below=0.6, corrections=1), UNSURE, WRONG, WRONG)
    assert last == Verdict(output=UNSURE, needs_review=True)


def test_a_confidence_that_is_left_out_counts_as_none() -> None:
    without = {name: value for name, value in GOOD.items() if name != "confidence"}
    assert review(review_below=0.6).judge(without).needs_review is True
