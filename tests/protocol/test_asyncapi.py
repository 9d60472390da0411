"""The AsyncAPI document says what the schemas say."""

import json
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft7Validator

from agent_workers.protocol.v1.control import MESSAGES
from agent_workers.protocol.v1.events import BODIES
from agent_workers.workers import WORKERS, schema_name

GOLDEN = sorted((Path(__file__).parent / "golden").glob("*.json"))


@pytest.fixture(scope="module")
def document(root: Path) -> dict[str, Any]:
    return json.loads((root / "schemas/v1/asyncapi.json").read_text("ascii"))


def reads(document: dict[str, Any], message: str) -> Draft7Validator:
    """What checks the payload of a message."""
    payload = document["components"]["messages"][message]["payload"]
    return Draft7Validator({"components": document["components"], "allOf": [payload]})


def test_each_pipe_carries_what_the_contract_names(document: dict[str, Any]) -> None:
    carried = {name: set(channel["messages"]) for name, channel in document["channels"].items()}
    assert carried == {"stdin": set(map(schema_name, WORKERS)), "control": set(MESSAGES), "stdout": set(BODIES)}


@pytest.mark.parametrize("file", GOLDEN, ids=[file.stem for file in GOLDEN])
def test_an_event_satisfies_its_message_and_no_other(file: Path, document: dict[str, Any]) -> None:
    event = json.loads(file.read_text("utf-8"))
    matching = {kind for kind in BODIES if reads(document, f"event.{kind}").is_valid(event)}
    assert matching == {event["type"]}
    del event["seq"]
    assert not reads(document, f"event.{event['type']}").is_valid(event)


def test_requests_and_control_messages_are_checked_field_by_field(document: dict[str, Any]) -> None:
    assert reads(document, "request").is_valid({"prompt": "Hello", "limits": {"timeout_s": 5}})
    assert not reads(document, "request").is_valid({"prompt": "Hello", "limits": {"timeout_s": "soon"}})
    assert not reads(document, "request").is_valid({"promt": "Hello"})
    assert reads(document, "control.abort").is_valid({"type": "abort", "id": "1"})
    assert not reads(document, "control.abort").is_valid({"type": "steer", "id": "1", "text": "Stop."})
