"""What a refused caller gets to read."""

import pytest

from agent_workers.protocol.v1.problem import MAX_PROBLEMS
from agent_workers.protocol.v1.request import RequestProblems, parse_request
from agent_workers.protocol.v1.task_request import TaskRequest

TOOL = {"name": "a", "description": "b", "input_schema": {"type": "object"}}


def problems(document):
    with pytest.raises(RequestProblems) as refused:
        parse_request(document)
    return [problem.to_wire() for problem in refused.value.problems]


def suggestion(name, at=()):
    """What is suggested for an unknown field, on its own, within the object at a path."""
    document = {"prompt": "Hello"}
    place = document
    for step in at:
        place = place.setdefault(step, {})
    place[name] = 1
    found = [problem for problem in problems(document) if problem["pointer"].endswith(f"/{name}")]
    assert [problem["message"] for problem in found] == ["is not a known field"]
    return found[0].get("did_you_mean")


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("systemPrompt", "system_prompt"),
        ("SystemPrompt", "system_prompt"),
        ("system-prompt", "system_prompt"),
        ("system prompt", "system_prompt"),
        ("system_promt", "system_prompt"),
        ("maxTurns", "max_turns"),
        ("max_turn", "max_turns"),
        ("outputSchema", "output_schema"),
        ("fallbackModel", "fallback_model"),
        ("appTools", "app_tools"),
        ("modell", "model"),
        ("message", "prompt"),
        ("messages", "prompt"),
        ("input", "prompt"),
        ("query", "prompt"),
        ("system", "system_prompt"),
        ("timeout", "limits.timeout_s"),
        ("timeoutS", "limits.timeout_s"),
        ("maxBudgetUsd", "limits.max_budget_usd"),
        ("pingS", "stream.ping_s"),
        ("partial", "stream.partial"),
        ("sessionId", "session.resume"),
        ("resume", "session.resume"),
        ("runId", "run"),
        ("meta_data", "metadata"),
        ("temperature", None),
        ("x" * 100_000, None),
    ],
)
def test_an_unknown_field_is_told_what_it_was_meant_to_be(name, meant):
    if len(name) < 1000:
        assert suggestion(name) == meant
    else:
        assert "did_you_mean" not in problems({"prompt": "Hello", name: 1})[0]


@pytest.mark.parametrize(
    ("at", "name", "meant"),
    [
        (["limits"], "timeout", "timeout_s"),
        (["limits"], "timeoutS", "timeout_s"),
        (["limits"], "maxBudget", "max_budget_usd"),
        (["stream"], "ping", "ping_s"),
        (["stream"], "partials", "partial"),
        (["session"], "sessionId", "id"),
        (["session"], "resumeId", "resume"),
    ],
)
def test_names_are_looked_for_on_the_fields_own_level(at, name, meant):
    assert suggestion(name, at) == meant


def test_a_blocks_own_fields_are_suggested():
    blocks = [{"type": "text", "text": "a", "txt": 1}, {"type": "document", "titel": 1}]
    assert [(p["pointer"], p.get("did_you_mean")) for p in problems({"prompt": blocks})] == [
        ("/prompt/0/txt", "text"),
        ("/prompt/1/source", None),
        ("/prompt/1/titel", "title"),
    ]


def test_a_tools_own_fields_are_suggested():
    tool = {"name": "a", "description": "b", "inputSchema": {}, "parameters": {}}
    assert [(p["pointer"], p.get("did_you_mean")) for p in problems({"prompt": "a", "app_tools": [tool]})] == [
        ("/app_tools/0/input_schema", None),
        ("/app_tools/0/inputSchema", "input_schema"),
        ("/app_tools/0/parameters", "input_schema"),
    ]


@pytest.mark.parametrize("name", ["permissions", "cwd", "add_dirs", "mcp_servers", "agents"])
def test_a_field_of_the_task_worker_is_refused_with_the_reason(name):
    assert problems({"prompt": "Hello", name: []}) == [
        {"pointer": f"/{name}", "message": "is a field of agent-task only, which needs engine agent"}
    ]


@pytest.mark.parametrize(
    ("session", "pointer", "message"),
    [
        (
            {"resume": "3f2b8c1e-5d0a-4c77-9a51-0e6f6b1f2d34", "id": 1},
            "/session/id",
            "cannot be combined with resume; send one of the two",
        ),
        (
            {"id": "3f2b8c1e-5d0a-4c77-9a51-0e6f6b1f2d34", "fork": True},
            "/session/fork",
            "needs resume: only an existing conversation can be forked",
        ),
    ],
)
def test_what_does_not_go_together_is_said_to_be_so(session, pointer, message):
    assert problems({"prompt": "Hello", "session": session}) == [{"pointer": pointer, "message": message}]


def test_all_problems_come_at_once_in_the_order_of_the_fields():
    document = {
        "systemPrompt": "a",
        "model": None,
        "max_turns": 0,
        "prompt": 5,
        "limits": {"timeout_s": "5", "idle": 1},
        "stream": [],
    }
    assert [problem["pointer"] for problem in problems(document)] == [
        "/prompt",
        "/model",
        "/max_turns",
        "/limits/timeout_s",
        "/limits/idle",
        "/stream",
        "/systemPrompt",
    ]


