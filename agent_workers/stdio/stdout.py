"""Standard output, claimed for events alone."""

import os
import select
import stat

from agent_workers.errors import OutputClosed

# A pipe that poll() calls writable takes this much without blocking (PIPE_BUF, pipe(7)).
_CHUNK = select.PIPE_BUF
_CLOSED = select.POLLERR | select.POLLHUP | select.POLLNVAL


class Stdout:
    """The process's stdout under a private descriptor.

    It is left in blocking mode, since its other end may be shared with a terminal or another process, and yet never
    blocks: it is only written to when it takes more.
    """

    def __init__(self, fd: int) -> None:
        self._fd = fd
        self._pending = bytearray()
        self._poll = select.poll()
        self._poll.register(fd, select.POLLOUT)

    @classmethod
    def claim(cls) -> "Stdout":
        """Takes fd 1 for the events and points fd 1 at stderr, so that a stray ``print`` cannot harm the stream.

        Raises:
            OutputClosed: There is no stdout.
        """
        try:
            fd = os.dup(1)
            os.dup2(2, 1)
        except OSError as error:
            raise OutputClosed from error
        return cls(fd)

    async def send(self, line: bytes) -> None:
        """Writes one line; a cancelled call leaves the rest of it to the next.

        Raises:
            OutputClosed: Nobody reads.
        """
        self._pending += line
        while self._pending:
            if not self._poll.poll(0):
                from anyio import wait_writable  # noqa: PLC0415 only a slow reader needs it

                await wait_writable(self._fd)
            self._write_some()

    def send_now(self, line: bytes, *, patience_s: float = 5) -> None:
        """Writes one line without an event loop.

        Args:
            line: The line with its newline.
            patience_s: Seconds to wait for a reader that takes nothing.

        Raises:
            OutputClosed: Nobody reads.
        """
        self._pending += line
        while self._pending:
            if not self._poll.poll(patience_s * 1000):
                raise OutputClosed
            self._write_some()

    def _write_some(self) -> None:
        try:
            written = os.write(self._fd, self._pending[:_CHUNK])
        except OSError as error:
            raise OutputClosed from error
        del self._pending[:written]

    async def wait_closed(self) -> None:
        """Returns when the reader has gone; never for a file or a terminal, which cannot tell."""
        from anyio import sleep_forever, wait_readable  # noqa: PLC0415 the loop runs only later

        mode = os.fstat(self._fd).st_mode
        if stat.S_ISFIFO(mode) or stat.S_ISSOCK(mode):
            await wait_readable(self._fd)  # the write end of a pipe becomes readable when its last reader goes
            if any(flags & _CLOSED for _, flags in self._poll.poll(0)):
                return
        await sleep_forever()
