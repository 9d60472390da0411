"""Which requests a program runs in its own process, without asking their worker."""

import json
from pathlib import Path
from typing import Any

import pytest

from agent_workers.client import FakeRunner
from agent_workers.client.choice import ChosenRunner, EngineChoice
from tests.skills.making import DEAL, SETTINGS, make_skill

INPUT = {"skill": "score", "input": DEAL}


@pytest.fixture
def skills(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("AGENT_WORKERS_SKILLS_PATH", str(tmp_path))
    return make_skill(tmp_path)


def add(skill: Path, **settings: Any) -> None:
    """Has a skill's settings say more."""
    (skill / "agents/agent-workers.yaml").write_text(json.dumps({**SETTINGS, **settings}), "utf-8")


def policy(folder: Path, *engines: str) -> str:
    path = folder / "policy.toml"
    path.write_text(f"version = 1\nengines = {json.dumps(engines)}\n", "utf-8")
    return str(path)


@pytest.mark.parametrize(
    ("worker", "request_", "is_here"),
    [
        ("agent-chat", {"prompt": "x", "engine": "messages"}, True),
        ("agent-chat", {"prompt": "x", "engine": "agent"}, False),
        ("agent-chat", {"prompt": "x"}, False),
        ("agent-chat", {"prompt": "x", "engine": ["messages"]}, False),
        ("agent-task", {"prompt": "x", "cwd": "/", "engine": "messages"}, False),
        ("agent-tool", {"server": {}, "tool": "x", "engine": "messages"}, False),
        ("mine", {"prompt": "x", "engine": "messages"}, False),
    ],
)
def test_a_request_that_names_the_engine_messages_is_run_here(
    worker: str, request_: dict[str, Any], is_here: bool
) -> None:
    assert EngineChoice().is_messages(worker, request_) is is_here


def test_a_skill_names_its_engine_and_a_request_may_name_another(skills: Path) -> None:
    choice = EngineChoice()
    assert not choice.is_messages("agent-skill", INPUT)
    add(skills, engine="messages")
    assert choice.is_messages("agent-skill", INPUT)
    assert not choice.is_messages("agent-skill", {**INPUT, "engine": "agent"})
    assert choice.is_messages("agent-skill", {**INPUT, "engine": None})


def test_of_a_skill_that_is_none_its_worker_tells_what_is_wrong(skills: Path) -> None:
    choice = EngineChoice()
    (skills / "SKILL.md").write_text("no front matter", "utf-8")
    for skill in ("score", "nowhere", 7, None):
        assert not choice.is_messages("agent-skill", {**INPUT, "skill": skill})


@pytest.mark.parametrize(
    ("engines", "request_", "is_here"),
    [
        (["messages", "agent"], {"prompt": "x"}, True),
        (["messages", "agent"], {"prompt": "x", "tools": ["AskUserQuestion"]}, False),
        (["messages", "agent"], {"prompt": "x", "engine": "agent"}, False),
        (["messages", "agent"], {"prompt": "x", "session": {"resume": "s"}}, False),
        (["messages", "agent"], {"prompt": "x", "session": {"resume": "s"}, "engine": "messages"}, True),
        (["messages", "agent"], {"prompt": "x", "session": {"id": "s"}}, True),
        (["agent", "messages"], {"prompt": "x"}, False),
        (["agent", "messages"], {"prompt": "x", "max_tokens": 9}, True),
        (["agent"], {"prompt": "x", "max_tokens": 9}, False),
    ],
)
def test_one_that_names_none_gets_the_first_of_the_policy_that_can_do_it(
    engines: list[str], request_: dict[str, Any], is_here: bool, tmp_path: Path
) -> None:
    choice = EngineChoice(policy=policy(tmp_path, *engines))
    assert choice.is_messages("agent-chat", request_) is is_here


def test_a_skill_that_names_no_engine_gets_the_one_of_the_policy_too(skills: Path, tmp_path: Path) -> None:
    choice = EngineChoice(policy=policy(tmp_path, "messages", "agent"))
    assert choice.is_messages("agent-skill", INPUT)
    add(skills, tools=["Read"])
    assert not choice.is_messages("agent-skill", INPUT)


def test_of_a_policy_that_cannot_be_read_its_worker_tells_what_is_wrong(tmp_path: Path) -> None:
    choice = EngineChoice(policy=str(tmp_path / "none.toml"))
    assert not choice.is_messages("agent-chat", {"prompt": "x"})


def test_without_what_it_needs_nothing_is_run_here(monkeypatch: pytest.MonkeyPatch) -> None:
    for missing, is_simulated in (("httpx2", False), ("uvicorn", True)):
        monkeypatch.setattr("agent_workers.client.choice.find_spec", lambda name, missing=missing: name != missing)
        choice = EngineChoice(is_simulated=is_simulated)
        assert not choice.is_messages("agent-chat", {"prompt": "x", "engine": "messages"})


@pytest.mark.anyio
async def test_the_chosen_runner_runs_a_request_where_it_is_chosen_to_be() -> None:
    here, apart = FakeRunner("here"), FakeRunner("apart")

    class Engine:
        def runner(self, worker: str) -> Any:
            return here.for_async

    runner = ChosenRunner("agent-chat", apart.for_async, Engine(), EngineChoice())  # type: ignore[arg-type]
    assert (await runner.run({"prompt": "x", "engine": "messages"})).text == "here"
    assert (await runner.run({"prompt": "x"})).text == "apart"
