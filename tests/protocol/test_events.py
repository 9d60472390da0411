"""Event bodies, and what they look like on the wire."""

import json
from pathlib import Path

import pytest
from jsonschema import ValidationError as ValidationOfSchema
from pydantic import ValidationError

from agent_workers.protocol.v1 import events
from agent_workers.protocol.v1.events import (
    BODIES,
    TERMINAL,
    Aborted,
    Delta,
    Denial,
    Done,
    Error,
    ModelUsage,
    Problem,
    Start,
    Thinking,
    Usage,
    envelop,
)

GOLDEN = Path(__file__).parent / "golden"

CONTRACT = """
{"v":1,"seq":1,"run":"5f0c","ts":"2026-11-20T23:19:00.004Z","type":"start","worker":"agent-chat",\
"worker_version":"0.1.0","sdk_version":"0.2.186","simulated":false}
{"v":1,"seq":2,"run":"5f0c","ts":"2026-11-20T23:19:00.610Z","type":"session","session_id":"159f",\
"model":"claude-opus-5-5","cli_version":"2.1.329","tools":[],"resumed":false}
{"v":1,"seq":3,"run":"5f0c","ts":"2026-11-20T23:19:00.911Z","type":"delta","text":"Hel","block":1}
{"v":1,"seq":4,"run":"5f0c","ts":"2026-11-20T23:19:00.934Z","type":"delta","text":"lo!","block":1}
{"v":1,"seq":5,"run":"5f0c","ts":"2026-11-20T23:19:01.020Z","type":"done","stop_reason":"end_turn",\
"text":"Hello!","session_id":"159f","usage":{"input_tokens":10,"output_tokens":3},"cost_usd":0.00044,\
"duration_ms":1016,"turns":1}
""".strip().splitlines()

TABLE = {
    "start": "worker worker_version sdk_version simulated engine? warm? metadata? subject? user? goal? skill? "
    "skill_version? attempt? traceparent?",
    "session": "session_id model cli_version tools resumed",
    "delta": "text block",
    "thinking": "text block",
    "tool_call": "tool_use_id name input parent_tool_use_id?",
    "tool_output": "tool_use_id stream text",
    "tool_result": "tool_use_id status content parent_tool_use_id? retryable? replayed?",
    "permission_request": "permission_id tool_use_id name input reason? expires_at",
    "permission_resolved": "permission_id behavior by actor? signature?",
    "question": "question_id tool_use_id questions expires_at",
    "question_resolved": "question_id by actor? signature?",
    "steered": "id actor?",
    "app_tool_call": "call_id name input expires_at tool_use_id? effect_key?",
    "task": "task_id status description tool_use_id?",
    "retry": "attempt max_attempts delay_ms http_status? code",
    "discard": "blocks reason",
    "notice": "level code message",
    "ping": "idle_ms",
    "ack": "id ok code?",
    "done": "stop_reason text output? session_id? usage usage_scope? cost_usd? duration_ms turns models? denials? "
    "pending? metadata? subject? user? goal? skill? skill_version? needs_review? lane?",
    "error": "code message retryable retry_after_ms? busy_ms? http_status? details? session_id? usage? cost_usd? "
    "metadata? subject? user? goal?",
    "aborted": "reason session_id? usage? cost_usd? metadata? subject? user? goal?",
}


def done(**fields):
    required = {"stop_reason": "end_turn", "text": "", "session_id": "s", "usage": Usage()}
    return Done(**{**required, "duration_ms": 0, "turns": 1, **fields})


def remodelled(line):
    """The same event, read into its models and written again."""
    event = json.loads(line)
    envelope = {name: event.pop(name) for name in ("v", "seq", "run", "ts")}
    body = BODIES[event["type"]].model_validate(event)
    return json.dumps(envelop(body.to_wire(), seq=envelope["seq"], run=envelope["run"], ts=envelope["ts"]))


