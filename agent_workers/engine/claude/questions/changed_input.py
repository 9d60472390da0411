"""Checks a tool input that the application has changed. The CLI applies neither its schemas nor its rules to it."""

from __future__ import annotations

import os
import re
import unicodedata
from fnmatch import fnmatchcase
from glob import escape
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

from agent_workers.engine.claude.questions.gate import fits, read_rule
from agent_workers.protocol.v1.tools import BUILT_IN_TOOLS, SHELL, WEB_FETCH, path_rule_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

_SEPARATORS = re.compile(r"[\s;&|(){}<>`$]+")
_QUOTING = re.compile(r"[\"'\\]")


def objection(name: str, changed: dict[str, Any], deny: Sequence[str], cwd: str) -> str | None:
    """Returns why a changed input may not run, in words for the model; None where it may.

    Args:
        name: The tool's name.
        changed: The changed input.
        deny: The deny rules. A rule that might concern the call applies, as nobody can tell for certain.
        cwd: The working directory, links resolved.
    """
    if not changed:
        return "The changed input is empty."
    if fault := _fault(name, changed):
        return f"The changed input does not fit the tool: {fault}."
    rule = next((rule for rule in deny if _concerns(rule, name, changed, cwd)), None)
    return f"The changed input is not allowed by the rule {rule}." if rule else None


def _fault(name: str, changed: dict[str, Any]) -> str | None:
    if name not in BUILT_IN_TOOLS:
        return None  # an MCP server checks the input of its tools itself
    tool = BUILT_IN_TOOLS[name]
    known = {**tool.required, **tool.optional}
    if missing := [field for field in tool.required if field not in changed]:
        return f"{missing[0]} is missing"
    for field, value in changed.items():
        if field not in known:
            return f"there is no field {field[:40]!r}"
        if isinstance(known[field], frozenset):
            if value not in sorted(known[field]):
                return f"{field} must be one of {', '.join(sorted(known[field]))}"
        elif not isinstance(value, known[field]) or (isinstance(value, bool) and known[field] is not bool):
            return f"{field} has the wrong type"
    return None


def _concerns(rule: str, name: str, changed: dict[str, Any], cwd: str) -> bool:
    tool, specifier = read_rule(rule)
    if kind := path_rule_of(tool):
        alike = path_rule_of(name) == kind
        paths = _paths(name, changed) if alike or name == SHELL else ()
        return any(_lies(path, specifier, cwd) for path in paths) if specifier else alike
    if tool != name:
        return tool.startswith("mcp__") and name.startswith(f"{tool}__")
    return not specifier or _names(specifier, name, changed)


def _names(specifier: str, name: str, changed: dict[str, Any]) -> bool:
    if name == SHELL:
        return any(fits(specifier, text) for text in _commands(changed["command"]))
    if name == WEB_FETCH:
        return specifier.removeprefix("domain:").strip("*.").lower() in _plain(changed["url"])
    return specifier in changed.values()


def _plain(url: str) -> str:
    """Returns an address as a browser reads its host: decoded, in plain letters, without ignored characters."""
    letters = unicodedata.normalize("NFKC", unquote(url))
    skipped = {"Cc", "Cf", "Mn"}
    return "".join(c for c in letters if unicodedata.category(c) not in skipped).replace("\u3002", ".").lower()


def _commands(command: str) -> Iterator[str]:
    """Yields the command, and each part of it from a word to the next separator, without quotes and backslashes."""
    yield command.strip()
    for piece in re.split(r"[;&|(){}<>`\n]+", _QUOTING.sub("", command)):
        words = piece.split()
        for first in range(len(words)):
            for name in {words[first], Path(words[first]).name}:
                yield " ".join([name, *words[first + 1 :]])


def _paths(name: str, changed: dict[str, Any]) -> Iterator[str]:
    if name == SHELL:
        words = [word for word in _SEPARATORS.split(_QUOTING.sub("", changed["command"])) if word]
        parts = [part for word in words for part in (word, *re.split(r"[=:,]", word))]
        yield from parts
        yield from (os.path.join(above, part) for above in parts for part in parts)  # noqa: PTH118 after a cd
    else:
        yield str(changed.get(BUILT_IN_TOOLS[name].path or "", "."))


def _lies(path: str, specifier: str, cwd: str) -> bool:
    """Tells whether a path matches a rule's pattern, lies below a match, or is itself a pattern for one."""
    home = os.path.expanduser("~")  # noqa: PTH111 never raises
    root = specifier.removeprefix("/") if specifier.startswith("//") else None
    pattern = root or (escape(home) + specifier[1:] if specifier.startswith("~/") else None)
    if pattern is None:
        bare = specifier.removeprefix("./").rstrip("/")
        pattern = f"{escape(cwd)}/{bare}" if "/" in bare else f"{escape(cwd)}/**/{bare}"
    pattern = pattern.rstrip("/").removesuffix("/**").lower()
    patterns = {pattern, pattern.replace("/**/", "/")}
    full = os.path.join(cwd, home + path[1:] if path.startswith("~") else path)  # noqa: PTH118 may be absolute
    for spelled in {os.path.normpath(full).lower(), os.path.realpath(full).lower()}:
        for place in (spelled, *map(str, Path(spelled).parents)):
            if any(fnmatchcase(place, each) or fnmatchcase(each, place) for each in patterns):
                return True
    return False
