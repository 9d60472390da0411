"""What is wrong with a transcript, and where."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any, Literal

What = Literal["changed", "dropped", "added", "reordered", "end", "decision"]


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is wrong.

    Attributes:
        what: ``changed``: a line is not what was written. ``dropped``: lines are missing before it. ``added``: nobody
            wrote it there. ``reordered``: it stands at another place. ``end``: the end is not the one that is known.
            ``decision``: a signature is not one of what stands there.
        line: Number of the line, from 1.
        seq: The line's own number in its run; None where it tells none.
        message: What was found, in plain words.
        run: The run's id; empty where the line tells none.
    """

    what: What
    line: int
    seq: int | None
    message: str
    run: str = ""

    def to_json(self) -> dict[str, Any]:
        """Returns it as a JSON object, without what is unknown."""
        return {name: value for name, value in asdict(self).items() if value not in (None, "")}

    def __str__(self) -> str:
        seq = "" if self.seq is None else f" (seq {self.seq})"
        return f"line {self.line}{seq}: {self.message}"