@pytest.mark.parametrize("line", CONTRACT)
class TestEachExampleOfTheContract:
    def test_is_valid(self, line, validate):
        event = json.loads(line)
        validate("event", event)
        validate(f"events/{event['type']}", event)

    def test_is_what_the_models_write(self, line):
        assert remodelled(line) == json.dumps(json.loads(line))


@pytest.mark.parametrize("name", BODIES)
class TestEachType:
    def test_has_a_golden_event_that_is_valid(self, name, validate):
        event = json.loads((GOLDEN / f"{name}.json").read_text())
        assert event["type"] == name
        validate("event", event)
        validate(f"events/{name}", event)

    def test_is_written_field_by_field_as_in_its_golden_event(self, name):
        line = (GOLDEN / f"{name}.json").read_text()
        assert remodelled(line) == json.dumps(json.loads(line))

    def test_shows_all_its_fields_in_its_golden_event(self, name):
        event = json.loads((GOLDEN / f"{name}.json").read_text())
        assert event.keys() - {"v", "seq", "run", "ts", "truncated_bytes"} == BODIES[name].model_fields.keys() - {
            "truncated_bytes"
        }

    def test_has_the_fields_of_the_contract_in_its_order(self, name):
        fields = {
            field: "" if info.is_required() else "?"
            for field, info in BODIES[name].model_fields.items()
            if field not in {"type", "truncated_bytes"}
        }
        assert " ".join(field + mark for field, mark in fields.items()) == TABLE[name]

    def test_refuses_a_field_that_the_contract_does_not_have(self, name):
        event = json.loads((GOLDEN / f"{name}.json").read_text())
        fields = {key: value for key, value in event.items() if key not in {"v", "seq", "run", "ts"}}
        with pytest.raises(ValidationError, match="invented"):
            BODIES[name].model_validate({**fields, "invented": 1})

    def test_cannot_be_changed_once_made(self, name):
        event = json.loads((GOLDEN / f"{name}.json").read_text())
        body = BODIES[name].model_validate({k: v for k, v in event.items() if k not in {"v", "seq", "run", "ts"}})
        with pytest.raises(ValidationError, match="frozen"):
            body.type = "other"

    def test_can_tell_that_it_was_cut_and_says_so_last(self, name, validate):
        event = json.loads((GOLDEN / f"{name}.json").read_text())
        fields = {k: v for k, v in event.items() if k not in {"v", "seq", "run", "ts"}}
        body = BODIES[name].model_validate({**fields, "truncated_bytes": 7})
        wire = envelop(body.to_wire(), seq=1, run="r", ts="2026-11-20T23:19:00.004Z")
        assert list(wire.items())[-1] == ("truncated_bytes", 7)
        validate("event", wire)


@pytest.mark.parametrize("name", BODIES)
def test_any_event_may_name_the_line_before_it_by_its_sha_256(name, validate):
    event = json.loads((GOLDEN / f"{name}.json").read_text())
    validate(f"events/{name}", {**event, "prev": "0a" * 32})
    for wrong in ("0A" * 32, "0a" * 31, "", None, 0):
        with pytest.raises(ValidationOfSchema):
            validate(f"events/{name}", {**event, "prev": wrong})


def test_the_contract_knows_no_other_types():
    assert list(BODIES) == list(TABLE)
    assert sorted(path.stem for path in GOLDEN.iterdir()) == sorted(BODIES)


def test_the_terminal_types_are_known_types():
    assert set(TERMINAL) == {"done", "error", "aborted"} < BODIES.keys()


def test_what_the_module_offers_is_what_it_lists():
    assert sorted(events.__all__) == sorted(set(events.__all__))
    assert all(hasattr(events, name) for name in events.__all__)
    assert {kind.__name__ for kind in BODIES.values()} < set(events.__all__)


def test_a_line_starts_with_the_envelope_and_the_type():
    wire = envelop(Thinking(text="hm", block=0).to_wire(), seq=3, run="r", ts="t")
    assert list(wire.items()) == [
        *(("v", 1), ("seq", 3), ("run", "r"), ("ts", "t")),
        *(("type", "thinking"), ("text", "hm"), ("block", 0)),
    ]


