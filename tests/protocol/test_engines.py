"""What is said of a request that an engine cannot do: where, why, and what would do it."""

from pathlib import Path
from typing import Any

import pytest

from agent_workers.protocol.v1.engines import AGENT, MESSAGES, misfits
from agent_workers.protocol.v1.request import Request
from agent_workers.protocol.v1.skill_use import SkillUse
from agent_workers.protocol.v1.task_request import TaskRequest


def said(engine: str, **fields: Any) -> dict[str, str]:
    model = TaskRequest if "cwd" in fields else Request
    request = model.model_validate({"prompt": "x", **fields})
    return {problem.pointer: problem.message for problem in misfits(request, engine)}


@pytest.mark.parametrize("fields", [{}, {"tools": ["Read"]}, {"mcp_servers": {"crm": {"command": "crm"}}}])
def test_a_task_with_the_engine_messages_is_told_at_once_what_takes_it(fields: dict[str, Any]) -> None:
    words = "must be agent: agent-task works with tools in a directory; agent-chat is what takes messages"
    found = said(MESSAGES, cwd="/srv", **fields)
    assert found.pop("/engine") == words
    assert {place: told[:19] for place, told in found.items()} == {f"/{name}": "needs engine agent:" for name in fields}
    assert said(AGENT, cwd="/srv", **fields) == {}


def test_a_skill_with_tools_is_told_which_they_are() -> None:
    request = TaskRequest.model_validate({"prompt": "x", "cwd": "/srv", "tools": ["Read", "Grep"]})
    request.of_skill(SkillUse(name="s", version=None, folder=Path("/s"), input={}))
    words = "must be agent: this skill has tools (Read, Grep), and messages has none but the application's"
    assert [(each.pointer, each.message) for each in misfits(request, MESSAGES)] == [("/engine", words)]
    bounded = request.model_copy(update={"max_tokens": 5})
    [problem] = misfits(bounded, AGENT)
    assert (problem.pointer, "this skill has tools" in problem.message) == ("/max_tokens", True)


def test_a_question_to_the_user_needs_an_agent() -> None:
    words = "needs engine agent: the engine messages has no tools but the application's"
    assert said(MESSAGES, tools=["AskUserQuestion"]) == {"/tools": words}


def test_a_bound_on_an_answer_needs_the_engine_messages() -> None:
    words = "needs engine messages: an agent has no bound on the tokens of one answer"
    assert said(AGENT, max_tokens=5) == {"/max_tokens": words}
    assert said(MESSAGES, max_tokens=5) == {}


def test_a_bound_that_no_engine_can_keep_is_not_sent_from_one_to_the_other() -> None:
    words = "cannot be combined with tools: the bound needs engine messages, and they need engine agent"
    assert said(AGENT, max_tokens=5, tools=["AskUserQuestion"]) == {"/max_tokens": words}
    words = "needs engine messages, and agent-task works with tools in a directory: leave it out"
    assert said(AGENT, max_tokens=5, cwd="/srv") == {"/max_tokens": words}
