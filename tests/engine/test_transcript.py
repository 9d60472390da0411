"""What is looked for in the CLI's transcripts, and what is cut off them."""

import json
from pathlib import Path
from typing import Any

import pytest

from agent_workers.engine.claude.launch.transcript import Transcript, folder_name


@pytest.fixture
def transcript(tmp_path: Path) -> Transcript:
    transcript = Transcript(tmp_path, tmp_path / "work", "agent")
    transcript.path.parent.mkdir(parents=True)
    return transcript


def entry(kind: str, uuid: str, **fields: Any) -> dict[str, Any]:
    return {"type": kind, "uuid": uuid, **fields}


def answer(uuid: str, **message: Any) -> dict[str, Any]:
    return entry("assistant", uuid, message={"model": "m", "stop_reason": "tool_use", **message})


def failed() -> dict[str, Any]:
    return entry("assistant", "failed", isApiErrorMessage=True, message={"model": "<synthetic>"})


EARLIER = [entry("user", "earlier"), answer("before")]


def kept(transcript: Transcript, *entries: dict[str, Any]) -> list[str]:
    """The ids that are left when the turn of the prompt is taken back."""
    lines = [json.dumps(each) for each in entries]
    transcript.path.write_text("\n".join(["", *lines, "torn"]).lstrip("\n"))
    transcript.take_back("prompt")
    return [json.loads(line)["uuid"] for line in transcript.path.read_text().splitlines() if line]


def test_a_refused_prompt_is_cut_off(transcript: Transcript) -> None:
    assert kept(transcript, *EARLIER, entry("user", "prompt"), entry("attachment", "a"), failed()) == [
        "earlier",
        "before",
    ]


def test_a_refused_first_prompt_leaves_a_blank_session(transcript: Transcript) -> None:
    assert not transcript.is_blank()
    assert kept(transcript, {"type": "mode", "uuid": "m"}, entry("user", "prompt"), failed()) == []
    assert transcript.is_blank()
    transcript.remove()
    assert not transcript.is_blank()


def test_a_file_that_the_disk_had_no_room_for_is_not_a_blank_session(transcript: Transcript) -> None:
    transcript.path.write_bytes(b"")
    assert not transcript.is_blank()


def test_what_the_model_answered_to_stays(transcript: Transcript) -> None:
    turn = [entry("user", "prompt"), answer("call-1"), entry("user", "result-1"), answer("call-2"), entry("user", "2")]
    assert kept(transcript, *turn, failed()) == ["prompt", "call-1", "result-1", "call-2"]


def test_of_calls_made_at_once_no_refused_result_stays(transcript: Transcript) -> None:
    turn = [entry("user", "prompt"), answer("call-1"), entry("user", "result-1"), answer("call-2"), entry("user", "2")]
    assert "2" not in kept(transcript, *turn, failed())


def test_an_answer_that_nothing_was_said_to_stays(transcript: Transcript) -> None:
    turn = [entry("user", "prompt"), answer("said"), entry("attachment", "a"), failed()]
    assert kept(transcript, *turn) == ["prompt", "said"]


def test_a_refusal_is_no_answer(transcript: Transcript) -> None:
    again = entry("user", "again", isMeta=True)
    turn = [entry("user", "prompt"), answer("no", stop_reason="refusal"), again, answer("no", stop_reason="refusal")]
    assert kept(transcript, *EARLIER, *turn, failed()) == ["earlier", "before"]


def test_a_subagents_answers_do_not_count(transcript: Transcript) -> None:
    turn = [entry("user", "prompt"), answer("sub") | {"isSidechain": True}, entry("user", "said", isSidechain=True)]
    assert kept(transcript, *EARLIER, *turn, failed()) == ["earlier", "before"]


def test_a_file_without_the_prompt_is_left_alone(transcript: Transcript) -> None:
    transcript.path.write_text('{"uuid": "other"}\n')
    transcript.take_back("prompt")
    assert transcript.path.read_text() == '{"uuid": "other"}\n'


@pytest.mark.parametrize("after", [0, 10, (1 << 16) - 3, 1 << 16, 300_000])
def test_a_message_is_found_wherever_it_stands(transcript: Transcript, after: int) -> None:
    transcript.path.write_text("x" * 100_000 + "sought" + "y" * after)
    assert transcript.holds("sought")
    assert not transcript.holds("missing")


def test_nothing_is_found_where_there_is_no_file(tmp_path: Path) -> None:
    assert not Transcript(tmp_path, tmp_path, "agent").holds("sought")


def test_the_file_is_found_in_a_folder_of_another_name(tmp_path: Path) -> None:
    elsewhere = tmp_path / "projects" / "elsewhere" / "agent.jsonl"
    elsewhere.parent.mkdir(parents=True)
    elsewhere.write_text("sought")
    assert Transcript(tmp_path, tmp_path, "agent").holds("sought")


def test_whether_there_is_room_is_tried_and_leaves_nothing(transcript: Transcript) -> None:
    assert transcript.is_writable()
    assert list(transcript.path.parent.iterdir()) == []


def test_where_nothing_can_be_written_there_is_no_room(tmp_path: Path) -> None:
    (tmp_path / "projects").write_text("a file in the folder's place")
    assert not Transcript(tmp_path, tmp_path, "agent").is_writable()


@pytest.mark.parametrize(
    ("path", "name"),
    [("/a b/ü.x", "-a-b---x"), ("/😀", "---"), ("/" + "a" * 300, "-" + "a" * 199 + "-")],
)
def test_a_folder_is_named_as_the_cli_names_it(path: str, name: str) -> None:
    assert folder_name(path).startswith(name)
    assert (len(folder_name(path)) > 200) == (len(path) > 200)


def pending(**call: Any) -> dict[str, Any]:
    return entry("attachment", "p", attachment={"type": "hook_deferred_tool", "toolInput": call})


CALL_THAT_LOOKS_LIKE_ONE = answer("a", content=[{"type": "tool_use", "input": {"type": "hook_deferred_tool"}}])


@pytest.mark.parametrize(
    ("entries", "waits"),
    [
        ([*EARLIER, pending(), entry("last-prompt", "x"), entry("cost-state", "x")], True),
        ([*EARLIER, pending(content="x" * 200_000)], True),
        ([*EARLIER, pending(type="user"), entry("attachment", "x", attachment={"type": "date"})], True),
        ([*EARLIER, pending(), entry("user", "x"), answer("y")], False),
        ([*EARLIER, CALL_THAT_LOOKS_LIKE_ONE], False),
        ([*EARLIER, entry("attachment", "x", attachment={"type": "file", "text": "y" * 200_000})], False),
        ([], False),
    ],
)
def test_a_call_waits_where_the_conversation_ends_with_it(
    transcript: Transcript, entries: list[dict[str, Any]], waits: bool
) -> None:
    transcript.path.write_text("".join(json.dumps(each, separators=(",", ":")) + "\n" for each in entries))
    assert transcript.has_pending_call() is waits
