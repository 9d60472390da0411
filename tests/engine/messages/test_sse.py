"""Server-sent events, however they are cut and whatever ends their lines."""

from collections.abc import Iterable
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent_workers.engine.messages.sse import EventStream, EventTooLong

LINES = (b"data: x", b"data:y", b"data:  two", "data: ä".encode(), b"data", b"event: e", b": c", b"id: 4", b"")


def read(chunks: Iterable[bytes]) -> list[bytes]:
    stream = EventStream()
    return [data for chunk in chunks for data in stream.push(chunk)]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        (b"event: ping\ndata: {}\n\n", [b"{}"]),
        (b"data: a\ndata: b\n\n", [b"a\nb"]),
        (b"data:a\n\ndata:b\n\n", [b"a", b"b"]),
        (b"data:  a\n\n", [b" a"]),
        (b": nothing\n\nevent: e\n\n", []),
        (b"data: a\r\n\r\ndata: b\r\rdata: c\n\r\n", [b"a", b"b", b"c"]),
        (b"data: a\r\rdata: b\r\r", [b"a", b"b"]),
        (b"\xef\xbb\xbfdata: a\n\n", [b"a"]),
        (b"data: an event without its end", []),
        (b"\n\n\ndata: a\n\n\n\n", [b"a"]),
    ],
)
def test_the_data_of_each_event_is_found(text: bytes, found: list[bytes]) -> None:
    assert read([text]) == found
    assert read(text[at : at + 1] for at in range(len(text))) == found


@given(
    st.lists(st.tuples(st.sampled_from(LINES), st.sampled_from((b"\n", b"\r\n", b"\r")))),
    st.lists(st.integers(0, 60)),
)
def test_it_is_the_same_wherever_it_is_cut(lines: list[tuple[bytes, bytes]], cuts: list[int]) -> None:
    text = b"".join(line + end for line, end in lines) + b"data: end\n\n"
    places = [0, *sorted(min(cut, len(text)) for cut in cuts), len(text)]
    pieces = [text[begin:end] for begin, end in pairwise(places)]
    assert read(pieces) == read([text])


def test_an_event_without_an_end_does_not_fill_the_memory() -> None:
    with pytest.raises(EventTooLong):
        read(b"x" * (1 << 20) for _ in range(100))
