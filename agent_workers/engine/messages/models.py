"""The models that are known: those of the operator's file, and those that are shipped."""

from __future__ import annotations

import re
import tomllib
from fnmatch import fnmatchcase
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from agent_workers.engine.messages.model import Model, model_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_SHIPPED = Path(__file__).with_name("models.toml")
_LARGER_CONTEXT = "[1m]"
_WILD = frozenset("*?[")
# The name within what gateways make of it, such as "us.anthropic.claude-sonnet-4-6-v1:0", and without a date.
_NAME = r"(?:^|[./])(claude(?:-[a-z]+)+(?:[-.]\d{1,2}){1,2})(?:[-@]\d{8})?(?:-v\d+(?::\d+)?)?$"


class Models(NamedTuple):
    """The models that are known.

    Attributes:
        default: The model where a request names none, by the name that the API knows.
        aliases: Short names, and what each stands for.
        entries: What is known; the first that matches counts.
    """

    default: str
    aliases: Mapping[str, str]
    entries: tuple[Model, ...]

    def of(self, name: str) -> Model | None:
        """Returns what is known of a model, by its name or alias, with a date or as a gateway calls it."""
        full = self.full_name(name)
        bare = re.search(_NAME, full.lower())
        names = {name, full, bare[1].replace(".", "-")} if bare else {name, full}
        matching = (entry for entry in self.entries if _matches(entry, names))
        first = next(matching, None)
        return first and first.completed(matching)

    def full_name(self, name: str) -> str:
        """Returns the name that the API knows: without the CLI's ``[1m]``, and an alias replaced."""
        for _ in range(1 + len(self.aliases)):  # so that a circle of aliases ends
            bare = name[: -len(_LARGER_CONTEXT)] if name.lower().endswith(_LARGER_CONTEXT) else name
            name = self.aliases.get(bare.lower(), bare)
        return name


def load_models(environ: Mapping[str, str]) -> Models:
    """Returns the models that are known; each file is read once a process.

    As for the CLI, ``ANTHROPIC_MODEL`` is the default, and a variable such as ``ANTHROPIC_DEFAULT_OPUS_MODEL`` is what
    the alias stands for. The operator's file goes before these.

    Raises:
        InvalidModels: The operator's file cannot be read; ``cause`` names the file, line and key.
    """
    shipped = _shipped()
    aliases = {**shipped.aliases, **dict(_aliases_of(environ, shipped.aliases))}
    known = Models(environ.get("ANTHROPIC_MODEL") or shipped.default, aliases, shipped.entries)
    if path := environ.get("AGENT_WORKERS_MODELS"):
        from agent_workers.engine.messages.models_file import read_models  # where the operator has a file only

        default, own_aliases, own_entries = read_models(path)
        known = Models(default or known.default, {**aliases, **own_aliases}, (*own_entries, *shipped.entries))
    return known._replace(default=known.full_name(known.default))


@cache
def _shipped() -> Models:
    read = tomllib.loads(_SHIPPED.read_text("utf-8"))
    return Models(read["default"], read["aliases"], tuple(map(model_of, read["models"])))


def _aliases_of(environ: Mapping[str, str], aliases: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    for alias, target in aliases.items():
        if target not in aliases and (name := environ.get(f"ANTHROPIC_DEFAULT_{alias.upper()}_MODEL")):
            yield alias, name


def _matches(entry: Model, names: set[str]) -> bool:
    # Most patterns are plain names, and fnmatch compiles each it is asked for.
    return any(
        pattern in names or (not _WILD.isdisjoint(pattern) and any(fnmatchcase(name, pattern) for name in names))
        for pattern in entry.patterns
    )