@pytest.mark.parametrize(
    ("name", "pointer"),
    [
        ("a/b", "/a~1b"),
        ("a~b", "/a~0b"),
        ("~1", "/~01"),
        ("", "/"),
        ("=text", "/=text"),
        ("ü", "/ü"),
        ("0", "/0"),
    ],
)
def test_pointers_are_escaped_and_take_any_name(name, pointer):
    assert [problem["pointer"] for problem in problems({"prompt": "Hello", name: 1})] == [pointer]


@pytest.mark.parametrize("name", ["=TextBlock", "=text", "text2", "="])
def test_a_name_that_looks_like_an_inner_tag_stays_in_the_pointer(name):
    document = {"prompt": [{"type": "text", "text": "a", name: 1}]}
    assert [problem["pointer"] for problem in problems(document)] == [f"/prompt/0/{name}"]


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"prompt": ""}, "must not be empty"),
        ({"prompt": []}, "must not be empty"),
        ({"prompt": 5}, "must be a string or a list of content blocks"),
        ({"prompt": [5]}, "must be an object, not a number"),
        ({"prompt": [{}]}, "is required; one of: text, image, document"),
        ({"prompt": [{"type": "video"}]}, "must be one of: text, image, document"),
        ({"model": None}, "must not be null: leave the field out instead"),
        ({"model": 5}, "must be a string, not a number"),
        ({"max_turns": "5"}, "must be a whole number, not a string"),
        ({"max_turns": 1.5}, "must be a whole number"),
        ({"max_turns": 0}, "must be at least 1"),
        ({"thinking": "yes"}, "must be true or false, not a string"),
        ({"limits": 5}, "must be an object, not a number"),
        ({"limits": {"timeout_s": 0}}, "must be greater than 0"),
        ({"limits": {"timeout_s": 1e9}}, "must be at most 604800"),
        ({"limits": {"timeout_s": True}}, "must be a number, not true or false"),
        ({"app_tools": {}}, "must be a list, not an object"),
        ({"app_tools": [TOOL] * 2}, "must have unique names; 'a' is the name of more than one"),
        ({"metadata": []}, "must be an object, not a list"),
        ({"metadata": {"a": "x" * 20_000}}, "must be at most 16384 bytes as compact JSON, not 20008"),
        ({"v": "1"}, "must be 1, not a string"),
        ({"prompt": "\ud800"}, "must not contain lone surrogates"),
    ],
)
def test_messages_are_plain_words(fields, message):
    assert [problem["message"] for problem in problems({"prompt": "Hello", **fields})] == [message]


def test_messages_do_not_repeat_the_input():
    document = {"prompt": [{"type": "SECRET" * 1000}], "model": "-SECRET" * 1000, "run": "SECRET " * 1000}
    assert "SECRET" not in str(problems(document))


def test_an_absurdly_long_name_is_cut_in_the_pointer():
    pointer = problems({"prompt": "Hello", "x" * 1_000_000: 1})[0]["pointer"]
    assert len(pointer) < 300
    assert pointer.endswith("…")


@pytest.mark.parametrize("surplus", [1, 20])
def test_the_list_is_capped_and_says_how_many_are_missing(surplus):
    found = problems({"prompt": "Hello", **{f"unknown{i}": i for i in range(MAX_PROBLEMS + surplus)}})
    assert len(found) == MAX_PROBLEMS + 1
    assert found[-1] == {"pointer": "", "message": f"and {surplus} more problem{'s' if surplus > 1 else ''}"}


def test_a_full_list_is_not_marked_as_capped():
    found = problems({"prompt": "Hello", **{f"unknown{i}": i for i in range(MAX_PROBLEMS)}})
    assert len(found) == MAX_PROBLEMS
    assert found[-1]["pointer"] == f"/unknown{MAX_PROBLEMS - 1}"


@pytest.mark.parametrize(
    ("fields", "pointer", "meant"),
    [
        ({"engine": "message"}, "/engine", "messages"),
        ({"engine": "Agent"}, "/engine", "agent"),
        ({"engine": "batch"}, "/engine", None),
        ({"engine": 5}, "/engine", None),
        ({"engine": "m" * 70}, "/engine", None),
        ({"prompt": [{"type": "txt", "text": "x"}]}, "/prompt/0/type", "text"),
        ({"prompt": [{"type": "video"}]}, "/prompt/0/type", None),
        ({"prompt": [{}]}, "/prompt/0/type", None),
    ],
)
def test_the_nearest_of_the_values_that_may_stand_there_is_suggested(fields, pointer, meant):
    [problem] = problems({"prompt": "Hello", **fields})
    assert (problem["pointer"], problem.get("did_you_mean")) == (pointer, meant)


@pytest.mark.parametrize(
    ("mode", "meant"), [("acceptEdits", "accept_edits"), ("accept-edits", "accept_edits"), ("defered", "defer")]
)
def test_so_is_that_of_a_mode(mode, meant):
    request = {"prompt": "x", "cwd": "/", "permissions": {"mode": mode}}
    with pytest.raises(RequestProblems) as refused:
        parse_request(request, TaskRequest)
    assert [problem.did_you_mean for problem in refused.value.problems] == [meant]
