"""A stream of server-sent events: bytes to the data of each event. No I/O.

It reads what the HTML standard says of line ends and fields, and passes over what has no data.
"""

from __future__ import annotations

_LONGEST = 32 << 20
_BYTE_ORDER_MARK = b"\xef\xbb\xbf"
_END = b"\n\n"
_FIELD = b"data:"


class EventTooLong(ValueError):
    """Raised when one event is larger than any answer can be."""


class EventStream:
    """Reassembles events from chunks that may end anywhere."""

    def __init__(self) -> None:
        self._rest = bytearray()
        self._looked = 0  # so many bytes of it hold no end
        self._has_begun = False
        self._ends_in_half = False

    def push(self, chunk: bytes) -> list[bytes]:
        """Returns the data of the events that a chunk completes.

        Raises:
            EventTooLong: What has come of an event is too long.
        """
        rest = self._rest
        rest += self._with_plain_ends(chunk)
        if not self._has_begun and len(rest) >= len(_BYTE_ORDER_MARK):
            self._has_begun = True
            if rest.startswith(_BYTE_ORDER_MARK):
                del rest[: len(_BYTE_ORDER_MARK)]
        end = rest.rfind(_END, max(0, self._looked - 1))
        if end < 0:
            self._looked = len(rest)
            if len(rest) > _LONGEST:
                raise EventTooLong(f"an event is longer than {_LONGEST} bytes")
            return []
        whole = bytes(rest[:end])
        del rest[: end + len(_END)]
        self._looked = 0
        return [data for event in whole.split(_END) if (data := _data_of(event))]

    def _with_plain_ends(self, chunk: bytes) -> bytes:
        """Returns a chunk with a newline at the end of each line; the second half of two bytes may come later."""
        if self._ends_in_half and chunk:
            chunk = chunk.removeprefix(b"\n")
        self._ends_in_half = chunk.endswith(b"\r") or (self._ends_in_half and not chunk)
        return chunk.replace(b"\r\n", b"\n").replace(b"\r", b"\n") if b"\r" in chunk else chunk


def _data_of(event: bytes) -> bytes:
    lines = [line for line in event.split(b"\n") if line.startswith(_FIELD) or line == b"data"]
    return b"\n".join([line[len(_FIELD) :].removeprefix(b" ") for line in lines])
