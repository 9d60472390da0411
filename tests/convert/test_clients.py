"""The recorded frames, as the protocols' own clients from npm read them: AI SDK's transport and AG-UI's agent."""

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.convert.recorded import FOLDER, FRAMES, RUNS
from tests.waiting import PATIENCE_S

READER = Path(__file__).parents[2] / "tools" / "frames" / "read.mjs"
GOLDEN = sorted(path.stem for path in (FOLDER / "readings").glob("*.json"))
FAILED = {"crash", "refused", "unanswered", "lost-at-once"}
TAKEN_BACK = {"retry", "refusal", "correction"}
BEGUN_AGAIN = "second-attempt"

Read = dict[str, dict[str, Any]]


@pytest.fixture(scope="module")
def read() -> dict[str, Read]:
    """What the clients make of every run."""
    command = ["node", str(READER), str(FRAMES)]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, timeout=PATIENCE_S, check=True)
    found: dict[str, Read] = json.loads(done.stdout)
    return found


def text_of(message: dict[str, Any] | None, kind: str) -> str:
    return "".join(part["text"] for part in message["parts"] if part["type"] == kind) if message else ""


def counting(message: dict[str, Any]) -> list[dict[str, Any]]:
    """The parts of a message without those of an attempt that was lost."""
    steps = [at for at, part in enumerate(message["parts"]) if part["type"] == "step-start"]
    lost = message.get("metadata", {}).get("lost_steps", 0)
    return message["parts"][steps[lost] if lost < len(steps) else len(message["parts"]) :] if lost else message["parts"]


def said(run: dict[str, Any], role: str) -> str:
    return "".join(message.get("content") or "" for message in run["messages"] if message["role"] == role)


@pytest.mark.parametrize("run", sorted(RUNS))
def test_each_client_accepts_every_frame_and_tells_an_error_where_the_run_has_one(
    run: str, read: dict[str, Read]
) -> None:
    ai_sdk, ag_ui = read["ai-sdk"][run], read["ag-ui"][run]
    assert "refused" not in ai_sdk, ai_sdk
    assert "refused" not in ag_ui, ag_ui
    assert ag_ui["failure"] is None
    assert len(ai_sdk["errors"]) == (run in FAILED)
    assert ("error" in ag_ui) == (run in FAILED)
    assert ("finished" in ag_ui) == (run not in FAILED)


@pytest.mark.parametrize("run", GOLDEN)
def test_a_page_shows_the_text_and_the_thinking_of_the_run(run: str, read: dict[str, Read]) -> None:
    _, text, thinking = json.loads((FOLDER / "readings" / f"{run}.json").read_text("utf-8"))
    message = read["ai-sdk"][run]["message"]
    shown = {**message, "parts": counting(message)} if message else None
    assert (text_of(shown, "text"), text_of(shown, "reasoning")) == (text, thinking)
    if run not in TAKEN_BACK | {BEGUN_AGAIN}:
        assert (said(read["ag-ui"][run], "assistant"), said(read["ag-ui"][run], "reasoning")) == (text, thinking)


def test_only_what_was_taken_back_leaves_the_page(read: dict[str, Read]) -> None:
    message = read["ai-sdk"]["correction"]["message"]
    assert (text_of(message, "text"), text_of(message, "reasoning")) == ('First. {"score": 3}', "A number.")


@pytest.mark.parametrize("run", sorted(TAKEN_BACK))
def test_ag_ui_names_the_messages_whose_text_was_taken_back(run: str, read: dict[str, Read]) -> None:
    frames = (FRAMES / "ag-ui" / f"{run}.sse").read_text("ascii").split("\n\n")
    discards = [json.loads(frame[6:]) for frame in frames if '"name":"discard"' in frame]
    taken = {each for discard in discards for each in discard["metadata"]["agent-workers"]["message_ids"]}
    left = [message for message in read["ag-ui"][run]["messages"] if message["id"] not in taken]
    *_, done = (json.loads(line) for line in RUNS[run].read_text("ascii").splitlines())
    assert said({"messages": left}, "assistant") == done["text"]


def test_of_a_run_that_began_again_ag_ui_names_the_messages_to_drop_and_the_ai_sdk_the_steps(
    read: dict[str, Read],
) -> None:
    frames = (FRAMES / "ag-ui" / f"{BEGUN_AGAIN}.sse").read_text("ascii").split("\n\n")
    [again] = [json.loads(frame[6:]) for frame in frames if '"name":"start"' in frame]
    lost = again["metadata"]["agent-workers"]["message_ids"]
    left = [message for message in read["ag-ui"][BEGUN_AGAIN]["messages"] if message["id"] not in lost]
    assert said({"messages": left}, "assistant") == "First, the files.They say one and two."
    assert [message["content"] for message in left if message["role"] == "tool"] == ["one\ntwo"]
    message = read["ai-sdk"][BEGUN_AGAIN]["message"]
    assert (message["metadata"]["attempt"], message["metadata"]["session_id"]) == (2, "session-2")
    calls = [part["toolCallId"] for part in counting(message) if part["type"] == "dynamic-tool"]
    assert calls == ["toolu_3"]
    assert "toolu_2" not in json.dumps(message)  # its approval was open: nothing waits for an answer any more


@pytest.mark.parametrize(
    ("run", "states"),
    [
        ("tools", ["output-available", "output-error", "output-denied"]),
        ("approval", ["output-available"]),
        ("denial", ["output-denied"]),
        ("deferred", ["approval-requested"]),
        ("abort-in-tool", ["output-error"]),
        ("unanswered", ["output-error", "output-denied", "output-denied", "output-error"]),
        ("policy", ["output-error", "output-denied"]),
    ],
)
def test_the_calls_of_tools_end_in_the_state_that_fits(run: str, states: list[str], read: dict[str, Read]) -> None:
    parts = read["ai-sdk"][run]["message"]["parts"]
    assert [part["state"] for part in parts if part["type"] == "dynamic-tool"] == states


def test_a_message_can_be_kept_and_sent_again(read: dict[str, Read]) -> None:
    empty = {run for run, each in read["ai-sdk"].items() if not each["kept"]}
    assert empty == {"refused", "aborted-at-once", "lost-at-once"}


def test_the_metadata_of_a_message_tells_the_session_the_tokens_the_price_and_the_output(
    read: dict[str, Read],
) -> None:
    metadata = read["ai-sdk"]["structured"]["message"]["metadata"]
    assert metadata["run"] == "golden-structured"
    assert (metadata["end"], metadata["session_id"], metadata["cost_usd"]) == ("done", "session-1", 0.001)
    assert metadata["output"] == {"score": 1, "why": "simulated"}
    assert metadata["usage"]["output_tokens"] == 20


def test_a_stopped_run_is_an_abort_and_a_call_to_decide_an_interrupt(read: dict[str, Read]) -> None:
    stopped, deferred = read["ag-ui"]["abort-in-tool"]["finished"], read["ag-ui"]["deferred"]["finished"]
    assert stopped["outcome"] == {"type": "cancelled"}
    [interrupt] = deferred["outcome"]["interrupts"]
    assert (interrupt["id"], interrupt["toolCallId"]) == ("toolu-1", "toolu-1")
    assert read["ai-sdk"]["abort-in-tool"]["last"]["type"] == "finish"


def test_subagents_of_a_run_are_told_apart(read: dict[str, Read]) -> None:
    owners = {message.get("subagentRunId") for message in read["ag-ui"]["subagents"]["messages"]}
    assert owners == {None, "toolu-1", "toolu-2", "toolu-4", "unknown"}
