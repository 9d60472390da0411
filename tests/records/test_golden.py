"""The golden transcripts over SQLite: what is recorded, from any point on and however often, leaves the same rows."""

import hashlib
import json
from collections.abc import Iterator
from dataclasses import replace

import pytest
from sqlalchemy import Engine, create_engine

from agent_workers.records.about import About, first_line, moment
from agent_workers.records.changes import Put, from_line
from agent_workers.records.keeping import Keeping
from agent_workers.records.redaction import BUILT_IN, Redaction
from agent_workers.records.tables import Tables
from agent_workers.records.texts import LONGEST
from agent_workers.records.transcript import Transcript
from agent_workers.records.upserts import Writing
from tests.records.golden import FOLDER, NAMES, at_once, expected, rows_in, steps

AT = "2026-11-20 12:00:00.000"


@pytest.fixture
def engine() -> Iterator[Engine]:
    engine = create_engine("sqlite://")
    Tables().create(engine)
    yield engine
    engine.dispose()


def write(engine: Engine, changes: list, tables: Tables | None = None) -> None:
    with engine.begin() as connection:
        Writing(connection, tables or Tables()).write(changes)


@pytest.mark.parametrize("name", NAMES)
def test_a_transcript_leaves_its_rows_also_when_it_comes_again_from_wherever_it_was_cut_off(
    name: str, engine: Engine
) -> None:
    recorded = steps(name)
    for cut in range(0, len(recorded), 3):
        write(engine, [change for step in recorded[:cut] for change in step])
    for step in recorded:
        write(engine, step)
    assert rows_in(engine, Tables()) == expected(name)


@pytest.mark.parametrize("name", NAMES)
def test_a_transcript_that_is_written_at_once_leaves_the_same_rows(name: str, engine: Engine) -> None:
    write(engine, at_once(name))
    assert rows_in(engine, Tables()) == expected(name)
    assert len(at_once(name)) < sum(map(len, steps(name)))


def test_each_transcript_has_its_rows_and_each_rows_their_transcript() -> None:
    assert {path.name.removesuffix(".rows.json") for path in FOLDER.glob("*.json")} == set(NAMES)
    assert len(NAMES) > 8


def test_what_an_earlier_attempt_says_late_changes_nothing(engine: Engine) -> None:
    recorded = steps("two-attempts")
    for step in recorded:
        write(engine, step)
    for step in recorded[:12]:  # those of the first attempt, as from the disk of a machine that was away
        write(engine, step)
    assert rows_in(engine, Tables()) == expected("two-attempts")


def test_tables_may_have_a_prefix() -> None:
    engine, tables = create_engine("sqlite://"), Tables("crm_")
    tables.create(engine)
    for step in steps("skill"):
        write(engine, step, tables)
    assert rows_in(engine, tables) == expected("skill")
    assert set(tables.metadata.tables) == {f"crm_agent_{name}" for name in ("conversations", "runs", "messages")} | {
        f"crm_agent_{name}" for name in ("usage", "events", "insights")
    }
    with pytest.raises(ValueError, match="cannot begin the name of a table"):
        Tables("crm; drop")
    engine.dispose()


def test_a_run_that_says_nothing_more_is_lost_and_keeps_what_it_said() -> None:
    transcript = begun()
    transcript.take(event(1, "start", worker="agent-chat", simulated=False))
    transcript.take(event(2, "delta", text="Half a sen", block=1))
    run, text = transcript.lose("2026-11-20 12:00:09.500")
    assert (run.row["status"], run.row["code"], run.row["ended_at"]) == (
        "error",
        "worker_lost",
        "2026-11-20 12:00:09.500",
    )
    assert text.row["content"] == "Half a sen"
    assert transcript.lose("2026-11-20 12:00:10.000") == []


def test_lone_surrogates_are_replaced_in_texts_and_names() -> None:
    transcript = begun()
    *_, call = transcript.take(event(1, "tool_call", tool_use_id="\ud83d", name="x", input={"\udc00": "a\ud83d"}))
    assert call.row["content"] == {"\ufffd": "a\ufffd"}
    assert call.row["tool_use_id"] == "\ufffd"


def test_a_content_that_is_longer_than_databases_take_is_left_out() -> None:
    transcript = begun()
    transcript.take(event(1, "delta", text="a" * LONGEST, block=1))
    transcript.take(event(2, "delta", text="b", block=1))
    *_, text = transcript.take(event(3, "thinking", text="", block=2))
    assert text.row["kind"] == "text"
    assert text.row["content"] is None
    *_, call = transcript.take(event(4, "tool_call", tool_use_id="x", name="x", input={"list": ["a" * 9] * LONGEST}))
    assert call.row["content"] is None


@pytest.mark.parametrize(
    "faulty",
    [
        {},
        {"type": 7, "seq": 1},
        {"type": "delta", "seq": True},
        {"type": "delta", "seq": 2**63},
        {"type": "start", "seq": 1, "attempt": 2**31},
        {"type": "delta", "seq": 1, "run": "another"},
    ],
)
def test_what_is_no_event_of_the_run_changes_nothing(faulty: dict) -> None:
    assert begun().take({"v": 1, "run": "run-1", "ts": AT, **faulty}) == []


