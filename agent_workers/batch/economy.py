"""The economy lane of a batch: lines that wait for the provider's batch API, over as many starts as that takes.

Before lines are sent, the checkpoint notes that they are; when they were, by which id they are known. A start that
finds the first without the second looks among the account's batches for its own, so that nothing is sent twice.
"""

from __future__ import annotations

import secrets
from contextlib import aclosing
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import anyio

from agent_workers.batch.checkpoint import CheckpointUnusable
from agent_workers.batch.item import BadLine, read_item
from agent_workers.batch.spool import Spool
from agent_workers.batch.submission import Submission
from agent_workers.client.economy import MOST_BYTES, MOST_REQUESTS, ApiError, ApiResult
from agent_workers.wire import timestamp

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterator

    from agent_workers.batch.checkpoint import Checkpoint
    from agent_workers.batch.item import Item, Line
    from agent_workers.client.aio import AsyncRun
    from agent_workers.client.economy import ApiBatch, EconomyLane

    Begin = Callable[[Line, ApiResult], Awaitable[None]]

_ATTEMPTS = 4
_PAUSE_S = 0.5
_FIRST_POLL_S = 1.0
_LONGEST_POLL_S = 60.0
_SENDING_S = 150
"""How long it may take to send some lines, which nothing breaks off."""
_CLOCKS = timedelta(minutes=5)
_GONE = 404


