"""One fault of a request, as its sender reads it."""

from collections.abc import Callable, Iterable, Sequence
from typing import NoReturn, TypeVar

from pydantic import Field

from agent_workers.protocol.v1.part import Part

F = TypeVar("F")

MAX_PROBLEMS = 50
_MAX_TOKEN = 200
_TOLD = 3
_LONGEST_PLACE = 200


class Problem(Part):
    """A fault and its place in the request."""

    pointer: str = Field(
        description='RFC 6901 JSON pointer to the place, from the root of the request; "" is all of it.'
    )
    message: str = Field(description="What is wrong, in plain words.")
    did_you_mean: str | None = Field(
        default=None,
        description="Known field, tool or value nearest to an unknown one; dotted (`limits.timeout_s`) where it "
        "belongs deeper. Absent when none is near.",
    )


class RequestProblems(ValueError):
    """Raised when a request is refused. Nothing ran.

    Attributes:
        problems: The faults found, at most ``MAX_PROBLEMS``, and a last one that counts the rest.
        code: ``invalid_request`` or ``unsupported_version``.
        run: The request's own run id, if it is valid: the refusal is reported under it.
    """

    def __init__(self, problems: list[Problem], code: str = "invalid_request", run: str | None = None) -> None:
        """Keeps the faults, and a one-line summary as the exception's text."""
        super().__init__(
            "; ".join(f"{problem.pointer or 'request'}: {problem.message}" for problem in problems[:_TOLD])
        )
        self.problems = problems
        self.code = code
        self.run = run

    def told(self) -> str:
        """Returns the first faults in one line for stderr, without characters that could steer a terminal."""
        return "; ".join(map(_told, self.problems[:_TOLD]))


def _told(problem: Problem) -> str:
    """Returns one fault for a terminal or a log: names of fields may contain line breaks and escape sequences."""
    place = "".join(each if each.isprintable() else ascii(each)[1:-1] for each in problem.pointer[:_LONGEST_PLACE])
    guess = f"; did you mean {problem.did_you_mean}?" if problem.did_you_mean else ""
    return f"{place or 'request'}: {problem.message}{guess}"


def refuse(message: str) -> NoReturn:
    """Raises a refusal with one problem, which concerns the request as a whole."""
    raise RequestProblems([Problem(pointer="", message=message)]) from None


def pointer(path: Iterable[str | int]) -> str:
    """Writes a path as an RFC 6901 JSON pointer. Very long names are cut and end in an ellipsis."""
    return "".join(f"/{_token(str(step))}" for step in path)


def capped(faults: Sequence[F], explain: Callable[[F], Problem]) -> list[Problem]:
    """Explains the first ``MAX_PROBLEMS`` faults and counts the rest: a million would take too long."""
    problems = [explain(fault) for fault in faults[:MAX_PROBLEMS]]
    left_out = len(faults) - len(problems)
    if left_out:
        problems.append(Problem(pointer="", message=f"and {left_out} more problem{'s' if left_out > 1 else ''}"))
    return problems


def _token(step: str) -> str:
    if len(step) > _MAX_TOKEN:
        step = f"{step[:_MAX_TOKEN]}…"
    return step.replace("~", "~0").replace("/", "~1")
