"""What the kit says of a case."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal, NamedTuple

if TYPE_CHECKING:
    from agent_workers.conformance.case import Case
    from agent_workers.conformance.recording import Recording

Status = Literal["passed", "failed", "skipped"]
_SHOWN = 4
_LONGEST = 200
_WORDS = 400


class Finding(NamedTuple):
    """Something that is not as the contract says.

    Attributes:
        expected: What should have come; empty where the contract's rule says it.
        came: What came instead.
        where: The case in whose run it was seen, of a rule that holds in every run.
    """

    expected: str
    came: str
    where: str = ""


@dataclass(frozen=True)
class Verdict:
    """What became of a case.

    Attributes:
        case: Which one.
        status: Whether the worker keeps the rule; ``skipped`` where that could not be seen.
        reason: Why it was skipped.
        findings: What is wrong.
        recording: The run in which that was seen.
        took_s: How long it took.
    """

    case: Case
    status: Status
    reason: str = ""
    findings: list[Finding] = field(default_factory=list)
    recording: Recording | None = None
    took_s: float = 0


def excerpt(recording: Recording) -> list[str]:
    """Returns the first and the last lines of a run, each cut."""
    lines = recording.lines
    if len(lines) <= _SHOWN:
        return [cut(line.data) for line in lines]
    half = _SHOWN // 2
    left_out = f"… {len(lines) - 2 * half} more lines …"
    return [*(cut(line.data) for line in lines[:half]), left_out, *(cut(line.data) for line in lines[-half:])]


def diagnostics(recording: Recording) -> str:
    """Returns the beginning and the end of what a run has written to stderr: Ruby says a cause first, Python last."""
    text = recording.stderr.decode("utf-8", "replace").strip()
    if len(text) <= 2 * _WORDS:
        return text
    first, last = text[:_WORDS].rpartition("\n"), text[-_WORDS:].partition("\n")
    return f"{first[0] or first[2]}\n…\n{last[2] or last[0]}"


def cut(line: bytes) -> str:
    """Returns the beginning of a line."""
    text = line[: _LONGEST + 1].decode("utf-8", "replace")
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}…"
