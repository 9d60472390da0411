"""A run of the fleet as a person reads it."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from rich.console import Group
from rich.table import Table
from rich.text import Text

from agent_workers.cli.harmless import harmless
from agent_workers.cli.pool_table import span

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rich.console import RenderableType

    from agent_workers.fleet.status import RunStatus

STYLES = {"done": "green", "error": "red", "aborted": "yellow", "running": "cyan"}
_TEXTS = ("worker", "skill", "queue", "tenant", "user", "credential", "host", "session_id", "retry_of", "retried_as")
_MOMENTS = ("submitted", "run_at", "due", "expires_at", "begun", "ended")
_WORDS = {"scheduled": "waits for its time", "queued": "waits for a slot", "admitted": "on its way to a slot"}


def rendered_run(status: RunStatus) -> RenderableType:
    """Returns it as rich shows it."""
    table = Table(box=None, pad_edge=False, show_header=False, padding=(0, 1, 0, 0))
    table.add_column(style="dim", no_wrap=True)
    table.add_column(overflow="fold")
    for name, words in _facts(status):
        table.add_row(name, Text(harmless(words)))
    return Group(_head(status), table)


def _head(status: RunStatus) -> Text:
    text = Text(harmless(status.run), style="bold")
    text.append("  ")
    text.append(status.state, style=STYLES.get(status.state, ""))
    more = status.fields.get("code") or _WORDS.get(status.state)
    if status.state == "running" and status.fields.get("asking"):
        more = "waits for an answer"
    return text.append(f"  {more}", style="not bold") if more else text


def _facts(status: RunStatus) -> Iterator[tuple[str, str]]:
    fields = status.fields
    yield "attempt", f"{status.attempt} of {fields['attempts']}" if "attempts" in fields else str(status.attempt)
    for name in _TEXTS:
        if fields.get(name):
            yield name.replace("_", " "), str(fields[name])
    if fields.get("priority"):
        yield "priority", str(fields["priority"])
    for name in _MOMENTS:
        if fields.get(name) and not (name == "due" and status.state != "scheduled"):
            yield name.replace("_", " "), moment(fields[name])
    if "first_delta_ms" in fields:
        yield "first word", f"{fields['first_delta_ms']} ms"
    if "duration_ms" in fields:
        yield "took", span(fields["duration_ms"] / 1000)
    if "input_tokens" in fields or "output_tokens" in fields:
        yield "tokens", f"{fields.get('input_tokens', '?')} in, {fields.get('output_tokens', '?')} out"
    if "cost_usd" in fields:
        yield "cost", f"${fields['cost_usd']:.4f}, an estimate"


def moment(milliseconds: int) -> str:
    """Returns a time in UTC."""
    return f"{datetime.fromtimestamp(milliseconds / 1000, UTC):%Y-%m-%d %H:%M:%S} UTC"
