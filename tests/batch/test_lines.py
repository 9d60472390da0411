"""Lines of a batch, wherever what is read ends."""

from collections.abc import Sequence

import anyio
import pytest

from agent_workers.batch.item import Line
from agent_workers.batch.lines import read_lines

TEXT = b'{"a":1}\n\n  \n{"b":2}\r\n{"c":"\xc3\xa4"}'
LINES = [Line(1, b'{"a":1}'), Line(4, b'{"b":2}\r'), Line(5, b'{"c":"\xc3\xa4"}')]


class Chunks:
    """A pipe that has been written so."""

    def __init__(self, chunks: Sequence[bytes]) -> None:
        self._chunks = [chunk for chunk in chunks if chunk]

    def read1(self, size: int = -1) -> bytes:
        return self._chunks.pop(0) if self._chunks else b""


def read(*chunks: bytes) -> list[Line]:
    async def all_lines() -> list[Line]:
        return [line async for line in read_lines(Chunks(chunks))]  # type: ignore[arg-type]

    return anyio.run(all_lines)


@pytest.mark.parametrize("cut", range(1, len(TEXT)))
def test_lines_that_are_not_blank_are_numbered_as_in_the_file(cut: int) -> None:
    assert read(TEXT[:cut], TEXT[cut:]) == LINES


def test_the_end_of_the_last_line_changes_nothing() -> None:
    assert read(TEXT + b"\n") == LINES
    assert read() == []


def test_of_a_line_that_is_too_long_only_the_beginning_is_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("agent_workers.batch.lines.MAX_LINE", 100)
    fits, long = b"x" * 100, b"y" * 101
    assert read(fits, b"\n", long[:50], long[50:], b"y" * 1000, b"\n", fits) == [
        Line(1, fits),
        Line(2, b"y" * 64),
        Line(3, fits),
    ]
