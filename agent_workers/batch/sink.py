"""Where a batch tells what happens."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from agent_workers.batch.result import Record
    from agent_workers.client.event import Event


class Sink(Protocol):
    """Where a batch tells what happens."""

    async def event(self, event: Event) -> None:
        """Takes each event of each run; of a run that is tried again no terminal one.

        Raises:
            OutputClosed: Nobody reads it any more.
        """
        ...

    async def record(self, record: Record) -> None:
        """Takes what a line has come to.

        Raises:
            OutputClosed: Nobody reads it any more.
        """
        ...

    def hurry(self) -> None:
        """Learns that the batch is to end at once: a reader that takes nothing is not waited for any longer."""
        ...
