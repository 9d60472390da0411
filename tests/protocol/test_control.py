"""Control messages: what is one, and what is said of what is none."""

import json
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent_workers.protocol.v1.control import (
    MESSAGES,
    Abort,
    AppToolResult,
    InvalidControl,
    Permission,
    parse_control,
)

ABORT = {"type": "abort", "id": "m1"}
PERMISSION = {"type": "permission", "id": "m1", "permission_id": "p1", "behavior": "allow"}
RESULT = {"type": "app_tool_result", "id": "m1", "call_id": "c1", "content": "42"}
ANSWER = {"type": "answer", "id": "m1", "question_id": "q1", "answers": {"Which?": "Graz"}}
STEER = {"type": "steer", "id": "m1", "text": "/compact is only text"}
OUTPUT = {"type": "app_tool_output", "id": "m1", "call_id": "c1", "text": "half"}
KINDS = "abort, permission, app_tool_result, app_tool_output, answer, steer"
PNG = {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": "AAAA"}}


def read(document):
    return parse_control(json.dumps(document).encode() + b"\n")


def refused(document):
    with pytest.raises(InvalidControl) as refusal:
        parse_control(document if isinstance(document, bytes) else json.dumps(document).encode())
    return refusal.value


@pytest.mark.parametrize(
    "document",
    [
        ABORT,
        {**ABORT, "id": "x" * 128},
        PERMISSION,
        {**PERMISSION, "behavior": "deny", "message": "Not now."},
        {**PERMISSION, "updated_input": {"command": "ls", "deep": {"a": [None]}}},
        RESULT,
        {**RESULT, "content": "", "is_error": True},
        {**RESULT, "content": []},
        {**RESULT, "content": [{"type": "text", "text": "See:"}, PNG]},
        {**RESULT, "is_error": True, "retryable": False, "actor": "user-17"},
        {**RESULT, "replayed": True},
        {**PERMISSION, "actor": "x" * 128},
        ANSWER,
        {**ANSWER, "answers": {"Which?": ["Graz", "Linz"], "When?": "now"}, "actor": "user-17"},
        STEER,
        {**STEER, "actor": "user-17"},
        OUTPUT,
    ],
)
def test_every_kind_is_read_as_the_schema_has_it(document, validate):
    validate("control", document)
    message = read(document)
    assert type(message) is MESSAGES[document["type"]]
    assert message.model_dump(exclude_unset=True) == document


def test_what_is_left_out_is_absent():
    assert read(ABORT) == Abort(type="abort", id="m1")
    permission = read(PERMISSION)
    assert isinstance(permission, Permission)
    assert (permission.message, permission.updated_input) == (None, None)
    result = read(RESULT)
    assert isinstance(result, AppToolResult)
    assert result.is_error is False


@pytest.mark.parametrize(
    ("line", "message"),
    [
        (b"", "the line is empty"),
        (b" \r\n", "the line is empty"),
        (
            b"abort",
            "not valid JSON at column 1: a value is missing, or is not JSON; text stands in double quotes",
        ),
        (b'{"id":"m1"', "not valid JSON at column 11: a comma or a closing bracket is missing"),
        (b'{"id":"\xff"}', "the input is not UTF-8: byte 0xff at offset 7"),
        (b'{"id":NaN}', "NaN is not valid JSON: send a number, or leave the field out"),
        (b"[" * 100_000, "the JSON is nested deeper than 128 levels"),
        (
            b'{"id":"m1","behavior":"deny","behavior":"allow"}',
            "/behavior appears more than once in its object; keep one of them",
        ),
    ],
)
def test_a_line_that_is_no_json_has_no_id(line, message):
    refusal = refused(line)
    assert (refusal.code, refusal.id, refusal.message) == ("invalid_json", None, message)
    assert str(refusal) == message


@pytest.mark.parametrize("document", [None, 5, "abort", ["abort"], True])
def test_what_is_no_object_is_an_invalid_message(document):
    refusal = refused(document)
    assert (refusal.code, refusal.id) == ("invalid_message", None)


@pytest.mark.parametrize("kind", ["aborted", "Abort", "", "pause", "x" * 100_000])
def test_an_unknown_type_is_said_to_be_one_under_the_messages_id(kind):
    refusal = refused({"type": kind, "id": "m1"})
    assert (refusal.code, refusal.id) == ("unknown_type", "m1")
    assert refusal.message == f"/type must be one of: {KINDS}"


@pytest.mark.parametrize("kind", [None, 5, ["abort"], {}])
def test_a_type_is_a_string(kind):
    refusal = refused({"type": kind, "id": "m1"})
    assert (refusal.code, refusal.id) == ("invalid_message", "m1")


def test_a_message_without_a_type_is_invalid():
    assert refused({"id": "m1"}).message == f"/type is required; one of: {KINDS}"


@pytest.mark.parametrize("message_id", [None, 5, "", "x" * 129, ["m1"], True])
def test_an_id_that_is_none_is_not_repeated(message_id):
    refusal = refused({**ABORT, "id": message_id})
    assert (refusal.code, refusal.id) == ("invalid_message", None)
    assert refusal.message.startswith("/id ")


@pytest.mark.parametrize(
    ("document", "message"),
    [
        ({**ABORT, "reason": "tired"}, "/reason is not a known field"),
        ({**PERMISSION, "behavior": "maybe"}, '/behavior must be "allow" or "deny"'),
        ({**PERMISSION, "behavior": "ALLOW"}, '/behavior must be "allow" or "deny"'),
        ({**PERMISSION, "behavior": True}, '/behavior must be "allow" or "deny"'),
        ({**PERMISSION, "permission_id": None}, "/permission_id must be a string, not null"),
        ({**PERMISSION, "updated_input": []}, "/updated_input must be an object, not a list"),
        (
            {**PERMISSION, "updated_input": None},
            "/updated_input must not be null: leave the field out instead",
        ),
        ({**PERMISSION, "updatedInput": {}}, "/updatedInput is not a known field"),
        ({**RESULT, "content": None}, "/content must be a string or a list of text and image blocks"),
        ({**RESULT, "content": {"a": 1}}, "/content must be a string or a list of text and image blocks"),
        ({**RESULT, "content": ["a"]}, "/content/0 must be an object, not a string"),
        ({**RESULT, "content": [{"type": "video"}]}, "/content/0/type must be one of: text, image"),
        ({**RESULT, "is_error": "no"}, "/is_error must be true or false, not a string"),
        ({"type": "abort"}, "/id is required"),
        ({**PERMISSION, "actor": "x" * 129}, "/actor must be at most 128 characters long"),
        ({**PERMISSION, "actor": ""}, "/actor must not be empty"),
        ({**ANSWER, "answers": {}}, "/answers must not be empty"),
        ({**ANSWER, "answers": ["Graz"]}, "/answers must be an object, not a list"),
        (
            {**ANSWER, "answers": {"Which?": 5}},
            "/answers/Which? must be a string, or a list of strings where several were chosen",
        ),
        ({**ANSWER, "answers": {"Which?": []}}, "/answers/Which? must not be empty"),
        ({**STEER, "text": ""}, "/text must not be empty"),
        ({**OUTPUT, "stream": "stdout"}, "/stream is not a known field"),
        (
            {"type": "permission", "id": "m1"},
            "/permission_id is required; /behavior is required",
        ),
    ],
)
def test_a_malformed_message_is_refused_with_its_problems(document, message, validate):
    refusal = refused(document)
    assert (refusal.code, refusal.id) == ("invalid_message", document.get("id"))
    assert refusal.message == message
    with pytest.raises(Exception, match="Failed validating"):
        validate("control", document)


def test_an_image_by_address_is_refused_as_tools_cannot_send_one():
    web = {"type": "image", "source": {"type": "url", "url": "https://example.com/a.png"}}
    assert '/content/0/source/type must be "base64"' in refused({**RESULT, "content": [web]}).message


def test_the_message_of_a_refusal_stays_short():
    document = {**ABORT, **{"x" * 1000 + str(i): i for i in range(100)}}
    assert len(refused(document).message) < 1000


@given(st.binary())
def test_any_line_is_either_read_or_refused(line):
    with suppress(InvalidControl):
        assert parse_control(line).id
