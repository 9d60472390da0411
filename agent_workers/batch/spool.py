"""Lines that wait, in a temporary file: however many there are, none is in memory."""

from __future__ import annotations

import tempfile
from array import array
from typing import BinaryIO

from agent_workers.batch.item import Line


class Spool:
    """The lines, by their numbers."""

    def __init__(self) -> None:
        self._file: BinaryIO = tempfile.TemporaryFile()  # noqa: SIM115 closed by close()
        self._places: dict[int, int] = {}
        self._begins = array("q")
        self._lengths = array("q")
        self._end = 0

    def add(self, line: Line) -> None:
        """Keeps a line."""
        self._file.seek(self._end)
        self._file.write(line.data)
        self._places[line.number] = len(self._begins)
        self._begins.append(self._end)
        self._lengths.append(len(line.data))
        self._end += len(line.data)

    def __contains__(self, number: int) -> bool:
        """Whether a line was kept."""
        return number in self._places

    def get(self, number: int) -> Line | None:
        """Returns a line; None where it was not kept."""
        place = self._places.get(number)
        if place is None:
            return None
        self._file.seek(self._begins[place])
        return Line(number, self._file.read(self._lengths[place]))

    def close(self) -> None:
        """Removes the file."""
        self._file.close()
