"""The file of a conversation: what is in it is what was said, whatever has cut it off."""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent_workers.engine.host.session_record import Binding
from agent_workers.engine.host.sessions import Lease, take_lease
from agent_workers.engine.messages.conversation import Conversation, History, conversation_of
from agent_workers.errors import SessionExists, SessionNotFound, StateUnavailable
from agent_workers.protocol.v1.settings import NewSession, ResumeSession
from tests.engine.foreign_files import FOREIGN
from tests.waiting import PATIENCE_S

ADAS = Binding("agent-chat", None, "ada", "messages")
Message = dict[str, Any]


def text(words: str) -> Message:
    return {"type": "text", "text": words}


def call(name: str) -> Message:
    return {"type": "tool_use", "id": name, "name": "find", "input": {}}


def result(name: str) -> Message:
    return {"type": "tool_result", "tool_use_id": name, "content": "found"}


def user(*content: Message) -> Message:
    return {"role": "user", "content": list(content)}


def model(*content: Message) -> Message:
    return {"role": "assistant", "content": list(content)}


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "conversation.jsonl"


def written(file: Path, *messages: Message) -> Conversation:
    conversation = Conversation(file)
    for message in messages:
        conversation.write(**message)
    return conversation


def loaded(file: Path) -> list[Message]:
    return Conversation(file).load(repair=False).messages


TALK = (user(text("My name is Ada.")), model(text("Hello, Ada.")), user(text("Who am I?")), model(text("Ada.")))


def test_what_was_said_is_read_again_with_the_model_that_answered_last(file: Path) -> None:
    conversation = Conversation(file)
    conversation.write("user", [text("Hi 😀")])
    conversation.write("assistant", [text("Hello.")], "claude-haiku-5")
    conversation.write("user", [text("And now?")])
    assert Conversation(file).load(repair=False) == History(
        [user(text("Hi 😀")), model(text("Hello.")), user(text("And now?"))], "claude-haiku-5"
    )
    assert file.stat().st_mode & 0o077 == 0
    assert file.read_bytes().isascii()


def test_a_file_that_is_gone_is_a_session_that_is_not_found_and_one_that_cannot_be_read_a_fault(file: Path) -> None:
    with pytest.raises(SessionNotFound):
        Conversation(file).load(repair=True)
    file.mkdir()
    with pytest.raises(StateUnavailable):
        Conversation(file).load(repair=True)


@given(cut=st.integers(0, 400))
def test_a_file_that_is_cut_anywhere_has_the_messages_before_that_and_goes_on_behind_them(
    tmp_path_factory: pytest.TempPathFactory, cut: int
) -> None:
    file = tmp_path_factory.mktemp("cut") / "conversation.jsonl"
    written(file, *TALK)
    os.truncate(file, min(cut, file.stat().st_size))
    conversation = Conversation(file)
    before = conversation.load(repair=True).messages
    assert before == list(TALK[: len(before)])
    assert len(before) == file.read_bytes().count(b"\n")
    conversation.write(**user(text("Go on.")))
    assert loaded(file) == [*before, user(text("Go on."))]


def test_a_fork_reads_past_a_torn_line_and_leaves_it_to_whoever_is_writing_it(file: Path) -> None:
    written(file, *TALK)
    os.truncate(file, file.stat().st_size - 5)
    before = file.read_bytes()
    assert loaded(file) == list(TALK[:3])
    assert file.read_bytes() == before


ODD = [
    "[]",
    "5",
    "null",
    "{}",
    "",
    "\xff",
    "\0" * 9,
    '{"a":' * 100_000,
    '{"role": "user", "content": "text"}',
    '{"content": []}',
    '{"role": "system", "content": []}',
    '{"role": ["user"], "content": []}',
    '{"role": "assistant", "content": [], "model": 5}',
    '{"role": "user", "content": ["x"]}',
    '{"role": "user", "content": [{"type": ["text"]}]}',
    '{"role": "user", "content": [{"type": "text", "text": 5}]}',
    '{"role": "user", "content": [{"type": "tool_result", "tool_use_id": {}}]}',
    '{"role": "user", "content": [{"type": "image", "source": 5}]}',
    '{"role": "assistant", "content": [{"type": "tool_use"}]}',
    '{"role": "assistant", "content": [{"type": "tool_use", "id": "1", "name": "x", "input": []}]}',
    '{"role": "user", "content": [{"type": "text", "text": "x", "y": ' + "[" * 200 + "]" * 200 + "}]}",
]


