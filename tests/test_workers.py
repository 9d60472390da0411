"""What the workers accept beyond what the contract's models say."""

import re
from typing import Any

import pytest

from agent_workers.protocol.v1.problem import RequestProblems
from agent_workers.workers import WORKERS, Registry, schema_name
from agent_workers.workers.chat import WORKER
from agent_workers.workers.task import WORKER as TASK


def problem(**fields: object) -> tuple[str, str]:
    with pytest.raises(RequestProblems) as raised:
        WORKER.accept({"prompt": "Hi", **fields})
    [found] = raised.value.problems
    return found.pointer, found.message


def test_an_output_schema_must_be_valid_json_schema() -> None:
    place, words = problem(output_schema={"type": "object", "properties": {"n": {"type": "number?"}}})
    assert place == "/output_schema/properties/n/type"
    assert "not valid JSON Schema" in words


@pytest.mark.parametrize("address", ["http://127.0.0.1:1/secret.json", "file:///etc/passwd", "other.json#/x"])
def test_an_output_schema_cannot_make_the_worker_fetch_another_document(address: str) -> None:
    place, _ = problem(output_schema={"properties": {"a/b": {"items": [{"$ref": address}]}}})
    assert place == "/output_schema/properties/a~1b/items/0/$ref"


def test_an_output_schema_may_refer_to_itself() -> None:
    schema = {"$ref": "#/$defs/node", "$defs": {"node": {"type": "object"}}}
    assert WORKER.accept({"prompt": "Hi", "output_schema": schema}).output_schema == schema


def test_an_older_dialect_of_json_schema_is_read_as_such() -> None:
    draft_4 = {"$schema": "http://json-schema.org/draft-04/schema#", "minimum": 1, "exclusiveMinimum": True}
    assert WORKER.accept({"prompt": "Hi", "output_schema": draft_4})
    assert problem(output_schema={"minimum": 1, "exclusiveMinimum": True})[0] == "/output_schema/exclusiveMinimum"


def test_a_reference_within_data_is_no_reference() -> None:
    schema = {"const": {"$ref": "http://127.0.0.1:1/x"}}
    assert WORKER.accept({"prompt": "Hi", "output_schema": schema}).output_schema == schema


@pytest.mark.parametrize("pattern", [r"^\p{L}+$", r"^(?<year>[0-9]{4})$"])
def test_a_pattern_that_only_javascript_knows_is_taken(pattern: str) -> None:
    schema = {"type": "object", "properties": {"s": {"type": "string", "pattern": pattern}}}
    assert WORKER.accept({"prompt": "Hi", "output_schema": schema})


def test_a_dialect_must_be_named_by_a_string() -> None:
    assert problem(output_schema={"$schema": []})[0] == "/output_schema/$schema"


def test_an_output_schema_describes_an_object_for_an_agent_can_return_nothing_else() -> None:
    assert problem(output_schema={"type": "array", "items": {}}) == (
        "/output_schema",
        'must describe an object: its "type" is "array"',
    )
    place, _ = problem(output_schema={"type": "object", "required": ["a"], "properties": {"a": False}})
    assert place == "/output_schema/required/0"


def test_a_type_that_an_older_dialect_lets_be_anything_is_shown_in_part() -> None:
    dialect = "http://json-schema.org/draft-03/schema#"
    place, message = problem(output_schema={"$schema": dialect, "type": ["a" * 100_000]})
    assert place == "/output_schema"
    assert len(message) < 200


BLANKS = [
    " ",
    "\n\t ",
    "\u00a0",
    "\u2003\u3000",
    "\u200b\ufeff",
    "\u2028",
    "\u00ad",
    "\u2800",
    "\u3164",
    "\x00",
    "\x85",
    "\ufe0f",
]


@pytest.mark.parametrize("blank", BLANKS, ids=ascii)
def test_a_prompt_holds_more_than_blanks(blank: str) -> None:
    text = {"type": "text", "text": blank}
    for prompt in (blank, blank * 5000, [text], [text, text]):
        assert problem(prompt=prompt) == ("/prompt", "must hold more than blanks")


