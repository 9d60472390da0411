"""``agent-skill new``: a skill's folder to begin with."""

from __future__ import annotations

import os
from pathlib import Path

import click

from agent_workers.cli.harmless import harmless
from agent_workers.cli.skill_folder import here, refuse, shown

_HELP = """Writes a skill's folder to begin with: instructions, settings with a comment each, both schemas, an example.

It is right as it is, so what you change can be tried at every step. Nothing that exists is overwritten.

\b
Examples:
  agent-skill new deal-score
  agent-skill new deal-score --in packages/skills
"""


@click.command("new", help=_HELP, short_help="Write a folder to begin with.")
@click.argument("name")
@click.option(
    "--in",
    "place",
    type=click.Path(file_okay=False, path_type=Path),
    default=Path(".agents/skills"),
    show_default=True,
    metavar="FOLDER",
    help="Where to write it.",
)
def skill_new(name: str, place: Path) -> None:
    """Writes the folder and says what comes next."""
    from agent_workers.skills.scaffold import CannotWrite, write_skill  # help and completion do without it

    try:
        folder = write_skill(name, place)
    except CannotWrite as cause:
        refuse("new", str(cause))
    click.echo(harmless(f"{shown(folder.absolute())} is written. Change it to your own, and try it at every step:"))
    known, words = _found(name, folder)
    argument = name if known else f"{os.curdir}/{folder}" if not folder.is_absolute() else str(folder)
    click.echo(harmless(f"  agent-skill check {argument}"))
    click.echo(harmless(f"  agent-skill test {argument}"))
    if words:
        click.echo(harmless(words))


def _found(name: str, folder: Path) -> tuple[bool, str]:
    """Returns whether the name leads to the new folder, and what else there is to say."""
    from agent_workers.skills.lookup import VARIABLE, all_skills

    same = [found for found in all_skills(os.environ, here()) if found.name == name]
    ours = next((found for found in same if found.folder.samefile(folder)), None)
    if ours is None:
        return False, f"It is found by its name where {VARIABLE} names {folder.parent.absolute()}."
    if ours.hidden_by:
        return False, f"It is hidden by {shown(ours.hidden_by)}, which is found before."
    hidden = [shown(found.folder) for found in same if found is not ours]
    return True, f"It hides {', '.join(hidden)}." if hidden else ""
