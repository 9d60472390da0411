"""What a scenario says beside its steps: how the server behaves as a whole."""

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class BatchSettings:
    """How a batch of messages goes on that is made while the scenario is played.

    Attributes:
        polls: How often its status is read before it ends; the next reading finds it ended.
        ends: Whether it ends by itself.
        partial: The first reading of its results is cut after so many lines.
    """

    polls: int = 1
    ends: bool = True
    partial: int | None = None


@dataclass(frozen=True, kw_only=True)
class Limit:
    """How many requests for a message pass in each span of so many seconds. The API refuses the others with HTTP 429.

    Requests of all conversations count. Those that are refused do not, and take no step.
    """

    requests: int
    per_s: float = 1