def test_absent_fields_are_left_out_at_every_depth():
    body = done(usage=Usage(output_tokens=0), models={"m": ModelUsage(input_tokens=1)})
    assert body.to_wire() == {
        "type": "done",
        "stop_reason": "end_turn",
        "text": "",
        "session_id": "s",
        "usage": {"output_tokens": 0},
        "duration_ms": 0,
        "turns": 1,
        "models": {"m": {"input_tokens": 1}},
    }


def test_zero_false_and_empty_are_values_and_stay():
    body = done(cost_usd=0, output=[], denials=[], metadata={})
    wire = body.to_wire()
    assert (wire["cost_usd"], wire["output"], wire["denials"], wire["metadata"]) == (0, [], [], {})


def test_null_inside_a_tools_own_data_stays():
    body = done(output={"colour": None}, denials=[Denial(tool_use_id="t", name="Bash", input={"a": None})])
    assert body.to_wire()["output"] == {"colour": None}
    assert body.to_wire()["denials"] == [{"tool_use_id": "t", "name": "Bash", "input": {"a": None}}]


def test_problems_of_a_refused_request_are_written_out():
    problem = Problem(pointer="/systemPrompt", message="is not a known field", did_you_mean="system_prompt")
    body = Error(code="invalid_request", message="Refused.", retryable=False, details=[problem])
    assert body.to_wire()["details"] == [
        {"pointer": "/systemPrompt", "message": "is not a known field", "did_you_mean": "system_prompt"}
    ]


@pytest.mark.parametrize(
    ("kind", "fields"),
    [
        (Delta, {"text": 5, "block": 0}),
        (Delta, {"text": "a", "block": -1}),
        (Delta, {"text": "a", "block": "0"}),
        (Delta, {"text": "a", "block": True}),
        (Delta, {"text": None, "block": 0}),
        (Delta, {"type": "thinking", "text": "a", "block": 0}),
        (Delta, {"text": "a", "block": 0, "truncated_bytes": 0}),
        (Aborted, {"reason": "bored"}),
        (Aborted, {"reason": "signal", "cost_usd": float("nan")}),
        (Aborted, {"reason": "signal", "usage": {"input_tokens": -1}}),
        (Start, {"worker": "w", "worker_version": "1", "sdk_version": "1"}),
    ],
)
def test_a_body_that_would_break_the_contract_cannot_be_made(kind, fields):
    with pytest.raises(ValidationError):
        kind(**fields)


@pytest.mark.parametrize("unknown", [{"type": "telepathy", "strength": 5}, {"type": "delta2", "text": 1}])
def test_the_schema_lets_unknown_types_pass(unknown, validate):
    validate("event", {"v": 1, "seq": 1, "run": "r", "ts": "2026-11-20T23:19:00.004Z", **unknown})


@pytest.mark.parametrize(
    "change",
    [
        {"v": 2},
        {"v": None},
        {"seq": 0},
        {"seq": 1.5},
        {"run": ""},
        {"run": "a b"},
        {"ts": "2026-11-20 23:19:00"},
        {"ts": "2026-11-20T23:19:00Z"},
        {"type": ""},
        {"type": 5},
        {"text": 5},
        {"text": None},
        {"block": None},
        {"truncated_bytes": 0},
    ],
)
def test_the_schema_refuses_a_broken_envelope_or_known_field(change, validate):
    event = json.loads(CONTRACT[2])
    with pytest.raises(Exception, match="Failed validating"):
        validate("event", event | change)


@pytest.mark.parametrize("missing", ["v", "seq", "run", "ts", "type", "text", "block"])
def test_the_schema_refuses_an_event_that_lacks_a_required_field(missing, validate):
    event = json.loads(CONTRACT[2])
    del event[missing]
    with pytest.raises(Exception, match="Failed validating"):
        validate("event", event)


def test_the_schema_lets_unknown_fields_pass_at_every_depth(validate):
    event = json.loads(CONTRACT[4]) | {"mood": "good"}
    event["usage"]["thinking_tokens"] = 5
    validate("event", event)
    validate("events/done", event)
