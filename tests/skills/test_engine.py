"""What a caller of a skill is told about the engine: at the field that is wrong, or that the skill is."""

from pathlib import Path
from typing import Any

import pytest

from agent_workers.protocol.v1.problem import RequestProblems
from agent_workers.workers.skill import WORKER
from tests.skills.making import DEAL, make_skill


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("AGENT_WORKERS_SKILLS_PATH", str(tmp_path))
    return tmp_path


def problems(**request: Any) -> dict[str, str]:
    with pytest.raises(RequestProblems) as refused:
        WORKER.accept({"skill": "score", "input": DEAL, **request})
    return {problem.pointer: problem.message for problem in refused.value.problems}


def test_a_request_for_messages_to_a_skill_with_tools_is_refused_at_its_engine(root: Path) -> None:
    make_skill(root, settings={"tools": ["Read", "Grep"]})
    assert problems(cwd="/", engine="messages") == {
        "/engine": "must be agent: this skill has tools (Read, Grep), and messages has none but the application's"
    }
    assert problems(cwd="/", engine="agent", max_tokens=5) == {
        "/max_tokens": "needs engine messages, and this skill has tools (Read, Grep): leave it out"
    }


def test_what_the_skill_says_itself_is_the_skills_fault(root: Path) -> None:
    make_skill(root, settings={"tools": ["Read"], "engine": "messages"})
    [(place, words)] = problems(cwd="/").items()
    assert place == "/skill"
    assert "/engine must be agent: this skill has tools (Read)" in words
    assert "agent-skill check score tells more" in words
