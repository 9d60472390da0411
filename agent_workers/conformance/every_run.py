"""The rules that hold in every run, whatever happens in it; each has the name of its case."""

from __future__ import annotations

import re
import time
from contextlib import suppress
from datetime import UTC, datetime
from itertools import groupby
from typing import TYPE_CHECKING

from agent_workers.conformance.judge import end_of, event_in_words, types_in_words
from agent_workers.conformance.place import KEY
from agent_workers.conformance.verdict import Finding, cut
from agent_workers.validation import check

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from agent_workers.conformance.recording import Recording
    from agent_workers.validation import Fault

_REFUSALS = ("invalid_request", "unsupported_version", "policy_denied", "budget_exhausted")
_STACKS = ("Traceback (most recent call last)", "\n    at ", "goroutine ", "panic: ", "Stack trace:")
_PATH = re.compile(r"(?<![\w.:/-])(?:/(?:bin|etc|home|lib|opt|proc|root|srv|tmp|usr|var|Users)/|[A-Z]:\\)\w")
_TS = "%Y-%m-%dT%H:%M:%S.%fZ"
_CLOCKS_DIFFER_S = 600
_KEPT = 1000
"""Lines of a run that the kit has ended that are judged: more say nothing more."""

Rule = str


def broken(recording: Recording, request: Mapping[str, object], home: str) -> Iterator[tuple[Rule, Finding]]:
    """Yields each rule that a run breaks, and how.

    Args:
        recording: The run.
        request: What was asked.
        home: A path on the host that must not be told.
    """
    if recording.lines:
        yield from _stream(recording)
        yield from _clock(recording)
    yield from _parents(recording)
    yield from _exit(recording)
    yield from _refusal(recording)
    yield from _secrets(recording, request)
    yield from _message(recording, home)
    if recording.left:
        yield "nothing-left", Finding("no process of the run after its end", "; ".join(recording.left))


def _stream(recording: Recording) -> Iterator[tuple[Rule, Finding]]:
    for (number, rule), faults in groupby(_faults(recording), lambda fault: (fault.line, fault.rule)):
        words = "; ".join(f"{fault.pointer} {fault.message}".strip() for fault in faults)
        line = cut(recording.lines[number - 1].data)
        yield rule or "schema", Finding("", f"line {number}: {words}\n{line}")


def _faults(recording: Recording) -> Iterator[Fault]:
    is_cut = recording.rest and recording.terminal is None  # it died in the midst of it, which is another fault
    lines = recording.lines[: -1 if is_cut else None]
    data = b"".join(line.data + b"\n" for line in (lines[:_KEPT] if recording.killed else lines))
    _, faults = check(data[:-1] if recording.rest and not is_cut else data, "events")
    return (fault for fault in faults if fault.rule != "terminal")  # which each case asks for itself


def _clock(recording: Recording) -> Iterator[tuple[Rule, Finding]]:
    ahead_s = time.time() - time.monotonic()
    for line in recording.lines:
        with suppress(ValueError):  # what is no time is told by the schema
            ts = datetime.strptime(str(line.event.get("ts")), _TS).replace(tzinfo=UTC)
            if abs(ts.timestamp() - line.at - ahead_s) > _CLOCKS_DIFFER_S:
                now = datetime.fromtimestamp(line.at + ahead_s, UTC).strftime(_TS)
                yield "utc", Finding(f"about {now}", f"ts: {line.event['ts']}")
                return  # the others of the run say the same


def _parents(recording: Recording) -> Iterator[tuple[Rule, Finding]]:
    called: dict[str, object] = {}  # the parent of each call
    for event in recording.events:
        call, parent = str(event.get("tool_use_id")), event.get("parent_tool_use_id")
        if parent is not None and str(parent) not in called:
            yield "parent", Finding(f"an earlier tool_call with the tool_use_id {parent!r}", event_in_words(event))
        if event.get("type") == "start":
            called.clear()
        if event.get("type") == "tool_call":
            called[call] = parent
        elif event.get("type") == "tool_result" and called.get(call) != parent:
            yield "parent", Finding(f"the parent_tool_use_id of its call, {called.get(call)!r}", event_in_words(event))


def _exit(recording: Recording) -> Iterator[tuple[Rule, Finding]]:
    terminal = recording.terminal
    if recording.lingers:
        yield (
            "ends",
            Finding("the end of the process soon after its terminal event", "it went on for 5 s, and was killed"),
        )
    if terminal is None or recording.killed or recording.cut_off:
        return
    wanted = _statuses(terminal.event, alone=terminal is recording.lines[0])
    hurried = [status for number in recording.signals[1:] for status in (128 + number, -number)]
    if recording.status not in [*wanted, *hurried]:
        words = " or ".join(map(str, wanted))
        yield "exit-status", Finding(f"exit status {words} after {terminal.event['type']}", end_of(recording))


def _statuses(event: Mapping[str, object], *, alone: bool) -> tuple[int, ...]:
    if event["type"] == "error":
        if _is_refusal(event):
            return (2,)
        return (75,) if event.get("retryable") else (1, 2) if alone else (1,)
    return (0,) if event["type"] == "done" else (3,)


def _is_refusal(event: Mapping[str, object]) -> bool:
    return event["type"] == "error" and event.get("code") in _REFUSALS and "http_status" not in event


def _refusal(recording: Recording) -> Iterator[tuple[Rule, Finding]]:
    terminal = recording.terminal
    if terminal and terminal is not recording.lines[0] and _is_refusal(terminal.event):
        yield "refused-alone", Finding("the error line alone", types_in_words(recording.events))


def _secrets(recording: Recording, request: Mapping[str, object]) -> Iterator[tuple[Rule, Finding]]:
    key = KEY.encode()
    if recording.leaked or any(key in line.data for line in recording.lines):
        yield "no-secrets", Finding("the API key nowhere", "it stands in the output")
    prompt = request.get("prompt")
    if isinstance(prompt, str) and prompt and prompt.encode() in recording.stderr:
        yield "no-secrets", Finding("no prompt on stderr", f"stderr has {prompt!r}")


def _message(recording: Recording, home: str) -> Iterator[tuple[Rule, Finding]]:
    for event in recording.events:
        message = event.get("message")
        if event.get("type") != "error" or not isinstance(message, str):
            continue
        if any(stack in message for stack in _STACKS) or home in message or _PATH.search(message):
            yield "safe-message", Finding("a message that a user may read", f"message: {message[:300]!r}")
