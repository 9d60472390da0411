"""The thread that brings what waits into the database, for as long as that takes."""

from __future__ import annotations

import logging
import threading
import time
from typing import TYPE_CHECKING

from agent_workers.records.writing import Unavailable

if TYPE_CHECKING:
    from collections.abc import Callable

    from agent_workers.records.spool import Spool
    from agent_workers.records.writing import Writer

logger = logging.getLogger("agent_workers.records")

_FIRST_PAUSE_S = 0.2
_LONGEST_PAUSE_S = 30.0
_LEFTOVERS_S = 30.0


class Delivery:
    """Writes journals, those of this process and those that others have left.

    Args:
        spool: What waits.
        writer: Writes it.
        leave: Called at the end, when nothing is being written any more.
    """

    def __init__(self, spool: Spool, writer: Writer, leave: Callable[[], None]) -> None:
        self._spool = spool
        self._writer = writer
        self._leave = leave
        self._more = threading.Event()
        self._idle = threading.Condition()
        self._starting = threading.Lock()
        self._is_ending = False
        self._is_written = True
        self._is_down = False
        self._looked = float("-inf")
        self._thread: threading.Thread | None = None

    def wake(self) -> None:
        """Has the thread look for what waits; starts it where there is none."""
        with self._starting:
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="agent-workers-records", daemon=True)
                self._thread.start()
        self._more.set()

    @property
    def has_ended(self) -> bool:
        """Whether nothing is being written."""
        return self._thread is None or not self._thread.is_alive()

    def close(self, patience_s: float) -> bool:
        """Waits until all journals of this process are written; says whether they are.

        Args:
            patience_s: Seconds to wait at most. Where the database takes nothing, it is not waited for at all.
        """
        if self._is_ending:
            return self._is_written
        if self._thread is None:
            self._is_ending = True
            self._leave()
            return True
        with self._idle:
            self._idle.wait_for(lambda: self._is_down or not self._spool.own(), patience_s)
            self._is_written = not self._spool.own()
        self._is_ending = True
        self._more.set()
        self._thread.join(patience_s)  # it may be waiting for an answer; then it is left behind
        return self._is_written

    def _run(self) -> None:
        try:
            self._write_on()
        finally:
            self._leave()

    def _write_on(self) -> None:
        pause_s = _FIRST_PAUSE_S
        while not self._is_ending:
            self._more.clear()
            try:
                self._round()
            except Unavailable as error:
                self._note_down(str(error))
                self._pause(pause_s)
                pause_s = min(2 * pause_s, _LONGEST_PAUSE_S)
                continue
            except Exception:
                logger.exception("records could not be written; they are tried again")
                self._note_down("an error of this program")
                self._pause(_LONGEST_PAUSE_S)
                continue
            pause_s = _FIRST_PAUSE_S
            self._note_up()
            self._more.wait(_LEFTOVERS_S)

    def _round(self) -> None:
        self._drain_own()
        if time.monotonic() - self._looked > _LEFTOVERS_S:
            self._looked = time.monotonic()
            for journal in self._spool.leftovers():
                try:
                    self._writer.drain(self._spool, journal)
                finally:
                    journal.leave()
                if self._more.is_set():  # there may be many, and what runs now goes first
                    self._more.clear()
                    self._drain_own()

    def _drain_own(self) -> None:
        for journal in self._spool.own():
            if not journal.is_written or journal.is_closed:
                self._writer.drain(self._spool, journal)

    def _pause(self, seconds: float) -> None:
        """Waits before another try, however much comes meanwhile."""
        end = time.monotonic() + seconds
        while not self._is_ending and (left := end - time.monotonic()) > 0:
            self._more.wait(min(left, 1.0))
            if self._more.is_set() and not self._is_ending:
                self._more.clear()

    def _note_down(self, why: str) -> None:
        if not self._is_down:
            logger.warning("the database of the records takes nothing, they wait on disk: %s", why)
        with self._idle:
            self._is_down = True
            self._looked = float("-inf")  # what others have left waits for the same
            self._idle.notify_all()

    def _note_up(self) -> None:
        if self._is_down:
            logger.warning("the database takes records again")
        with self._idle:
            self._is_down = False
            self._idle.notify_all()