class Economy:
    """The lane of one start.

    Args:
        lane: The batch API.
        checkpoint: Keeps what is out.
        workers: The names that a line's ``worker`` may have.
        usual: The worker of lines that name none.
        wait: Whether to wait for what is out.
        say: Tells the operator what is not told otherwise.

    Attributes:
        out: How many lines are out.
        since: When the first of them was sent, RFC 3339; None where none is.
    """

    def __init__(
        self,
        lane: EconomyLane,
        checkpoint: Checkpoint,
        *,
        workers: list[str],
        usual: str | None,
        wait: bool,
        say: Callable[[str], None],
    ) -> None:
        self._lane = lane
        self._checkpoint = checkpoint
        self._workers = workers
        self._usual = usual
        self._wait = wait
        self._say = say
        self._spool = Spool()
        self._open = [each for each in checkpoint.submissions if self._unsettled(each)]
        self._of = {number: each for each in self._open for number in each.digests}
        self._next = self._new()
        self._requests: list[bytes] = []
        self._bytes = 0
        self._again: list[int] = []  # lines that run at once after all

    @property
    def out(self) -> int:
        """How many lines are out."""
        return sum(len(list(self._unsettled(each))) for each in self._open) + len(self._requests)

    @property
    def since(self) -> str | None:
        """When the first of the lines that are out was sent."""
        return min((each.at for each in self._open), default=None)

    async def takes(self, line: Line) -> bool:
        """Takes a line that may wait; says whether it does.

        Raises:
            CheckpointUnusable: It was another line when it was sent.
        """
        sent = self._of.get(line.number)
        if sent is not None:
            if sent.digests[line.number] != line.digest:
                raise CheckpointUnusable(
                    f"line {line.number} was another one when it was sent to the batch API. "
                    "Start with the same lines in the same order, or name another checkpoint."
                )
            self._spool.add(line)
            return True
        try:
            item = read_item(line, self._workers, self._usual)
        except BadLine:
            return False
        request = self._lane.request_line(item.worker, item.request, self._next.custom_id(line.number))
        if request is None:
            return False
        self._spool.add(line)
        self._next.digests[line.number] = line.digest
        self._requests.append(request)
        self._bytes += len(request)
        if len(self._requests) >= MOST_REQUESTS or self._bytes >= MOST_BYTES:
            await self._send()
        return True

    async def settle(self, begin: Begin) -> None:
        """Sends what is left, and begins the runs of what has been answered; with ``wait`` of all.

        Args:
            begin: Begins the run of a line whose first call has this result.
        """
        await self._send()
        poll_s = _FIRST_POLL_S
        while True:
            for each in [each for each in self._open if each.batch is None]:
                await self._deliver(each, self._requests_of(each))
            for each in [each for each in self._open if each.batch is not None]:
                await self._look(each, begin)
            while self._again:
                if line := self._spool.get(self._again.pop()):
                    await begin(line, ApiResult(""))
            if not self._open or not self._wait:
                return
            await anyio.sleep(poll_s)
            poll_s = min(_LONGEST_POLL_S, poll_s * 2)

    def run(self, item: Item, answered: ApiResult | None) -> AsyncRun:
        """Returns the run of a line that was sent.

        Args:
            item: What it asks for.
            answered: What its first call has come to; None for a run that is made at once.
        """
        if answered is None:
            return self._lane.run_live(item.worker, item.request)
        return self._lane.run(item.worker, item.request, answered)

    def close(self) -> None:
        """Removes what was kept for this start."""
        self._spool.close()

    def _new(self) -> Submission:
        return Submission(secrets.token_hex(8), timestamp(datetime.now(UTC)), {})

    def _unsettled(self, submission: Submission) -> Iterator[int]:
        """Yields the numbers of those of its lines that no start has settled."""
        return (number for number in submission.digests if number not in self._checkpoint.settled)

    # Sending

    async def _send(self) -> None:
        if not self._requests:
            return
        submission, requests = self._next, self._requests
        submission.at = timestamp(datetime.now(UTC))
        self._next, self._requests, self._bytes = self._new(), [], 0
        self._open.append(submission)
        self._checkpoint.sending(submission)
        with anyio.move_on_after(_SENDING_S, shield=True):  # a batch that is to end lets it arrive
            await self._deliver(submission, requests, is_new=True)

    async def _deliver(self, submission: Submission, requests: list[bytes], *, is_new: bool = False) -> None:
        """Sends some lines, unless they have arrived before."""
        words = ""
        for attempt in range(_ATTEMPTS):
            try:
                if not (is_new and attempt == 0) and await self._find(submission):
                    return
                if requests:
                    self._note_sent(submission, await self._lane.create(requests))
                return
            except ApiError as error:
                words = error.cause or error.message
                if not error.retryable:
                    break
                await anyio.sleep((error.retry_after_ms or _PAUSE_S * 1000 * 2**attempt) / 1000)
        else:
            self._say(f"{len(requests)} lines could not be sent to the batch API, and wait: {words}")
            return
        self._say(f"the batch API does not take {len(requests)} lines, which run at once: {words}")
        self._give_up(submission)

    async def _find(self, submission: Submission) -> bool:
        """Looks for a batch that can only be of these lines; says whether there is one."""
        known = {each.batch for each in self._checkpoint.submissions} | submission.not_it
        for batch in reversed(await self._lane.recent(_earlier(submission.at))):
            if batch.requests == len(submission.digests) and batch.id not in known:
                self._note_sent(submission, batch)
                return True
        return False

    def _note_sent(self, submission: Submission, batch: ApiBatch) -> None:
        submission.batch = batch.id
        self._checkpoint.sent(submission)

    def _requests_of(self, submission: Submission) -> list[bytes]:
        """Returns the requests of lines once more, so far as they were read in this start."""
        found = []
        for number in submission.digests:
            line = self._spool.get(number)
            if line is None:
                return []  # it would be another batch
            item = read_item(line, self._workers, self._usual)
            if request := self._lane.request_line(item.worker, item.request, submission.custom_id(number)):
                found.append(request)
        return found

    # Results

    async def _look(self, submission: Submission, begin: Begin) -> None:
        """Begins the runs of lines that have been answered."""
        assert submission.batch
        try:
            batch = await self._lane.get(submission.batch)
        except ApiError as error:
            if error.http_status == _GONE:
                self._say(f"the batch {submission.batch} is gone; its lines run at once")
                self._give_up(submission)
            return
        if not batch.has_ended:
            return
        waiting = {number for number in self._unsettled(submission) if self._spool.get(number)}
        for attempt in range(_ATTEMPTS):
            try:
                if await self._read(submission, waiting, begin):
                    break
                return
            except ApiError as error:
                if attempt + 1 == _ATTEMPTS:
                    self._say(f"results of {submission.batch} cannot be read now: {error.cause or error.message}")
                    return
                await anyio.sleep(_PAUSE_S * 2**attempt)
        self._again += waiting
        self._open.remove(submission)

    async def _read(self, submission: Submission, waiting: set[int], begin: Begin) -> bool:
        """Reads the results of a batch; says whether it is of these lines."""
        assert submission.batch
        async with aclosing(self._lane.results(submission.batch)) as results:
            async for result in results:
                number = submission.number_of(result.custom_id)
                if number is None:
                    submission.not_it.add(submission.batch)
                    submission.batch = None
                    self._checkpoint.sent(submission)
                    return False
                if number in waiting and (line := self._spool.get(number)):
                    await begin(line, result)
                    waiting.discard(number)
        return True

    def _give_up(self, submission: Submission) -> None:
        self._again += self._unsettled(submission)
        self._open.remove(submission)
        self._checkpoint.withdrawn(submission)


def _earlier(moment: str) -> str:
    """Returns a time a little before, for the API's clock is another."""
    return timestamp(datetime.fromisoformat(moment) - _CLOCKS)
