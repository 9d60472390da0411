"""What a policy says to one request."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from typing import Any, NamedTuple, TypeVar

from agent_workers.errors import PolicyDenied
from agent_workers.protocol.v1.problem import Problem, capped, pointer
from agent_workers.protocol.v1.request import Request
from agent_workers.protocol.v1.tool_request import ToolRequest

R = TypeVar("R", bound=Request | ToolRequest)

_MAX_NAMED = 12


class Objection(NamedTuple):
    """Something that the policy does not allow.

    Attributes:
        place: JSON pointer to it in the request.
        words: What the limit is. Safe to show a user: no path, command or host of the policy.
        reason: The same for the operator, with the values of the policy.
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
    """Every objection to a request, and the fields that the policy sets in it.

    Attributes:
        objections: Empty if the request is granted.
        changes: The new values of the request's fields, by name.
    """

    objections: list[Objection] = field(default_factory=list)
    changes: dict[str, Any] = field(default_factory=dict)

    def object_to(self, *place: str | int, words: str, reason: str | None = None) -> None:
        """Adds an objection to the value at a place, with a reason if that tells the operator more."""
        self.objections.append(Objection(pointer(place), words, reason or words))

    def applied_to(self, request: R) -> R:
        """Returns the request with the policy's changes.

        Raises:
            Denied: With all objections at once.
        """
        if self.objections:
            raise Denied(self.objections)
        return request.model_copy(update=self.changes)  # type: ignore[return-value]  # a copy is of the same type


def matches(name: str, patterns: Iterable[str]) -> bool:
    """Tells whether a name equals one of the patterns, or matches one as in a shell."""
    return any(name == pattern or fnmatchcase(name, pattern) for pattern in patterns)


def one_of(names: Sequence[str], key: str) -> str:
    """Says what is allowed, and which key of the policy says so."""
    if not names:
        return f"is not allowed: the host's policy sets {key} = []"
    return f"must be one of {_listed(names)}: the host's policy sets {key}"


def _listed(names: Sequence[str]) -> str:
    more = len(names) - _MAX_NAMED
    return ", ".join(names[:_MAX_NAMED]) + (f" and {more} more" if more > 0 else "")


def quoted(values: Iterable[object]) -> str:
    """Returns the values in ASCII for stderr, so that none of them can break the line."""
    return ", ".join(ascii(value) for value in values) or "none"
