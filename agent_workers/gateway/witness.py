"""Who hears what runs say besides their readers: the application, by webhooks, and its records."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from agent_workers.gateway.composing import Composed


class Witness(Protocol):
    """Who hears of all runs that are started here."""

    def begin(self, composed: Composed, tenant: str | None) -> None:
        """Hears of a run before it begins."""
        ...

    def hear(self, run: str, line: bytes, event: Mapping[str, Any]) -> None:
        """Hears an event of a run, as it was written and read."""
        ...

    def told(self, run: str, message: Mapping[str, Any]) -> None:
        """Hears what a run is told."""
        ...

    def forget(self, run: str) -> None:
        """Hears that a run could not begin."""
        ...

    def lose(self, run: str) -> None:
        """Hears that nobody has a run any more."""
        ...

    def expects(self, run: str) -> bool:
        """Whether it waits for a run's end."""
        ...


class Witnesses(Witness):
    """Several of them.

    Args:
        each: All of them.
    """

    def __init__(self, each: Iterable[Witness] = ()) -> None:
        self._each = tuple(each)

    def begin(self, composed: Composed, tenant: str | None) -> None:
        """Hears of a run before it begins."""
        for witness in self._each:
            witness.begin(composed, tenant)

    def hear(self, run: str, line: bytes, event: Mapping[str, Any]) -> None:
        """Hears an event of a run."""
        for witness in self._each:
            witness.hear(run, line, event)

    def told(self, run: str, message: Mapping[str, Any]) -> None:
        """Hears what a run is told."""
        for witness in self._each:
            witness.told(run, message)

    def forget(self, run: str) -> None:
        """Hears that a run could not begin."""
        for witness in self._each:
            witness.forget(run)

    def lose(self, run: str) -> None:
        """Hears that nobody has a run any more."""
        for witness in self._each:
            witness.lose(run)

    def expects(self, run: str) -> bool:
        """Whether any of them waits for a run's end."""
        return any(witness.expects(run) for witness in self._each)
