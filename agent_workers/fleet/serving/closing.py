"""The end of an attempt: of its run, or up to the next attempt."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from agent_workers.fleet.lines import WORKER_LOST, line
from agent_workers.fleet.scripts import Ended, Line
from agent_workers.fleet.serving.ending import Again, ending
from agent_workers.wire import dump

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from agent_workers.client.event import Event
    from agent_workers.fleet.scripts import Begun, Held
    from agent_workers.fleet.serving.sink import RunSink
    from agent_workers.protocol.v1.job import Job

    Kept = Callable[[bool], Awaitable[dict[str, Any] | None]]

_ECHOED = ("metadata", "subject", "user", "goal")


class Closing:
    """Ends an attempt.

    Args:
        job: The job.
        held: The run.
        begun: The attempt, as it has begun.
        sink: Where its events go.
    """

    def __init__(self, job: Job, held: Held, begun: Begun, sink: RunSink) -> None:
        self._job = job
        self._run = held.run
        self._begun = begun
        self._sink = sink

    def own(self, body: dict[str, Any]) -> tuple[Event, bytes]:
        """Returns a terminal event that no worker has written, and its line."""
        echoed = {name: self._job.request[name] for name in _ECHOED if self._job.request.get(name) is not None}
        seq = self._sink.last + 1
        return {**body, "seq": seq}, line(self._run, body | echoed, seq, prev=self._sink.head)

    async def end(self, event: Event, data: bytes, *, is_billed: bool, kept: Kept) -> bool:
        """Ends the run, or has it tried again; returns whether it has ended.

        Args:
            event: The terminal event.
            data: The event's line.
            is_billed: Whether the attempt has cost something.
            kept: Keeps the conversation, if the run ends; returns the body of a notice where it could not.

        Raises:
            LeaseLost: The run is another slot's by now.
        """
        what = ending(self._job, event, is_billed=is_billed, failures=self._begun.failures)
        notice = await kept(isinstance(what, Ended))
        if isinstance(what, Ended):
            await self._finish(event, data, what, notice)
            return True
        seq = event["seq"]
        last = Line(seq, line(self._run, self._retry(event, what), seq, prev=self._sink.head))
        await self._sink.again(what.delay_ms, is_failure=True, last=last)
        return False

    async def give_back(self, kept: Kept) -> bool:
        """Ends an attempt whose process is stopped, which is no failure; returns whether the run has ended.

        Raises:
            LeaseLost: The run is another slot's by now.
        """
        may_again = self._job.fields.attempts > 1
        notice = await kept(not may_again)
        if may_again:
            await self._sink.again(0, is_failure=False, last=None)
        else:
            event, data = self.own(WORKER_LOST)
            await self._finish(event, data, Ended("error", event["code"], is_dead=True), notice)
        return not may_again

    async def _finish(self, event: Event, data: bytes, ended: Ended, notice: dict[str, Any] | None) -> None:
        seq = event["seq"]
        if notice:
            await self._sink.take({**notice, "seq": seq}, line(self._run, notice, seq, prev=self._sink.head))
            seq += 1
            data = _without_session(data, seq, self._sink.head)
        await self._sink.end(seq, data, ended)

    def _retry(self, event: Event, again: Again) -> dict[str, Any]:
        body = {
            "type": "retry",
            "attempt": self._begun.attempt + 1,
            "max_attempts": self._job.fields.attempts,
            "delay_ms": again.delay_ms,
            "code": again.code,
        }
        return body | ({"http_status": event["http_status"]} if event.get("http_status") else {})


def _without_session(data: bytes, seq: int, prev: str | None) -> bytes:
    """Returns a terminal event with another number, and without a session that nobody can continue."""
    event = json.loads(data)
    event.pop("session_id", None)
    event.pop("prev", None)
    return dump({**event, "seq": seq} | ({"prev": prev} if prev else {}))
