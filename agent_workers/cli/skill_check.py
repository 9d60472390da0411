"""``agent-skill check``: everything that is wrong with a skill's folder."""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING

import click

from agent_workers.cli.harmless import harmless
from agent_workers.cli.skill_folder import complete_skill, folder_of, here, shown, tell_unusable, warn

if TYPE_CHECKING:
    from pathlib import Path

    from agent_workers.skills.faults import Fault

_HELP = """Says everything that is wrong with skills, each fault with its file, its place and its cure.

SKILL is the name of one, or a folder, such as ./deal-score. Without any, all that are found are checked, but for those
that come along. Exit status: 0 nothing is wrong, 1 something is, 2 there is no such skill.

--json: {"skills": [{"name", "folder", "faults": [{"file", "pointer", "message", "line"?}]}]}

\b
Examples:
  agent-skill check
  agent-skill check deal-score
  agent-skill check skills/* --json | jq '.skills[] | select(.faults != []).name'
"""


@click.command("check", help=_HELP, short_help="Say all that is wrong with a skill's folder.")
@click.option("--json", "as_json", is_flag=True, help="Write one JSON object instead of lines.")
@click.argument("skills", metavar="[SKILL]...", nargs=-1, shell_complete=complete_skill)
def skill_check(skills: tuple[str, ...], as_json: bool) -> None:
    """Prints every fault."""
    from agent_workers.skills.check import faults_of  # help and completion do without it

    folders = list(dict.fromkeys(folder_of("check", skill) for skill in skills)) if skills else _all_but_bundled()
    found = {folder: faults_of(folder) for folder in folders}
    if as_json:
        checked = [
            {"name": folder.name, "folder": str(folder), "faults": [fault.to_json() for fault in faults]}
            for folder, faults in found.items()
        ]
        click.echo(json.dumps({"skills": checked}, indent=2))
    else:
        for folder, faults in found.items():
            _print(folder, faults)
    raise SystemExit(1 if any(found.values()) else 0)


def _all_but_bundled() -> list[Path]:
    from agent_workers.skills.lookup import BUNDLED, all_skills, places

    looked_in = [place for place in places(os.environ, here()) if place.folder != BUNDLED]
    tell_unusable("check", looked_in)
    folders = [found.folder for found in all_skills(os.environ, here()) if found.place.folder != BUNDLED]
    if not folders:
        where = ", ".join(str(place.folder or place.source) for place in looked_in)
        warn("check", f"there are no skills but those that come along; looked in {where}")
    return folders


def _print(folder: Path, faults: list[Fault]) -> None:
    count = f"{len(faults)} faults" if len(faults) > 1 else "1 fault" if faults else "no faults"
    click.echo(harmless(f"{folder.name}: {count} ({shown(folder)})"))
    for fault in faults:
        click.echo(harmless(f"  {' '.join(str(fault).split())}"))
