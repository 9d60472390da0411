"""A run's events as whole frames of one format, which all readers of that format share."""

from __future__ import annotations

_MOST_AT_ONCE = 64 * 1024


class Track:
    """Frames, counted from 0 since the track began; the oldest of them may have been dropped.

    Attributes:
        first: The number of the oldest frame that is there.
        needed: Who has not read as far as this number has lost something that counts.
    """

    def __init__(self) -> None:
        self.first = 0
        self.needed = 0
        self._frames: list[bytes] = []
        self._told: tuple[int, int, bytes] = (0, 0, b"")

    @property
    def end(self) -> int:
        """The number of the frame that comes next."""
        return self.first + len(self._frames)

    def add(self, frame: bytes) -> None:
        """Adds the frames of the next event."""
        self._frames.append(frame)

    def at(self, number: int) -> bytes:
        """Returns one frame."""
        return self._frames[number - self.first]

    def drop(self, count: int, *, counts: bool) -> None:
        """Forgets the oldest frames; those of a track that began later may be fewer.

        Args:
            count: How many.
            counts: Whether a reader needs what they say; that of a lost attempt it does not.
        """
        count = min(count, len(self._frames))
        del self._frames[:count]
        self.first += count
        if counts:
            self.needed = self.first

    def after(self, at: int) -> tuple[bytes, int]:
        """Returns frames from a number on, as one chunk of HTTP/1.1, and the number that comes next.

        Readers at the same place get the same bytes, which are made once. There are none at the end.
        """
        begin = max(at, self.first)
        if self._told[0] == begin and self._told[1] == self._reach(begin):
            return self._told[2], self._told[1]
        end = self._reach(begin)
        frames = b"".join(self._frames[begin - self.first : end - self.first])
        self._told = (begin, end, chunk_of(frames))
        return self._told[2], end

    def _reach(self, begin: int) -> int:
        """Returns the number after the last frame that is sent at once."""
        end, size = begin, 0
        while end < self.end and size < _MOST_AT_ONCE:
            size += len(self._frames[end - self.first])
            end += 1
        return end


def chunk_of(data: bytes) -> bytes:
    """Returns bytes as a chunk of HTTP/1.1; nothing of nothing, which would be the last chunk."""
    return b"%x\r\n%b\r\n" % (len(data), data) if data else b""


def data_of(chunk: bytes) -> bytes:
    """Returns what is in a chunk, for a reader that knows none."""
    return chunk[chunk.index(b"\r\n") + 2 : -2] if chunk else b""