@pytest.mark.parametrize("line", ODD, ids=lambda line: line[:60])
@pytest.mark.parametrize("repair", [True, False])
def test_a_file_with_a_line_that_is_no_message_is_refused_with_the_place_and_stays_as_it_is(
    file: Path, line: str, *, repair: bool
) -> None:
    written(file, *TALK[:2])
    with file.open("ab") as end:
        end.write(line.encode("latin-1") + b"\n")
    written(file, *TALK[2:])
    before = file.read_bytes()
    with pytest.raises(SessionNotFound) as refused:
        Conversation(file).load(repair=repair)
    assert "line 3" in str(refused.value.cause)
    assert "damaged" in refused.value.message
    assert file.read_bytes() == before


def test_a_last_line_without_its_end_is_whole_and_what_follows_stands_on_its_own(file: Path) -> None:
    written(file, *TALK)
    os.truncate(file, file.stat().st_size - 1)
    conversation = Conversation(file)
    assert conversation.load(repair=True).messages == list(TALK)
    conversation.write(**user(text("Go on.")))
    assert loaded(file) == [*TALK, user(text("Go on."))]


# A directory that others may write


@pytest.mark.parametrize("put", FOREIGN)
@pytest.mark.parametrize("repair", [True, False])
def test_what_somebody_has_put_in_the_place_of_a_session_is_neither_read_nor_written(
    file: Path, put: Callable[[Path], None], *, repair: bool
) -> None:
    written(file, *TALK)
    put(file)
    with pytest.raises(SessionNotFound) as refused:
        Conversation(file).load(repair=repair)
    assert str(file) in str(refused.value.cause)


@pytest.mark.parametrize("put", [*FOREIGN, Path.unlink, lambda file: file.rename(file.with_name("other"))])
def test_what_takes_the_place_of_a_session_while_it_runs_is_left_alone(file: Path, put: Callable[[Path], None]) -> None:
    conversation = written(file, *TALK)
    put(file)
    other = file.with_name("other")
    before = other.read_bytes() if other.exists() else b""
    conversation.take_back()
    conversation.write(**TALK[0])
    assert conversation.saved is False
    assert (other.read_bytes() if other.exists() else b"") == before


def test_another_file_of_the_same_user_does_not_take_the_place_of_one_that_is_written(file: Path) -> None:
    conversation = written(file, *TALK)
    file.rename(file.with_name("other"))
    written(file, *TALK[:1])
    conversation.write(**TALK[0])
    assert conversation.saved is False
    assert loaded(file) == list(TALK[:1])


@pytest.mark.parametrize("put", FOREIGN)
def test_a_new_session_does_not_begin_in_what_is_there_already(tmp_path: Path, put: Callable[[Path], None]) -> None:
    chosen = NewSession(id="3f2b8c1e-5d0a-4c77-9a51-0e6f6b1f2d34")
    lease = lease_of(tmp_path, chosen)
    conversation_of(lease, tmp_path)
    file = tmp_path / f"{lease.agent_id}.jsonl"
    file.touch()
    put(file)
    with pytest.raises(SessionExists):
        conversation_of(lease, tmp_path)
    lease.release()


@pytest.mark.parametrize(
    ("said", "mended"),
    [
        ((user(text("a")), model(call("1"))), {"1"}),
        ((user(text("a")), model(call("1"), call("2")), user(result("2"))), {"1"}),
        ((user(text("a")), model(call("1")), user(text("b"))), {"1"}),
        ((user(text("a")), model(call("1")), model(text("b"))), {"1"}),
        ((user(text("a")), model(call("1"), call("2")), user(result("1"), result("2"))), set()),
    ],
)
def test_a_call_that_was_interrupted_has_a_result_that_says_so(
    file: Path, said: tuple[Message, ...], mended: set[str]
) -> None:
    written(file, *said)
    messages = loaded(file)
    results = [block for message in messages for block in message["content"] if block["type"] == "tool_result"]
    assert {block["tool_use_id"] for block in results if block.get("is_error")} == mended
    for message, following in pairwise(messages):
        calls = [block["id"] for block in message["content"] if block["type"] == "tool_use"]
        answers = [block["tool_use_id"] for block in following["content"] if block["type"] == "tool_result"]
        assert sorted(answers) == sorted(calls)
        if calls:
            assert [block["type"] for block in following["content"]][: len(calls)] == ["tool_result"] * len(calls)


