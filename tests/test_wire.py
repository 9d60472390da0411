"""Events to lines and bytes to lines."""

import json
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent_workers.chain import BEGINNING, head_of, is_on, prev_of
from agent_workers.wire import MAX_LINE, Encoder, LineFramer, LineTooLong, dump

NOON = datetime(2026, 11, 20, 12, 0, 0, 4_999, tzinfo=UTC)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(st.characters(exclude_categories=())),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(st.characters(exclude_categories=())), inner),
    max_leaves=10,
)


def events(body: dict) -> list[dict]:
    lines = list(Encoder("r1", lambda: NOON).lines(body))
    assert all(line.endswith(b"\n") and line.count(b"\n") == 1 for line in lines)
    assert all(len(line) <= MAX_LINE for line in lines)
    return [json.loads(line) for line in lines]


def test_an_event_begins_with_its_envelope_and_has_milliseconds() -> None:
    [event] = events({"type": "delta", "text": "Hi", "block": 1})
    assert list(event) == ["v", "seq", "run", "ts", "type", "text", "block"]
    assert event["ts"] == "2026-11-20T12:00:00.004Z"


def test_numbers_have_no_gaps_even_where_a_text_is_split() -> None:
    encoder = Encoder("r1", lambda: NOON)
    lines = [line for text in ("a", "b" * MAX_LINE, "c") for line in encoder.lines({"type": "delta", "text": text})]
    numbers = [json.loads(line)["seq"] for line in lines]
    assert numbers == list(range(1, len(lines) + 1))
    assert len(lines) > 3


@pytest.mark.parametrize("character", ["a", "é", "中", "😀", "\x00", "\u2028", '"', "\\"])
def test_a_long_text_is_split_without_loss(character: str) -> None:
    text = character * 300_000
    assert "".join(event["text"] for event in events({"type": "delta", "text": text, "block": 3})) == text


@given(JSON)
def test_any_value_is_written_as_ascii_json_without_lone_surrogates(value: object) -> None:
    written = dump(value)
    assert written.isascii()
    assert b"\n" not in written
    json.dumps(json.loads(written), ensure_ascii=False).encode("utf-8")


def test_two_halves_of_a_character_are_joined_and_a_lone_one_is_replaced() -> None:
    assert json.loads(dump("\ud83d\ude00")) == "😀"
    assert json.loads(dump({"\ud83d": ["\ude00"]})) == {"\ufffd": ["\ufffd"]}


@pytest.mark.parametrize("number", [float("nan"), float("inf")])
def test_nan_and_infinity_are_never_written(number: float) -> None:
    with pytest.raises(ValueError, match="JSON compliant"):
        dump(number)


@pytest.mark.parametrize("content", ["x" * 600_000, "中" * 200_000, "😀" * 100_000], ids=["ascii", "cjk", "emoji"])
def test_a_field_that_is_too_large_is_cut_and_says_by_how_much(content: str) -> None:
    [event] = events({"type": "tool_result", "tool_use_id": "t", "status": "ok", "content": content})
    assert content.startswith(event["content"])
    assert len(event["content"].encode()) + event["truncated_bytes"] == len(content.encode())
    assert len(event["content"]) > 10_000


def test_a_cut_keeps_the_shape_and_the_short_strings_of_an_object() -> None:
    tool_input = {"path": "a.txt", "edits": [{"old": "x" * 200_000, "new": "y" * 200_000}]}
    [event] = events({"type": "tool_call", "tool_use_id": "t", "name": "Edit", "input": tool_input})
    assert event["input"]["path"] == "a.txt"
    assert set(event["input"]["edits"][0]) == {"old", "new"}
    assert event["truncated_bytes"] > 0


def test_a_field_of_too_many_small_things_is_emptied_rather_than_sent_too_long() -> None:
    [event] = events({"type": "tool_call", "tool_use_id": "t", "name": "X", "input": {"n": list(range(100_000))}})
    assert event["input"] == {}


def test_metadata_and_output_are_never_cut() -> None:
    metadata, output = {"key": "m" * 16_000}, {"answer": "o" * 100_000}
    [event] = events({"type": "done", "text": "t" * 900_000, "output": output, "metadata": metadata})
    assert event["metadata"] == metadata
    assert event["output"] == output
    assert event["truncated_bytes"] == 900_000 - len(event["text"])


@given(st.lists(st.binary().filter(lambda line: b"\n" not in line)), st.data())
def test_lines_survive_any_cutting_into_chunks(lines: list[bytes], data: st.DataObject) -> None:
    stream = b"".join(line + b"\n" for line in lines)
    framer, found, rest = LineFramer(max_line=1 << 20), [], stream
    while rest:
        size = data.draw(st.integers(1, len(rest)))
        found += framer.push(rest[:size])
        rest = rest[size:]
    assert found == lines
    assert framer.rest() == b""


def test_the_rest_is_the_unfinished_last_line() -> None:
    framer = LineFramer(max_line=100)
    assert framer.push(b"a\nb") == [b"a"]
    assert framer.rest() == b"b"
    assert framer.rest() == b""


def test_a_line_that_never_ends_is_refused_but_the_lines_before_it_are_not_lost() -> None:
    framer = LineFramer(max_line=10)
    assert framer.push(b"short\n" + b"x" * 50) == [b"short"]
    with pytest.raises(LineTooLong):
        framer.push(b"x")


def test_each_line_of_a_chain_names_the_one_before_it_and_a_start_begins_anew() -> None:
    encoder = Encoder("r1", lambda: NOON, chained=True)
    bodies = [{"type": "start"}, {"type": "delta", "text": "é" * MAX_LINE}, {"type": "ping"}, {"type": "start"}]
    lines = [line[:-1] for body in bodies for line in encoder.lines(body)]
    assert max(map(len, lines)) < MAX_LINE
    assert [prev_of(line) for line in lines[1:-1]] == [head_of(line) for line in lines[:-2]]
    assert prev_of(lines[0]) == prev_of(lines[-1]) == BEGINNING
    assert [list(json.loads(line))[-1] for line in lines] == ["prev"] * len(lines)


@given(st.dictionaries(st.text(), JSON) | st.just({"prev": "0" * 64}), st.booleans())
def test_what_stands_in_an_event_is_not_taken_for_the_chain(metadata: dict, chained: bool) -> None:
    [line] = Encoder("r1", lambda: NOON, chained=chained).lines({"type": "start", "metadata": metadata})
    assert prev_of(line[:-1]) == (BEGINNING if chained else None)


@pytest.mark.parametrize("value", ["1", "yes", "on", "true", "2", " 1 "])
def test_a_switch_that_says_anything_but_no_is_on(value: str) -> None:
    assert is_on({"AGENT_WORKERS_CHAIN": value})


@pytest.mark.parametrize(
    "environ", [{}, *({"AGENT_WORKERS_CHAIN": off} for off in ("", "0", "No", "off", "FALSE", " "))]
)
def test_a_switch_that_says_no_is_off(environ: dict) -> None:
    assert not is_on(environ)
