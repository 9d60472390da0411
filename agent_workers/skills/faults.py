"""What is wrong with a skill's folder."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from pathlib import Path

_TOLD = 3


class Fault(NamedTuple):
    """Something wrong in a skill's folder.

    Attributes:
        file: The file, relative to the folder; empty where it is the folder itself.
        pointer: JSON pointer into the file's document; empty for all of it.
        message: What is wrong, and the cure.
        line: Number of the line, from 1, where that tells more than a pointer.
    """

    file: str
    pointer: str
    message: str
    line: int | None = None

    def __str__(self) -> str:
        line = f"line {self.line}" if self.line else ""
        return ": ".join(filter(None, (self.file, line, self.pointer, self.message)))

    def to_json(self) -> dict[str, Any]:
        """Returns the fault as a JSON object, without ``line`` where a pointer says it all."""
        return {name: value for name, value in self._asdict().items() if value is not None}


class SkillFaults(Exception):
    """Raised when a skill's folder cannot be used as it is.

    Attributes:
        folder: The skill's folder.
        faults: What is wrong with it; never empty.
    """

    def __init__(self, folder: Path, faults: list[Fault]) -> None:
        """Keeps the faults, and the first of them as the exception's text."""
        more = f"; and {len(faults) - _TOLD} more" if len(faults) > _TOLD else ""
        super().__init__("; ".join(map(str, faults[:_TOLD])) + more)
        self.folder = folder
        self.faults = faults
