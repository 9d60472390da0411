"""A batch of messages: what was asked, how far it is, and its object in the API."""

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Literal, get_args
from uuid import uuid4

from agent_workers.simulator.conversation import Cue
from agent_workers.simulator.scenario import Message, Stall
from agent_workers.simulator.settings import BatchSettings

Status = Literal["in_progress", "canceling", "ended"]
Outcome = Literal["succeeded", "errored", "canceled", "expired"]

_OUTCOMES = get_args(Outcome)
_LIFETIME = timedelta(hours=24)


@dataclass(frozen=True, slots=True)
class BatchRequest:
    """One request of a batch. ``params`` are compact JSON: ten thousand parsed ones would take much memory."""

    custom_id: str
    params: bytes
    cue: Cue

    @property
    def outcome(self) -> Outcome:
        """What becomes of it, unless the batch is canceled."""
        if isinstance(self.cue.step, Stall):
            return "expired"
        whole = isinstance(self.cue.step, Message) and self.cue.step.interruption is None
        return "succeeded" if whole else "errored"


class Batch:
    """A batch of messages. Any thread may read it.

    ``polls`` counts how often its status was read, ``reads`` how often its results were read to the end.
    """

    def __init__(self, requests: Sequence[BatchRequest], settings: BatchSettings) -> None:
        self.id = f"msgbatch_sim_{uuid4().hex}"
        self.requests = requests
        self.created_at = datetime.now(UTC)
        self.cancel_initiated_at: datetime | None = None
        self.ended_at: datetime | None = None
        self.polls = 0
        self.reads = 0
        self._settings = settings
        self._outcomes: Counter[str] = Counter(request.outcome for request in requests)
        self._cut = settings.partial

    @property
    def status(self) -> Status:
        """How far it is."""
        if self.ended_at is not None:
            return "ended"
        return "in_progress" if self.cancel_initiated_at is None else "canceling"

    @property
    def counts(self) -> Mapping[str, int]:
        """How many of its requests are ``processing``, and how many had which outcome."""
        found: Counter[str] = Counter()
        if self.ended_at is not None:
            found = self._outcomes if self.cancel_initiated_at is None else Counter(canceled=len(self.requests))
        return {"processing": len(self.requests) - found.total(), **{kind: found[kind] for kind in _OUTCOMES}}

    @property
    def custom_ids(self) -> list[str]:
        """What its requests are called, in the order in which they came."""
        return [request.custom_id for request in self.requests]

    def outcome(self, request: BatchRequest) -> Outcome:
        """Returns what has become of a request of this batch, once it has ended."""
        return request.outcome if self.cancel_initiated_at is None else "canceled"

    def params(self, custom_id: str) -> dict[str, Any]:
        """Returns what the request of that id asks for."""
        found: dict[str, Any] = json.loads(next(each.params for each in self.requests if each.custom_id == custom_id))
        return found

    def poll(self, *, held: bool) -> None:
        """Counts a reading of the status, and ends the batch if it is its time and it is not held."""
        self.polls += 1
        due = self.cancel_initiated_at is not None or (self._settings.ends and self.polls > self._settings.polls)
        if due and not held:
            self.end()

    def cancel(self) -> None:
        """Cancels all of it; the next reading of the status finds it ended."""
        self.cancel_initiated_at = self.cancel_initiated_at or datetime.now(UTC)

    def end(self) -> None:
        """Ends it now."""
        self.ended_at = self.ended_at or datetime.now(UTC)

    def cut(self) -> int | None:
        """Returns after how many lines this reading of its results is cut, None if it is whole."""
        cut, self._cut = self._cut, None
        return cut

    def as_json(self, address: str) -> dict[str, Any]:
        """Returns its object in the API. ``address`` is what the client calls this server."""
        return {
            "id": self.id,
            "type": "message_batch",
            "processing_status": self.status,
            "request_counts": self.counts,
            "created_at": _told(self.created_at),
            "expires_at": _told(self.created_at + _LIFETIME),
            "ended_at": _told(self.ended_at),
            "cancel_initiated_at": _told(self.cancel_initiated_at),
            "archived_at": None,
            "results_url": f"{address}/v1/messages/batches/{self.id}/results" if self.ended_at else None,
        }


def _told(moment: datetime | None) -> str | None:
    return moment.isoformat(timespec="microseconds").replace("+00:00", "Z") if moment else None
