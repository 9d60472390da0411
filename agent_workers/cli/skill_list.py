"""``agent-skill list``: what skills there are."""

from __future__ import annotations

import json
import os
import sys
import textwrap
from typing import TYPE_CHECKING, Any, NamedTuple

import click

from agent_workers.cli.harmless import harmless
from agent_workers.cli.skill_folder import here, shown, tell_unusable

if TYPE_CHECKING:
    from rich.console import Console

    from agent_workers.skills.faults import Fault
    from agent_workers.skills.lookup import Found, Place
    from agent_workers.skills.skill import Skill

_HEADINGS = ("name", "version", "owner", "description", "where")
_DESCRIPTION = 3
_GAP = 2
_SHORTEST_DESCRIPTION = 24
_WIDTH_OF_A_PIPE = 200
_WIDE = 100  # columns in which a table has room for descriptions

_HELP = """Lists the skills that can be run here, with version, owner, description and folder.

One that is hidden by another of the same name, found before it, and one that is faulty are listed as such. A place that
cannot be looked in is told on stderr.

--json: {"skills": [{"name", "version", "owner", "description", "license", "folder", "place", "hidden_by", "fault"}],
"places": [{"source", "folder", "fault"}]}; what is empty is left out.

\b
Examples:
  agent-skill list
  agent-skill list --json | jq -r '.skills[] | select(.hidden_by == null).name'
"""


class _Row(NamedTuple):
    found: Found
    skill: Skill | None
    fault: Fault | None


@click.command("list", help=_HELP, short_help="List the skills there are.")
@click.option("--json", "as_json", is_flag=True, help="Write one JSON object instead of a table.")
def skill_list(as_json: bool) -> None:
    """Prints every skill that is found."""
    from agent_workers.skills.lookup import all_skills, places  # help and completion do without it

    looked_in = places(os.environ, here())
    rows = [_row(found) for found in all_skills(os.environ, here())]
    if as_json:
        click.echo(json.dumps(_document(rows, looked_in), indent=2))
    else:
        _print(rows)
    tell_unusable("list", looked_in)


def _row(found: Found) -> _Row:
    from agent_workers.skills.faults import SkillFaults
    from agent_workers.skills.load import load

    try:
        return _Row(found, load(found.folder), None)
    except SkillFaults as faulty:
        return _Row(found, None, faulty.faults[0])


def _document(rows: list[_Row], looked_in: list[Place]) -> dict[str, Any]:
    return {
        "skills": [_filled(_as_json(row)) for row in rows],
        "places": [
            _filled({"source": place.source, "folder": place.folder and str(place.folder), "fault": place.fault})
            for place in looked_in
        ],
    }


def _as_json(row: _Row) -> dict[str, Any]:
    found, skill, fault = row
    said = {name: getattr(skill, name) for name in ("version", "owner", "description", "license")} if skill else {}
    return {
        "name": found.name,
        **said,
        "folder": str(found.folder),
        "place": found.place.source,
        "hidden_by": found.hidden_by and str(found.hidden_by),
        "fault": fault and str(fault),
    }


def _filled(document: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in document.items() if value}


def _print(rows: list[_Row]) -> None:
    from rich.console import Console

    width = None if sys.stdout.isatty() or "COLUMNS" in os.environ else _WIDTH_OF_A_PIPE
    console = Console(highlight=False, width=width)
    cells = [[harmless(cell) for cell in _cells(row)] for row in rows]
    if console.width < _WIDE:
        _print_below_each_other(console, cells)
    else:
        _print_table(console, cells)
    for each in rows:
        if each.fault:
            words = f"{each.found.name} is faulty: {each.fault}; agent-skill check tells all that is wrong with it"
            click.echo(harmless(" ".join(words.split())))


def _print_below_each_other(console: Console, cells: list[list[str]]) -> None:
    """Prints each skill in lines of its own, where a table would leave its description next to no room."""
    from rich.padding import Padding
    from rich.text import Text

    for name, version, owner, description, where in cells:
        about = " ".join(filter(None, (name, version, owner and f"({owner})")))
        console.print(Text(f"{about}  {where}", style="bold"), soft_wrap=True)
        told = textwrap.shorten(description, 2 * (console.width - 2), placeholder=" …")
        console.print(Padding(Text(told), (0, 0, 0, 2)))


def _print_table(console: Console, cells: list[list[str]]) -> None:
    from rich.table import Table
    from rich.text import Text

    beside = [max(map(len, column)) + _GAP for column in zip(_HEADINGS, *cells, strict=True)]
    room = max(_SHORTEST_DESCRIPTION, console.width - sum(beside) + beside[_DESCRIPTION])
    table = Table(box=None, pad_edge=False)
    for number, heading in enumerate(_HEADINGS):
        table.add_column(heading, overflow="fold", no_wrap=number < _DESCRIPTION)
    for row in cells:
        row[_DESCRIPTION] = textwrap.shorten(row[_DESCRIPTION], room, placeholder=" …")
        table.add_row(*map(Text, row))
    console.print(table)


def _cells(row: _Row) -> tuple[str, ...]:
    found, skill, _ = row
    is_installed = found.place.source == "bundled" or found.place.source.startswith("package ")
    where = found.place.source if is_installed else shown(found.folder)
    if found.hidden_by:
        where += f" (hidden by {shown(found.hidden_by)})"
    if skill is None:
        return found.name, "", "", "FAULTY", where
    return skill.name, skill.version, skill.owner, " ".join(skill.description.split()), where
