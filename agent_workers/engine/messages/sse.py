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

    def push(self, chunk: bytes) -> list[bytes]:
        """Returns the data of the events that a chunk completes.

        Raises:
            EventTooLong: What has come of an event is too long.
        """
        rest = self._rest
        rest += chunk
        if not self._has_begun and len(rest) >= len(_BYTE_ORDER_MARK):
            self._has_begun = True
            if rest.startswith(_BYTE_ORDER_MARK):
                del rest[: len(_BYTE_ORDER_MARK)]
        if b"\r" in rest:
            self._mend_ends()
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

    def _mend_ends(self) -> None:
        """Makes each end of a line a newline; one that may be half of two bytes waits for the other."""
        waits = self._rest.endswith(b"\r")
        text = self._rest[:-1] if waits else self._rest
        self._rest[:] = text.replace(b"\r\n", b"\n").replace(b"\r", b"\n") + (b"\r" if waits else b"")
        self._looked = 0


def _data_of(event: bytes) -> bytes:
    lines = [line for line in event.split(b"\n") if line.startswith(_FIELD) or line == b"data"]
    return b"\n".join([line[len(_FIELD) :].removeprefix(b" ") for line in lines])
