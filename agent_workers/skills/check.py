"""Everything that is wrong with a skill's folder, at once."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

from agent_workers.skills.example_check import Rules, example_faults
from agent_workers.skills.faults import Fault
from agent_workers.skills.files import Unreadable, read_text
from agent_workers.skills.front_matter import split, style_faults
from agent_workers.skills.load import placeholder_faults, read
from agent_workers.skills.names import COMMANDS
from agent_workers.skills.schema_check import keyword_faults
from agent_workers.skills.settings_check import settings_faults, sound_part
from agent_workers.skills.skill import EXAMPLES, INPUT_SCHEMA, INSTRUCTIONS, OUTPUT_SCHEMA, SETTINGS

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from agent_workers.skills.load import Reading

_ORDER = ("", INSTRUCTIONS, SETTINGS, INPUT_SCHEMA, OUTPUT_SCHEMA, EXAMPLES)
_LIKE_SETTINGS = ("agent-workers", "agent-worker", "agents-workers", "agentworkers")
_WANTED = {
    "version": 'is required: the version of the skill, such as "1.0.0", which its results tell',
    "owner": "is required: the team that answers for the skill",
}


def faults_of(folder: Path) -> list[Fault]:
    """Returns every fault of a skill's folder, file by file; none where it is right."""
    reading = read(folder)
    faults = [*reading.faults]
    if any(fault.file == "" for fault in faults):
        return faults
    faults += placeholder_faults(reading)
    faults += _front_faults(reading)
    sound = sound_part(reading.document)
    faults += settings_faults(sound, reading.schemas)
    faults += _misplaced_settings(folder)
    for file, schema in reading.schemas.items():
        faults += keyword_faults(file, schema, for_the_cli=file == OUTPUT_SCHEMA)
    rules = Rules(_sound(reading, INPUT_SCHEMA), _sound(reading, OUTPUT_SCHEMA), sound.settings.checks)
    faults += example_faults(folder, rules)
    return sorted(dict.fromkeys(faults), key=_rank)


def _rank(fault: Fault) -> tuple[int, str, int]:
    top = fault.file if fault.file in _ORDER else EXAMPLES
    return _ORDER.index(top), fault.file if top == EXAMPLES else "", fault.line or 0


def _front_faults(reading: Reading) -> Iterator[Fault]:
    if reading.name in COMMANDS:
        words = "is a command of agent-skill, which a skill of that name would never get; rename the folder and it"
        yield Fault(INSTRUCTIONS, "/name", words)
    try:
        text = read_text(reading.folder, INSTRUCTIONS)
    except Unreadable:
        return
    if text is not None:
        yield from style_faults(split(text))
    metadata = reading.fields.get("metadata", {})
    if reading.fields and isinstance(metadata, dict):
        for name, words in _WANTED.items():
            if name not in metadata:
                yield Fault(INSTRUCTIONS, f"/metadata/{name}", words)


def _misplaced_settings(folder: Path) -> Iterator[Fault]:
    """Yields files that look like the settings and are never read."""
    if os.path.lexists(folder / SETTINGS):
        return
    for path in sorted((*folder.glob("*.*"), *folder.glob("agents/*.*"))):
        name = path.name.lower().replace("_", "-")
        if name.rpartition(".")[0] in _LIKE_SETTINGS:
            found = str(path.relative_to(folder))
            yield Fault(SETTINGS, "", f"is missing, and {found!a} is never read; rename that to {SETTINGS}")


def _sound(reading: Reading, file: str) -> dict[str, Any] | None:
    return None if any(fault.file == file for fault in reading.faults) else reading.schemas.get(file)
