"""Runs that failed for good as a person reads them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.console import Group
from rich.table import Table
from rich.text import Text

from agent_workers.cli.fleet_run_table import moment
from agent_workers.cli.harmless import harmless

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rich.console import RenderableType

    from agent_workers.fleet.dead import DeadRun

_WIDE = 100
_EXPIRED = "its job has gone"
_A_UUID = 36


def rendered_dead(found: Sequence[DeadRun], *, more: bool, width: int) -> RenderableType:
    """Returns them as rich shows them: what fits into the width."""
    if not found:
        return Text("no run has failed for good")
    table = Table(box=None, pad_edge=False, header_style="dim")
    headings = ("run", "failed (UTC)", "code", *(("queue", "worker", "tenant", "tries") if width >= _WIDE else ()))
    for heading in headings:
        table.add_column(heading, overflow="fold", no_wrap=heading in {"failed (UTC)", "tries"})
    longest = max(len(each.run) for each in found)
    table.columns[0].min_width = min(longest, _A_UUID, width // 2)
    for each in found:
        cells = [each.run, moment(each.failed)[:16], *_facts(each)][: len(headings)]
        table.add_row(*(Text(harmless(cell), style="red" if at == 2 else "") for at, cell in enumerate(cells)))  # noqa: PLR2004
    return Group(table, *([Text("and more: --limit, or --code, --queue, --tenant", style="dim")] if more else []))


def _facts(dead: DeadRun) -> list[str]:
    if dead.status is None:
        return [_EXPIRED, "", "", "", ""]
    fields = dead.status.fields
    named = [str(fields.get(name, "")) for name in ("code", "queue", "worker", "tenant")]
    return [*named, f"{dead.status.attempt}/{fields.get('attempts', '?')}"]
