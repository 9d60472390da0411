"""What is wrong with a TOML file that a model of pydantic has read, each fault with its line and key."""

import re
from collections import Counter

from pydantic import BaseModel, ValidationError

from agent_workers.protocol.v1.explain import explain
from agent_workers.protocol.v1.problem import Problem

_HEADER = re.compile(r"\s*(\[{1,2})([^\[\]]+)\]")
_KEY = re.compile(r"\s*([\w.\"' -]+?)\s*=")

Key = tuple[str, ...]


def toml_faults(error: ValidationError, model: type[BaseModel], text: str) -> list[str]:
    """Says in plain words what pydantic found while reading a ``model`` from the text, in the order found."""
    lines = _lines(text)
    return [_told(problem, lines) for problem in explain(error, model)]


def _told(problem: Problem, lines: dict[Key, int]) -> str:
    steps = [step.replace("~1", "/").replace("~0", "~") for step in problem.pointer.split("/")[1:]]
    line = next((lines[above] for end in range(len(steps), 0, -1) if (above := tuple(steps[:end])) in lines), None)
    place = f"line {line}: " if line else ""
    guess = f"; did you mean {problem.did_you_mean}?" if problem.did_you_mean else ""
    return f"{place}{'.'.join(steps) or 'the file'} {problem.message}{guess}"


def _lines(text: str) -> dict[Key, int]:
    """Returns the line of each key that begins one: an estimate, for TOML's reader tells no lines."""
    lines: dict[Key, int] = {}
    entries: Counter[Key] = Counter()
    table: Key = ()
    for number, line in enumerate(text.splitlines(), 1):
        if header := _HEADER.match(line):
            table = _parts(header[2])
            lines.setdefault(table, number)
            if header[1] == "[[":
                entries[table] += 1
                table = (*table, str(entries[table] - 1))
                lines.setdefault(table, number)
        elif found := _KEY.match(line):
            lines.setdefault((*table, *_parts(found[1])), number)
    return lines


def _parts(dotted: str) -> Key:
    return tuple(part.strip(" \"'") for part in dotted.split("."))
