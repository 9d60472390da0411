"""A worker's bytes to events, up to exactly one terminal event. No I/O."""

from __future__ import annotations

import json
import logging
import math
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from agent_workers import chain
from agent_workers.protocol.v1 import VERSION
from agent_workers.protocol.v1.envelope import TERMINAL, attempt_begun, envelop
from agent_workers.wire import MAX_LINE, LineFramer, LineTooLong, dump, timestamp

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from agent_workers.client.event import Event

logger = logging.getLogger("agent_workers.client")

_ENVELOPE: Mapping[str, type] = {"v": int, "seq": int, "run": str, "ts": str, "type": str}
_READ: Mapping[str, Mapping[str, type]] = {
    "delta": {"text": str, "block": int},
    "discard": {"blocks": list},
    "done": {"text": str, "stop_reason": str},
    "error": {"code": str, "message": str, "retryable": bool},
    "aborted": {"reason": str},
}
"""The fields that are read here, by the type of the event: without them it is none."""
_READ_AT_THE_END: Mapping[str, type | tuple[type, ...]] = {
    "usage": dict,
    "cost_usd": (int, float),
    "session_id": str,
    "truncated_bytes": int,
    "retry_after_ms": (int, float),
    "details": list,
}
"""Those that may be absent, or null; of another type they make a terminal event none."""
_ITEMS: Mapping[str, tuple[str, type]] = {"discard": ("blocks", int), "error": ("details", dict)}
"""Lists that are read here, and what each of their items is."""
_LONGEST_LINE = 4 * MAX_LINE  # a worker of another version may write longer ones


class EventReader:
    """Reads the events of one run. A line that is no event is skipped, and the gap is told by a ``notice``.

    A later attempt of the run begins anew, with a ``start`` and a first ``seq`` of its own. One of an earlier attempt
    that comes behind it is skipped.

    Args:
        run: The run's id.

    Attributes:
        terminal: The terminal event, once it was read or made up.
        line: The line of the event that was given out last, as the worker wrote it, without its newline.
    """

    def __init__(self, run: str) -> None:
        self.terminal: Event | None = None
        self.line = b""
        self._run = run
        self._seq = 0
        self._attempt = 0
        self._framer = LineFramer(_LONGEST_LINE)

    def push(self, chunk: bytes) -> Iterator[Event]:
        """Yields the events that a chunk completes; none after the terminal one."""
        if self.terminal:
            return
        try:
            lines = self._framer.push(chunk)
        except LineTooLong:
            yield self._compose(_error("internal", "The agent worker wrote a line that is too long to read."))
            return
        for line in lines:
            yield from self._read(line)

    def end(self, missing: dict[str, Any]) -> Iterator[Event]:
        """Yields what is left at the end of the bytes.

        Args:
            missing: Body of the terminal event, where the worker wrote none.
        """
        if (line := self._framer.rest()) and not self.terminal:
            yield from self._read(line)
        if not self.terminal:
            yield self._compose(missing)

    def _read(self, line: bytes) -> Iterator[Event]:
        if self.terminal:
            return
        event = _event_of(line)
        if event is None:
            logger.warning("run %s: a line of %d bytes is not an event; it was skipped", self._run, len(line))
            return
        if event["v"] != VERSION:
            words = "The application cannot read what this version of the agent worker writes."
            yield self._compose(_error("unsupported_version", words))
            return
        self._run = event["run"]
        begun = attempt_begun(event)
        if begun is not None and begun < self._attempt:
            logger.warning("run %s: attempt %d begins after attempt %d; skipped", self._run, begun, self._attempt)
            return
        if begun is not None and begun > self._attempt:
            self._attempt, self._seq = begun, 0
        if event["seq"] > self._seq + 1:
            words = f"Some events of the worker could not be read: {event['seq'] - self._seq - 1}."
            yield self._compose({"type": "notice", "level": "warning", "code": "protocol_error", "message": words})
        yield self._note(event, line)

    def _compose(self, body: dict[str, Any]) -> Event:
        ts = timestamp(datetime.now(UTC))
        goes_on = chain.goes_on(self.line) if body["type"] in TERMINAL else {}  # a notice stands between its lines
        event = envelop(body, seq=self._seq + 1, run=self._run, ts=ts) | goes_on
        return self._note(event, dump(event).rstrip(b"\n"))

    def _note(self, event: Event, line: bytes) -> Event:
        self._seq = event["seq"]
        self.line = line
        if event["type"] in TERMINAL:
            self.terminal = event
        return event


def lost() -> dict[str, Any]:
    """Returns the body of the terminal event where a worker has ended without one."""
    return _error("worker_lost", "The agent worker ended unexpectedly. Try again.", retryable=True)


def missing_program() -> dict[str, Any]:
    """Returns the body of the terminal event where there is no such worker."""
    return _error("cli_missing", "The agent worker is not installed on this machine.")


def not_started(*, retryable: bool) -> dict[str, Any]:
    """Returns the body of the terminal event where a worker could not be started."""
    return _error("internal", "The agent worker could not be started.", retryable=retryable)


def out_of_time() -> dict[str, Any]:
    """Returns the body of the terminal event where a worker has outlived its own deadline."""
    return _error("timeout", "The run took longer than its time limit.")


def stopped() -> dict[str, Any]:
    """Returns the body of the terminal event where a worker was stopped and has said nothing of it."""
    return {"type": "aborted", "reason": "client"}


def _error(code: str, message: str, *, retryable: bool = False) -> dict[str, Any]:
    return {"type": "error", "code": code, "message": message, "retryable": retryable}


def _event_of(line: bytes) -> Event | None:
    try:
        event = json.loads(line, parse_constant=_number, parse_float=_number)
    except (ValueError, RecursionError):
        return None
    if not isinstance(event, dict) or not _has(event, _ENVELOPE):
        return None
    kind = event["type"]
    if not _has(event, _READ.get(kind, {})) or (kind in TERMINAL and not _may_have(event, _READ_AT_THE_END)):
        return None
    field, item = _ITEMS.get(kind, ("", object))
    return event if all(isinstance(each, item) for each in event.get(field) or ()) else None


def _number(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise ValueError(f"{text} is no JSON")  # and could not be written as such to anyone else
    return number


def _has(event: Event, fields: Mapping[str, type]) -> bool:
    return all(isinstance(event.get(name), kind) for name, kind in fields.items())


def _may_have(event: Event, fields: Mapping[str, type | tuple[type, ...]]) -> bool:
    return all(event.get(name) is None or isinstance(event[name], kind) for name, kind in fields.items())
