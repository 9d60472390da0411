"""One streamed message: what its reader is told, and what of it goes back to the API, however it is cut."""

import json
from collections.abc import Iterable
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent_workers.engine.answer.answer_text import AnswerText
from agent_workers.engine.messages.message import StreamedMessage
from agent_workers.engine.messages.model import model_of
from agent_workers.errors import AnswerUnreadable
from agent_workers.protocol.v1.events import Body, Delta, Notice, Thinking
from agent_workers.wire import mend_surrogates

Event = dict[str, Any]

DELTAS = {"text": ("text_delta", "text"), "thinking": ("thinking_delta", "thinking")}


class Reader:
    """Feeds messages of one run.

    Args:
        thinking: Whether thinking is shown.
        partial: Whether text comes as it is produced.
    """

    def __init__(self, *, thinking: bool = True, partial: bool = True) -> None:
        self.answer = AnswerText(thinking)
        self.told: list[Body] = []
        self._passed_over: set[str] = set()
        self._how = {"thinking": thinking, "partial": partial}

    def read(self, events: Iterable[Event]) -> StreamedMessage:
        message = StreamedMessage(self.answer, self._passed_over, **self._how)
        for event in events:
            self.told += message.feed(event)
        return message

    def texts(self, kind: type[Delta] | type[Thinking]) -> dict[int, str]:
        """The text of each block, as its reader has it."""
        found: dict[int, str] = {}
        for body in self.told:
            if isinstance(body, kind):
                found[body.block] = found.get(body.block, "") + body.text
        return found

    @property
    def notices(self) -> list[str]:
        return [body.message for body in self.told if isinstance(body, Notice)]


def streamed(*blocks: Event, cuts: tuple[int, ...] = (), stop_reason: object = "end_turn") -> list[Event]:
    """The events of a message with these blocks, each text of which is cut at these places."""
    usage = {"input_tokens": 10, "output_tokens": 1, "cache_read_input_tokens": 5}
    events: list[Event] = [{"type": "message_start", "message": {"id": "m", "model": "claude-x", "usage": usage}}]
    for index, block in enumerate(blocks):
        begun, deltas = _parts(block, cuts)
        events.append({"type": "content_block_start", "index": index, "content_block": begun})
        events += [{"type": "content_block_delta", "index": index, "delta": delta} for delta in deltas]
        events.append({"type": "content_block_stop", "index": index})
    events.append({"type": "message_delta", "delta": {"stop_reason": stop_reason}, "usage": {"output_tokens": 7}})
    return [*events, {"type": "message_stop"}]


def _parts(block: Event, cuts: tuple[int, ...]) -> tuple[Event, list[Event]]:
    kind = block.get("type")
    if kind == "tool_use":
        written = json.dumps(block["input"], ensure_ascii=False)
        deltas = [{"type": "input_json_delta", "partial_json": piece} for piece in _cut(written, cuts)]
        return {**block, "input": {}}, deltas
    if kind not in DELTAS:
        return block, []
    delta, name = DELTAS[kind]
    pieces = [{"type": delta, name: piece} for piece in _cut(block[name], cuts)]
    signed = [{"type": "signature_delta", "signature": block["signature"]}] if kind == "thinking" else []
    return {**block, name: "", **({"signature": ""} if signed else {})}, [*pieces, *signed]


def _cut(text: str, cuts: tuple[int, ...]) -> list[str]:
    """The pieces of a text; a character beyond the first plane may be cut in two, as the API does it."""
    units = text.encode("utf-16-le", "surrogatepass")
    places = [0, *sorted({min(2 * cut, len(units)) for cut in cuts}), len(units)]
    return [units[begin:end].decode("utf-16-le", "surrogatepass") for begin, end in pairwise(places)]


def text(words: str) -> Event:
    return {"type": "text", "text": words}


def thought(words: str) -> Event:
    return {"type": "thinking", "thinking": words, "signature": "c2ln"}


def call(name: str = "mcp__app__find", /, **tool_input: Any) -> Event:
    return {"type": "tool_use", "id": f"toolu_{name}", "name": name, "input": tool_input}


words = st.text(st.sampled_from("aä😀🦊\n\ud83d\ude00 "), max_size=12)
block = st.one_of(
    st.builds(text, words), st.builds(thought, words), st.builds(call, deal=words, more=st.lists(st.integers()))
)


def numbered(blocks: list[Event]) -> list[Event]:
    """The same blocks, with an id for each call."""
    return [{**each, "id": f"toolu_{at}"} if "id" in each else each for at, each in enumerate(blocks)]


