"""What the provider's batch API has answered: how far a batch is, and the results, each of which begins a run."""

from __future__ import annotations

from contextlib import aclosing
from typing import TYPE_CHECKING, Literal

import anyio

from agent_workers.client.economy import ApiError, AuthError

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from agent_workers.batch.item import Line
    from agent_workers.batch.spool import Spool
    from agent_workers.batch.submission import Submission
    from agent_workers.client.economy import ApiBatch, ApiResult, EconomyLane

    Begin = Callable[[Line, ApiResult], Awaitable[None]]

_ATTEMPTS = 4
_PAUSE_S = 0.5
_GONE = (404, 410)

Finding = Literal["out", "read", "gone", "away"]


class Answers:
    """Looks at batches and reads their results.

    Args:
        lane: The batch API.
        spool: The lines.
        say: Tells the operator what is not told otherwise.
    """

    def __init__(self, lane: EconomyLane, spool: Spool, say: Callable[[str], None]) -> None:
        self._lane = lane
        self._spool = spool
        self._say = say
        self._said: set[str] = set()

    async def take(self, submission: Submission, waiting: set[int], begin: Begin) -> Finding:
        """Begins the runs of lines that have been answered; returns what has become of their batch.

        It is still ``out``; or was ``read`` to its end; or ``gone``; or ``away``: out of reach for this start.

        Args:
            submission: The lines.
            waiting: Those that wait for their answer; gets fewer.
            begin: Begins the run of a line.
        """
        assert submission.batch
        try:
            batch = await self._lane.get(submission.batch)
        except ApiError as error:
            return self._missed(submission, error)
        return await self._read_whole(submission, batch, waiting, begin) if batch.has_ended else "out"

    async def _read_whole(self, submission: Submission, batch: ApiBatch, waiting: set[int], begin: Begin) -> Finding:
        failures = 0
        while True:
            left, cut = len(waiting), None
            try:
                if await self._read(submission, batch.id, waiting, begin) >= batch.requests:
                    return "read"
            except ApiError as error:
                cut = error
            failures = 0 if len(waiting) < left else failures + 1
            if failures == _ATTEMPTS or isinstance(cut, AuthError) or (cut and cut.http_status in _GONE):
                return self._missed(submission, cut) if cut else "read"  # what it does not tell is not there
            await anyio.sleep(_PAUSE_S * 2**failures)

    async def _read(self, submission: Submission, batch_id: str, waiting: set[int], begin: Begin) -> int:
        """Reads the results; returns how many there are."""
        count = 0
        async with aclosing(self._lane.results(batch_id)) as results:
            async for result in results:
                count += 1
                number = submission.number_of(result.custom_id)
                if number in waiting and (line := self._spool.get(number)):
                    await begin(line, result)
                    waiting.discard(number)
                    submission.begun.add(number)
        return count

    def _missed(self, submission: Submission, error: ApiError) -> Finding:
        batch, words = submission.batch, error.cause or error.message
        if error.http_status in _GONE and submission.account == self._lane.account:
            self._say_once(f"the batch {batch} is gone; its lines run at once: {words}")
            return "gone"
        if error.http_status in _GONE:
            self._say_once(f"the batch {batch} is not here: it was sent with another key or to another address")
            return "away"
        self._say_once(f"the batch {batch} cannot be read now: {words}")
        return "away" if isinstance(error, AuthError) else "out"

    def _say_once(self, words: str) -> None:
        if words not in self._said:
            self._said.add(words)
            self._say(words)
