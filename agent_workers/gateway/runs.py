"""Where runs are made: what the routes ask of it, whether that is this machine or the fleet."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from collections.abc import Mapping

    from agent_workers.gateway.composing import Composed
    from agent_workers.gateway.feed import Feed
    from agent_workers.gateway.machines import Machines
    from agent_workers.gateway.owner import Owner
    from agent_workers.gateway.questions import Questions


class Runs(Protocol):
    """Runs of all owners. Somebody else's run is as one that there is not.

    Attributes:
        machines: Those of users that connect; None where none may.
    """

    machines: Machines | None = None

    async def start(self, composed: Composed, owner: Owner) -> Feed:
        """Has a run begin.

        Raises:
            Refusal: It cannot begin.
        """
        ...

    async def feed(self, run: str, owner: Owner) -> Feed | None:
        """Returns a run to read; None where there is none."""
        ...

    async def status(self, run: str, owner: Owner) -> dict[str, Any] | None:
        """Returns how far a run is, without its addresses; None where there is none."""
        ...

    async def questions(self, run: str, owner: Owner) -> Questions:
        """Returns what a run that goes on has asked.

        Raises:
            Refusal: There is no such run, or it has ended.
        """
        ...

    async def claim(self, run: str, name: str, until: float) -> bool:
        """Says whether an answer to a question is the first one, wherever it comes from.

        Args:
            run: The run.
            name: Names the question.
            until: When the question expires, in seconds since the epoch.
        """
        ...

    async def give_back(self, run: str, name: str) -> None:
        """Lets an answer that did not reach the run be given again."""
        ...

    async def tell(self, run: str, owner: Owner, message: Mapping[str, Any]) -> None:
        """Tells a run something, as a control message.

        Raises:
            Refusal: There is no such run, or it has ended.
        """
        ...

    def left(self, feed: Feed) -> None:
        """Hears that a reader of a run has gone."""
        ...

    def is_away(self, error: Exception) -> bool:
        """Whether something failed because what has the runs cannot be reached."""
        return False

    async def problem(self) -> str:
        """Says why no run can begin; empty where it can."""
        ...

    @property
    def running(self) -> int:
        """How many runs go on here, or are followed from here."""
        ...

    @property
    def kept_bytes(self) -> int:
        """Bytes of all events that are kept here."""
        ...

    async def leave(self, grace_s: float) -> None:
        """Ends what runs here, after a grace."""
        ...

    def hurry(self) -> None:
        """Ends what runs here, without the rest of its grace."""
        ...

    def tick(self) -> None:
        """Looks after what is kept; to be called about once a second."""
        ...
