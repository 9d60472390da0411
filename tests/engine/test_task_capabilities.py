"""What the CLI is given for a task: its tools, rules, servers and sandbox."""

from pathlib import Path
from typing import Any

import pytest

from agent_workers.engine.claude.launch.capabilities import Sandbox
from agent_workers.engine.claude.launch.run_files import file_contents
from agent_workers.engine.claude.launch.task_capabilities import for_task
from agent_workers.engine.claude.questions.paths import stays_within
from agent_workers.engine.host.credentials import take_credentials
from agent_workers.protocol.v1.task_request import TaskRequest

TOOLS = ["Read", "Glob", "Edit", "Write", "Bash", "mcp__crm__find", "mcp__crm__list"]


def equipped(**fields: Any) -> Any:
    return for_task(TaskRequest.model_validate({"prompt": "x", "cwd": "/srv/project", "tools": TOOLS, **fields}))


def rules(*allow: str, **fields: Any) -> list[str]:
    return equipped(permissions={"allow": list(allow)}, **fields).settings["permissions"]["allow"]


@pytest.mark.parametrize(
    ("rule", "becomes"),
    [
        ("Read", ["Read(//srv/project/**)"]),
        ("Glob", ["Read(//srv/project/**)"]),
        ("Write", ["Edit(//srv/project/**)"]),
        ("Edit(src/**)", ["Edit(src/**)"]),
        ("Write(src/**)", ["Edit(src/**)"]),
        ("Bash", ["Bash"]),
        ("Bash(git status)", ["Bash(git status)"]),
        ("mcp__crm__find", ["mcp__crm__find"]),
        ("mcp__crm", ["mcp__crm__find", "mcp__crm__list"]),
    ],
)
def test_a_rule_allows_no_more_than_the_request_has(rule: str, becomes: list[str]) -> None:
    assert rules(rule) == becomes


def test_a_file_tool_may_be_used_in_each_of_the_directories() -> None:
    assert rules("Edit", add_dirs=["/srv/other/"]) == ["Edit(//srv/project/**)", "Edit(//srv/other/**)"]


def test_deny_rules_stay_as_they_are() -> None:
    settings = equipped(permissions={"deny": ["Read", "Edit(.env)"]}).settings
    assert settings["permissions"]["deny"] == ["Read", "Edit(.env)"]


@pytest.mark.parametrize("mode", ["deny", "ask", "defer", "accept_edits", "plan"])
def test_no_mode_bypasses_permissions(mode: str) -> None:
    flags = equipped(permissions={"mode": mode}).flags
    assert "--permission-mode" in flags
    assert not any("bypass" in flag or "skip" in flag for flag in flags)


def test_only_built_in_tools_go_by_name_to_the_cli() -> None:
    assert equipped().tools == ["Read", "Glob", "Edit", "Write", "Bash"]


def test_a_credential_goes_by_descriptor_and_other_secrets_are_blanked() -> None:
    environ = {"ANTHROPIC_API_KEY": "k", "ANTHROPIC_AUTH_TOKEN": "t", "AWS_SECRET_ACCESS_KEY": "s", "PATH": "/bin"}
    secrets, hidden = take_credentials(environ)
    assert secrets == {"CLAUDE_CODE_API_KEY_FILE_DESCRIPTOR": b"k"}
    assert "ANTHROPIC_API_KEY" not in environ
    assert hidden == ["ANTHROPIC_AUTH_TOKEN", "AWS_SECRET_ACCESS_KEY"]
    servers = {"crm": {"command": "/bin/crm", "env": {"AWS_SECRET_ACCESS_KEY": "its own"}}}
    contents = file_contents(equipped(mcp_servers=servers), "system", dict.fromkeys(hidden, ""))
    assert '"ANTHROPIC_AUTH_TOKEN": ""' in contents["--mcp-config"]
    assert '"AWS_SECRET_ACCESS_KEY": "its own"' in contents["--mcp-config"]


def test_an_empty_credential_is_none() -> None:
    environ = {"ANTHROPIC_API_KEY": ""}
    assert take_credentials(environ) == ({}, [])


def test_a_sandbox_is_never_optional() -> None:
    request = TaskRequest.model_validate({"prompt": "x", "cwd": "/srv/project", "tools": ["Bash"]})
    sandbox = for_task(request, sandbox=Sandbox(["example.com"])).settings["sandbox"]
    assert sandbox == {
        "enabled": True,
        "failIfUnavailable": True,
        "autoAllowBashIfSandboxed": False,
        "allowUnsandboxedCommands": False,
        "network": {"allowedDomains": ["example.com"]},
    }
    assert for_task(request).cwd == Path("/srv/project")


def test_a_rule_for_a_tool_of_a_server_is_for_no_other_that_begins_alike() -> None:
    tools = ["mcp__crm__get", "mcp__crm__get__all"]
    assert rules("mcp__crm__get", tools=tools) == ["mcp__crm__get"]
    assert rules("mcp__crm", tools=tools) == tools


@pytest.mark.parametrize(
    ("inside", "name", "tool_input"),
    [
        (True, "Bash", {"command": "cat /etc/passwd"}),
        (True, "Read", {"file_path": "a"}),
        (True, "Read", {"file_path": "/srv/other/a"}),
        (True, "Grep", {"pattern": "x"}),
        (True, "Glob", {"pattern": "**/*.py"}),
        (False, "Read", {"file_path": "../a"}),
        (False, "Read", {"file_path": "~/a"}),
        (False, "Read", {"file_path": "/srv/projecter"}),
        (False, "NotebookEdit", {"notebook_path": "/etc/x"}),
        (False, "Glob", {"pattern": "/etc/*"}),
        (False, "Glob", {"pattern": "x/../../*"}),
        (False, "Glob", {}),
        (False, "Read", {"file_path": 7}),
    ],
)
def test_a_call_stays_within_the_directories_or_not(inside: bool, name: str, tool_input: dict[str, Any]) -> None:
    assert stays_within(["/srv/project", "/srv/other"], name, tool_input) is inside


def test_what_is_private_is_kept_from_file_tools_and_a_working_directory_in_it_stays_usable() -> None:
    request = TaskRequest.model_validate({"prompt": "x", "cwd": "/srv/state/job", "tools": TOOLS})
    rules = for_task(request, private=[Path("/srv/claude"), Path("/srv/state")]).settings["permissions"]["deny"]
    assert {"Read(//srv/claude/**)", "Edit(//srv/claude/**)", "Read(//srv/state/sessions/**)"} <= set(rules)
    assert not any("//srv/state/**" in rule or "/state/job/" in rule for rule in rules)


def test_a_sandbox_hides_what_it_is_told_to() -> None:
    request = TaskRequest.model_validate({"prompt": "x", "cwd": "/srv/project", "tools": ["Bash"]})
    sandbox = for_task(request, sandbox=Sandbox(hides=["/srv/state", "/etc/x"])).settings["sandbox"]
    assert sandbox["filesystem"] == {"denyRead": ["/srv/state", "/etc/x"]}
