"""The folder of a skill that a command line names, and what is said where there is none."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

import click
from click.shell_completion import CompletionItem

from agent_workers.cli.harmless import harmless
from agent_workers.errors import EXIT_REFUSED

if TYPE_CHECKING:
    from collections.abc import Iterable

    from agent_workers.skills.lookup import Place


def refuse(command: str, words: str) -> NoReturn:
    """Says in one line why a command does nothing, and ends the process."""
    warn(command, words)
    sys.exit(EXIT_REFUSED)


def warn(command: str, words: str) -> None:
    """Says something in one line of stderr."""
    click.echo(f"agent-skill {command}: {harmless(' '.join(words.split()))}", err=True)


def here() -> Path:
    """Returns the working directory, or the root where that was removed: nothing is found there."""
    from agent_workers.skills import lookup

    return lookup.here()


def is_path(skill: str) -> bool:
    """Whether an argument names a folder rather than a skill."""
    return "/" in skill or skill in (".", "..")


def folder_of(command: str, skill: str) -> Path:
    """Returns the folder that an argument names, by a path or by the name of a skill; ends the process without one."""
    from agent_workers.skills.lookup import SkillNotFound, find  # help and completion do without it

    if is_path(skill):
        return Path(os.path.normpath(here() / skill))
    try:
        return find(skill, os.environ, here())
    except SkillNotFound as missing:
        other = f"; for the folder of this name here say ./{skill}" if os.path.isdir(skill) else ""  # noqa: PTH112
        refuse(command, f"{missing.told()}{other}")


def tell_unusable(command: str, places: Iterable[Place]) -> None:
    """Says which places cannot be looked in."""
    for place in places:
        if place.fault:
            folder = f"{place.folder} " if place.folder else ""
            warn(command, f"{place.source}: {folder}{place.fault}")


def shown(path: Path) -> str:
    """Returns a path as a person reads it best: relative where it lies below the working directory."""
    cwd = here()
    return str(path.relative_to(cwd)) if path.is_relative_to(cwd) and path != cwd else str(path)


def skills_like(incomplete: str) -> list[CompletionItem]:
    """Returns what may complete the name of a skill; nothing may go wrong here, in the middle of a line."""
    from agent_workers.skills.lookup import all_skills

    names = dict.fromkeys(found.name for found in all_skills(os.environ, here()))
    return [CompletionItem(name) for name in names if name.startswith(incomplete) and name.isprintable()]


def complete_skill(context: click.Context, parameter: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """Completes the name of a skill, or a folder."""
    return [CompletionItem(incomplete, type="dir")] if is_path(incomplete) else skills_like(incomplete)
