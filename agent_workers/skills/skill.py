"""A skill, as its folder says it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from pathlib import Path

    from agent_workers.skills.settings import Settings

INSTRUCTIONS = "SKILL.md"
SETTINGS = "agents/agent-workers.yaml"
INPUT_SCHEMA = "input.schema.json"
OUTPUT_SCHEMA = "output.schema.json"
EXAMPLES = "examples"


class Example(NamedTuple):
    """An input, and an output that is right for it.

    Attributes:
        name: The file's name without its ending.
        input: What satisfies the input schema.
        output: What satisfies the output schema and the checks.
        decisive: JSON pointers into the output, ``*`` for each item: what an answer of the model must have in common
            with it.
    """

    name: str
    input: dict[str, Any]
    output: dict[str, Any]
    decisive: tuple[str, ...] = ()


class Skill(NamedTuple):
    """A skill.

    Attributes:
        name: Its name, which its folder bears too.
        description: What it does and when to use it.
        version: ``metadata.version``, semantic; empty where the file has none.
        owner: ``metadata.owner``: the team; empty where the file has none.
        license: Its license; empty where the file has none.
        folder: Where it is.
        instructions: The text below the front matter.
        settings: How it runs.
        input_schema: JSON Schema of its input.
        output_schema: JSON Schema of its output.
    """

    name: str
    description: str
    version: str
    owner: str
    license: str
    folder: Path
    instructions: str
    settings: Settings
    input_schema: dict[str, Any]
    output_schema: dict[str, Any]
