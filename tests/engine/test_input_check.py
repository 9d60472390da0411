"""Values against schemas that could take forever, and against those of which Python reads a part."""

import os
from pathlib import Path
from typing import Any

import anyio
import pytest
from anyio.lowlevel import checkpoint

from agent_workers.engine import input_check
from agent_workers.engine.answer.output import checked_output
from agent_workers.engine.input_check import find_faults
from agent_workers.errors import OutputSchemaError
from agent_workers.json_schema.faults import faults
from tests.waiting import until

pytestmark = pytest.mark.anyio

NEVER: dict[str, Any] = {"type": "object", "properties": {"a": {"pattern": "^(a+)+$"}}}
ENDLESS = {"a": "a" * 40 + "!"}
ECMA = r"^\p{Lu}+$"


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture
def brief(monkeypatch: pytest.MonkeyPatch) -> None:
    """Has a check that takes too long end soon: the program that checks has the limit of this process."""
    monkeypatch.setattr(input_check, "_PATIENCE_S", 1)


def children() -> set[int]:
    tasks = Path(f"/proc/{os.getpid()}/task").iterdir()
    return {int(child) for task in tasks for child in (task / "children").read_text().split()}


async def test_many_checks_share_a_process() -> None:
    schema = {"type": "object", "properties": {"a": {"pattern": "^b+$"}}}
    before = children()
    with anyio.fail_after(60):
        found = [len(await find_faults(schema, {"a": value})) for value in ("b", "c", "bb", "", "bbb")]
    assert found == [0, 1, 0, 1, 0]
    assert len(children() - before) <= 1


async def test_a_check_that_takes_too_long_leaves_the_loop_free_and_no_process(brief: None) -> None:
    ticks = 0

    async def tick() -> None:
        nonlocal ticks
        while True:
            await checkpoint()
            ticks += 1

    before = children()
    with anyio.fail_after(60):
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(tick)
            with pytest.raises(TimeoutError):
                await find_faults(NEVER, ENDLESS)
            tasks.cancel_scope.cancel()
    assert ticks > 5
    until(lambda: not children() - before, within_s=5, what=lambda: str(children() - before))


async def test_the_next_check_is_made_by_another_process(monkeypatch: pytest.MonkeyPatch) -> None:
    with anyio.fail_after(60):
        with monkeypatch.context() as brief:
            brief.setattr(input_check, "_PATIENCE_S", 1)
            with pytest.raises(TimeoutError):
                await find_faults(NEVER, ENDLESS)
        assert await find_faults(NEVER, {"a": "aaa"}) == []


async def test_a_process_that_has_ended_meanwhile_is_replaced() -> None:
    with anyio.fail_after(60):
        assert await find_faults(NEVER, {"a": "aaa"}) == []
        for checker in input_check._idle:
            checker._popen.kill()
            checker._popen.wait()
        assert len(await find_faults(NEVER, {"a": "b"})) == 1


async def test_an_output_that_cannot_be_checked_in_time_is_none_that_satisfies_its_schema(brief: None) -> None:
    with anyio.fail_after(60), pytest.raises(OutputSchemaError):
        await checked_output(ENDLESS, NEVER)


@pytest.mark.parametrize(
    ("schema", "value", "places"),
    [
        ({"properties": {"a": {"pattern": ECMA}, "b": {"maximum": 10}}}, {"a": "abc", "b": 99}, ["$.b"]),
        ({"properties": {"b": {"maximum": 10}, "a": {"pattern": ECMA}}}, {"b": 99, "a": "abc"}, ["$.b"]),
        ({"properties": {"pattern": {"type": "string"}}}, {"pattern": 1}, ["$.pattern"]),
        ({"patternProperties": {ECMA: {"type": "string"}, "^x": {"type": "integer"}}}, {"xa": "b"}, ["$.xa"]),
        ({"patternProperties": {ECMA: {}}, "additionalProperties": False}, {"Ä": 1}, []),
        ({"patternProperties": {"^x": {}}, "additionalProperties": False}, {"y": 1}, ["$"]),
        (
            {"$defs": {"p": {"pattern": ECMA, "minLength": 2}}, "properties": {"a": {"$ref": "#/$defs/p"}}},
            {"a": "b"},
            ["$.a"],
        ),
        ({"properties": {"a": {"enum": [{"pattern": ECMA}]}}}, {"a": {"pattern": ECMA}}, []),
        ({"anyOf": [{"properties": {"a": {"pattern": ECMA, "type": "string"}}}]}, {"a": 1}, ["$"]),
    ],
)
def test_a_pattern_that_python_cannot_read_leaves_the_rest_of_the_schema_in_force(
    schema: dict[str, Any], value: Any, places: list[str]
) -> None:
    assert [fault.json_path for fault in faults({"type": "object", **schema}, value)] == places