@given(blocks=st.lists(block, max_size=5).map(numbered), cuts=st.lists(st.integers(0, 30), max_size=6).map(tuple))
def test_what_is_said_is_the_same_however_it_is_cut_and_told(blocks: list[Event], cuts: tuple[int, ...]) -> None:
    partial, whole = Reader(), Reader(partial=False)
    read = [reader.read(streamed(*blocks, cuts=cuts)) for reader in (partial, whole)]
    assert read[0].content == read[1].content == mend_surrogates(blocks)
    for kind, name in ((Delta, "text"), (Thinking, "thinking")):
        said = [block[name] for block in read[0].content if block.get(name)]
        assert [*partial.texts(kind).values()] == [*whole.texts(kind).values()] == said
    assert partial.answer.text == whole.answer.text == read[0].text
    assert all(not 0xD800 <= ord(letter) < 0xE000 for letter in json.dumps(read[0].content, ensure_ascii=False))


def test_blocks_are_counted_over_the_run_and_those_without_a_word_are_not_told() -> None:
    reader = Reader()
    reader.read(streamed(thought("Hm."), text("One."), call(), text("")))
    reader.read(streamed(text("Two.")))
    assert reader.texts(Thinking) == {1: "Hm."}
    assert reader.texts(Delta) == {2: "One.", 4: "Two."}


def test_what_the_model_thinks_is_kept_for_the_api_but_not_shown_unasked() -> None:
    reader = Reader(thinking=False)
    message = reader.read(streamed(thought("Hm."), {"type": "redacted_thinking", "data": "eA=="}, text("One.")))
    assert message.content == [thought("Hm."), {"type": "redacted_thinking", "data": "eA=="}, text("One.")]
    assert reader.texts(Thinking) == {}


def test_the_tokens_are_those_that_were_told_last() -> None:
    message = Reader().read(streamed(text("One.")))
    assert (message.usage.input_tokens, message.usage.output_tokens) == (10, 7)
    assert message.usage.cache_read_input_tokens == 5
    assert (message.model, message.stop_reason) == ("claude-x", "end_turn")


def test_a_message_that_breaks_off_has_what_was_said_and_no_end() -> None:
    reader = Reader()
    events = streamed(text("One."), text("Two."), cuts=(2,))
    message = reader.read(events[: events.index({"type": "content_block_stop", "index": 1})])
    assert message.unfinished_text == "One.Two."
    assert message.stop_reason is None
    assert reader.answer.discard_unfinished() == [1, 2]


NESTED = '{"a":' * 400 + "1" + "}" * 400


@pytest.mark.parametrize(
    "cut", ['{"deal": "Mur', "[1, 2]", '"text"', "5", "{" * 100_000, '{"a": 1} and more', '{"a": NaN}', NESTED]
)
def test_a_call_whose_input_is_no_object_is_kept_as_one_that_cannot_run(cut: str) -> None:
    reader = Reader()
    events = streamed(call(), call("other", name="Ada"))
    delta = {"type": "input_json_delta", "partial_json": cut}
    events[2] = {"type": "content_block_delta", "index": 0, "delta": delta}
    message = reader.read(events)
    assert message.unreadable == {"toolu_mcp__app__find"}
    assert message.content == [call(), call("other", name="Ada")]
    assert reader.notices == ["A part of the answer was passed over: a tool call that cannot be read."]


def test_a_call_without_input_has_an_empty_one() -> None:
    events = streamed(call())
    del events[2]
    message = Reader().read(events)
    assert (message.calls, message.unreadable) == ([call()], set())


def test_each_kind_of_block_that_is_not_known_is_told_once_in_a_run() -> None:
    reader = Reader()
    odd = [{"type": "hologram"}, {"type": 5}, {"type": "<script>"}, {}]
    assert reader.read(streamed(*odd, text("One."), {"type": "hologram"})).content == [text("One.")]
    reader.read(streamed({"type": "hologram"}))
    assert [notice.partition("(")[2].partition(")")[0] for notice in reader.notices] == ["hologram", "of no kind"]


