"""Reads the policy's file. A file with any fault allows nothing."""

import re
import tomllib
from collections.abc import Sequence
from pathlib import Path

from pydantic import ValidationError

from agent_workers.errors import PolicyDenied
from agent_workers.policy.policy import Policy
from agent_workers.protocol.v1.problem import Problem

_UNREADABLE = "The host's policy cannot be read. The operator must check it with agent-workers doctor."
_HEADER = re.compile(r"\s*\[{1,2}([^\[\]]+)\]")
_KEY = re.compile(r"\s*([\w.\"' -]+?)\s*=")


def load_policy(path: Path) -> Policy:
    """Reads a policy's file.

    Raises:
        PolicyDenied: It is missing, unreadable or has any fault; ``cause`` names the file, line and key.
    """
    try:
        if not path.is_file():  # a pipe would keep the worker waiting
            raise FileNotFoundError(None, "is not a file" if path.exists() else "no such file")
        text = path.read_bytes().decode()
        return Policy.model_validate(tomllib.loads(text))
    except ValidationError as error:
        from agent_workers.protocol.v1.explain import explain  # for a faulty file only

        found = [_told(problem, text) for problem in explain(error, Policy)]
        raise PolicyDenied(_UNREADABLE, cause=f"{path}: {'; '.join(found)}") from None
    except OSError as error:
        raise PolicyDenied(_UNREADABLE, cause=f"{path}: {error.strerror}") from None
    except UnicodeDecodeError as error:
        fault = f"is not UTF-8: byte 0x{error.object[error.start]:02x} at offset {error.start}"
        raise PolicyDenied(_UNREADABLE, cause=f"{path}: {fault}") from None
    except (ValueError, RecursionError) as error:
        raise PolicyDenied(_UNREADABLE, cause=f"{path}: is not valid TOML: {error}") from None


def _told(problem: Problem, text: str) -> str:
    steps = [step.replace("~1", "/").replace("~0", "~") for step in problem.pointer.split("/")[1:]]
    line = _line_of([step for step in steps if not step.isdigit()], text)
    place = f"line {line}: " if line else ""
    guess = f"; did you mean {problem.did_you_mean}?" if problem.did_you_mean else ""
    return f"{place}{'.'.join(steps) or 'the file'} {problem.message}{guess}"


def _line_of(key: Sequence[str], text: str) -> int | None:
    """Returns the line of a key, or of the nearest one above it: an estimate, for TOML's reader tells no lines."""
    lines: dict[tuple[str, ...], int] = {}
    table: tuple[str, ...] = ()
    for number, line in enumerate(text.splitlines(), 1):
        if header := _HEADER.match(line):
            table = _parts(header[1])
            lines.setdefault(table, number)
        elif found := _KEY.match(line):
            lines.setdefault((*table, *_parts(found[1])), number)
    return next((lines[above] for end in range(len(key), 0, -1) if (above := tuple(key[:end])) in lines), None)


def _parts(dotted: str) -> tuple[str, ...]:
    return tuple(part.strip(" \"'") for part in dotted.split("."))
