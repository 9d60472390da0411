"""What a request to the task worker may say."""

import itertools
import json

import pytest
from jsonschema import Draft202012Validator

from agent_workers.protocol.v1.request import Request, RequestProblems, parse_request
from agent_workers.protocol.v1.task_request import (
    Agent,
    Decision,
    HttpServer,
    Permissions,
    StdioServer,
    TaskRequest,
)

RULE = "must be one rule, such as Read, Bash(git status), Edit(src/**) or mcp__server__tool; without parentheses inside"
TOOL = "must be the name of a tool, such as Read or mcp__server__tool"
VARIABLE = "must not contain ${, since variables are not filled in here, or NUL characters"
AGENT = {"description": "Reviews.", "prompt": "Review."}
WHOLE = {
    "prompt": "Hello",
    "cwd": "/srv/app",
    "add_dirs": ["/srv/data"],
    "tools": ["Read", "Agent", "mcp__crm__find_order"],
    "permissions": {
        "mode": "defer",
        "allow": ["Read", "Edit(src/**)", "mcp__crm"],
        "deny": ["Bash(rm:*)"],
        "timeout_s": 5,
        "decision": {"tool_use_id": "toolu_1", "behavior": "allow", "message": "Fine.", "updated_input": {"a": [1]}},
    },
    "mcp_servers": {
        "crm": {"command": "/opt/crm", "args": ["--x", ""], "env": {"A": "b"}},
        "erp": {"type": "http", "url": "https://erp.test/mcp", "headers": {"X-Key": "k"}},
    },
    "agents": {"reviewer": {**AGENT, "tools": ["Read"], "model": "claude-haiku"}},
}


def asking(**fields):
    return parse_request({"prompt": "Hello", "cwd": "/srv/app", **fields}, TaskRequest)


def problems(document):
    with pytest.raises(RequestProblems) as refused:
        parse_request(document, TaskRequest)
    return refused.value.problems


def refused(**fields):
    """The message of each problem by its place."""
    found = problems({"prompt": "Hello", "cwd": "/srv/app", **fields})
    return {problem.pointer: problem.message for problem in found}


def places(**fields):
    return list(refused(**fields))


def meant(**fields):
    found = problems({"prompt": "Hello", "cwd": "/srv/app", **fields})
    return {problem.pointer: problem.did_you_mean for problem in found}


def test_a_prompt_and_a_directory_are_enough_and_nothing_is_allowed():
    request = asking()
    assert (request.add_dirs, request.tools, request.mcp_servers, request.agents) == ([], [], {}, {})
    assert request.permissions == Permissions(mode="deny", allow=[], deny=[], timeout_s=120)
    assert request.permissions.decision is None


def test_every_field_is_read():
    request = parse_request(WHOLE, TaskRequest)
    assert (request.cwd, request.add_dirs, request.tools) == ("/srv/app", WHOLE["add_dirs"], WHOLE["tools"])
    decision = Decision(tool_use_id="toolu_1", behavior="allow", message="Fine.", updated_input={"a": [1]})
    assert request.permissions.decision == decision
    assert request.mcp_servers == {
        "crm": StdioServer(type="stdio", command="/opt/crm", args=["--x", ""], env={"A": "b"}),
        "erp": HttpServer(type="http", url="https://erp.test/mcp", headers={"X-Key": "k"}),
    }
    assert request.agents == {"reviewer": Agent(**AGENT, tools=["Read"], model="claude-haiku")}


def test_everything_that_the_chat_takes_is_taken_too():
    request = asking(max_turns=3, limits={"timeout_s": 5}, thinking=True)
    assert (request.max_turns, request.limits.timeout_s, request.thinking) == (3, 5, True)
    assert Request.model_fields.keys() < TaskRequest.model_fields.keys()


@pytest.mark.parametrize("field", ["cwd", "add_dirs", "permissions", "mcp_servers", "agents"])
def test_the_chat_says_whose_field_it_is(field):
    with pytest.raises(RequestProblems) as refusal:
        parse_request({"prompt": "Hello", field: {}})
    [problem] = refusal.value.problems
    assert (problem.pointer, problem.message) == (
        f"/{field}",
        "is a field of agent-task only, which needs engine agent",
    )