def test_thoughts_and_blank_texts_are_not_said_again(file: Path) -> None:
    thought = {"type": "thinking", "thinking": "Hm.", "signature": "x"}
    hidden = {"type": "redacted_thinking", "data": "x"}
    said = [user(text("a")), model(thought, hidden, text(" \n"), text("b")), user(text("c")), model(thought)]
    written(file, *said)
    assert loaded(file) == [user(text("a")), model(text("b")), user(text("c"))]


def test_a_turn_that_is_taken_back_leaves_what_was_there_before(file: Path) -> None:
    written(file, *TALK[:2])
    before = file.read_bytes()
    written(file, *TALK[2:]).take_back()
    assert file.read_bytes() == before


def test_on_a_full_disk_no_half_line_stays_and_nothing_follows_the_gap(file: Path) -> None:
    """The disk is one of a limit on the size of files, which is the nearest that every machine has."""
    told = subprocess.run(
        [sys.executable, "-c", _ON_A_FULL_DISK, file], capture_output=True, text=True, check=True, timeout=PATIENCE_S
    )
    assert json.loads(told.stdout) == [True, False, False]
    assert loaded(file) == [user(text("short"))]
    assert file.read_bytes().endswith(b"\n")


_ON_A_FULL_DISK = """
import json, resource, signal, sys
from pathlib import Path
from agent_workers.engine.messages.conversation import Conversation
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))
conversation, saved = Conversation(Path(sys.argv[1])), []
for words in ("short", "long" * 1000, "short again"):
    conversation.write("user", [{"type": "text", "text": words}])
    saved.append(conversation.saved)
print(json.dumps(saved))
"""


def test_a_directory_that_is_gone_is_said_and_no_failure(tmp_path: Path) -> None:
    conversation = written(tmp_path / "gone" / "conversation.jsonl", *TALK)
    assert conversation.saved is False
    conversation.take_back()


# Under a lease


def lease_of(folder: Path, session: NewSession | ResumeSession | None = None) -> Lease:
    (records := folder / "sessions").mkdir(exist_ok=True)
    return take_lease(session, records, ADAS)


def test_a_fork_begins_with_what_was_said_and_goes_its_own_way(tmp_path: Path) -> None:
    first = lease_of(tmp_path)
    conversation, history = conversation_of(first, tmp_path)
    assert history == History([])
    conversation.write(**TALK[0])
    conversation.write("assistant", TALK[1]["content"], "claude-haiku-5")
    fork = lease_of(tmp_path, ResumeSession(resume=first.session_id, fork=True))
    forked, history = conversation_of(fork, tmp_path)
    assert history == History(list(TALK[:2]), "claude-haiku-5")
    forked.write(**TALK[2])
    forked.take_back()
    conversation.write(**user(text("Elsewhere.")))
    assert loaded(tmp_path / f"{fork.agent_id}.jsonl") == list(TALK[:2])
    assert loaded(tmp_path / f"{first.agent_id}.jsonl") == [*TALK[:2], user(text("Elsewhere."))]
    first.release()
    fork.release()


def test_a_fork_keeps_the_model_that_answered_last(tmp_path: Path) -> None:
    first = lease_of(tmp_path)
    conversation_of(first, tmp_path)[0].write("assistant", [text("Hi.")], "claude-haiku-5")
    fork = lease_of(tmp_path, ResumeSession(resume=first.session_id, fork=True))
    conversation_of(fork, tmp_path)
    fork.release()
    again = lease_of(tmp_path, ResumeSession(resume=fork.session_id))
    assert conversation_of(again, tmp_path)[1].model == "claude-haiku-5"
    again.release()
    first.release()


def test_the_id_of_a_session_that_has_begun_is_taken_and_that_of_one_that_has_not_is_free(tmp_path: Path) -> None:
    chosen = NewSession(id="3f2b8c1e-5d0a-4c77-9a51-0e6f6b1f2d34")
    first = lease_of(tmp_path, chosen)
    conversation, _ = conversation_of(first, tmp_path)
    first.release()
    second = lease_of(tmp_path, chosen)
    conversation_of(second, tmp_path)
    conversation.write(**TALK[0])
    second.release()
    third = lease_of(tmp_path, chosen)
    with pytest.raises(SessionExists):
        conversation_of(third, tmp_path)
    third.release()


def test_no_descriptor_stays_open(file: Path) -> None:
    before = len([*Path("/proc/self/fd").iterdir()])
    for _ in range(20):
        written(file, *TALK)
        loaded(file)
    assert len([*Path("/proc/self/fd").iterdir()]) == before
