"""What of a request this host cannot do is told before anything runs, with its place."""

from pathlib import Path
from typing import Any

import pytest

from agent_workers.engine.messages.host import problems_of
from agent_workers.protocol.v1.request import Request
from agent_workers.protocol.v1.skill_use import SkillUse

OPUS, OLD = "claude-opus-5-5", "claude-haiku-4-5"
SESSION = {"resume": "3f2b8c1e-5d0a-4c77-9a51-0e6f6b1f2d34"}


def told(skill: SkillUse | None = None, **fields: Any) -> dict[str, str]:
    request = Request.model_validate({"prompt": "x", "engine": "messages", **fields})
    if skill:
        request.of_skill(skill)
    return {problem.pointer: problem.message for problem in problems_of(request, {})}


@pytest.mark.parametrize(
    ("fields", "model", "most"),
    [
        ({"max_tokens": 128_001}, OPUS, 128_000),
        ({"max_tokens": 200_000, "model": "opus"}, "opus", 128_000),
        ({"max_tokens": 64_001, "model": OPUS, "fallback_model": f"sonnet,{OLD}"}, OLD, 64_000),
        ({"max_tokens": 64_001, "session": SESSION, "fallback_model": OLD}, OLD, 64_000),
    ],
)
def test_an_answer_longer_than_a_model_can_give_is_refused(fields: dict[str, Any], model: str, most: int) -> None:
    assert told(**fields) == {"/max_tokens": f"must be at most {most}, the most that {model} writes in one answer"}


@pytest.mark.parametrize(
    "fields",
    [
        {"max_tokens": 128_000},
        {"max_tokens": 64_000, "fallback_model": OLD},
        {"max_tokens": 10**6, "model": "a-model-of-our-own"},
        {"max_tokens": 10**6, "session": SESSION},  # its model is known once it is read
        {"model": OLD},
    ],
)
def test_what_a_model_can_give_or_nobody_knows_is_let_through(fields: dict[str, Any]) -> None:
    assert told(**fields) == {}


def test_the_model_that_takes_over_for_a_skill_counts_too() -> None:
    skill = SkillUse(name="s", version=None, folder=Path("/s"), input={}, models=(OLD,))
    assert set(told(skill, max_tokens=64_001)) == {"/max_tokens"}