class TestDirectories:
    def test_one_is_required(self):
        [problem] = problems({"prompt": "Hello"})
        assert (problem.pointer, problem.message) == ("/cwd", "is required")

    @pytest.mark.parametrize("path", ["srv", "./srv", "../srv", "~", "~/srv", "", " /srv", "C:\\srv", "/a\0b"])
    def test_are_absolute(self, path):
        assert refused(cwd=path) == {"/cwd": "must be an absolute path"}
        assert refused(add_dirs=["/srv", path]) == {"/add_dirs/1": "must be an absolute path"}

    @pytest.mark.parametrize("path", [None, 5, ["/srv"], {}])
    def test_are_strings(self, path):
        assert places(cwd=path) == ["/cwd"]
        assert places(add_dirs=[path]) == ["/add_dirs/0"]

    def test_are_no_longer_than_the_system_takes(self):
        assert asking(cwd="/" + "x" * 4095)
        assert refused(cwd="/" + "x" * 4096) == {"/cwd": "must be at most 4096 characters long"}

    def test_are_few(self):
        assert places(add_dirs=["/srv"] * 1001) == ["/add_dirs"]
        assert places(add_dirs="/srv") == ["/add_dirs"]


class TestTools:
    @pytest.mark.parametrize("name", ["Read", "WebFetch", "mcp__crm__find_order", "mcp__a-b__c__d", "NoSuchTool"])
    def test_are_named(self, name):
        assert asking(tools=[name]).tools == [name]

    def test_are_one_name_each(self):
        names = [
            *(
                "Read,Bash",
                "Read Bash",
                "Read\nBash",
                "Read\n",
                " Read",
                "Read\0",
                "Read(x)",
                "Read;",
                "*",
                "Read*",
                "",
            ),
            *("default", "read", "--tools", "mcp__crm", "mcp__crm__", "mcp____find", "mcp__crm__*", "mcp__a b__c", "É"),
            *("R" * 65, f"mcp__{'a' * 65}__b", 5, None, ["Read"]),
        ]
        for name in names:
            found = refused(tools=["Read", name])
            assert list(found) == ["/tools/1"], name
            assert found["/tools/1"] == TOOL or not isinstance(name, str), name

    @pytest.mark.parametrize(
        ("name", "meant"), [("bash", "Bash"), ("webfetch", "WebFetch"), ("Read;", "Read"), ("sql", None)]
    )
    def test_a_mistyped_name_is_told_with_the_one_that_is_meant(self, name, meant):
        [problem] = problems({"prompt": "Hello", "cwd": "/srv/app", "tools": [name]})
        assert (problem.message, problem.did_you_mean) == (TOOL, meant)

    def test_are_a_list(self):
        for value in ("Read", {"Read": True}, None, True):
            assert places(tools=value) == ["/tools"]


class TestRules:
    def test_are_a_tool_or_a_tool_with_a_specifier(self):
        rules = [
            *("Read", "Bash(git status)", "Bash(npm run:*)", "Edit(src/**)", "WebFetch(domain:a.test)", "Bash(a, b)"),
            *("mcp__crm", "mcp__crm__find_order", "Read(Größe 1)"),
        ]
        for rule, where in itertools.product(rules, ("allow", "deny")):
            assert getattr(asking(permissions={where: [rule]}).permissions, where) == [rule]

    def test_are_one_rule_each(self):
        rules = [
            *(
                "Read,Bash",
                "Bash(a),Bash(*)",
                "Bash(a) Bash(*)",
                "Read Bash",
                "Read\nBash",
                "Read\n",
                "Bash(a)\n",
                " Read",
            ),
            *(
                "Bash(a\nb)",
                "Bash(a\tb)",
                "Bash(a\0b)",
                "Bash(a)(b)",
                "Bash(a(b))",
                "Bash(a))",
                "Bash(",
                "Bash)",
                "Bash()",
            ),
            *(
                "(a)",
                "*",
                "Read*",
                "",
                "read",
                "read(x)",
                "--allow",
                "mcp__*",
                "mcp__crm__*",
                "mcp__crm(x)",
                "mcp__crm__f(x)",
            ),
            *("B" * 65, f"Bash({'x' * 1025})", "Bash(a)x", "Bash (a)", "Bash(a) "),
        ]
        for rule, where in itertools.product(rules, ("allow", "deny")):
            assert refused(permissions={where: ["Read", rule]}) == {f"/permissions/{where}/1": RULE}, rule

    @pytest.mark.parametrize("rule", [5, None, ["Read"], {"tool": "Read"}])
    def test_are_strings(self, rule):
        assert places(permissions={"allow": [rule]}) == ["/permissions/allow/0"]


