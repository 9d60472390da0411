"""Reads scenario files.

ScenarioError
├── UnknownScenarioError
└── InvalidScenarioError
"""

import json
import tomllib
from collections.abc import Iterable, Mapping
from difflib import get_close_matches
from functools import cache
from pathlib import Path
from typing import Any, TypeVar, cast

from agent_workers.simulator.scenario import (
    Block,
    Failure,
    Interruption,
    Message,
    Page,
    Raw,
    Scenario,
    Stall,
    Step,
    Text,
    Thinking,
    ToolUse,
)
from agent_workers.simulator.settings import BatchSettings, Limit
from agent_workers.simulator.table import TableError, build

_T = TypeVar("_T")
_SHIPPED = Path(__file__).with_name("scenarios")
_SUFFIXES = (".toml", ".json")
_STEPS: Mapping[str, type[Step]] = {"message": Message, "failure": Failure, "stall": Stall, "page": Page}
_SETTINGS: Mapping[str, type[Any]] = {"batch": BatchSettings, "limit": Limit}
_BLOCKS: Mapping[str, type[Block]] = {"text": Text, "thinking": Thinking, "tool_use": ToolUse, "raw": Raw}


class ScenarioError(ValueError):
    """Base of all faults of scenarios. The message is safe to show."""


class UnknownScenarioError(ScenarioError):
    """Raised when no scenario has that name. The message lists all names, and the nearest one first."""

    def __init__(self, name: str, names: Iterable[str]) -> None:
        self.name = name
        self.names = tuple(names)
        self.nearest = get_close_matches(name, self.names, n=1)
        guess = f" Did you mean {self.nearest[0]!r}?" if self.nearest else ""
        kind = "scenario file" if name.endswith(_SUFFIXES) else "scenario"
        super().__init__(f"There is no {kind} {name!r}.{guess} Scenarios: {', '.join(self.names)}.")


class InvalidScenarioError(ScenarioError):
    """Raised when a file cannot be read as a scenario. The message names the place in the file."""

    def __init__(self, name: str, problem: object) -> None:
        super().__init__(f"Scenario {name!r}: {str(problem).rstrip('.')}{'' if str(problem).endswith('?') else '.'}")


def scenario_names() -> list[str]:
    """Returns the names of the shipped scenarios, sorted."""
    return sorted(file.stem for file in _SHIPPED.iterdir() if file.suffix in _SUFFIXES)


def load_scenario(name_or_path: str | Path) -> Scenario:
    """Returns a shipped scenario by its name, or any other by the path of its ``.toml`` or ``.json`` file.

    Raises:
        UnknownScenarioError: There is no shipped scenario of that name, and no such file.
        InvalidScenarioError: The file is not a valid scenario.
    """
    path = Path(name_or_path)
    if path.suffix not in _SUFFIXES:
        return load_shipped(str(name_or_path))
    if not path.is_file():
        raise UnknownScenarioError(str(name_or_path), scenario_names())
    return _read(path)


@cache
def load_shipped(name: str) -> Scenario:
    """Returns a shipped scenario. It looks nowhere else, so that the name may come from a request.

    Raises:
        UnknownScenarioError: There is no shipped scenario of that name.
    """
    names = scenario_names()
    if name not in names:
        raise UnknownScenarioError(name, names)
    files = (_SHIPPED / (name + suffix) for suffix in _SUFFIXES)
    return _read(next(file for file in files if file.is_file()))


def parse_scenario(name: str, table: Mapping[str, Any]) -> Scenario:
    """Returns a scenario from the contents of its file, ``{"description": …, "steps": [{…}, …]}``.

    Raises:
        InvalidScenarioError: A key is unknown or missing, or a value has the wrong type.
    """
    try:
        settings = {key: build(kind, table[key], key) for key, kind in _SETTINGS.items() if key in table}
        _check_limit(settings.get("limit"))
        return build(Scenario, {**table, **settings, "name": name, "steps": _steps(table.get("steps"))}, "the file")
    except TableError as problem:
        raise InvalidScenarioError(name, problem) from None


def _read(path: Path) -> Scenario:
    try:
        text = path.read_bytes().decode()
        table = json.loads(text) if path.suffix == ".json" else tomllib.loads(text)
    except OSError as problem:
        raise InvalidScenarioError(path.stem, f"the file cannot be read: {problem.strerror}") from problem
    except UnicodeDecodeError as problem:
        raise InvalidScenarioError(path.stem, f"the file is not UTF-8: {problem.reason}") from problem
    except (ValueError, RecursionError) as problem:
        syntax = "JSON" if path.suffix == ".json" else "TOML"
        raise InvalidScenarioError(path.stem, f"the file is not valid {syntax}: {problem}") from problem
    if not isinstance(table, dict):
        raise InvalidScenarioError(path.stem, "the file must contain a JSON object")
    return parse_scenario(path.stem, table)


def _check_limit(limit: Limit | None) -> None:
    if limit and not (limit.requests and limit.per_s):
        raise TableError("limit", "'requests' and 'per_s' must be more than 0")


def _steps(tables: object) -> tuple[Step, ...]:
    if not isinstance(tables, list) or not tables:
        raise TableError("steps", "must be a list of at least one step")
    return tuple(_step(table, f"steps[{index}]") for index, table in enumerate(tables))


def _step(table: object, where: str) -> Step:
    kind = _kind(_STEPS, table, "kind", where)
    return _message(table, where) if kind is Message else build(kind, table, where)


def _message(table: object, where: str) -> Message:
    values = dict(cast("dict[str, Any]", table))
    if not isinstance(values.get("content"), list):
        raise TableError(where, "'content' must be a list of blocks")
    blocks = (_block(block, f"{where}.content[{at}]") for at, block in enumerate(values["content"]))
    values["content"] = tuple(blocks)
    if "interruption" in values:
        values["interruption"] = build(Interruption, values["interruption"], f"{where}.interruption")
    if values.get("cut") == 0:
        raise TableError(where, "'cut' must be at least 1")
    return build(Message, values, where)


def _block(table: object, where: str) -> Block:
    return build(_kind(_BLOCKS, table, "type", where), table, where)


def _kind(kinds: Mapping[str, _T], table: object, key: str, where: str) -> _T:
    if not isinstance(table, dict):
        raise TableError(where, "must be a table")
    kind = table.get(key, next(iter(kinds)))
    if kind not in kinds:
        raise TableError(where, f"{key!r} must be one of {', '.join(kinds)}")
    return kinds[kind]
