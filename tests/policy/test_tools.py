"""Which tools a task may have, and what its rules may allow."""

import itertools

import pytest

from agent_workers.policy import DEFAULT
from tests.policy.asking import denied, for_tasks, task

FILE_TOOLS = ["Read", "Edit", "Write", "Glob", "Grep", "NotebookEdit"]
INSIDE = "must be a path relative to cwd, without .. or \\: rules on files stay inside the working directories"


def test_without_a_policy_every_tool_and_mode_is_free() -> None:
    for mode in ("deny", "ask", "defer", "accept_edits", "plan"):
        assert denied(DEFAULT, task(tools=["Bash", "Read", "WebFetch"], permissions={"mode": mode})) == {}


def test_a_tool_is_allowed_by_its_name_or_a_pattern() -> None:
    given = for_tasks(tools=["Read", "Web*", "mcp__crm__*"])
    assert denied(given, task(tools=["Read", "WebFetch", "mcp__crm__find_order"])) == {}


@pytest.mark.parametrize("tool", ["Bash", "ReadX", "Rea", "mcp__crm2__find", "mcp__erp__crm", "XWeb"])
def test_another_tool_is_refused_and_the_allowed_ones_are_named(tool: str) -> None:
    given = for_tasks(tools=["Read", "Web*", "mcp__crm__*"])
    message = "must be one of Read, Web*, mcp__crm__*: the host's policy sets task.tools"
    assert denied(given, task(tools=["Read", tool])) == {"/tools/1": message}


def test_patterns_tell_upper_and_lower_case_apart() -> None:
    assert set(denied(for_tasks(tools=["bash", "mcp__crm__*"]), task(tools=["Bash", "mcp__CRM__x"]))) == {
        "/tools/0",
        "/tools/1",
    }


def test_a_subagent_has_no_tool_that_the_agent_may_not_have() -> None:
    agents = {"reviewer": {"description": "Reviews.", "prompt": "Review.", "tools": ["Read", "Bash"]}}
    given = for_tasks(tools=["Agent", "Read"])
    assert set(denied(given, task(tools=["Agent"], agents=agents))) == {"/agents/reviewer/tools/1"}


def test_a_mode_is_one_of_those_named_also_where_the_request_names_none() -> None:
    given = for_tasks(modes=["ask", "plan"])
    message = "must be one of ask, plan: the host's policy sets task.modes"
    assert denied(given, task(permissions={"mode": "plan"})) == {}
    assert denied(given, task(permissions={"mode": "accept_edits"})) == {"/permissions/mode": message}
    assert denied(given, task()) == {"/permissions/mode": message}


@pytest.mark.parametrize(
    "rule", ["Bash", "Bash(ls)", "mcp__crm", "mcp__crm__find", "mcp__app__find", "Rea", "ReadX(a)"]
)
def test_a_rule_allows_only_what_the_request_asks_for(rule: str) -> None:
    for given in (DEFAULT, for_tasks(tools=["*"])):
        request = task(tools=["Read", "mcp__crm2__find"], permissions={"allow": [rule]})
        assert list(denied(given, request)) == ["/permissions/allow/0"]


def test_a_rule_may_name_all_tools_of_a_server() -> None:
    request = task(tools=["mcp__crm__find"], permissions={"allow": ["mcp__crm", "mcp__crm__find"]})
    assert denied(DEFAULT, request) == {}


def test_a_rule_on_files_may_name_paths_below_the_working_directory() -> None:
    paths = ["src/**", "./src/**", ".env", "**/*.py", "*", "?.md", "[ab]/x", "@scope/x", "Größe", "a b"]
    for path, tool in itertools.product(paths, FILE_TOOLS):
        request = task(tools=FILE_TOOLS, permissions={"allow": [f"{tool}({path})", tool]})
        assert denied(DEFAULT, request) == {}, (tool, path)


def test_a_rule_on_files_that_could_lead_elsewhere_is_refused() -> None:
    paths = [
        *(
            "/etc/**",
            "//etc/**",
            "///etc",
            "~",
            "~/.ssh/**",
            "~root/x",
            "..",
            "../x",
            "../../etc/passwd",
            "src/../../x",
        ),
        *("./../x", "a/..", "**/../x", " /etc/**", "\u00a0/etc", "\ufeff/etc", "\\/etc", "\\../x", "src\\..\\x"),
        *(".\\./x", "!src", "#x", "$HOME/x", "%2e%2e/x", "C:\\x", "{/etc,x}/**", "'/etc'", '"/etc"', "|x", "..."),
    ]
    for path, tool in itertools.product(paths, FILE_TOOLS):
        for given in (DEFAULT, for_tasks(cwd_roots=["/"], tools=["*"])):
            request = task(tools=FILE_TOOLS, permissions={"allow": [f"{tool}({path})"]})
            assert denied(given, request) == {"/permissions/allow/0": INSIDE}, (tool, path)


def test_a_rule_on_commands_or_addresses_is_none_on_files() -> None:
    rules = ["Bash(cat ../x)", "Bash(/bin/ls:*)", "WebFetch(domain:example.com)", "WebSearch", "Agent"]
    tools = ["Bash", "WebFetch", "WebSearch", "Agent"]
    assert denied(DEFAULT, task(tools=tools, permissions={"allow": rules})) == {}


def test_a_specifier_of_an_unknown_tool_counts_as_a_path() -> None:
    assert set(denied(DEFAULT, task(tools=["Copy"], permissions={"allow": ["Copy(/etc/x)"]}))) == {
        "/permissions/allow/0"
    }


def test_a_rule_that_denies_may_name_any_path() -> None:
    assert denied(DEFAULT, task(tools=["Read"], permissions={"deny": ["Read(//etc/**)", "Bash", "Edit(../x)"]})) == {}