@pytest.mark.parametrize("blank", BLANKS, ids=ascii)
def test_one_character_that_can_be_seen_or_an_attachment_is_enough(blank: str) -> None:
    image = {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": "AAAA"}}
    text = {"type": "text", "text": blank}
    for prompt in (
        f"{blank}x{blank}",
        f"{blank}.",
        f"{blank}\U0001f600",
        [image],
        [text, image],
        [text, text | {"text": "ü"}],
    ):
        assert WORKER.accept({"prompt": prompt})


def test_a_session_id_is_the_same_in_either_case() -> None:
    name = "AAAAAAAA-BBBB-4CCC-8DDD-EEEEEEEEEEEE"
    assert WORKER.accept({"prompt": "Hi", "session": {"id": name}}).session.id == name.lower()


def test_a_worker_that_bears_the_name_of_another_is_not_started() -> None:
    registry = Registry({"agent-note": "agent_workers.workers.chat"})
    with pytest.raises(
        ValueError, match=r"agent_workers\.workers\.chat\.WORKER is called agent-chat: call it agent-note"
    ):
        registry["agent-note"]


@pytest.mark.parametrize("name", WORKERS)
def test_a_workers_name_fits_a_program_a_folder_a_variable_and_a_schema(name: str) -> None:
    assert re.fullmatch(r"agent-[a-z0-9]+(?:-[a-z0-9]+)*", name)
    assert not name.startswith("agent-workers")  # the program that sets them up, and its entry


def test_each_worker_has_a_schema_of_its_own() -> None:
    names = [schema_name(name) for name in WORKERS]
    assert len({*names, "event", "control"}) == len(names) + 2


@pytest.mark.parametrize(
    ("where", "cure"),
    [
        ("allow", "must be relative to cwd"),
        ("deny", "must be relative to cwd, or begin with // for a path from the root"),
    ],
)
def test_a_rule_with_a_path_from_the_root_is_told_no_cure_that_is_refused_as_well(where: str, cure: str) -> None:
    request = {"prompt": "Hi", "cwd": "/srv/work", "tools": ["Edit"], "permissions": {where: ["Edit(/etc/**)"]}}
    with pytest.raises(RequestProblems) as raised:
        TASK.accept(request)
    assert [(found.pointer, found.message) for found in raised.value.problems] == [(f"/permissions/{where}/0", cure)]


@pytest.mark.parametrize(
    ("fields", "place", "words"),
    [
        (
            {"tools": ["AskUserQuestion", "Agent"], "agents": {"a": {"tools": ["AskUserQuestion"]}}},
            "/agents/a/tools/0",
            "must not be AskUserQuestion: a subagent cannot ask the user",
        ),
        (
            {"decision": {"behavior": "deny", "answers": {"Which?": "A"}}},
            "/permissions/decision/answers",
            "needs the behavior allow",
        ),
        (
            {"decision": {"behavior": "allow", "answers": {"Which?": "A"}, "updated_input": {"a": 1}}},
            "/permissions/decision/updated_input",
            "cannot be combined with answers",
        ),
    ],
)
def test_a_task_is_refused_that_asks_the_user_in_a_way_that_cannot_work(
    fields: dict[str, Any], place: str, words: str
) -> None:
    document: dict[str, Any] = {"prompt": "Hi", "cwd": "/", **fields}
    for agent in document.get("agents", {}).values():
        agent |= {"description": "d", "prompt": "p"}
    if decision := document.pop("decision", None):
        document["permissions"] = {"mode": "defer", "decision": {"tool_use_id": "t", **decision}}
        document["session"] = {"resume": "3f2b8c1e-5d0a-4c77-9a51-0e6f6b1f2d34"}
    with pytest.raises(RequestProblems) as raised:
        TASK.accept(document)
    assert [(found.pointer, found.message) for found in raised.value.problems] == [(place, words)]
