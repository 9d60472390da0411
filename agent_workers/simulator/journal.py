"""The requests that the simulator got, and their outcomes."""

import time
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from threading import Condition
from typing import Any, Literal

Outcome = Literal["in_progress", "answered", "cut", "client_gone", "stopped"]
_KEPT = 200
_LOOK_S = 0.02
_SECRETS = frozenset({"authorization", "cookie", "proxy-authorization", "x-api-key"})


@dataclass
class Record:
    """One request and its outcome.

    ``headers`` have lower-case names and no secrets. ``body`` is the decoded JSON, or the text if it is not JSON.
    ``scenario`` and ``call`` say which answer a request for a message got, and ``usage`` which tokens the answer told;
    ``deltas`` is the number of deltas written.
    ``outcome``: "answered" in full (an HTTP error is an answer), "cut" by the scenario, "client_gone" before the end,
    "stopped" with the server, or still "in_progress".
    """

    method: str
    path: str
    headers: Mapping[str, str]
    body: Any
    status: int | None = None
    scenario: str | None = None
    call: int | None = None
    usage: Mapping[str, Any] | None = None
    deltas: int = 0
    outcome: Outcome = "in_progress"

    def end(self, outcome: Outcome) -> None:
        """Sets the outcome, unless there is one already."""
        if self.outcome == "in_progress":
            self.outcome = outcome


class Journal:
    """The last 200 requests. Any thread may read it or wait for it."""

    def __init__(self) -> None:
        self.count = 0
        self._statuses: Counter[int] = Counter()
        self._records: list[Record] = []
        self._changed = Condition()

    def open(self, method: str, path: str, headers: Mapping[str, str], body: object) -> Record:
        """Adds a request."""
        shown = {name: "[redacted]" if name in _SECRETS else value for name, value in headers.items()}
        record = Record(method, path, shown, body)
        with self._changed:
            self.count += 1
            self._records = [*self._records[-_KEPT + 1 :], record]
            self._changed.notify_all()
        return record

    def answer(self, record: Record, status: int) -> None:
        """Sets the HTTP status by which the answer to a request begins."""
        with self._changed:
            record.status = status
            self._statuses[status] += 1

    def statuses(self) -> Counter[int]:
        """Returns how many answers began by which HTTP status."""
        with self._changed:
            return self._statuses.copy()

    def close(self, record: Record, outcome: Outcome) -> None:
        """Sets the outcome of a request, unless there is one already."""
        with self._changed:
            record.end(outcome)
            self._changed.notify_all()

    def records(self) -> list[Record]:
        """Returns the requests, oldest first."""
        return list(self._records)

    def wait_for(self, condition: Callable[[list[Record]], bool], timeout_s: float) -> list[Record]:
        """Returns the requests as soon as the condition holds for them.

        Raises:
            TimeoutError: It does not hold in that time.
        """
        deadline = time.monotonic() + timeout_s
        with self._changed:
            while not condition(self._records):
                if time.monotonic() > deadline:
                    raise TimeoutError
                self._changed.wait(_LOOK_S)  # a record counts its deltas without notifying
            return self.records()

    def as_json(self) -> list[dict[str, Any]]:
        """Returns the requests as JSON objects."""
        return [asdict(record) for record in self._records]