@pytest.mark.parametrize("kind", ["start", "session", "delta", "discard", "tool_call", "tool_result", "done", "error"])
def test_an_event_without_its_fields_is_taken_as_far_as_it_goes(kind: str) -> None:
    begun().take(event(1, kind))
    begun().take(event(1, kind, **{key: [] for key in ("text", "block", "blocks", "usage", "models", "name")}))


def test_the_head_of_a_chain_is_the_digest_of_the_last_line() -> None:
    transcript = begun()
    line = json.dumps(end := event(1, "done", prev="0" * 64)).encode()
    run = transcript.take(end, line + b"\n")[0]
    assert run.row["chain_head"] == hashlib.sha256(line).hexdigest()


@pytest.mark.parametrize("name", BUILT_IN)
@pytest.mark.parametrize(
    "text", ["a" * 300_000, "a." * 150_000, "0 " * 150_000, "AT00" + " 1234" * 60_000, "@" * 300_000]
)
def test_no_text_keeps_a_pattern_busy(name: str, text: str) -> None:
    Redaction([name]).text(text)  # minutes, if it took time by the square of its length


@pytest.mark.parametrize(
    ("name", "text", "left"),
    [
        ("email", "a.b+c@mail.example.co.at!", "[email]!"),
        ("email", "user@localhost and @name", "user@localhost and @name"),
        ("phone", "+43 (0)664 123 45 67", "[phone]"),
        ("phone", "0043-664-1234567,", "[phone],"),
        ("phone", "(0316) 123456", "[phone]"),
        ("phone", "2026-11-20 12:00, 4711, 192.168.0.100", "2026-11-20 12:00, 4711, 192.168.0.100"),
        ("iban", "GB82 WEST 1234 5698 7654 32", "[iban]"),
        ("iban", "NO9386011117947", "[iban]"),
        ("iban", "AB12 CD", "AB12 CD"),
    ],
)
def test_patterns_find_what_they_are_called(name: str, text: str, left: str) -> None:
    assert Redaction([name]).text(text) == left


def test_what_cannot_be_redacted_is_named() -> None:
    with pytest.raises(ValueError, match="'mail' is none of what can be redacted: email, iban, phone"):
        Redaction(["mail"])
    with pytest.raises(ValueError, match="is no regular expression"):
        Redaction((), ["("])


def test_a_question_gives_its_first_line_as_title() -> None:
    assert first_line("\n \n  One \nTwo") == "One"
    assert first_line([{"type": "image"}, {"type": "text", "text": "Look"}, "odd"]) == "Look"
    assert first_line({"input": 1}) is None


@pytest.mark.parametrize(
    ("question", "title"),
    [
        ("x" * 300, "x" * 255),
        ("x" * 240 + " maria.mueller@example.com", "x" * 240 + " [email]"),
        ("a@b.co " * 60, ("[email] " * 60)[:255]),
    ],
)
def test_a_title_is_cut_when_nothing_in_it_is_to_be_left_out_any_more(question: str, title: str) -> None:
    keeping = Keeping(redaction=Redaction(["email"]))
    transcript = Transcript(About("r", AT, {"prompt": question}, conversation_id="c"), keeping)
    [row] = [put.row for put in transcript.begin() if isinstance(put, Put) and put.table == "agent_conversations"]
    assert row["title"] == title.strip()


def test_every_row_calls_a_run_the_same_however_long_its_id_is() -> None:
    transcript = Transcript(About("r" * 300, AT, {"prompt": "Hi", "attempt": 3_000_000_000}), Keeping())
    changes = [
        *transcript.begin(),
        *transcript.take({"seq": 1, "type": "done", "text": "Hi", "ts": "2026-11-20T12:00:00.000Z"}),
    ]
    rows = [change.row for change in changes if isinstance(change, Put)]
    assert {row.get("run_id") or row.get("id") for row in rows if "owner" not in row} == {"r" * 191}
    assert {row["attempts"] for row in rows if "attempts" in row} == {1}


def test_a_change_of_another_version_is_passed_over() -> None:
    assert from_line(b'["put","agent_later",{},"r",1]') is None
    assert from_line(b'["put","agent_runs",[],"r",1]') is None


def test_moments_are_read_with_as_many_decimals_as_they_have() -> None:
    assert moment("2026-11-20T12:00:00Z") == AT
    assert moment("2026-11-20T12:00:00.1234567Z") == "2026-11-20 12:00:00.123"
    assert moment("2026-11-20T12:00:00.5") == "2026-11-20 12:00:00.500"
    assert moment("now") is None
    assert moment("2026-02-30T12:00:00Z") is None
    assert moment("0000-01-01T00:00:00Z") is None
    assert moment("2026-11-20T23:59:60Z") is None
    assert moment(None) is None


@pytest.mark.parametrize("line", [b"", b"[]", b'["put"', b'["leave", 1]', b'{"a": 1}', b"7"])
def test_a_line_that_is_no_change_is_none(line: bytes) -> None:
    assert from_line(line) is None


def begun() -> Transcript:
    transcript = Transcript(replace(About("run-1", AT), request={"prompt": "Hello"}), Keeping())
    transcript.begin()
    return transcript


def event(seq: int, kind: str, **fields: object) -> dict:
    return {"v": 1, "seq": seq, "run": "run-1", "ts": "2026-11-20T12:00:00.010Z", "type": kind, **fields}
