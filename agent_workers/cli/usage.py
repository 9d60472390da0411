"""``agent-workers usage``: what was spent, and whether the provider says the same."""

from __future__ import annotations

import json
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any, BinaryIO, cast

import click

from agent_workers.cli.harmless import harmless
from agent_workers.cli.records_options import Day, database_options, opened
from agent_workers.errors import EXIT_ERROR

if TYPE_CHECKING:
    from collections.abc import Iterable

    from agent_workers.records.changes import Row
    from agent_workers.records.reading import By

_HELP = """Tells what runs have used, from the records. Costs are estimates; days are of UTC.

\b
Examples:
  agent-workers usage --by=day --since 2026-11-01
  agent-workers usage --by=user --json
  agent-workers usage reconcile export.csv
"""
_RECONCILE = """Compares the records with FILE, the provider's export of usage by day and model: CSV with names in its
first line, or JSON. Compares what the export has, on the days from its first to its last. Simulated runs do not count.

Exit status: 0 no difference; 1 differences; 2 FILE cannot be read.
"""
_HEADINGS = {
    "runs": "runs",
    "input_tokens": "input",
    "output_tokens": "output",
    "cache_read_input_tokens": "cache read",
    "cache_creation_input_tokens": "cache written",
    "cost_usd": "US$",
}


@click.group(help=_HELP, short_help="Tell what was spent, from the records.", invoke_without_command=True)
@click.option(
    "--by",
    type=click.Choice(["day", "model", "user", "skill", "tenant"]),
    default="day",
    show_default=True,
    help="What each line stands for.",
)
@click.option("--since", type=Day(), help="First day, such as 2026-11-01.")
@click.option("--until", type=Day(), help="Last day.")
@click.option("--json", "is_json", is_flag=True, help="Write JSON, an object a line.")
@database_options
@click.pass_context
def usage(
    context: click.Context,
    by: str,
    since: str | None,
    until: str | None,
    *,
    is_json: bool,
    database: str | None,
    config: str | None,
) -> None:
    """Tells what was used."""
    if context.invoked_subcommand:
        return
    from agent_workers.records.reading import used

    with opened(database, config) as place:
        rows = used(place.engine, place.tables, cast("By", by), since, _after(until))
    if is_json:
        for row in rows:
            click.echo(json.dumps(row, separators=(",", ":")))
    else:
        _show([by, *_HEADINGS], [by, *_HEADINGS.values()], [*rows, _total(rows, by)] if len(rows) > 1 else rows)


@usage.command(help=_RECONCILE, short_help="Compare the records with the provider's export.")
@click.argument("file", type=click.File("rb"))
@click.option(
    "--tolerance",
    type=click.FloatRange(0, 100),
    default=0,
    show_default=True,
    help="Percent by which two figures may differ.",
)
@click.option("--json", "is_json", is_flag=True, help="Write JSON, a difference a line.")
@database_options
def reconcile(file: BinaryIO, tolerance: float, *, is_json: bool, database: str | None, config: str | None) -> None:
    """Tells where the two differ."""
    with opened(database, config) as place:
        from agent_workers.records.reading import used_by_day_and_model
        from agent_workers.records.reconciling import NoExport, differences, read_export

        try:
            provider = read_export(file.read().decode())
        except (NoExport, UnicodeDecodeError) as error:
            raise click.UsageError(harmless(f"{file.name}: {error}")) from None
        days = [row["day"] for row in provider]
        since, until = f"{min(days)} 00:00:00.000", _after(f"{max(days)} 00:00:00.000")
        recorded = used_by_day_and_model(place.engine, place.tables, since, until or "")
    found = list(differences(recorded, provider, tolerance / 100))
    if is_json:
        for each in found:
            click.echo(json.dumps(each._asdict(), separators=(",", ":")))
    else:
        columns = ["day", "model", "name", "recorded", "provider"]
        _show(columns, columns, [each._asdict() for each in found], none="No difference.")
    if found:
        raise SystemExit(EXIT_ERROR)


def _after(day: str | None) -> str | None:
    """Returns the first moment behind a day."""
    return day and f"{date.fromisoformat(day[:10]) + timedelta(days=1)} 00:00:00.000"


def _total(rows: Iterable[Row], by: str) -> dict[str, Any]:
    sums: dict[str, Any] = {by: "together"}
    for name in _HEADINGS:
        known = [row[name] for row in rows if row[name] is not None]
        sums[name] = sum(known) if known else None
    if by == "model":
        sums["runs"] = None  # a run may have used several
    return sums


def _show(names: list[str], headings: list[str], rows: list[Row], none: str = "Nothing was used.") -> None:
    if not rows:
        click.echo(none)
        return
    from rich.box import SIMPLE
    from rich.console import Console
    from rich.table import Table

    table = Table(box=SIMPLE, pad_edge=False)
    for name, heading in zip(names, headings, strict=True):
        table.add_column(heading, justify="left" if isinstance(rows[0].get(name), str | None) else "right")
    for row in rows:
        table.add_row(*(_cell(name, row.get(name)) for name in names))
    Console(highlight=False, markup=False).print(table)


def _cell(name: str, value: Any) -> str:
    if value is None:
        return "-"
    if isinstance(value, float):
        return f"{value:,.4f}" if name == "cost_usd" or not value.is_integer() else f"{value:,.0f}"
    return f"{value:,}" if isinstance(value, int) else harmless(str(value)) or "(unknown)"
