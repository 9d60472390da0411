"""The chain of a run's lines: each names the SHA-256 of the one before it. Imports nothing before a line is chained."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

VARIABLE = "AGENT_WORKERS_CHAIN"
"""The operator's switch, on the host of the worker. No request, and no client of a pool, changes it."""
BEGINNING = "0" * 64
"""What stands before the first line of an attempt."""

_OFF = frozenset({"", "0", "false", "no", "off"})
_LENGTH = 64
_HEX = frozenset(b"0123456789abcdef")


def is_on(environ: Mapping[str, str]) -> bool:
    """Tells whether a host has its lines chained; a switch that says anything but no says yes."""
    return environ.get(VARIABLE, "").strip().lower() not in _OFF


def head_of(line: bytes) -> str:
    """Returns what the next line has to name: the SHA-256 of a whole line, given without its newline, in hex."""
    from hashlib import sha256  # takes longer to import than all else that a start needs of the standard library

    return sha256(line).hexdigest()


def prev_of(line: bytes) -> str | None:
    """Returns what a line names: its last field. None where it is in no chain.

    Args:
        line: A line, without its newline, as a worker writes it.
    """
    head, sign, end = line.rpartition(b',"prev":"')
    if not sign or len(end) != _LENGTH + 2 or not end.endswith(b'"}') or not head:
        return None
    digest = end[:_LENGTH]
    return digest.decode() if _HEX.issuperset(digest) else None


def goes_on(before: bytes) -> dict[str, str]:
    """Returns the field ``prev`` of a line that follows another: empty where that is in no chain, or is not there."""
    return {"prev": head_of(before)} if prev_of(before) else {}
