"""NDJSON without I/O: events to lines and bytes to lines, with the contract's longest line and marked cuts."""

import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any

from agent_workers.chain import BEGINNING, head_of
from agent_workers.protocol.v1.envelope import TERMINAL, envelop

MAX_LINE = 256 * 1024  # bytes, the newline included: contract v1, "Wire"

_ENVELOPE_ROOM = 1024
_ESCAPED_CHAR = 12  # bytes of the longest escape, a surrogate pair
_SPLIT_TYPES = frozenset({"delta", "thinking"})
_UNCUTTABLE = frozenset({"type", "metadata", "subject", "user", "goal", "output", "session_id", "traceparent"})


_encode = json.JSONEncoder(separators=(",", ":"), allow_nan=False).encode


class LineTooLong(ValueError):
    """Raised when a line is longer than the framer allows; the rest of the stream cannot be read."""


class LineFramer:
    """Reassembles lines from chunks that may end anywhere, even inside a character.

    Args:
        max_line: Length of the longest accepted line, in bytes without its newline.
    """

    def __init__(self, max_line: int) -> None:
        self._max_line = max_line
        self._pending: list[bytes] = []
        self._pending_len = 0

    def push(self, chunk: bytes) -> list[bytes]:
        """Returns the lines that this chunk completes, without their newlines.

        Raises:
            LineTooLong: The unfinished line was too long before this chunk came; no finished line is lost.
        """
        if self._pending_len > self._max_line:
            raise LineTooLong(f"a line is longer than {self._max_line} bytes")
        self._pending.append(chunk)
        self._pending_len += len(chunk)
        if b"\n" not in chunk:
            return []
        *lines, tail = b"".join(self._pending).split(b"\n")
        self._pending, self._pending_len = [tail], len(tail)
        return lines

    def rest(self) -> bytes:
        """Returns and forgets the unfinished last line; empty if the stream ended with a newline."""
        tail = b"".join(self._pending)
        self._pending, self._pending_len = [], 0
        return tail


class Encoder:
    """Numbers a run's events and encodes them as lines.

    Args:
        run: The run's id.
        clock: Returns the current time, with a time zone; tests replace it.
        chained: Whether each line names the one before it, in ``prev``.

    Attributes:
        terminal: The body of the terminal event once it is encoded, else None.
    """

    def __init__(
        self, run: str, clock: Callable[[], datetime] = lambda: datetime.now(UTC), *, chained: bool = False
    ) -> None:
        self.run = run
        self._is_chained = chained
        self._head = BEGINNING
        self.terminal: dict[str, Any] | None = None
        self._clock = clock
        self._seq = 0

    def lines(self, body: dict[str, Any]) -> Iterator[bytes]:
        """Yields the line of an event body, or several lines where a long text is split over several events."""
        if body["type"] == "start":
            self._seq, self._head = 0, BEGINNING  # also where a recording's run begins anew
        line = self._line(body, self._seq + 1)
        if body["type"] in TERMINAL:
            self.terminal = body
        if len(line) <= MAX_LINE:
            yield self._next(line)
            return
        for part in fit(body):
            yield self._next(self._line(part, self._seq + 1))

    def _line(self, body: dict[str, Any], seq: int) -> bytes:
        event = envelop(body, seq=seq, run=self.run, ts=timestamp(self._clock()))
        if self._is_chained:
            event["prev"] = self._head  # last, so that it is found without reading the line
        return dump(event) + b"\n"

    def _next(self, line: bytes) -> bytes:
        self._seq += 1
        if self._is_chained:
            self._head = head_of(line[:-1])
        return line


def timestamp(at: datetime) -> str:
    """Returns a UTC time as the contract writes it: RFC 3339 with milliseconds."""
    return at.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def dump(value: Any) -> bytes:
    r"""Encodes as compact ASCII JSON; a lone surrogate becomes U+FFFD, which PHP's ``json_decode`` accepts.

    Raises:
        ValueError: The value contains NaN or Infinity.
    """
    text = _encode(value)
    if r"\ud" in text:
        text = _encode(mend_surrogates(value))
    return text.encode("ascii")


def mend_surrogates(value: Any) -> Any:
    """Returns the value with surrogate pairs joined and lone surrogates replaced, in keys too."""
    if isinstance(value, str):
        return value if value.isascii() else _joined(value)
    if isinstance(value, dict):
        return {mend_surrogates(key): mend_surrogates(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [mend_surrogates(item) for item in value]
    return value


def _joined(text: str) -> str:
    return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")


def fit(body: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Yields event bodies that each fit a line: a long text in pieces, any other event with a marked cut."""
    if body["type"] in _SPLIT_TYPES:
        size = (MAX_LINE - _ENVELOPE_ROOM) // _ESCAPED_CHAR
        for start in range(0, len(body["text"]), size):
            yield {**body, "text": body["text"][start : start + size]}
    else:
        yield _cut(body)


def _cut(body: dict[str, Any]) -> dict[str, Any]:
    room = MAX_LINE - _ENVELOPE_ROOM - len(dump({k: v for k, v in body.items() if k in _UNCUTTABLE}))
    cuttable = {k: v for k, v in body.items() if k not in _UNCUTTABLE}
    level = room
    while len(dump(cuttable)) > room and level > 1:
        level //= 2
        cuttable = {key: _shorten(value, level) for key, value in cuttable.items()}
    for key in sorted(cuttable, key=lambda key: len(dump(cuttable[key])), reverse=True):
        if len(dump(cuttable)) <= room:
            break
        cuttable[key] = _emptied(cuttable[key])
    removed = _text_bytes(body) - _text_bytes({**body, **cuttable})
    return {**body, **cuttable, "truncated_bytes": body.get("truncated_bytes", 0) + removed}


def _shorten(value: Any, level: int) -> Any:
    """Cuts every string whose escaped form is longer than ``level`` bytes; keeps the shape."""
    if isinstance(value, str) and len(dump(value)) > level:
        return _prefix(value, level)
    if isinstance(value, dict):
        return {key: _shorten(item, level) for key, item in value.items()}
    if isinstance(value, list):
        return [_shorten(item, level) for item in value]
    return value


def _prefix(text: str, level: int) -> str:
    """Returns the longest prefix whose escaped form has at most ``level`` bytes, give or take a few characters."""
    low, high = 0, min(len(text), level)
    while low < high:
        middle = (low + high + 1) // 2
        if len(dump(text[:middle])) <= level:
            low = middle
        else:
            high = middle - 1
    return text[:low]


def _emptied(value: Any) -> Any:
    """Returns the empty value of the same type: what is left of a field with too many small parts."""
    if isinstance(value, str | dict | list):
        return type(value)()
    return value


def _text_bytes(value: Any) -> int:
    """Returns the number of UTF-8 bytes of all strings in the value, keys included."""
    if isinstance(value, str):
        return len(value.encode("utf-8", "replace"))
    if isinstance(value, dict):
        return sum(_text_bytes(key) + _text_bytes(item) for key, item in value.items())
    if isinstance(value, list):
        return sum(_text_bytes(item) for item in value)
    return 0
