"""The front matter of ``SKILL.md``, as the Agent Skills specification wants it: agentskills.io/specification."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, NamedTuple

from agent_workers.json_schema.nearest import nearest
from agent_workers.protocol.v1.fields import SKILL_NAME
from agent_workers.protocol.v1.problem import pointer
from agent_workers.skills.faults import Fault
from agent_workers.skills.skill import INSTRUCTIONS, SETTINGS
from agent_workers.skills.yaml_text import YamlFault, odd_style, read_yaml

if TYPE_CHECKING:
    from collections.abc import Iterator

MAX_NAME = 64
MAX_DESCRIPTION = 1024
MAX_COMPATIBILITY = 500
FIELDS = ("name", "description", "license", "compatibility", "metadata", "allowed-tools")

# semver.org, version 2.0.0
_VERSION = re.compile(
    r"(0|[1-9]\d*)\.(0|[1-9]\d*)\.(0|[1-9]\d*)"
    r"(-(0|[1-9]\d*|\d*[a-zA-Z-][0-9a-zA-Z-]*)(\.(0|[1-9]\d*|\d*[a-zA-Z-][0-9a-zA-Z-]*))*)?"
    r"(\+[0-9a-zA-Z-]+(\.[0-9a-zA-Z-]+)*)?",
    re.ASCII,
)
_FENCE = "---"
_OF_METADATA = ("version", "owner", "author", "team", "tags")
_OF_SETTINGS = ("model", "tools", "permissions", "checks", "limits", "max_turns", "escalation")
_KINDS: dict[type, str] = {
    bool: "true or false",
    int: "a number",
    float: "a number",
    list: "a list",
    dict: "a mapping",
    type(None): "nothing",
}


class Parts(NamedTuple):
    """``SKILL.md`` in its parts.

    Attributes:
        front: The text between the two lines ``---``; None where there are no such lines.
        instructions: The text below, without blank lines around it.
        first_line: The line of the file on which the instructions begin, from 1; where there are none, that above.
    """

    front: str | None
    instructions: str
    first_line: int


def split(text: str) -> Parts:
    """Splits a ``SKILL.md`` into front matter and instructions."""
    lines = text.split("\n")
    end = next((number for number, line in enumerate(lines) if number and line.rstrip() == _FENCE), None)
    if lines[0].rstrip() != _FENCE or end is None:
        return Parts(None, "", 1)
    begin = next((n for n in range(end + 1, len(lines)) if lines[n].strip()), end)
    below = lines[begin:] if begin > end else []
    return Parts("\n".join(lines[1:end]), "\n".join(below).rstrip(), begin + 1)


def read_fields(parts: Parts) -> dict[str, Any] | Fault:
    """Returns the fields of the front matter, or what keeps it from having any."""
    if parts.front is None:
        words = "must begin with front matter: a line ---, then name: and description:, then a line ---"
        return Fault(INSTRUCTIONS, "", words, 1)
    try:
        fields = read_yaml(parts.front, first_line=2)
    except YamlFault as fault:
        return Fault(INSTRUCTIONS, "", f"the front matter {_as_predicate(fault)}", fault.line)
    if not isinstance(fields, dict):
        return Fault(INSTRUCTIONS, "", "the front matter must hold fields: name: and description: at least", 1)
    return fields


def _as_predicate(fault: YamlFault) -> str:
    words = str(fault)
    return words if words.startswith("is ") else f"is not read: {words}"


def style_faults(parts: Parts) -> Iterator[Fault]:
    """Yields what is read here, but not by skills-ref, the validator of Agent Skills."""
    if parts.front is None:
        return
    for line, text in enumerate(parts.front.split("\n"), 2):
        if _FENCE in text:
            words = "holds ---, which other readers take for the end of the front matter; write other dashes"
            yield Fault(INSTRUCTIONS, "", words, line)
    for line, words in odd_style(parts.front):
        yield Fault(INSTRUCTIONS, "", f"the front matter has {words}", line + 1)


def field_faults(fields: dict[str, Any], folder_name: str) -> Iterator[Fault]:
    """Yields everything that is wrong with the fields."""
    for name in fields:
        if name not in FIELDS:
            yield _fault((name,), _unknown(name))
    yield from _name_faults(fields, folder_name)
    if "description" not in fields:
        yield _fault(("description",), "is required: say what the skill does and when to use it")
    else:
        yield from _text_faults("description", fields["description"], MAX_DESCRIPTION)
    if "compatibility" in fields:
        yield from _text_faults("compatibility", fields["compatibility"], MAX_COMPATIBILITY)
    for name in ("license", "allowed-tools"):
        if not isinstance(fields.get(name, ""), str):
            yield _fault((name,), _must_be_text(fields[name]))
    yield from _metadata_faults(fields.get("metadata", {}))


def _name_faults(fields: dict[str, Any], folder_name: str) -> Iterator[Fault]:
    name = fields.get("name")
    if "name" not in fields:
        yield _fault(("name",), f"is required: write name: {folder_name}, the name of the folder")
    elif not isinstance(name, str):
        yield _fault(("name",), _must_be_text(name))
    else:
        if words := name_fault(name):
            yield _fault(("name",), words)
        if name != folder_name:
            shown = ascii(folder_name)
            yield _fault(("name",), f"must be equal to the name of the folder, {shown}; rename one of the two")


def name_fault(name: str) -> str | None:
    """Says why a text cannot be a skill's name; None where it can."""
    if len(name) > MAX_NAME:
        return f"must be at most {MAX_NAME} characters long, not {len(name)}"
    if not re.fullmatch(SKILL_NAME, name):
        return f"must be 1 to {MAX_NAME} of a-z 0-9 and single hyphens between them"
    return None


def _text_faults(name: str, value: Any, longest: int) -> Iterator[Fault]:
    if not isinstance(value, str):
        yield _fault((name,), _must_be_text(value))
    elif not value.strip():
        yield _fault((name,), "must not be empty")
    elif len(value) > longest:
        yield _fault((name,), f"must be at most {longest} characters long, not {len(value)}; shorten it")


def _metadata_faults(metadata: Any) -> Iterator[Fault]:
    if not isinstance(metadata, dict):
        yield _fault(("metadata",), f"must be a mapping of names to texts, not {_KINDS.get(type(metadata), 'a text')}")
        return
    for name, value in metadata.items():
        if not isinstance(value, str):
            yield _fault(("metadata", name), _must_be_text(value))
    version, owner = metadata.get("version"), metadata.get("owner")
    if isinstance(version, str) and not _VERSION.fullmatch(version):
        yield _fault(("metadata", "version"), 'must be a semantic version: MAJOR.MINOR.PATCH, such as "1.0.0"')
    if isinstance(owner, str) and not owner.strip():
        yield _fault(("metadata", "owner"), "must not be empty: name the team that owns the skill")


def _unknown(name: str) -> str:
    known = f"is not a field of Agent Skills; they are {', '.join(FIELDS)}"
    if near := nearest(name, FIELDS):
        return f"{known}; did you mean {near[0]}?"
    if name in _OF_METADATA:
        return f"{known}; write it below metadata"
    return f"{known}; write it in {SETTINGS}" if name in _OF_SETTINGS else f"{known}; remove it, or put it in metadata"


def _must_be_text(value: Any) -> str:
    kind = _KINDS[type(value)]
    cure = "write the text" if value is None or isinstance(value, list | dict) else "put it in quotes"
    return f"must be text, not {kind}; {cure}"


def _fault(path: tuple[str, ...], message: str) -> Fault:
    return Fault(INSTRUCTIONS, pointer(path), message)
