"""What a run has come to: its tokens and their price, and what a skill has found. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from agent_workers.records.about import NAME
from agent_workers.records.run_row import counted, money, named

if TYPE_CHECKING:
    from collections.abc import Iterator

    from agent_workers.records.changes import Row
    from agent_workers.records.keeping import Keeping

_COUNTS = ("input_tokens", "output_tokens", "cache_read_input_tokens", "cache_creation_input_tokens")


def usage_rows(event: dict[str, Any], run: Row, at: str) -> Iterator[Row]:
    """Yields a row for each model that a terminal event tells of; one of the run's model where it names none.

    Args:
        event: The terminal event.
        run: The run's row.
        at: When it ended.
    """
    models, usage = event.get("models"), event.get("usage")
    if isinstance(models, dict) and models:
        for model, used in sorted(models.items()):
            if isinstance(used, dict):
                yield _usage(named(model) or "", used, used.get("cost_usd"), run, at)
        return
    row = _usage(run["model"] or "", usage if isinstance(usage, dict) else {}, event.get("cost_usd"), run, at)
    if any(row[name] is not None for name in (*_COUNTS, "cost_usd")):
        yield row


def _usage(model: str, used: dict[str, Any], cost: object, run: Row, at: str) -> Row:
    return {
        "run_id": run["id"],
        "turn": 0,
        "model": model,
        **{name: counted(used.get(name)) for name in _COUNTS},
        "cost_usd": money(cost),
        "user": run["user"],
        "tenant": run["tenant"],
        "skill": run["skill"],
        "at": at,
    }


def insight_row(event: dict[str, Any], run: Row, keeping: Keeping, at: str) -> Row | None:
    """Returns the row of what a skill has found; None where there is no output, or no skill ran."""
    if event["type"] != "done" or event.get("output") is None or not run["skill"]:
        return None
    return {
        "run_id": run["id"],
        "skill": run["skill"],
        "skill_version": run["skill_version"],
        "subject": run["subject"],
        "subject_key": _key(run["subject"]),
        "output": keeping.redaction.value(event["output"]),
        "needs_review": event.get("needs_review"),
        "created_at": at,
    }


def _key(subject: Any) -> str | None:
    if isinstance(subject, dict) and isinstance(subject.get("type"), str) and isinstance(subject.get("id"), str):
        return f"{subject['type']}:{subject['id']}"[:NAME]
    return subject[:NAME] if isinstance(subject, str) else None
