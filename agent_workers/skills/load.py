"""Reads a skill's folder: what is wrong with it, or the skill."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from pydantic import ValidationError

from agent_workers.json_schema.nearest import nearest
from agent_workers.kept import Kept
from agent_workers.protocol.v1.fields import PATTERN_WORDS, POINTER
from agent_workers.protocol.v1.problem import pointer
from agent_workers.skills.data_block import placeholders
from agent_workers.skills.faults import Fault, SkillFaults
from agent_workers.skills.files import Unreadable, folder_fault, read_object, read_text
from agent_workers.skills.front_matter import field_faults, read_fields, split
from agent_workers.skills.schema_paths import SchemaPaths, Unknown
from agent_workers.skills.settings import Settings
from agent_workers.skills.skill import EXAMPLES, INPUT_SCHEMA, INSTRUCTIONS, OUTPUT_SCHEMA, SETTINGS, Example, Skill
from agent_workers.skills.yaml_text import YamlFault, read_yaml

if TYPE_CHECKING:
    from collections.abc import Iterator

_kept = Kept[Skill]()
_kept_examples = Kept[list[Example]]()
_EXAMPLE = ".json"
_MOST_NAMED = 12
_SURE = 0.9


class Reading(NamedTuple):
    """What could be read of a skill's folder; a part that could not be is None or empty.

    Attributes:
        folder: The folder.
        name: Its name.
        fields: The front matter.
        instructions: The text below.
        first_line: The line on which the instructions begin.
        document: The document of the settings.
        settings: The settings, where they are all sound.
        schemas: By file, those that are JSON objects, sound or not.
        faults: What makes the skill unusable.
    """

    folder: Path
    name: str
    fields: dict[str, Any]
    instructions: str
    first_line: int
    document: Any
    settings: Settings | None
    schemas: dict[str, dict[str, Any]]
    faults: list[Fault]


def load(folder: Path, name: str | None = None) -> Skill:
    """Reads a skill, once for as long as none of its files changes.

    Args:
        folder: The folder.
        name: The skill's name, where another folder's name led here by a link.

    Raises:
        SkillFaults: It cannot be used as it is.
    """
    files = [folder, *(folder / file for file in (INSTRUCTIONS, SETTINGS, INPUT_SCHEMA, OUTPUT_SCHEMA))]
    return _kept.get((folder, name), files, lambda: _load(folder, name))


def _load(folder: Path, name: str | None) -> Skill:
    reading = read(folder, name)
    faults = reading.faults or list(placeholder_faults(reading))
    if faults:
        raise SkillFaults(folder, faults)
    assert reading.settings is not None
    metadata = reading.fields.get("metadata", {})
    return Skill(
        name=reading.name,
        description=reading.fields["description"],
        version=metadata.get("version", ""),
        owner=metadata.get("owner", ""),
        license=reading.fields.get("license", ""),
        folder=folder,
        instructions=reading.instructions,
        settings=reading.settings,
        input_schema=reading.schemas[INPUT_SCHEMA],
        output_schema=reading.schemas[OUTPUT_SCHEMA],
    )


def load_examples(skill: Skill) -> list[Example]:
    """Reads a skill's examples, by name. Whether they fit the skill is for ``check`` to say.

    Raises:
        SkillFaults: One of them is no example.
    """
    faults: list[Fault] = []
    files = example_files(skill.folder, faults)
    paths = [skill.folder / EXAMPLES, *(skill.folder / file for file in files)]
    return _kept_examples.get((skill.folder, *files), paths, lambda: _examples(skill, files, faults))


def _examples(skill: Skill, files: list[str], faults: list[Fault]) -> list[Example]:
    documents = [(file, read_example(skill.folder, file, faults)) for file in files]
    if faults:
        raise SkillFaults(skill.folder, faults)
    return [
        Example(Path(file).stem, document["input"], document["output"], tuple(document.get("decisive", ())))
        for file, document in documents
    ]


def example_files(folder: Path, faults: list[Fault]) -> list[str]:
    """Returns the files of the examples by name, relative to the folder, and notes what keeps them from being found."""
    try:
        names = sorted(entry.name for entry in os.scandir(folder / EXAMPLES))
    except FileNotFoundError:
        return []
    except OSError as error:
        faults.append(Fault(EXAMPLES, "", f"cannot be read: {error.strerror}; it is a folder of files NAME.json"))
        return []
    return [f"{EXAMPLES}/{name}" for name in names if name.endswith(_EXAMPLE) and not name.startswith(".")]


def read_example(folder: Path, file: str, faults: list[Fault]) -> dict[str, Any]:
    """Returns the document of an example, and notes what is wrong with it; empty where there is none."""
    try:
        document = read_object(folder, file)
    except Unreadable as unreadable:
        faults += unreadable.faults
        return {}
    document = document or {}
    faults += _example_faults(file, document)
    return document


def _example_faults(file: str, document: dict[str, Any]) -> Iterator[Fault]:
    for name in document:
        if name not in Example._fields[1:]:
            near = nearest(name, Example._fields[1:])
            guess = f"did you mean {near[0]}?" if near else f"an example has {', '.join(Example._fields[1:])}"
            yield Fault(file, pointer((name,)), f"is not a known field; {guess}")
    for name in ("input", "output"):
        if name not in document:
            yield Fault(file, f"/{name}", "is required: an example has an input, and an output that is right for it")
        elif not isinstance(document[name], dict):
            yield Fault(file, f"/{name}", "must be an object")
    decisive = document.get("decisive", [])
    if not isinstance(decisive, list):
        yield Fault(file, "/decisive", 'must be a list of JSON pointers into the output, such as ["/score"]')
        return
    for number, place in enumerate(decisive):
        if not isinstance(place, str) or not re.fullmatch(POINTER, place):
            yield Fault(file, f"/decisive/{number}", PATTERN_WORDS[POINTER])


def read(folder: Path, name: str | None = None) -> Reading:
    """Reads every part of a folder, whatever is wrong with the others; see ``load``."""
    name = name or Path(os.path.abspath(folder)).name  # noqa: PTH100 a link keeps its own name
    faults: list[Fault] = []
    if fault := folder_fault(folder):
        return Reading(folder, name, {}, "", 1, None, None, {}, [fault])
    fields, instructions, first_line = _instructions(folder, name, faults)
    document = _document(folder, faults)
    settings = _settings(document, faults)
    schemas = dict(_schemas(folder, faults))
    return Reading(folder, name, fields, instructions, first_line, document, settings, schemas, faults)


def _instructions(folder: Path, name: str, faults: list[Fault]) -> tuple[dict[str, Any], str, int]:
    try:
        text = read_text(folder, INSTRUCTIONS)
    except Unreadable as unreadable:
        faults += unreadable.faults
        return {}, "", 1
    if text is None:
        faults.append(_missing(folder, INSTRUCTIONS))
        return {}, "", 1
    parts = split(text)
    fields = read_fields(parts)
    if isinstance(fields, Fault):
        faults.append(fields)
        return {}, parts.instructions, parts.first_line
    faults += field_faults(fields, name)
    if not parts.instructions:
        words = "has no instructions below the front matter; say there what the agent is to do"
        faults.append(Fault(INSTRUCTIONS, "", words, parts.first_line))
    return fields, parts.instructions, parts.first_line


def _document(folder: Path, faults: list[Fault]) -> Any:
    try:
        text = read_text(folder, SETTINGS)
        document = read_yaml(text) if text else None
    except Unreadable as unreadable:
        faults += unreadable.faults
    except YamlFault as fault:
        faults.append(Fault(SETTINGS, "", str(fault), fault.line))
    else:
        return {} if document is None else document
    return None


def _settings(document: Any, faults: list[Fault]) -> Settings | None:
    if document is None:
        return None
    try:
        return Settings.model_validate(document)
    except ValidationError as error:
        from agent_workers.protocol.v1.explain import explain  # for faulty ones only

        for problem in explain(error, Settings):
            guess = f"; did you mean {problem.did_you_mean}?" if problem.did_you_mean else ""
            faults.append(Fault(SETTINGS, problem.pointer, problem.message + guess))
        return None


def _schemas(folder: Path, faults: list[Fault]) -> Iterator[tuple[str, dict[str, Any]]]:
    from agent_workers.json_schema import schema_faults

    for file in (INPUT_SCHEMA, OUTPUT_SCHEMA):
        try:
            schema = read_object(folder, file)
        except Unreadable as unreadable:
            faults += unreadable.faults
            continue
        if schema is None:
            faults.append(_missing(folder, file))
            continue
        faults += (
            Fault(file, pointer(fault.place), fault.words) for fault in schema_faults(schema, python_patterns=True)
        )
        yield file, schema


def _missing(folder: Path, file: str) -> Fault:
    here = {_letters(entry.name): entry.name for entry in os.scandir(folder)}
    near = nearest(_letters(file), here, cutoff=_SURE)
    cure = f"rename {here[near[0]]!a} to it" if near else "write it; agent-skill new shows how"
    return Fault(file, "", f"is missing; {cure}")


def _letters(name: str) -> str:
    return "".join(filter(str.isalnum, name)).lower()


def placeholder_faults(reading: Reading) -> Iterator[Fault]:
    """Yields the placeholders in the instructions whose value no input can have."""
    schema = reading.schemas.get(INPUT_SCHEMA)
    paths = SchemaPaths({} if schema is None else schema)
    told: dict[tuple[str, tuple[str, ...] | None], str | None] = {}  # the same one may stand there often
    for text, path, line in placeholders(reading.instructions):
        if (text, path) not in told:
            told[text, path] = _placeholder_words(text, path, paths)
        if words := told[text, path]:
            yield Fault(INSTRUCTIONS, "", words, reading.first_line + line - 1)


def _placeholder_words(text: str, path: tuple[str, ...] | None, paths: SchemaPaths) -> str | None:
    if path is None:
        return f"{_shown(text)} is no placeholder; write {{{{ input.NAME }}}}, or leave the braces out"
    found = paths.find(path)
    if not isinstance(found, Unknown):
        return None
    place = ".".join(("input", *path[: found.depth]))
    words = f"{_shown(text)}: {unknown_words(found, place, path[found.depth], INPUT_SCHEMA)}"
    return f"{words}; name one of its items by a number" if found.kinds == {"array"} else words


def _shown(text: str, longest: int = 80) -> str:
    return text if len(text) <= longest else f"{text[:longest]}…"


def unknown_words(unknown: Unknown, place: str, step: str, file: str) -> str:
    """Says why a path leads to nothing.

    Args:
        unknown: Where it leaves what the schema knows.
        place: That place, as the writer of the path reads it.
        step: The step after it.
        file: The schema's file.
    """
    if unknown.kinds == {"array"}:
        return f"{place} is a list in {file}"
    if "object" not in unknown.kinds:
        return f"{place} is no object in {file} and has nothing below it"
    if near := nearest(step, unknown.names):
        return f"{place} has no {step!a} in {file}; did you mean {near[0]}?"
    names = ", ".join(unknown.names[:_MOST_NAMED]) + (", …" if len(unknown.names) > _MOST_NAMED else "")
    return f"{place} has no {step!a} in {file}; it has {names or 'no fields'}"
