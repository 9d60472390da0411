"""Judges the run of a case by what the case expects. Pure: it looks at a recording."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from agent_workers.conformance.match import matches, shown, told
from agent_workers.conformance.verdict import Finding
from agent_workers.validation.final_text import block_key

if TYPE_CHECKING:
    from collections.abc import Iterator

    from agent_workers.conformance.case import Case, Pattern
    from agent_workers.conformance.recording import Event, Recording

_LONGEST = 400
_ENVELOPE = ("v", "seq", "run", "ts", "type")
_KILLED = "the kit had to end it"


def judge(case: Case, recording: Recording, patience: float = 1) -> list[Finding]:
    """Returns what is wrong with a run."""
    if recording.trouble is not None:
        silent = recording.killed and not recording.lines
        hint = "; stdout had nothing at all: is each event flushed?" if silent else ""
        return [Finding(_wanted_end(case.expect), recording.trouble + hint)]
    return [*_ending(case.expect, recording, patience), *_course(case.expect, recording)]


def _ending(expect: dict[str, Any], recording: Recording, patience: float) -> Iterator[Finding]:
    if "exit_status" in expect and recording.status != expect["exit_status"]:
        yield Finding(f"exit status {expect['exit_status']}", end_of(recording))
    if "terminal" not in expect:
        return
    line = recording.terminal
    if line is None:
        yield Finding(_wanted_end(expect), f"no terminal event; {end_of(recording)}")
    elif not any(matches(pattern, line.event) for pattern in _ends(expect)):
        yield Finding(_wanted_end(expect), event_in_words(line.event))
    else:
        yield from _in_time(expect, line.at - recording.acted_at, patience)


def _in_time(expect: dict[str, Any], took_s: float, patience: float) -> Iterator[Finding]:
    within_s, after_s = expect.get("within_s", math.inf) * patience, expect.get("after_s", -math.inf)
    if took_s > within_s:
        yield Finding(f"{_wanted_end(expect)} within {within_s:g} s", f"it came after {took_s:.1f} s")
    if took_s < after_s:
        yield Finding(f"{_wanted_end(expect)} after {after_s:g} s at the earliest", f"it came after {took_s:.1f} s")


def _course(expect: dict[str, Any], recording: Recording) -> Iterator[Finding]:
    events = recording.events
    yield from _in_order(expect.get("events", ()), events)
    for pattern in expect.get("together", ()):
        yield from _in_order([pattern], events)
    for pattern in expect.get("never", ()):
        if found := next((event for event in events if matches(pattern, event)), None):
            yield Finding(f"no {told(pattern)}", event_in_words(found))
    if "text" in expect:
        text = text_of(events)
        if not matches(expect["text"], text):
            yield Finding(f"text: {told(expect['text'])}", f"text: {_cut(text)!r}")
    if "least_text" in expect and len(text := text_of(events)) < expect["least_text"]:
        yield Finding(f"a text of at least {expect['least_text']} characters", f"one of {len(text)}")
    if "spread" in expect:
        yield from _spread(expect["spread"], recording)
    if "most" in expect:
        count = sum(matches(expect["most"]["of"], event) for event in events)
        if count > expect["most"]["count"]:
            yield Finding(f"at most {expect['most']['count']} of {told(expect['most']['of'])}", f"{count} of them")


def _in_order(patterns: list[Pattern], events: list[Event]) -> Iterator[Finding]:
    after = 0
    for pattern in patterns:
        found = next((at for at in range(after, len(events)) if matches(pattern, events[at])), None)
        if found is None:
            like = [event for event in events if event.get("type") == pattern.get("type")]
            there = event_in_words(like[-1]) if like else types_in_words(events)
            yield Finding(told(pattern) + (" after those before it" if after else ""), there)
            return
        after = found + 1


def _spread(spread: dict[str, Any], recording: Recording) -> Iterator[Finding]:
    at = [line.at for line in recording.lines if matches(spread["of"], line.event)]
    lasted_s = at[-1] - at[0] if at else 0
    if lasted_s < spread["least_s"]:
        wanted = f"the first and the last {told(spread['of'])} at least {spread['least_s']:g} s apart"
        yield Finding(wanted, f"{len(at)} of them, {lasted_s:.2f} s apart")


def text_of(events: list[Event]) -> str:
    """Returns the text that a reader has in the end who drops what is discarded."""
    blocks: dict[object, list[str]] = {}
    for event in events:
        if event.get("type") == "delta" and isinstance(event.get("text"), str):
            blocks.setdefault(block_key(event.get("block")), []).append(event["text"])
        elif event.get("type") == "discard" and isinstance(event.get("blocks"), list):
            for block in event["blocks"]:
                blocks.pop(block_key(block), None)
    return "".join(piece for pieces in blocks.values() for piece in pieces)


# Words


def end_of(recording: Recording) -> str:
    """Says how a worker has ended."""
    if recording.killed or recording.lingers:
        return _KILLED
    if recording.status is None:
        return "it never ran"
    return f"killed by signal {-recording.status}" if recording.status < 0 else f"exit status {recording.status}"


def event_in_words(event: Event) -> str:
    """Says an event without its envelope."""
    fields = {name: value for name, value in event.items() if name not in _ENVELOPE}
    return _cut(f"{event.get('type')} {shown(fields)}")


def types_in_words(events: list[Event]) -> str:
    """Lists the types of events, as a worker has sent them."""
    counted: list[list[Any]] = []
    for event in events:
        kind = str(event.get("type"))
        if counted and counted[-1][0] == kind:
            counted[-1][1] += 1
        else:
            counted.append([kind, 1])
    return ", ".join(kind if count == 1 else f"{kind} x {count}" for kind, count in counted) or "no event"


def _ends(expect: dict[str, Any]) -> list[Pattern]:
    wanted = expect["terminal"]
    return wanted if isinstance(wanted, list) else [wanted]


def _wanted_end(expect: dict[str, Any]) -> str:
    if "terminal" not in expect:
        return f"exit status {expect['exit_status']}" if "exit_status" in expect else "an end"
    return "the terminal event " + " or ".join(map(told, _ends(expect)))


def _cut(text: str) -> str:
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}…"
