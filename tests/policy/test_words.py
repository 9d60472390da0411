"""What any request may ask for: workers, models, instructions, the application's tools."""

from typing import Any

import pytest

from agent_workers.errors import PolicyDenied
from agent_workers.policy import DEFAULT
from tests.policy.asking import denied, grant, policy, task, words

TOOL = {"name": "find", "description": "Finds.", "input_schema": {"type": "object"}}
AGENT = {"reviewer": {"description": "Reviews.", "prompt": "Review."}}


def test_without_a_policy_a_chat_is_as_it_was() -> None:
    request = words(system_prompt="Be brief.", model="x", thinking=True, app_tools=[TOOL], max_turns=10**6)
    assert grant(DEFAULT, request) == request


def test_a_worker_that_is_not_named_does_not_run() -> None:
    given = policy(workers=["agent-chat"])
    assert denied(given, words()) == {}
    assert denied(given, task()) == {"": "agent-task is not allowed: the host's policy does not list it in workers"}
    assert set(denied(policy(workers=[]), words())) == {""}


@pytest.mark.parametrize("model", ["claude-opus-5-5", "claude-", "sonnet[1m]"])
def test_a_model_is_allowed_by_its_name_or_a_pattern(model: str) -> None:
    assert denied(policy(models=["claude-*", "sonnet[1m]"]), words(model=model, fallback_model=model)) == {}


@pytest.mark.parametrize(
    "model", ["opus", "Claude-opus", "x-claude-opus", "claude-haiku,opus", "claude-haiku,", "inherit"]
)
def test_another_model_is_refused_even_in_a_list_that_only_the_cli_reads(model: str) -> None:
    limit = "must be one of claude-*: the host's policy sets models"
    given = policy(models=["claude-*"])
    assert denied(given, words(model=model, fallback_model=model)) == {"/model": limit, "/fallback_model": limit}


def test_the_hosts_own_model_needs_no_permission() -> None:
    assert denied(policy(models=[]), words()) == {}
    assert denied(policy(models=[]), words(model="m")) == {
        "/model": "is not allowed: the host's policy sets models = []"
    }


def test_a_request_names_a_model_where_the_policy_does() -> None:
    limit = "must be one of claude-*: the host's policy sets models"
    assert denied(policy(models=["claude-*"]), words()) == {"/model": limit}


def test_a_subagents_model_is_a_model() -> None:
    agents = {"a/b": {"description": "x", "prompt": "y", "model": "opus"}}
    request = task(tools=["Agent"], agents={"ab": agents["a/b"]}, model="claude-opus-5-5")
    assert set(denied(policy(models=["claude-*"]), request)) == {"/agents/ab/model", "/tools/0"}


@pytest.mark.parametrize(
    ("field", "value", "switch"),
    [
        ("system_prompt", "Be brief.", "system_prompt"),
        ("thinking", True, "thinking"),
        ("app_tools", [TOOL], "app_tools"),
        ("agents", AGENT, "system_prompt"),
    ],
)
def test_a_switch_that_is_off_refuses_its_field(field: str, value: Any, switch: str) -> None:
    request = task(tools=["Agent"], **{field: value})
    assert denied(policy(**{switch: True}), request) == {}
    [(place, message)] = denied(policy(**{switch: False}), request).items()
    assert place == f"/{field}"
    assert message.endswith(f"the host's policy sets {switch} = false")


def test_what_is_left_out_needs_no_permission() -> None:
    given = policy(system_prompt=False, thinking=False, app_tools=False)
    assert denied(given, words(thinking=False, app_tools=[])) == {}


def test_all_objections_are_told_at_once() -> None:
    given = policy(
        workers=[], models=[], thinking=False, limits={"max_turns": 1}, task={"tools": [], "modes": ["plan"]}
    )
    request = task(model="m", thinking=True, max_turns=2, tools=["Read", "Bash"])
    places = {"", "/model", "/thinking", "/max_turns", "/tools/0", "/tools/1", "/permissions/mode"}
    assert set(denied(given, request)) == places
    with pytest.raises(PolicyDenied) as denial:
        grant(given, request)
    assert (denial.value.code, denial.value.exit_status) == ("policy_denied", 2)
    assert denial.value.cause.count("; ") == len(places) - 1


def test_a_thousand_objections_are_counted_and_the_first_ones_told() -> None:
    with pytest.raises(PolicyDenied) as denial:
        grant(policy(task={"tools": []}), task(tools=["Bash"] * 1000))
    assert len(denial.value.details) == 51
    assert denial.value.details[-1].message == "and 950 more problems"
    assert len(denial.value.cause) < 10_000


def test_a_long_list_of_what_is_allowed_is_cut() -> None:
    names = [f"model-{number}" for number in range(1000)]
    message = denied(policy(models=names), words(model="m"))["/model"]
    assert message.endswith("model-11 and 988 more: the host's policy sets models")


def test_an_engine_that_the_policy_has_not_is_not_to_be_named() -> None:
    given = policy(engines=["messages"])
    assert denied(given, words(engine="agent")) == {
        "/engine": "must be one of messages: the host's policy sets engines"
    }
    assert grant(given, words()).engine == "messages"


def test_the_field_that_needs_another_engine_than_the_policy_has_is_named() -> None:
    messages, agent = policy(engines=["messages"]), policy(engines=["agent"])
    assert denied(messages, words(tools=["AskUserQuestion"])) == {
        "/tools": "needs engine agent: the engine messages has no tools but the application's; "
        "the host's policy sets engines to messages"
    }
    assert denied(agent, words(max_tokens=5)) == {
        "/max_tokens": "needs engine messages: an agent has no bound on the tokens of one answer; "
        "the host's policy sets engines to agent"
    }
    found = denied(messages, task(tools=["Read"]))
    assert list(found) == ["/engine", "/tools"]
    told = found["/engine"]
    assert told.startswith("must be agent: agent-task works with tools in a directory")
    assert told.endswith("the host's policy sets engines to messages")


def test_what_no_engine_can_do_is_not_blamed_on_the_policy() -> None:
    request = words(max_tokens=5, tools=["AskUserQuestion"])
    for engines in (["messages"], ["agent"], ["messages", "agent"]):
        assert denied(policy(engines=engines), request) == {}
