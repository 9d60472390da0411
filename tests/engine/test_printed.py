"""What a tool prints becomes few pieces of whole characters, up to a bound."""

import pytest

from agent_workers.engine.printed import BOUND, Printed
from agent_workers.wire import MAX_LINE, Encoder


def told(printed: Printed, *chunks: bytes) -> str:
    texts = []
    for number, chunk in enumerate(chunks):
        printed.add(chunk)
        if piece := printed.piece(float(number)):
            texts.append(piece.text)
    return "".join([*texts, *(piece.text for piece in printed.rest())])


@pytest.mark.parametrize(
    ("printed", "text"),
    [
        ("Wörter 😀\n".encode(), "Wörter 😀\n"),
        (b"10%\r20%\r\x1b[32mdone\x1b[0m\r\n", "10%\r20%\r\x1b[32mdone\x1b[0m\r\n"),
        (b"a\0b", "a\0b"),
        (b"\xff a \xc3", "\N{REPLACEMENT CHARACTER} a \N{REPLACEMENT CHARACTER}"),
    ],
)
def test_characters_stay_whole_wherever_the_pieces_end(printed: bytes, text: str) -> None:
    assert told(Printed("call"), printed) == text
    assert told(Printed("call"), *(bytes([byte]) for byte in printed)) == text


def test_what_comes_at_once_is_joined_and_pieces_keep_their_distance() -> None:
    printed = Printed("call")
    times = [second / 1000 for second in range(1000)]
    pieces = []
    for time in times:
        printed.add(b"line\n")
        if piece := printed.piece(time):
            pieces.append(piece)
    assert 15 < len(pieces) <= 20
    assert "".join(piece.text for piece in [*pieces, *printed.rest()]) == "line\n" * 1000


@pytest.mark.parametrize("byte", [b"y", b"\0", b"\xff", "😀".encode()], ids=["y", "NUL", "a lone byte", "an emoji"])
def test_beyond_the_bound_bytes_are_counted_and_every_piece_fits_a_line(byte: bytes) -> None:
    printed = Printed("call")
    printed.add(byte * (BOUND // len(byte)))
    printed.add(b"more")
    printed.leave_out(6)
    *pieces, last = printed.rest()
    assert [piece.truncated_bytes for piece in pieces] == [None] * len(pieces)
    assert last.truncated_bytes == 10
    text = "".join(piece.text for piece in [*pieces, last])
    assert text == (byte * (BOUND // len(byte))).decode("utf-8", "replace")
    encoder = Encoder("run")
    lines = [line for piece in [*pieces, last] for line in encoder.lines(piece.to_wire())]
    assert len(lines) == len(pieces) + 1
    assert all(len(line) <= MAX_LINE for line in lines)


def test_what_was_left_out_is_told_even_where_all_else_was_sent_before() -> None:
    printed = Printed("call")
    printed.add(b"all")
    assert printed.piece(0)
    printed.leave_out(7)
    [last] = printed.rest()
    assert (last.text, last.truncated_bytes) == ("", 7)
    assert list(Printed("silent").rest()) == []
