"""Records what runs say in the operator's database: ``docs/records.md``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from agent_workers.gateway.witness import Witness
from agent_workers.protocol.v1.envelope import TERMINAL

if TYPE_CHECKING:
    from collections.abc import Mapping

    from agent_workers.gateway.composing import Composed
    from agent_workers.records import Recorder, Recording


class RunRecords(Witness):
    """The records of the runs that are started here.

    Args:
        recorder: Writes them.
    """

    def __init__(self, recorder: Recorder) -> None:
        self._recorder = recorder
        self._open: dict[str, Recording] = {}

    def begin(self, composed: Composed, tenant: str | None) -> None:
        """Writes the question down; see ``Witness.begin``."""
        known: dict[str, Any] = {"worker": composed.preset.worker, "tenant": tenant}
        known["conversation_id"] = composed.conversation
        said = {name: value for name, value in known.items() if value is not None}
        self._open[composed.run] = self._recorder.begin(composed.request, run=composed.run, **said)

    def hear(self, run: str, line: bytes, event: Mapping[str, Any]) -> None:
        """Takes an event of a run."""
        if recording := self._open.get(run):
            recording.take(event, line)
            if event["type"] in TERMINAL:
                self._open.pop(run).end()

    def told(self, run: str, message: Mapping[str, Any]) -> None:
        """Takes what a run is told."""
        if recording := self._open.get(run):
            recording.told(message)

    def forget(self, run: str) -> None:
        """Ends the record of a run that could not begin."""
        self.lose(run)

    def lose(self, run: str) -> None:
        """Ends the record of a run that nobody has any more."""
        if recording := self._open.pop(run, None):
            recording.end()

    def expects(self, run: str) -> bool:
        """Whether a run is being recorded."""
        return run in self._open

    def close(self) -> None:
        """Leaves what goes on to whoever records it next, and waits for the database a while."""
        for recording in self._open.values():
            recording.leave()
        self._recorder.close()
