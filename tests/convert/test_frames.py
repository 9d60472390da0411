"""The frames of recorded runs: those that are checked in, and what holds for all of them."""

import json
from typing import Any

import pytest
from ag_ui.core import Event as AgUiEvent
from ag_ui.encoder import EventEncoder
from pydantic import TypeAdapter

from agent_workers.convert import FORMATS, read_event
from tests.convert.recorded import FILES, FRAMES, RUNS, frames

AG_UI: TypeAdapter[Any] = TypeAdapter(AgUiEvent)
EVERY = pytest.mark.parametrize("run", sorted(RUNS))
IN_CHUNKS = pytest.mark.parametrize("name", ["ai-sdk", "ag-ui"])


def chunks(recorded: bytes) -> list[dict[str, Any]]:
    lines = recorded.decode("ascii").split("\n")
    return [json.loads(line.removeprefix("data: ")) for line in lines if line.startswith("data: {")]


@EVERY
@pytest.mark.parametrize("name", FORMATS)
def test_a_run_has_the_frames_that_are_checked_in(name: str, run: str) -> None:
    assert frames(name, run) == (FRAMES / name / f"{run}.sse").read_bytes()


def test_every_recorded_frame_is_of_a_run_that_has_its_name_alone() -> None:
    assert len(RUNS) == len(FILES)
    recorded = {path.relative_to(FRAMES).with_suffix("").as_posix() for path in FRAMES.glob("*/*.sse")}
    assert recorded == {f"{name}/{run}" for name in FORMATS for run in RUNS}


@EVERY
def test_the_models_of_ag_ui_accept_each_frame_and_their_encoder_writes_the_same_fields(run: str) -> None:
    for chunk in chunks(frames("ag-ui", run)):
        event = AG_UI.validate_python(chunk)
        assert event.model_extra == {}
        encoded = EventEncoder().encode(event)
        assert json.loads(encoded.removeprefix("data: ")) == chunk


@EVERY
@IN_CHUNKS
def test_a_frame_is_printable_ascii_on_one_line_of_its_own(name: str, run: str) -> None:
    for frame in frames(name, run).decode("ascii").removesuffix("\n\n").split("\n\n"):
        assert frame.isprintable()
        assert frame.startswith((": ", "data: "))


@EVERY
def test_no_id_of_a_part_or_a_message_comes_twice(run: str) -> None:
    parts = [each["id"] for each in chunks(frames("ai-sdk", run)) if each["type"].endswith("-start") and "id" in each]
    opened = ("TEXT_MESSAGE_START", "REASONING_MESSAGE_START", "TOOL_CALL_RESULT")
    messages = [each["messageId"] for each in chunks(frames("ag-ui", run)) if each["type"] in opened]
    assert len(parts) == len(set(parts))
    assert len(messages) == len(set(messages))


@EVERY
@IN_CHUNKS
def test_no_event_is_left_out(name: str, run: str) -> None:
    encoder = FORMATS[name]()
    quiet = {"start"} if name == "ag-ui" else set()  # which is told with the event that follows
    for line in RUNS[run].read_bytes().split(b"\n")[:-1]:
        event = read_event(line)
        assert encoder.event(event) or event.type in quiet or not event.text("text"), event
        quiet = set()


@IN_CHUNKS
def test_nothing_follows_the_terminal_event(name: str) -> None:
    encoder = FORMATS[name]()
    lines = RUNS["plain"].read_bytes().split(b"\n")[:-1]
    whole = [encoder.event(read_event(line)) for line in lines]
    assert whole[-1]
    assert [encoder.event(read_event(line)) for line in lines] == [""] * len(lines)


def test_an_event_of_the_future_is_passed_on_as_a_whole() -> None:
    weather = json.loads(RUNS["newer"].read_text().splitlines()[1])
    assert {"type": "data-weather", "data": weather, "transient": True} in chunks(frames("ai-sdk", "newer"))
    assert {"type": "CUSTOM", "name": "weather", "value": weather} in chunks(frames("ag-ui", "newer"))


def test_the_tokens_that_ag_ui_counts_include_those_of_the_cache() -> None:
    finished = chunks(frames("ag-ui", "cached"))[-1]
    opus = {"inputTokens": 8 + 300 + 4000, "cachedInputTokens": 300, "cacheWriteInputTokens": 4000, "outputTokens": 19}
    haiku = {"inputTokens": 2, "outputTokens": 1, "totalTokens": 3}
    assert finished["usage"] == [
        {"model": "claude-opus-5-5", **opus, "totalTokens": 4327},
        {"model": "claude-haiku-4-5", **haiku},
    ]


def test_a_client_of_ag_ui_can_name_the_thread_and_the_run() -> None:
    encoder = FORMATS["ag-ui"](thread="t-1", run="r-1")
    told = "".join(encoder.event(read_event(line)) for line in RUNS["plain"].read_bytes().split(b"\n")[:-1])
    first, *_, last = chunks(told.encode())
    assert (first["threadId"], first["runId"]) == (last["threadId"], last["runId"]) == ("t-1", "r-1")
