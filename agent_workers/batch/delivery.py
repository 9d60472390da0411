"""Has lines arrive at the provider's batch API once, whatever becomes of its answer."""

from __future__ import annotations

from contextlib import aclosing
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Literal, NamedTuple

import anyio

from agent_workers.client.economy import ApiError, AuthError
from agent_workers.wire import timestamp

if TYPE_CHECKING:
    from collections.abc import Sequence

    from agent_workers.batch.checkpoint import Checkpoint
    from agent_workers.batch.submission import Submission
    from agent_workers.client.economy import EconomyLane

_SENDING_S = 150
"""How long it may take to send some lines, which no stop breaks off but the second."""
_BEFORE = timedelta(days=2)
"""How far to look back for a batch, by the API's clock, where nothing else bounds it."""
_REFUSALS = range(400, 500)
_UNCLEAR = (408, 409)
_OVERLOADED = 529
_GONE = (400, 404, 410)


class Fate(NamedTuple):
    """What has become of lines that were sent.

    Attributes:
        kind: ``sent``; ``unknown``, where they may have arrived; ``unsent``, where they have not, and may later;
            ``refused``, where they never will.
        words: Why, unless they were sent.
        pause_s: How long the API asked to wait.
    """

    kind: Literal["sent", "unknown", "unsent", "refused"]
    words: str = ""
    pause_s: float = 0.0


class Delivery:
    """Sends lines, and looks for those that may have arrived.

    Before lines are sent, the checkpoint notes that they are; when they were, by which id they are known. Of the first
    without the second only the account's batches can tell whether they have arrived.

    Args:
        lane: The batch API.
        checkpoint: Keeps what is out.
    """

    def __init__(self, lane: EconomyLane, checkpoint: Checkpoint) -> None:
        self._lane = lane
        self._checkpoint = checkpoint
        self._sending: anyio.CancelScope | None = None

    async def send(self, submission: Submission, requests: Sequence[bytes]) -> Fate:
        """Sends some lines.

        Args:
            submission: The lines; learns to whom and when they were sent, and by which id they are known.
            requests: Their requests.
        """
        submission.after = await self._latest()
        submission.account = self._lane.account
        submission.at = timestamp(datetime.now(UTC))
        self._checkpoint.sending(submission)
        with anyio.move_on_after(_SENDING_S, shield=True) as self._sending:  # a batch that is to end lets it arrive
            try:
                self._note(submission, (await self._lane.create(requests)).id)
            except ApiError as error:
                return self._failed(submission, error)
            return Fate("sent")
        return Fate("unknown", "the batch API did not answer in time")

    def hurry(self) -> None:
        """Waits no longer for the answer to what is being sent; the next start finds out."""
        if self._sending:
            self._sending.cancel()

    async def find(self, submission: Submission) -> bool | None:
        """Looks for the batch of lines that may have arrived; says whether there is one, None where that will show.

        Raises:
            ApiError: Nobody can say now.
        """
        known = {each.batch for each in self._checkpoint.submissions} | submission.not_it
        submission.may_be = False
        since = timestamp(datetime.fromisoformat(submission.at) - _BEFORE)
        for batch in await self._lane.recent(since, submission.after):
            if batch.id in known or batch.requests != len(submission.digests):
                continue
            if not (batch.has_ended or (await self._lane.get(batch.id)).has_ended):  # a list may lag behind
                submission.may_be = True
            elif await self._is_of(batch.id, submission):
                self._note(submission, batch.id)
                return True
            else:
                submission.not_it.add(batch.id)
        return None if submission.may_be else False

    async def _is_of(self, batch_id: str, submission: Submission) -> bool:
        """Whether the results of a batch are of these lines, as the first of them tells."""
        try:
            async with aclosing(self._lane.results(batch_id)) as results:
                async for result in results:
                    return submission.number_of(result.custom_id) is not None
        except ApiError as error:
            if error.http_status not in _GONE:
                raise
        return False

    async def _latest(self) -> str | None:
        try:
            return await self._lane.latest()
        except ApiError:  # the next call tells more
            return None

    def _note(self, submission: Submission, batch_id: str) -> None:
        submission.batch = batch_id
        self._checkpoint.sent(submission)

    def _failed(self, submission: Submission, error: ApiError) -> Fate:
        words, pause_s = error.cause or error.message, (error.retry_after_ms or 0) / 1000
        if not _has_refused(error):
            return Fate("unknown", words, pause_s)
        self._checkpoint.withdrawn(submission)
        return Fate("unsent" if error.retryable else "refused", words, pause_s)


def _has_refused(error: ApiError) -> bool:
    """Whether there is surely no batch after this answer, or without one."""
    status = error.http_status
    if status is None:
        return isinstance(error, AuthError)  # there is no credential
    return (status in _REFUSALS and status not in _UNCLEAR) or status == _OVERLOADED
