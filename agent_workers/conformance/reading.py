"""What a reader makes of a run, and its digest: the same in every language, as ``conformance/README.md`` says."""

from __future__ import annotations

import hashlib
import json
from functools import cache
from typing import TYPE_CHECKING, Any

from agent_workers.conformance.data import folder, read
from agent_workers.protocol.v1.envelope import TERMINAL, attempt_begun

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

_LOST = ["error", "worker_lost", True, None, None]
"""What a reader takes for the end of a run that has none."""


@cache
def facts() -> dict[str, list[str]]:
    """Returns the fields of each type of event that belong to a reading."""
    found: dict[str, list[str]] = read(folder() / "reading.json")
    return found


def reading(recorded: bytes) -> list[Any]:
    """Returns what a reader makes of a recorded run: the facts of its events, the text and the thinking."""
    return reading_of(_events(recorded))


def reading_of(events: Iterable[Mapping[str, Any]]) -> list[Any]:
    """Returns the reading of a run whose lines another reader has read."""
    entries: list[list[Any]] = []
    blocks: dict[str, dict[Any, str]] = {"delta": {}, "thinking": {}}
    for event in events:
        kind = event["type"]
        if (attempt_begun(event) or 1) > 1:
            entries, blocks = [], {"delta": {}, "thinking": {}}
        if kind in blocks:
            texts = blocks[kind]
            texts[event["block"]] = texts.get(event["block"], "") + event["text"]
        elif kind in facts():
            entries.append([kind, *(event.get(name) for name in facts()[kind])])
        if kind == "discard":
            for block in event["blocks"]:
                for texts in blocks.values():
                    texts.pop(block, None)
    if not entries or entries[-1][0] not in TERMINAL:
        entries.append(_LOST)
    return [entries, *("".join(texts[block] for block in sorted(texts)) for texts in blocks.values())]


def digest(recorded: bytes) -> str:
    """Returns the SHA-256 of a run's reading, as hexadecimal digits."""
    return digest_of(reading(recorded))


def digest_of(reading: list[Any]) -> str:
    """Returns the SHA-256 of a reading."""
    return hashlib.sha256(encoded(reading)).hexdigest()


def encoded(value: Any) -> bytes:
    """Encodes a value so that equal values have equal bytes: nearly as BitTorrent does."""
    if value is None or isinstance(value, bool):
        return {None: b"n", True: b"t", False: b"f"}[value]
    if isinstance(value, int):
        return b"i%de" % value
    if isinstance(value, str):
        data = value.encode()
        return b"%d:%s" % (len(data), data)
    if isinstance(value, dict):
        fields = sorted((name.encode(), item) for name, item in value.items() if item is not None)
        parts = [encoded(name.decode()) + encoded(item) for name, item in fields]
        return b"d%se" % b"".join(parts) if parts else b"le"
    if isinstance(value, list):
        return b"l%se" % b"".join(map(encoded, value))
    raise TypeError(f"{value!r} has no place in a reading")


def _events(recorded: bytes) -> Iterator[dict[str, Any]]:
    """Yields the events up to the terminal one. A line that does not end is none."""
    for line in recorded.split(b"\n")[:-1]:
        event = json.loads(line)
        yield event
        if event["type"] in TERMINAL:
            return
