"""Something wrong, and its place."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from agent_workers.protocol.v1.problem import Problem


class Fault(NamedTuple):
    """A fault in a request, an event or a control message.

    Attributes:
        line: Number of the line, from 1.
        pointer: JSON pointer within the line's or the request's document; empty for all of it.
        message: What is wrong.
        did_you_mean: The known name nearest to an unknown one.
        rule: The rule of a stream that an event breaks, by the name of its conformance case.
    """

    line: int
    pointer: str
    message: str
    did_you_mean: str | None = None
    rule: str | None = None

    @classmethod
    def of(cls, problem: Problem, line: int, rule: str | None = None) -> Fault:
        """Makes a fault of a problem that the contract's own reader found."""
        return cls(line, problem.pointer, problem.message, problem.did_you_mean, rule)

    def __str__(self) -> str:
        place = f"line {self.line}: {self.pointer}: " if self.pointer else f"line {self.line}: "
        guess = f"; did you mean {self.did_you_mean}?" if self.did_you_mean else ""
        return f"{place}{self.message}{guess}"

    def to_json(self) -> dict[str, Any]:
        """Returns the fault as a JSON object, without what does not apply."""
        return {name: value for name, value in self._asdict().items() if value is not None}
