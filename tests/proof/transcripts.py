"""Transcripts whose lines are chained, and what may be done to them."""

import json
from typing import Any

from agent_workers.chain import head_of
from agent_workers.proof import Finding, Keys, Report, verify
from agent_workers.wire import Encoder

Lines = list[bytes]


def chained(*bodies: dict[str, Any], run: str = "r1") -> Lines:
    """The lines of a run, without their newlines."""
    encoder = Encoder(run, chained=True)
    return [line[:-1] for body in bodies for line in encoder.lines(body)]


def talk(words: int = 8, run: str = "r1", **start: Any) -> Lines:
    deltas = [{"type": "delta", "text": f"word {number}", "block": 1} for number in range(words)]
    first = {"type": "start", "worker": "agent-chat", **start}
    return chained(first, *deltas, {"type": "done", "text": "words"}, run=run)


def forged(seq: int, before: bytes, text: str = "forged", run: str = "r1") -> bytes:
    """A line that names the one before it, as whoever knows the form can make one."""
    event = {
        "v": 1,
        "seq": seq,
        "run": run,
        "ts": "2026-11-20T12:00:00.000Z",
        "type": "delta",
        "text": text,
        "block": 1,
    }
    return json.dumps({**event, "prev": head_of(before)}, separators=(",", ":")).encode()


def report(lines: Lines, *, heads: tuple[str, ...] = (), keys: Keys | None = None) -> Report:
    return verify([b"".join(line + b"\n" for line in lines)], keys or Keys(), heads)


def found(lines: Lines, **given: Any) -> list[Finding]:
    return report(lines, **given).findings


def places(lines: Lines, **given: Any) -> dict[str, list[int]]:
    """The numbers of the lines that something is wrong with, by what it is."""
    result: dict[str, list[int]] = {}
    for finding in found(lines, **given):
        result.setdefault(finding.what, []).append(finding.line)
    return result
