"""What becomes of a call that the CLI asks about."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Verdict:
    """The decision on a call.

    Attributes:
        allowed: Whether the call may run.
        message: Tells the model why it may not.
        tool_input: The input to run it with; None for the model's own.
    """

    allowed: bool
    message: str = ""
    tool_input: dict[str, Any] | None = None
