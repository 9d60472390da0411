"""Diagnostics on stderr: never at the price of the run."""

import logging
import os
import select
from contextlib import suppress


def say(text: str) -> None:
    """Writes a line to stderr; what a log collector that is stuck does not take is lost, and nothing waits for it."""
    data = f"{text}\n".encode("utf-8", "backslashreplace")
    with suppress(OSError, ValueError):
        while data and select.select([], [2], [], 0)[1]:
            # A pipe that select() calls writable takes this much without blocking.
            data = data[os.write(2, data[: select.PIPE_BUF]) :]


class StderrHandler(logging.Handler):
    """Sends log records to ``say``."""

    def emit(self, record: logging.LogRecord) -> None:
        """Writes one record."""
        say(self.format(record))
