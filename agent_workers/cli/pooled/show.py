"""How events are shown: as they are, or as ``--pretty`` and ``--result`` render them."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from agent_workers.stdio.unblocked import Unblocked


class Show:
    """Shows the lines as they are.

    Args:
        program: Name of the worker, before each line on stderr.
        out: Takes what is written.

    Attributes:
        behind_until: When ``catch_up`` has something to do; None where it has not.
    """

    behind_until: float | None = None

    def __init__(self, program: str, out: Unblocked) -> None:
        self.program = program
        self.out = out

    def take(self, lines: bytes) -> None:
        """Takes whole lines."""
        self.out.pending += lines

    def catch_up(self) -> None:
        """Shows what was put off."""

    def tell(self, fault: str) -> None:
        """Tells on stderr how the run has failed."""
        from agent_workers.stdio.stderr import say  # whoever waits has an end already

        say(f"{self.program}: {fault}")
