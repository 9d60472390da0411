"""What holds for the output of every run, whatever happened in it."""

import json
import re
from functools import cache
from pathlib import Path
from typing import Any

from jsonschema import Draft202012Validator

Event = dict[str, Any]

TERMINAL = ("done", "error", "aborted")
_MAX_LINE = 256 * 1024
_SCHEMAS = Path(__file__).parents[2] / "schemas" / "v1"


def events_of(output: bytes) -> list[Event]:
    """Reads a run's output, checks each of its lines, and that they are numbered without gaps."""
    assert output.isascii()
    assert output == b"" or output.endswith(b"\n"), "the last line is not complete"
    lines = output.split(b"\n")[:-1]
    assert all(len(line) < _MAX_LINE for line in lines)
    events = [json.loads(line, parse_constant=_refuse) for line in lines]
    for event in events:
        event_schema(event.get("type")).validate(event)
    assert [event["seq"] for event in events] == list(range(1, len(events) + 1))
    assert len({event["run"] for event in events}) <= 1
    assert [event["type"] for event in events[:-1] if event["type"] in TERMINAL] == []
    return events


def check_whole(events: list[Event]) -> None:
    """Checks what holds for the output of a run that was neither killed nor left alone."""
    last = events[-1]
    assert last["type"] in TERMINAL
    if len(events) > 1:
        assert events[0]["type"] == "start"
    if last["type"] == "done" and last["turns"]:  # else no model has spoken, and the text is a tool's
        told = answer(events)
        assert told.startswith(last["text"])
        assert len(told.encode()) - len(last["text"].encode()) == last.get("truncated_bytes", 0)


def answer(events: list[Event]) -> str:
    """The final answer as a reader has it who appends each delta and drops what is discarded."""
    blocks: dict[int, str] = {}
    for event in events:
        if event["type"] == "delta":
            blocks[event["block"]] = blocks.get(event["block"], "") + event["text"]
        elif event["type"] == "tool_call":
            blocks.clear()  # what was said before is not the final answer
        elif event["type"] == "discard":
            for block in event["blocks"]:
                blocks.pop(block, None)
    return "".join(blocks.values())


@cache
def event_schema(kind: object) -> Draft202012Validator:
    """The committed schema, not our own models: it is what a consumer has.

    Without the branches for other types than this one: they take most of the time, and there may be 20,000 events.
    """
    whole = schema("event")
    branches = [branch for branch in whole["allOf"] if _may_be(kind, branch["if"])]
    own = {**whole, "allOf": branches or [True]}
    return Draft202012Validator(own, format_checker=Draft202012Validator.FORMAT_CHECKER)


def _may_be(kind: object, condition: dict[str, Any]) -> bool:
    """Whether a condition might hold for events of this type; only that for one other type surely does not."""
    other = condition.get("properties", {}).get("type", {}).get("const")
    return condition != {"properties": {"type": {"const": other}}, "required": ["type"]} or other == kind


@cache
def schema(name: str) -> dict[str, Any]:
    """A committed schema, such as ``event``."""
    return json.loads((_SCHEMAS / f"{name}.schema.json").read_text("utf-8"))


def is_uuid(text: str) -> bool:
    """Whether the text is a UUID as the contract writes it."""
    return re.fullmatch(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", text) is not None


def _refuse(constant: str) -> None:
    raise AssertionError(f"{constant} is not JSON")
