"""What a policy says to one request."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from typing import Any, NamedTuple, TypeVar

from agent_workers.errors import PolicyDenied
from agent_workers.protocol.v1.problem import Problem, capped, pointer
from agent_workers.protocol.v1.request import Request

R = TypeVar("R", bound=Request)

_MAX_NAMED = 12


class Objection(NamedTuple):
    """Something that the policy does not allow.

    Attributes:
        place: JSON pointer to it in the request.
        words: What the limit is; safe to show a user: no paths, commands or hosts of the policy.
        reason: The same for the operator, with the values.
    """

    place: str
    words: str
    reason: str


class Denied(PolicyDenied):
    """Raised when the policy objects to a request; ``details`` lists as many objections as an event has room for.

    Attributes:
        objections: All of them.
    """

    def __init__(self, objections: Sequence[Objection]) -> None:
        self.objections = objections
        details = capped(objections, lambda each: Problem(pointer=each.place, message=each.words))
        told = [f"{each.place or 'request'}: {each.reason}" for each in objections[: len(details)]]
        super().__init__(cause="; ".join(told), details=details)


@dataclass
class Ruling:
    """Every objection to a request, and the fields of it that the policy fixes.

    Attributes:
        objections: None of them where the request is granted.
        changes: Values for the request's fields by their names.
    """

    objections: list[Objection] = field(default_factory=list)
    changes: dict[str, Any] = field(default_factory=dict)

    def object_to(self, *place: str | int, words: str, reason: str | None = None) -> None:
        """Notes an objection to the value at a place, with a reason where that tells the operator more."""
        self.objections.append(Objection(pointer(place), words, reason or words))

    def applied_to(self, request: R) -> R:
        """The request with what the policy fixes.

        Raises:
            Denied: With all objections at once.
        """
        if self.objections:
            raise Denied(self.objections)
        return request.model_copy(update=self.changes)


def matches(name: str, patterns: Iterable[str]) -> bool:
    """Whether a name is one of the patterns, or fits one as a shell would read it."""
    return any(name == pattern or fnmatchcase(name, pattern) for pattern in patterns)


def one_of(names: Sequence[str], key: str) -> str:
    """Says what would be allowed, and by which key of the policy."""
    if not names:
        return f"is not allowed: the host's policy sets {key} to none"
    return f"must be one of {_listed(names)}: the host's policy sets {key}"


def _listed(names: Sequence[str]) -> str:
    more = len(names) - _MAX_NAMED
    return ", ".join(names[:_MAX_NAMED]) + (f" and {more} more" if more > 0 else "")


def quoted(values: Iterable[object]) -> str:
    """Values for stderr: nothing in them may look like the end of a line."""
    return ", ".join(ascii(value) for value in values) or "none"
