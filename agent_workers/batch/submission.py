"""Lines that were sent to the provider's batch API together."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any


@dataclass(slots=True, eq=False)
class Submission:
    """Some lines, from the moment that they are about to be sent.

    Attributes:
        nonce: Begins the ``custom_id`` of each of its requests, and of no other's.
        at: When it was about to be sent, RFC 3339 in UTC.
        digests: The digests of its lines, by their numbers.
        account: Tells the account that it was sent to from others.
        after: The account's latest batch before it; None where there was none, or nobody knows.
        batch: The batch's id at the API; None while it is not known whether it arrived.
        paid: Lines whose answers an earlier start has taken and counted, though their runs came to nothing.
        begun: Lines whose runs have begun in this start.
        not_it: Batches that may be taken for it and are not, as this start has found.
        may_be: Whether there are batches that may be it, which only their end will tell.
    """

    nonce: str
    at: str = ""
    digests: dict[int, str] = field(default_factory=dict)
    account: str = ""
    after: str | None = None
    batch: str | None = None
    paid: set[int] = field(default_factory=set)
    begun: set[int] = field(default_factory=set)
    not_it: set[str] = field(default_factory=set)
    may_be: bool = False

    def custom_id(self, number: int) -> str:
        """Returns the id of the request of a line."""
        return f"{self.nonce}-{number}"

    def number_of(self, custom_id: str) -> int | None:
        """Returns the number of the line that a result is of; None where it is of none of these."""
        nonce, _, number = custom_id.partition("-")
        found = int(number) if nonce == self.nonce and number.isdecimal() else None
        return found if found in self.digests else None

    def to_json(self) -> dict[str, Any]:
        """Returns what a checkpoint keeps before it is sent."""
        whom = {"account": self.account, "after": self.after}
        return {"sending": self.nonce, "at": self.at, **whom, "lines": list(self.digests.items())}


def submission_of(entry: dict[str, Any]) -> Submission:
    """Reads what a checkpoint has kept."""
    digests = {int(number): str(digest) for number, digest in entry["lines"]}
    return Submission(str(entry["sending"]), str(entry["at"]), digests, str(entry["account"]), entry["after"])
