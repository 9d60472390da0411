"""What a check found."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any, Literal

Status = Literal["ok", "warn", "fail"]


@dataclass(frozen=True)
class Finding:
    """One check's result.

    Attributes:
        check: Its name; stable, for programs.
        status: ``ok``; ``warn`` where runs work but something is amiss; ``fail`` where runs fail.
        found: What was found, in a few words. Never a credential.
        cure: What to do about it, unless it is ``ok``.
        facts: The same for programs: strings by stable names.
    """

    check: str
    status: Status
    found: str
    cure: str | None = None
    facts: dict[str, str] = field(default_factory=dict)

    def to_json(self) -> dict[str, Any]:
        """Returns the finding as a JSON object, without ``cure`` where there is none."""
        return {name: value for name, value in asdict(self).items() if value is not None}
