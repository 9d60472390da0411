"""What a person may run without a model: what an agent may have."""

import pytest

from agent_workers.policy import DEFAULT
from tests.policy.asking import denied, for_tasks, grant, policy, tool

CRM = [{"command": "/usr/bin/crm", "args": ["--all"], "env": ["TENANT"]}]
SERVER = {"name": "crm", "command": "/usr/bin/crm", "args": ["--all"]}
WEB = {"name": "crm", "type": "http", "url": "https://mcp.example.com/mcp"}


def test_without_a_policy_there_are_no_servers() -> None:
    assert set(denied(DEFAULT, tool(server=SERVER))) == {"/server/command"}
    assert set(denied(DEFAULT, tool(server=WEB))) == {"/server/url"}


def test_a_server_is_started_or_reached_as_a_task_may() -> None:
    assert denied(for_tasks(mcp_commands=CRM), tool(server=SERVER)) == {}
    assert denied(for_tasks(mcp_hosts=["mcp.example.com"]), tool(server=WEB)) == {}
    assert set(denied(for_tasks(mcp_commands=CRM), tool(server={**SERVER, "args": ["-c"]}))) == {"/server/args"}
    assert set(denied(for_tasks(mcp_commands=CRM), tool(server={**SERVER, "env": {"PATH": "/"}}))) == {
        "/server/env/PATH"
    }
    assert set(denied(for_tasks(mcp_commands=CRM), tool(server={**SERVER, "command": "/bin/sh"}))) == {
        "/server/command"
    }
    assert set(denied(for_tasks(mcp_hosts=["mcp.example.org"]), tool(server=WEB))) == {"/server/url"}


@pytest.mark.parametrize(
    ("tools", "may"), [(["mcp__crm__search"], True), (["mcp__crm__*"], True), (["mcp__crm__find"], False), ([], False)]
)
def test_a_tool_runs_where_a_task_may_have_it(tools: list[str], may: bool) -> None:
    objections = denied(for_tasks(mcp_commands=CRM, tools=tools), tool(server=SERVER))
    assert set(objections) == (set() if may else {"/tool"})


def test_the_time_of_a_run_is_bounded_and_filled_in() -> None:
    limited = policy(task={"mcp_commands": CRM}, limits={"timeout_s": 5})
    assert grant(limited, tool(server=SERVER)).limits.timeout_s == 5
    assert set(denied(limited, tool(server=SERVER, limits={"timeout_s": 6}))) == {"/limits/timeout_s"}


def test_models_instructions_and_modes_are_no_matter_of_a_tool() -> None:
    strict = policy(task={"mcp_commands": CRM, "modes": []}, models=[], system_prompt=False, thinking=False)
    assert denied(strict, tool(server=SERVER)) == {}


def test_a_policy_that_lists_workers_must_list_this_one() -> None:
    assert set(denied(policy(workers=["agent-task"], task={"mcp_commands": CRM}), tool(server=SERVER))) == {""}
