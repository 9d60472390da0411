"""Lines to events, for who passes them on: unknown types and fields stay, and only the envelope is checked."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NoReturn

if TYPE_CHECKING:
    from collections.abc import Iterable

Kind = type
"""The type of a field; the class below has a property of that name."""

_ENVELOPE: dict[str, Kind] = {"v": int, "seq": int, "run": str, "ts": str, "type": str}
_VERSION = 1
_LONGEST_INT = 20  # characters; any longer is beyond 64 bits
_DEEPEST = 511  # levels, as PHP reads
_TOO_DEEP = f"it is nested deeper than {_DEEPEST} levels"


class NotAnEvent(ValueError):
    """Raised when a line is no event of this version of the contract; the message says why."""


@dataclass(frozen=True)
class Event:
    """One event: its JSON object, and the line that it was read from."""

    fields: dict[str, Any]
    line: str

    @property
    def type(self) -> str:
        """The type, known or not."""
        kind: str = self.fields["type"]
        return kind

    @property
    def run(self) -> str:
        """The id of the run."""
        run: str = self.fields["run"]
        return run

    def own(self, *told: str) -> dict[str, Any]:
        """Returns its fields without the envelope, and without those that are told already."""
        return {name: value for name, value in self.fields.items() if name not in _ENVELOPE and name not in told}

    def text(self, name: str) -> str:
        """Returns a field that should be a text; an empty one where it is none."""
        value = self.fields.get(name)
        return value if isinstance(value, str) else ""

    def has(self, **kinds: Kind) -> bool:
        """Tells whether it has fields of these types."""
        return all(type(self.fields.get(name)) is kind for name, kind in kinds.items())


def read_event(line: bytes) -> Event:
    """Reads one line.

    Raises:
        NotAnEvent: It is none.
    """
    try:
        text = line.decode()
        fields = json.loads(text, parse_int=_whole, parse_constant=_no_number)
    except ValueError:
        raise NotAnEvent("it is not JSON") from None
    except RecursionError:
        raise NotAnEvent(_TOO_DEEP) from None
    if line.count(b"{") + line.count(b"[") > _DEEPEST and _is_too_deep(fields):
        raise NotAnEvent(_TOO_DEEP)
    if not isinstance(fields, dict):
        raise NotAnEvent("it is not a JSON object")
    wrong = [name for name, kind in _ENVELOPE.items() if type(fields.get(name)) is not kind]
    if wrong:
        raise NotAnEvent(f"the field {wrong[0]} is missing or of a wrong type")
    if fields["v"] != _VERSION:
        raise NotAnEvent(f"it is of version {fields['v']} of the contract, not {_VERSION}")
    return Event(fields, text)


def lost(last: Event | None, ts: str) -> Event:
    """Makes the terminal event of a run that has ended without one, after the last event that came."""
    envelope = {"v": _VERSION, "seq": last.fields["seq"] + 1 if last else 1, "run": last.run if last else "", "ts": ts}
    told = {"code": "worker_lost", "message": "The run ended without a result. Try again.", "retryable": True}
    fields = {**envelope, "type": "error", **told}
    return Event(fields, json.dumps(fields, separators=(",", ":")))


def _whole(digits: str) -> int | float:
    value = int(digits) if len(digits) <= _LONGEST_INT else float(digits)
    return value if -(2**63) <= value < 2**63 else float(value)


def _no_number(name: str) -> NoReturn:
    raise ValueError(name)  # NaN and Infinity, which Python reads and nobody else


def _is_too_deep(value: Any) -> bool:
    level = [value]
    for _ in range(_DEEPEST):
        level = [item for each in level for item in _items(each)]
    return any(isinstance(each, (dict, list)) for each in level)


def _items(value: Any) -> Iterable[Any]:
    if isinstance(value, dict):
        return value.values()
    return value if isinstance(value, list) else ()
