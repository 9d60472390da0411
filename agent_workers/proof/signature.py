"""A signature of what a person decided, in the form that ``docs/transcripts.md`` describes for everybody."""

from __future__ import annotations

import hmac
import json
import re
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

NOTHING = "-"
_FORM = re.compile(
    r"v1=(?P<key>[0-9a-f]{8}):(?P<time>[0-9]{1,12}):(?P<shown>[0-9a-f]{64}):(?P<given>[0-9a-f]{64}|-)"
    r":(?P<actor>[0-9a-f]{16}|-):(?P<mac>[0-9a-f]{64})"
)
_ACTOR_LENGTH = 16


@dataclass(frozen=True, slots=True)
class Signature:
    """What stands in a signature.

    Attributes:
        key: Id of the key.
        time: When it was signed, in seconds since the epoch.
        shown: SHA-256 of the line of the question, as it was shown.
        given: SHA-256 of the changed input, or of the answers, as canonical JSON; ``-`` for neither.
        actor: Which actor, shortened, so that a changed one can be named; ``-`` for nobody.
        mac: HMAC-SHA256 of the statement.
    """

    key: str
    time: str
    shown: str
    given: str
    actor: str
    mac: str

    def is_of(self, key: bytes, statement: dict[str, str]) -> bool:
        """Tells whether it is the key's, of this statement."""
        wanted = {**statement, "given": self.given, "key": self.key, "shown": self.shown, "time": self.time, "v": "1"}
        return hmac.compare_digest(self.mac, hmac.new(key, canonical(wanted), sha256).hexdigest())

    def is_by(self, actor: str) -> bool:
        """Tells whether it names this actor."""
        return self.actor == named(actor)


def parse(text: object) -> Signature | None:
    """Reads a signature; returns None where it has another form."""
    found = _FORM.fullmatch(text) if isinstance(text, str) else None
    return Signature(**found.groupdict()) if found else None


def named(actor: str) -> str:
    """Returns how a signature names an actor."""
    return sha256(actor.encode("utf-8", "replace")).hexdigest()[:_ACTOR_LENGTH] if actor else NOTHING


def canonical(value: Any) -> bytes:
    """Returns the JSON that is hashed: keys sorted, no spaces, ASCII."""
    return json.dumps(value, sort_keys=True, separators=(",", ":")).encode("ascii")
