"""``agent-workers schema``: the contract as JSON Schema."""

import json

import pytest
from jsonschema import Draft202012Validator

from agent_workers.workers.schema import export
from tests.cli.conftest import Scripts

pytestmark = pytest.mark.usefixtures("loaded")


@pytest.mark.usefixtures("installed")
def test_without_a_name_every_schema_is_listed_on_one_line(scripts: Scripts) -> None:
    listed = scripts("agent-workers", "schema").stdout.splitlines()
    assert len(listed) == len(export())
    assert all(len(line.split(maxsplit=1)) == 2 for line in listed)


@pytest.mark.parametrize(
    ("name", "title"),
    [
        ("request", "Request"),
        ("task-request", "TaskRequest"),
        ("event", "Event"),
        ("control", "ControlMessage"),
        ("events/delta", "Delta"),
        ("delta", "Delta"),
        ("v1/events/tool_call.schema.json", "ToolCall"),
    ],
)
def test_a_schema_is_printed_by_each_of_its_names(name: str, title: str, scripts: Scripts) -> None:
    printed = scripts("agent-workers", "schema", name)
    schema = json.loads(printed.stdout)
    Draft202012Validator.check_schema(schema)
    assert schema["title"] == title
    assert printed.stdout in export().values()


@pytest.mark.parametrize(
    ("name", "nearest"),
    [("dleta", "events/delta"), ("requests", "request"), ("task-requests", "task-request"), ("events", "event")],
)
def test_an_unknown_name_is_answered_by_the_nearest(name: str, nearest: str, scripts: Scripts) -> None:
    refused = scripts("agent-workers", "schema", name)
    assert (refused.returncode, refused.stdout) == (2, "")
    assert f"Did you mean '{nearest}'?" in refused.stderr
