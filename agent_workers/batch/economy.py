"""The economy lane of a batch: lines that wait for the provider's batch API, over as many starts as that takes."""

from __future__ import annotations

from itertools import count
from typing import TYPE_CHECKING

import anyio

from agent_workers.batch.answers import Answers
from agent_workers.batch.checkpoint import CheckpointUnusable
from agent_workers.batch.delivery import Delivery
from agent_workers.batch.item import read_item
from agent_workers.batch.parcels import Parcels
from agent_workers.batch.spool import Spool
from agent_workers.client.economy import MOST_BYTES, MOST_REQUESTS, ApiError, ApiResult

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator

    from agent_workers.batch.answers import Begin
    from agent_workers.batch.checkpoint import Checkpoint
    from agent_workers.batch.item import Item, Line
    from agent_workers.batch.submission import Submission
    from agent_workers.client.aio import AsyncRun
    from agent_workers.client.economy import EconomyLane

_ROUNDS = 4
"""How often a start that does not wait tries to send its lines."""
_FIRST_POLL_S = 1.0
_LONGEST_S = 60.0


class Economy:
    """The lane of one start.

    Args:
        lane: The batch API.
        checkpoint: Keeps what is out.
        workers: The names that a line's ``worker`` may have.
        usual: The worker of lines that name none.
        wait: Whether to wait for what is out.
        say: Tells the operator what is not told otherwise.
        most_requests: Lines that are sent together at most.
        most_bytes: Bytes of their requests, likewise.

    Attributes:
        notes: What the operator was told.
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
        most_requests: int = MOST_REQUESTS,
        most_bytes: int = MOST_BYTES,
    ) -> None:
        self._lane = lane
        self._checkpoint = checkpoint
        self._workers = workers
        self._usual = usual
        self._wait = wait
        self.notes: list[str] = []
        self._tell = say
        self._spool = Spool()
        self._delivery = Delivery(lane, checkpoint)
        self._parcels = Parcels(
            lane, self._delivery, self._spool, self._add, most_requests=most_requests, most_bytes=most_bytes
        )
        self._answers = Answers(lane, self._spool, self._say)
        self._open: list[Submission] = []
        self._of: dict[int, Submission] = {}
        for each in checkpoint.submissions:
            if any(self._left(each)):
                self._add(each)
        self._earlier = tuple(self._open)
        self._away: set[str] = set()  # nonces of what cannot be reached in this start
        self._again: list[int] = []  # lines that run at once after all
        self._held: set[int] = set()  # lines whose runs were begun and may not run now

    @property
    def out(self) -> int:
        """How many lines are out, or are to be sent."""
        left = sum(sum(1 for _ in self._left(each)) for each in self._open)
        return left + len(self._held) + len(self._parcels.unsent)

    @property
    def since(self) -> str | None:
        """When the first of the lines that are out was sent, RFC 3339; None where none was."""
        return min((each.at for each in (*self._open, *(self._of[number] for number in self._held))), default=None)

    def run(self, item: Item, answered: ApiResult | None) -> AsyncRun:
        """Returns the run of a line of the engine messages.

        Args:
            item: What it asks for.
            answered: What its first call has come to; None for a run that is made at once.
        """
        if answered is None:
            return self._lane.run_live(item.worker, item.request)
        sent = self._of.get(item.line.number)
        is_paid = sent is not None and item.line.number in sent.paid
        return self._lane.run(item.worker, item.request, answered, is_paid=is_paid)

    def not_run(self, line: Line) -> None:
        """Learns that the run of a line that was begun has not begun after all: the line is left for another start."""
        if self._of.get(line.number) in self._checkpoint.submissions:
            self._held.add(line.number)

    def has(self, line: Line) -> bool:
        """Whether an earlier start has sent a line."""
        return line.number in self._of

    def unpack(self) -> bool:
        """Sends nothing of what has not been sent; says whether that is something."""
        return self._parcels.unpack()

    def hurry(self) -> None:
        """Learns that the batch is to end at once."""
        self._delivery.hurry()

    def close(self) -> None:
        """Removes what was kept for this start."""
        self._spool.close()

    async def takes(self, item: Item, named: set[str], *, apart: str) -> bool:
        """Takes a line that may wait; says whether it does.

        Args:
            item: What the line asks for.
            named: The ids that earlier requests have brought for their runs; gets this one's.
            apart: Why another program runs it; empty where the engine messages does.

        Raises:
            CheckpointUnusable: It was another line when it was sent, or the checkpoint cannot be written.
        """
        line, sent = item.line, self._of.get(item.line.number)
        if sent and sent.digests[line.number] != line.digest:
            raise CheckpointUnusable(
                f"line {line.number} was another one when it was sent to the batch API. "
                "Start with the same lines in the same order, or name another checkpoint."
            )
        if sent:
            self._spool.add(line)
        elif item.run in named or not await self._parcels.put(item, apart=apart):
            return False
        if item.run != line.run:
            named.add(item.run)
        return True

    async def settle(self, begin: Begin) -> None:
        """Sends what is left, and begins the runs of what has been answered; with ``wait`` of all.

        Args:
            begin: Begins the run of a line whose first call has this result.

        Raises:
            CheckpointUnusable: It cannot be written.
        """
        await self._find(self._earlier)
        await self._send()
        self._tell_others()
        pause_s = _FIRST_POLL_S
        for rounds in count(1):
            await self._look(begin)
            if not self._goes_on(rounds):
                break
            await anyio.sleep(max(pause_s, self._parcels.pause_s))
            pause_s, self._parcels.pause_s = min(_LONGEST_S, pause_s * 2), 0.0
            await self._find(self._open)
            await self._send()
        self._tell_trouble()

    async def _find(self, among: Collection[Submission]) -> None:
        """Looks for lines that may have arrived; what has not is to be sent again."""
        for each in [each for each in among if each.batch is None and each.nonce not in self._away]:
            try:
                found = await self._delivery.find(each)
            except ApiError as error:
                self._parcels.trouble = error.cause or error.message
                continue
            if found is False and each.account != self._lane.account:
                self._away.add(each.nonce)
                self._parcels.trouble = "another key or address was in use when they were sent"
            elif found is False:
                self._checkpoint.withdrawn(each)
                self._open.remove(each)
                self._parcels.unsent += self._here(each)

    async def _send(self) -> None:
        numbers, self._parcels.unsent = self._parcels.unsent, []
        for number in numbers:
            if line := self._spool.get(number):
                item = read_item(line, self._workers, self._usual)
                if not await self._parcels.put(item):
                    self._again.append(number)
        await self._parcels.send()
        if refused := self._parcels.refused:
            words = self._parcels.trouble
            self._say(f"the batch API does not take {_lines(len(refused))}, which run at once: {words}")
            self._again += refused
            self._parcels.refused = []

    async def _look(self, begin: Begin) -> None:
        """Begins the runs of what has been answered, and of what will not be."""
        for each in [each for each in self._open if each.batch and each.nonce not in self._away]:
            waiting = set(self._here(each))
            found = await self._answers.take(each, waiting, begin)
            if found == "away":
                self._away.add(each.nonce)
            elif found != "out":
                self._open.remove(each)
                self._again += waiting
            if found == "gone":
                self._checkpoint.withdrawn(each)
        while self._again:
            if line := self._spool.get(self._again.pop()):
                await begin(line, ApiResult(""))

    def _goes_on(self, rounds: int) -> bool:
        """Whether this start is to look again."""
        unsent, near = bool(self._parcels.unsent), [each for each in self._open if each.nonce not in self._away]
        if self._wait:
            return unsent or any(self._here(each) for each in near)
        unsent = unsent or any(each.batch is None and not each.may_be for each in near)
        return unsent and rounds < _ROUNDS and self._parcels.pause_s <= _LONGEST_S

    def _add(self, submission: Submission) -> None:
        self._open.append(submission)
        self._of |= dict.fromkeys(submission.digests, submission)

    def _left(self, submission: Submission) -> Iterator[int]:
        """Yields the numbers of those of its lines that no start has settled, and this one has not begun."""
        settled, begun = self._checkpoint.settled, submission.begun
        return (number for number in submission.digests if number not in settled and number not in begun)

    def _here(self, submission: Submission) -> list[int]:
        """Returns those of them that were given to this start."""
        return [number for number in self._left(submission) if number in self._spool]

    def _tell_trouble(self) -> None:
        lost = [number for each in self._open if each.batch is None for number in self._left(each)]
        if (unsent := [*self._parcels.unsent, *lost]) and self._parcels.trouble:
            self._say(f"{_lines(len(unsent))} could not be sent to the batch API for sure: {self._parcels.trouble}")

    def _tell_others(self) -> None:
        """Says why lines are not for this lane."""
        if others := self._parcels.others:
            why = ", ".join(f"{number} {words}" for words, number in others.most_common())
            has_some = self._of or self._parcels.unsent or self._again
            which = f"{_lines(others.total())} outside" if has_some else "no line is for"
            self._say(f"{which} the economy lane: {why}")

    def _say(self, words: str) -> None:
        self.notes.append(words)
        self._tell(words)


def _lines(number: int) -> str:
    return "1 line" if number == 1 else f"{number} lines"
