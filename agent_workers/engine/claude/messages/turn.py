"""What becomes of a run's turn in its session: whether it was saved, and whether it stays."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

import anyio

from agent_workers.engine.answer.session_notices import DROPPED, NOT_SAVED, PAST_REFUSED
from agent_workers.errors import ContextOverflow, RequestRejected

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from agent_workers.engine.base import Progress
    from agent_workers.engine.claude.launch.transcript import Transcript
    from agent_workers.errors import WorkerError
    from agent_workers.protocol.v1.events import Notice

logger = logging.getLogger("agent_workers")

# The CLI saves before it reports the result. Only where it did not, it gets this time.
_PATIENCE_S = 1
_POLL_S = 0.05


class Turn:
    """The turn that a run adds to its session.

    Args:
        transcript: The session's file.
        prompt_id: The UUID of the prompt's message.
        progress: The run's progress.
    """

    def __init__(self, transcript: Transcript, prompt_id: str, progress: Progress) -> None:
        self._transcript = transcript
        self._prompt_id = prompt_id
        self._progress = progress
        self._over = False
        self._refused = False
        self._rejected = False

    async def end(
        self, latest: str | None, error: WorkerError | None, *, refused: bool, gone: Callable[[], bool]
    ) -> None:
        """Notes how the turn ended, and checks whether it was saved.

        Args:
            latest: The UUID of the model's latest message; None where there is none.
            error: Why the run failed, where it did.
            refused: Whether the model refused to answer.
            gone: Tells whether the CLI has ended and saves nothing more.
        """
        self._over = True
        self._rejected = isinstance(error, RequestRejected)
        self._refused = refused or self._rejected or isinstance(error, ContextOverflow)
        if self._progress.session_id is not None:
            self._progress.saved = await self._is_saved(latest or self._prompt_id, gone)

    async def _is_saved(self, message_id: str, gone: Callable[[], bool]) -> bool:
        with anyio.move_on_after(_PATIENCE_S):
            while not self._transcript.holds(message_id):
                if gone():
                    break
                await anyio.sleep(_POLL_S)
            else:
                return True
        return self._transcript.holds(message_id)

    def notices(self) -> Iterator[Notice]:
        """Yields what the application must know of the session before the run's terminal event."""
        if not self._over and self._progress.session_id is not None:
            # The run was stopped or its agent crashed. What is not saved yet will be, where the disk has room.
            self._progress.saved = self._transcript.holds(self._prompt_id) or self._transcript.is_writable()
        if not self._progress.saved:
            yield NOT_SAVED
        elif self._refused:
            yield DROPPED
            if self._rejected and self._transcript.blames_the_past(self._prompt_id):
                yield PAST_REFUSED

    def settle(self, strays: Sequence[str] = ()) -> None:
        """Removes a refused turn from the session. The CLI has ended, and no other run writes the session yet.

        Args:
            strays: UUIDs of messages that are no part of the run, though the CLI may have begun a turn of them.
        """
        refused = [self._prompt_id] if self._refused else []
        self._refused = False
        if not self._progress.saved:
            return
        try:
            for prompt in (*strays, *refused):
                if prompt == self._prompt_id or self._transcript.holds(prompt):
                    self._transcript.take_back(prompt)
        except OSError as error:
            logger.warning("a turn that does not count stays in the session: %s", error.strerror)