class TestMode:
    @pytest.mark.parametrize("mode", ["deny", "ask", "defer", "accept_edits", "plan"])
    def test_is_one_of_the_contracts(self, mode):
        assert asking(permissions={"mode": mode}).permissions.mode == mode

    @pytest.mark.parametrize(
        "mode",
        [
            "bypassPermissions",
            "bypass_permissions",
            "acceptEdits",
            "dontAsk",
            "default",
            "auto",
            "DENY",
            "deny ",
            "",
            None,
            1,
        ],
    )
    def test_is_none_of_the_clis_own_and_cannot_switch_the_questions_off(self, mode):
        message = 'must be "deny", "ask", "defer", "accept_edits" or "plan"'
        assert refused(permissions={"mode": mode}) == {"/permissions/mode": message}

    @pytest.mark.parametrize("value", [0, -1, float("nan"), float("inf"), 604_801, "5", True, None])
    def test_a_question_waits_for_a_while(self, value):
        assert places(permissions={"timeout_s": value}) == ["/permissions/timeout_s"]


class TestDecision:
    def test_may_be_short(self):
        decision = {"tool_use_id": "toolu_1", "behavior": "deny"}
        assert asking(permissions={"decision": decision}).permissions.decision == Decision(**decision)

    @pytest.mark.parametrize(
        ("decision", "place"),
        [
            ({"behavior": "allow"}, "/tool_use_id"),
            ({"tool_use_id": "t"}, "/behavior"),
            ({"tool_use_id": "", "behavior": "allow"}, "/tool_use_id"),
            ({"tool_use_id": "t", "behavior": "Allow"}, "/behavior"),
            ({"tool_use_id": "t", "behavior": True}, "/behavior"),
            ({"tool_use_id": "t", "behavior": "allow", "updated_input": []}, "/updated_input"),
            ({"tool_use_id": "t", "behavior": "allow", "updated_input": {"a": float("nan")}}, "/updated_input"),
            ({"tool_use_id": "t", "behavior": "allow", "updated_input": None}, "/updated_input"),
            ({"tool_use_id": "t", "behavior": "allow", "message": 5}, "/message"),
            ("allow", ""),
            (None, ""),
        ],
    )
    def test_is_whole_and_clear(self, decision, place):
        assert places(permissions={"decision": decision}) == [f"/permissions/decision{place}"]


