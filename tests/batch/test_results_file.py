"""After a kill each of the last lines is in the file once, whatever of them had reached it."""

import os
from pathlib import Path

import pytest

from agent_workers.batch.results_file import lines_to_write

LINES = [b'{"line":1}\n', b'{"line":2}\n', b'{"line":12}\n']


@pytest.mark.parametrize(
    ("written", "kept", "missing"),
    [
        (b"", b"", [0, 1, 2]),
        (LINES[0], LINES[0], [1, 2]),
        (LINES[2] + LINES[1], LINES[2] + LINES[1], [0]),
        (LINES[0] + LINES[1][:5], LINES[0], [1, 2]),
        (LINES[0] + LINES[1][:-1], LINES[0], [1, 2]),
        (LINES[0] + b'{"run":"line-3-9a","line":3,"sta', LINES[0], [1, 2]),  # of a run that will run again
        (LINES[0] + b'{"v"', LINES[0], [1, 2]),
        (b"a note of somebody", b"a note of somebody", [0, 1, 2]),
    ],
)
def test_only_what_is_missing_is_written(tmp_path: Path, written: bytes, kept: bytes, missing: list[int]) -> None:
    path = tmp_path / "results"
    path.write_bytes(written)
    with path.open("ab") as file:
        assert lines_to_write(file.fileno(), LINES) == [LINES[number] for number in missing]
    assert path.read_bytes() == kept


def test_of_a_pipe_nobody_knows_what_it_took(tmp_path: Path) -> None:
    reading, writing = os.pipe()
    assert lines_to_write(writing, LINES) == LINES
    os.close(reading)
    os.close(writing)
