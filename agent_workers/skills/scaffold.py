"""Writes a skill's folder to begin with."""

from __future__ import annotations

import os
from pathlib import Path

from agent_workers.skills.front_matter import name_fault
from agent_workers.skills.names import COMMANDS

_TEMPLATE = Path(__file__).with_name("template")
_NAME = "skill-name"


class CannotWrite(Exception):
    """Raised when a folder cannot be written; its text says why, and the cure."""


def unfit_name(name: str) -> str | None:
    """Says why a new skill cannot have this name; None where it can."""
    if name in COMMANDS:
        return f"{name!a} is a command of agent-skill, which a skill of that name would never get; choose another name"
    fault = name_fault(name)
    return f"{name[:64]!a} is no name of a skill: it {fault}" if fault else None


def write_skill(name: str, place: Path) -> Path:
    """Writes a folder of this name that is right as it is, with a comment at each setting, and returns it.

    Args:
        name: The skill's name.
        place: The folder to write it into; it is made where there is none.

    Raises:
        CannotWrite: The name is unfit, or there is such a folder, or it cannot be written.
    """
    if fault := unfit_name(name):
        raise CannotWrite(fault)
    folder = place / name
    try:
        place.mkdir(parents=True, exist_ok=True)
        folder.mkdir()
    except FileExistsError:
        if os.path.lexists(folder):
            raise CannotWrite(f"{folder} exists; choose another name, or remove it first") from None
        raise CannotWrite(f"{place} is no folder; name one with --in") from None
    except OSError as error:
        raise CannotWrite(f"{folder} cannot be written: {error.strerror}") from error
    try:
        for path in sorted(each for each in _TEMPLATE.rglob("*") if each.is_file()):
            target = folder / path.relative_to(_TEMPLATE)
            target.parent.mkdir(exist_ok=True)
            target.write_text(path.read_text("utf-8").replace(_NAME, name), "utf-8")
    except OSError as error:
        import shutil  # slow to import

        shutil.rmtree(folder, ignore_errors=True)
        raise CannotWrite(f"{folder} cannot be written: {error.strerror}") from error
    return folder