class TestServers:
    def test_a_program_needs_no_type_and_an_address_none_either(self):
        servers = asking(mcp_servers={"a": {"command": "x"}, "b": {"url": "http://x.test"}}).mcp_servers
        assert (servers["a"].type, servers["b"].type) == ("stdio", "http")

    @pytest.mark.parametrize(
        "name", ["", "a b", "a.b", "a/b", "ä", "a\n", "a__b", "_a", "a_", "x" * 65, "a,b", "*", "a(b)"]
    )
    def test_have_names_that_a_tools_name_can_hold(self, name):
        for field, value in (("mcp_servers", {"command": "x"}), ("agents", AGENT)):
            [(place, message)] = refused(**{field: {name: value}}).items()
            assert place == f"/{field}"
            assert message.startswith(f"{name!r} is not a valid name: ")

    @pytest.mark.parametrize("name", ["a", "A-1", "a_b", "x" * 64, "-", "application"])
    def test_have_plain_names(self, name):
        assert asking(mcp_servers={name: {"command": "x"}}, agents={name: AGENT})

    def test_the_name_of_the_applications_own_tools_is_taken(self):
        message = "'app' is a reserved name: that server holds `app_tools`"
        assert refused(mcp_servers={"app": {"command": "x"}}) == {"/mcp_servers": message}

    @pytest.mark.parametrize("text", ["${HOME}", "a${HOME}b", "$${A}", "${A:-b}", "${", "a\0"])
    def test_nothing_in_them_is_replaced_by_a_variable(self, text):
        stdio = {"command": text, "args": ["a", text], "env": {"A": text}}
        assert refused(mcp_servers={"s": stdio}) == dict.fromkeys(
            ("/mcp_servers/s/command", "/mcp_servers/s/args/1", "/mcp_servers/s/env/A"), VARIABLE
        )
        http = {"type": "http", "url": "https://x.test/", "headers": {"X": text}}
        assert refused(mcp_servers={"s": http}) == {"/mcp_servers/s/headers/X": VARIABLE}

    def test_neither_is_their_address(self):
        server = {"type": "http", "url": "https://x.test/${KEY}"}
        assert refused(mcp_servers={"s": server}) == {"/mcp_servers/s/url": VARIABLE}

    @pytest.mark.parametrize("text", ["$", "$HOME", "a$", "$$", "{A}", "$ {A}", "a\nb", "Größe"])
    def test_any_other_text_is_fine(self, text):
        assert asking(mcp_servers={"s": {"command": text, "args": [text], "env": {"A": text}}})

    @pytest.mark.parametrize(
        ("server", "place"),
        [
            ({}, "/command"),
            ({"command": ""}, "/command"),
            ({"command": ["x"]}, "/command"),
            ({"command": "x", "args": "y"}, "/args"),
            ({"command": "x", "args": [5]}, "/args/0"),
            ({"command": "x", "env": {"A": 5}}, "/env/A"),
            ({"command": "x", "env": ["A=5"]}, "/env"),
            ({"type": "stdio", "url": "https://x.test"}, "/command"),
            ({"type": "http"}, "/url"),
            ({"type": "http", "url": "ftp://x.test"}, "/url"),
            ({"type": "http", "url": "https://x.test/a b"}, "/url"),
            ({"type": "http", "url": "HTTPS://x.test"}, "/url"),
            ({"type": "http", "url": "https://x.test", "headers": {"A": None}}, "/headers/A"),
            ({"type": "sse", "url": "https://x.test"}, ""),
            ({"type": "sdk"}, ""),
            ({"type": None, "command": "x"}, ""),
            ("x", ""),
            (None, ""),
        ],
    )
    def test_are_a_program_or_an_address(self, server, place):
        assert places(mcp_servers={"s": server})[0] == f"/mcp_servers/s{place}"

    def test_are_few(self):
        servers = {f"s{number}": {"command": "x"} for number in range(101)}
        assert places(mcp_servers=servers) == ["/mcp_servers"]
        assert places(agents=dict.fromkeys(servers, AGENT)) == ["/agents"]


class TestAgents:
    @pytest.mark.parametrize(
        ("agent", "place"),
        [
            ({"prompt": "x"}, "/description"),
            ({"description": "x"}, "/prompt"),
            ({**AGENT, "prompt": ""}, "/prompt"),
            ({**AGENT, "prompt": "a\0"}, "/prompt"),
            ({**AGENT, "description": ""}, "/description"),
            ({**AGENT, "tools": "Read"}, "/tools"),
            ({**AGENT, "tools": ["Read,Bash"]}, "/tools/0"),
            ({**AGENT, "tools": None}, "/tools"),
            ({**AGENT, "model": "--model"}, "/model"),
            ({**AGENT, "mcp_servers": {}}, "/mcp_servers"),
            ({**AGENT, "permissionMode": "bypassPermissions"}, "/permissionMode"),
            ("x", ""),
        ],
    )
    def test_are_whole_and_hold_nothing_else(self, agent, place):
        assert places(agents={"a": agent}) == [f"/agents/a{place}"]


@pytest.mark.parametrize(
    ("name", "nearest"),
    [
        ("workingDirectory", "cwd"),
        ("workdir", "cwd"),
        ("addDirs", "add_dirs"),
        ("permission_mode", "permissions.mode"),
        ("allowedTools", "permissions.allow"),
        ("disallowed_tools", "permissions.deny"),
        ("mcpServers", "mcp_servers"),
        ("subagents", "agents"),
        ("tool", "tools"),
        ("systemPrompt", "system_prompt"),
        ("timeout", "limits.timeout_s"),
        ("dangerously_skip_permissions", None),
        ("settings", None),
        ("hooks", None),
    ],
)
def test_an_unknown_field_is_refused_with_the_one_that_was_meant(name, nearest):
    assert refused(**{name: "x"}) == {f"/{name}": "is not a known field"}
    assert meant(**{name: "x"}) == {f"/{name}": nearest}


