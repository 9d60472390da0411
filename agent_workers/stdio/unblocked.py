"""A descriptor that is written to without waiting for its reader. Imports next to nothing: a pool's client has it."""

from __future__ import annotations

import os
import select
import stat

# A pipe that poll() calls writable takes this much without blocking (PIPE_BUF, pipe(7)).
_CHUNK = select.PIPE_BUF
CLOSED = select.POLLERR | select.POLLHUP | select.POLLNVAL
"""What ``poll`` tells of a descriptor whose reader has gone."""


class Unblocked:
    """A descriptor under which a slow reader never blocks the process.

    Its other end may be shared, so it is not simply switched to non-blocking mode: a pipe is opened anew, anything else
    is only written to when it takes more.

    Args:
        fd: The descriptor.

    Attributes:
        fd: What is written to; another one than was given where that is a pipe.
        pending: What is still to be written.
    """

    def __init__(self, fd: int) -> None:
        self.fd = _reopened(fd)
        self.pending = bytearray()
        self._never_blocks = not os.get_blocking(self.fd)
        self._poll = select.poll()
        self._poll.register(self.fd, select.POLLOUT)

    def write_some(self) -> bool:
        """Writes what can be written without waiting; False if that is nothing.

        Raises:
            OSError: Nobody reads.
        """
        try:
            if self._never_blocks:
                written = os.write(self.fd, self.pending)
            elif self.ready(0):
                written = os.write(self.fd, self.pending[:_CHUNK])
            else:
                return False
        except BlockingIOError:
            return False
        del self.pending[:written]
        return True

    def ready(self, patience_s: float) -> bool:
        """Waits until something can be written, or nobody reads; False if neither comes in time."""
        return bool(self._poll.poll(patience_s * 1000))

    @property
    def closed(self) -> bool:
        """Whether the reader has gone; a file and a terminal cannot tell."""
        return any(flags & CLOSED for _, flags in self._poll.poll(0))


def _reopened(fd: int) -> int:
    """Returns a non-blocking descriptor of the pipe where the system offers one (Linux); else the same descriptor."""
    if stat.S_ISFIFO(os.fstat(fd).st_mode):
        try:
            return os.open(f"/proc/self/fd/{fd}", os.O_WRONLY | os.O_NONBLOCK | os.O_CLOEXEC)
        except OSError:
            pass
    return fd
