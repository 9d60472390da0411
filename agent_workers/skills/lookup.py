"""Where skills are found: the first of a name counts, and hides the others."""

from __future__ import annotations

import os
import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from agent_workers.json_schema.nearest import nearest
from agent_workers.kept import Kept
from agent_workers.protocol.v1.fields import SKILL_NAME
from agent_workers.skills.skill import INPUT_SCHEMA, INSTRUCTIONS, OUTPUT_SCHEMA, SETTINGS

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from importlib.metadata import EntryPoint

VARIABLE = "AGENT_WORKERS_SKILLS_PATH"
USUAL = Path(".agents/skills")
GROUP = "agent_workers.skills"
BUNDLED = Path(__file__).with_name("bundled")

_kept = Kept["list[EntryPoint]"]()
_FILES = (INSTRUCTIONS, INSTRUCTIONS.lower(), INPUT_SCHEMA, OUTPUT_SCHEMA, SETTINGS)
_LONGEST_NAME = 64


class Place(NamedTuple):
    """A folder that may hold skills.

    Attributes:
        source: What names it.
        folder: The folder; None where that cannot be told.
        fault: Why it cannot be told, or read; a folder that does not exist is none.
    """

    source: str
    folder: Path | None
    fault: str | None = None


class Found(NamedTuple):
    """A skill that was found.

    Attributes:
        name: Its name: its folder's.
        folder: Where it is.
        place: The place that holds it.
        hidden_by: The folder of the skill that has the same name and was found before; None where there is none.
    """

    name: str
    folder: Path
    place: Place
    hidden_by: Path | None = None


class SkillNotFound(LookupError):
    """Raised when there is no skill of a name. Its text names no path: ``told`` does, for the operator.

    Attributes:
        name: The name.
        near: Names of skills that are near, the nearest first.
        places: Where it was looked for.
    """

    def __init__(self, name: str, near: list[str], places: list[Place]) -> None:
        """Keeps what would help."""
        super().__init__(f"there is no skill called {name[:_LONGEST_NAME]!a}")
        self.name = name
        self.near = near
        self.places = places

    @property
    def nearest(self) -> str | None:
        """The name that was meant, perhaps."""
        return self.near[0] if self.near else None

    def told(self) -> str:
        """Returns all of it in one line."""
        guess = f"; did you mean {' or '.join(self.near)}?" if self.near else ";"
        looked_in = ", ".join(str(place.folder or place.source) for place in self.places)
        return f"{self}{guess} looked in {looked_in}"


def here() -> Path:
    """Returns the working directory, or the root where that was removed: nothing is found there."""
    try:
        return Path.cwd()
    except FileNotFoundError:
        return Path("/")


def places(environ: Mapping[str, str], cwd: Path) -> list[Place]:
    """Returns where skills are looked for, in this order; each folder once.

    Args:
        environ: The variables, of which ``AGENT_WORKERS_SKILLS_PATH`` is read.
        cwd: The working directory.
    """
    return list(_places(environ, cwd))


def find(name: str, environ: Mapping[str, str], cwd: Path) -> Path:
    """Returns the folder of the skill of this name, sound or not.

    Raises:
        SkillNotFound: There is none.
    """
    if re.fullmatch(SKILL_NAME, name):
        for place in _named(environ, cwd):  # whether a place is one twice, or faulty, changes nothing here
            if place.folder is not None and _is_skill(place.folder / name):
                return place.folder / name
    names = {found.name for found in all_skills(environ, cwd)}
    raise SkillNotFound(name, nearest(name, sorted(names), 3), places(environ, cwd))


def all_skills(environ: Mapping[str, str], cwd: Path) -> list[Found]:
    """Returns every skill, sound or not, those that others hide included: by place, and there by name."""
    found: list[Found] = []
    first: dict[str, Path] = {}
    for place in _places(environ, cwd):
        if place.folder is None or place.fault:
            continue
        for folder in _skills_in(place.folder):
            hidden_by = first.setdefault(folder.name, folder)
            found.append(Found(folder.name, folder, place, None if hidden_by == folder else hidden_by))
    return found


def _places(environ: Mapping[str, str], cwd: Path) -> Iterator[Place]:
    seen: set[str] = set()
    for place in _named(environ, cwd):
        if place.folder is None:
            yield place
        elif (real := os.path.realpath(place.folder)) not in seen:
            seen.add(real)
            yield place._replace(fault=_fault(place.folder))


def _named(environ: Mapping[str, str], cwd: Path) -> Iterator[Place]:
    for part in environ.get(VARIABLE, "").split(os.pathsep):
        if part:
            yield Place(VARIABLE, cwd / part)
    yield Place("the working directory", cwd / USUAL)
    yield from _packaged()
    yield Place("bundled", BUNDLED)


def _packaged() -> Iterator[Place]:
    for entry in _kept.get(tuple(sys.path), [folder or "." for folder in sys.path], _entries):
        source = f"package {entry.value}"
        try:
            folders = _folders(entry)
        except (ImportError, ValueError, AttributeError, TypeError) as error:
            yield Place(source, None, f"cannot be found: {error}")
            continue
        if not folders:
            yield Place(source, None, "is no package that is installed")
        yield from (Place(source, Path(folder)) for folder in folders)


def _entries() -> list[EntryPoint]:
    from importlib.metadata import entry_points  # reads what every installed package says, where the places above fail

    return sorted(entry_points(group=GROUP))


def _folders(entry: EntryPoint) -> list[str]:
    """Returns the folders of the package that an entry point names. Nothing of it is imported, nor of those above."""
    from importlib.machinery import PathFinder
    from importlib.util import find_spec

    top, *below = entry.module.split(".")
    spec = find_spec(top)
    name = top
    for step in below:
        name = f"{name}.{step}"
        locations = spec and spec.submodule_search_locations
        spec = PathFinder.find_spec(name, list(locations)) if locations else None
    return list(spec.submodule_search_locations or ()) if spec else []


def _fault(folder: Path) -> str | None:
    try:
        with os.scandir(folder) as entries:
            if any(entry.name == INSTRUCTIONS for entry in entries):
                return "is a skill itself; name the folder that holds it"
    except FileNotFoundError:
        return None
    except OSError as error:
        gone = isinstance(error, NotADirectoryError) and not os.path.lexists(folder)
        return None if gone else f"cannot be read: {error.strerror}"
    return None


def _skills_in(place: Path) -> Iterator[Path]:
    try:
        with os.scandir(place) as entries:
            names = sorted(entry.name for entry in entries)
    except OSError:
        return
    yield from (place / name for name in names if not name.startswith(".") and _is_skill(place / name))


def _is_skill(folder: Path) -> bool:
    """Whether a folder is meant as a skill, complete or not."""
    return any(os.path.lexists(folder / file) for file in _FILES)