@pytest.mark.parametrize(
    ("fields", "place", "nearest"),
    [
        ({"permissions": {"allowed_tools": []}}, "/permissions/allowed_tools", "allow"),
        ({"permissions": {"timeout": 5}}, "/permissions/timeout", "timeout_s"),
        ({"permissions": {"decision": {"permission_id": "t"}}}, "/permissions/decision/permission_id", "tool_use_id"),
        ({"mcp_servers": {"s": {"command": "x", "arg": []}}}, "/mcp_servers/s/arg", "args"),
        ({"mcp_servers": {"s": {"url": "https://x.test", "header": {}}}}, "/mcp_servers/s/header", "headers"),
        ({"agents": {"a": {**AGENT, "instructions": "x"}}}, "/agents/a/instructions", "prompt"),
    ],
)
def test_an_unknown_field_further_down_has_its_own_neighbours(fields, place, nearest):
    assert meant(**fields)[place] == nearest


def test_all_problems_are_told_at_once():
    found = refused(cwd="srv", tools=["a"], permissions={"mode": "x", "allow": ["y"]}, mcp_servers={"s": {}}, hook=1)
    places = {"/cwd", "/tools/0", "/permissions/mode", "/permissions/allow/0", "/mcp_servers/s/command", "/hook"}
    assert set(found) == places


GOOD = [
    WHOLE,
    {"prompt": "Hello", "cwd": "/"},
    {"prompt": "Hello", "cwd": "/", "permissions": {}, "mcp_servers": {}, "agents": {}, "tools": [], "add_dirs": []},
    {"prompt": "Hello", "cwd": "/", "mcp_servers": {"a": {"url": "https://x.test"}, "b": {"command": "$"}}},
    {"prompt": "Hello", "cwd": "/", "mcp_servers": {"a": {"type": "stdio", "command": "x"}}},
    {"prompt": "Hello", "cwd": "/", "permissions": {"timeout_s": 604_800}},
]
BAD = [
    {"tools": ["Read,Bash"]},
    {"tools": ["Read\n"]},
    {"permissions": {"allow": ["Bash(a),Bash(*)"]}},
    {"permissions": {"deny": ["Bash(a)\n"]}},
    {"permissions": {"mode": "bypassPermissions"}},
    {"permissions": {"mode": None}},
    {"permissions": {"timeout_s": 0}},
    {"permissions": {"decision": {"tool_use_id": "t"}}},
    {"permissions": None},
    {"cwd": "srv"},
    {"cwd": "/" + "x" * 4096},
    {"add_dirs": ["/srv"] * 1001},
    {"mcp_servers": {"a b": {"command": "x"}}},
    {"mcp_servers": {"a__b": {"command": "x"}}},
    {"mcp_servers": {"a": {"command": "${HOME}"}}},
    {"mcp_servers": {"a": {"command": "x", "args": ["${A}"]}}},
    {"mcp_servers": {"a": {"command": "x", "env": {"A": "${A}"}}}},
    {"mcp_servers": {"a": {"command": "x", "url": "https://x.test"}}},
    {"mcp_servers": {"a": {"type": "http", "url": "file:///x"}}},
    {"mcp_servers": {"a": {"type": "http", "command": "x"}}},
    {"mcp_servers": {"a": {"type": "sse", "url": "https://x.test"}}},
    {"agents": {"a": {"prompt": "x"}}},
    {"agents": {f"a{number}": AGENT for number in range(101)}},
    {"hooks": {}},
]


def committed(root):
    """The schema as ECMAScript reads it: in Python's expressions `$` also matches before a last newline."""
    text = (root / "schemas/v1/task-request.schema.json").read_text()
    return Draft202012Validator(json.loads(text.replace('$"', '\\\\Z"')))


@pytest.mark.parametrize("document", GOOD)
def test_what_is_good_the_schema_and_the_model_take(document, root):
    assert parse_request(document, TaskRequest)
    committed(root).validate(document)


def test_what_is_bad_neither_takes(root):
    for fields in BAD:
        assert refused(**fields), fields
        assert not committed(root).is_valid({"prompt": "Hello", "cwd": "/srv", **fields}), fields


def test_a_chat_has_the_one_tool_that_asks_the_user():
    assert parse_request({"prompt": "Hello", "tools": ["AskUserQuestion"]}).tools == ["AskUserQuestion"]
    with pytest.raises(RequestProblems) as refusal:
        parse_request({"prompt": "Hello", "tools": ["AskUserQuestion", "Read"]})
    [problem] = refusal.value.problems
    words = "must be AskUserQuestion, the one tool of a chat; agent-task, which needs engine agent, has the others"
    assert (problem.pointer, problem.message) == ("/tools/1", words)
