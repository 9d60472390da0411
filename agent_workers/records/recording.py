"""Takes the events of one run, and has them written."""

from __future__ import annotations

import logging
from contextlib import suppress
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from agent_workers.records.about import moment
from agent_workers.wire import timestamp

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import Any

    from agent_workers.records.changes import Change
    from agent_workers.records.delivery import Delivery
    from agent_workers.records.journal import Journal
    from agent_workers.records.spool import Spool
    from agent_workers.records.transcript import Transcript

logger = logging.getLogger("agent_workers.records")


def now() -> str:
    """Returns the time, as in a row."""
    found = moment(timestamp(datetime.now(UTC)))
    assert found
    return found


def write_alone(change: Change, spool: Spool, delivery: Delivery) -> None:
    """Has one change written; raises nothing."""
    try:
        journal = spool.begin()
        spool.append(journal, [change])
        spool.close(journal)
        delivery.wake()
    except Exception:
        logger.exception("a part of a run is not recorded")


class Recording:
    """Takes the events of one run. None of its methods raises, or waits for a database."""

    def __init__(self, transcript: Transcript, spool: Spool, delivery: Delivery) -> None:
        self._transcript = transcript
        self._spool = spool
        self._delivery = delivery
        self._journal: Journal | None = None
        self._is_over = False
        try:
            self._journal = spool.begin()
        except OSError as error:
            logger.error("a run is not recorded, since nothing can wait on the disk: %s", error.strerror)
            self._is_over = True
        self._add(transcript.begin)

    def take(self, event: Mapping[str, Any], line: bytes = b"") -> None:
        """Takes an event, with its line where lines are chained."""
        self._add(lambda: self._transcript.take(event, line))

    def told(self, message: Mapping[str, Any]) -> None:
        """Takes a control message that the run is sent."""
        with suppress(Exception):
            self._transcript.told(message)

    def end(self, code: str = "worker_lost") -> None:
        """Ends it; a run without a terminal event ends with this error, or with ``aborted`` where it is empty."""
        self._add(lambda: self._transcript.lose(now(), code))
        self.leave()

    def leave(self) -> None:
        """Ends it as it stands: another process records what the run says from now on."""
        if not self._is_over and self._journal:
            self._is_over = True
            self._spool.close(self._journal)
            self._delivery.wake()

    def _add(self, changes_of: Callable[[], list[Change]]) -> None:
        if self._is_over or self._journal is None:
            return
        try:
            changes = changes_of()
            if changes:
                self._spool.append(self._journal, changes)
                self._delivery.wake()
        except Exception:
            logger.exception("a part of a run is not recorded")