ODD: dict[str, list[Event]] = {
    "no type": [{}],
    "a piece of no block": [{"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": "a"}}],
    "the end of no block": [{"type": "content_block_stop", "index": 0}],
    "a block that is none": [{"type": "content_block_start", "index": 0, "content_block": "text"}],
    "a text that is none": [
        {"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": 5}},
        {"type": "content_block_stop", "index": 0},
    ],
    "an index that is none": [{"type": "content_block_start", "index": [], "content_block": {"type": "text"}}],
    "a message that is none": [{"type": "message_start", "message": None}],
    "usage that is none": [{"type": "message_delta", "delta": {}, "usage": ["tokens"]}],
    "a call without an id": [
        {"type": "content_block_start", "index": 0, "content_block": {"type": "tool_use", "name": "a", "input": {}}},
        {"type": "content_block_stop", "index": 0},
    ],
}


@pytest.mark.parametrize("partial", [True, False])
@pytest.mark.parametrize("kind", ODD)
def test_what_the_api_does_not_document_is_an_answer_that_cannot_be_read(kind: str, partial: bool) -> None:
    with pytest.raises(AnswerUnreadable):
        Reader(partial=partial).read([*ODD[kind], {"type": "message_stop"}])


values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["type", "text", "id"]), inner),
    max_leaves=6,
)


@given(
    place=st.integers(0, 30), name=st.sampled_from(["index", "delta", "content_block", "message", "type"]), odd=values
)
def test_whatever_stands_in_an_event_a_message_is_read_or_said_to_be_unreadable(
    place: int, name: str, odd: object
) -> None:
    events = streamed(thought("Hm."), text("One."), call(deal="Murtal"), cuts=(1,), stop_reason="tool_use")
    events[place % len(events)] |= {name: odd}
    reader = Reader()
    try:
        message = reader.read(events)
    except AnswerUnreadable:
        return
    json.dumps([body.to_wire() for body in reader.told])
    json.dumps(message.content)


@given(stop_reason=values)
def test_a_reason_to_stop_is_a_text_or_none(stop_reason: object) -> None:
    assert isinstance(Reader().read(streamed(text("One."), stop_reason=stop_reason)).stop_reason, str | None)


@pytest.mark.parametrize("partial", [True, False])
def test_a_block_of_which_nobody_says_that_it_ends_is_whole_with_the_message(*, partial: bool) -> None:
    events = streamed(text("One. "), text("Two."), call(deal="Murtal"), stop_reason="tool_use")
    reader = Reader(partial=partial)
    message = reader.read(event for event in events if event["type"] != "content_block_stop")
    assert "".join(reader.texts(Delta).values()) == message.text == "One. Two."
    assert [found["input"] for found in message.calls] == [{"deal": "Murtal"}]


def test_calls_of_one_id_get_ids_of_their_own() -> None:
    blocks = [{**call(number=number), "id": name} for number, name in enumerate(("a", "a_2", "a", "a"))]
    message = Reader().read(streamed(*blocks, stop_reason="tool_use"))
    assert [(found["id"], found["input"]["number"]) for found in message.calls] == [
        ("a", 0),
        ("a_2", 1),
        ("a_3", 2),
        ("a_4", 3),
    ]


ODD_VALUES = [
    None,
    True,
    -1,
    1.5,
    1e999,
    float("nan"),
    10**400,
    "",
    "\ud800",
    "x" * 300,
    [],
    [1],
    {},
    {"a": 1},
    [["text"]],
]
WHOLE = streamed(
    {"type": "thinking", "thinking": "Hm.", "signature": "s"},
    {"type": "text", "text": "Hello."},
    {"type": "tool_use", "id": "1", "name": "find", "input": {"a": 1}},
    {"type": "other"},
)


def places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Where a value stands in what events hold."""
    steps = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [path, *(place for step, inner in steps for place in places(inner, (*path, step)))]


PLACES = [place for place in places(WHOLE) if len(place) > 1]


@pytest.mark.parametrize("place", PLACES, ids=str)
@pytest.mark.parametrize("partial", [True, False])
def test_whatever_a_field_of_an_event_holds_it_is_read_or_the_answer_is_unreadable(
    place: tuple[Any, ...], *, partial: bool
) -> None:
    for value in ODD_VALUES:
        events = json.loads(json.dumps(WHOLE))
        inner = events
        for step in place[:-1]:
            inner = inner[step]
        inner[place[-1]] = value
        reader = Reader(partial=partial)
        try:
            message = reader.read(events)
        except AnswerUnreadable:
            continue
        for body in [*reader.told, message.usage]:
            json.dumps(body.model_dump(), allow_nan=False)
        json.dumps(message.said, allow_nan=False)
        assert (
            model_of({"patterns": [], "as_of": None, "input_usd": 5.0, "output_usd": 5.0}).cost_usd(message.usage)
            != 1e999
        )
