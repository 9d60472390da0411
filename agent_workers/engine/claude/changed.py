"""Whether an input that somebody has changed may run. The CLI applies neither its schemas nor its rules to it."""

from __future__ import annotations

import os
import re
import unicodedata
from fnmatch import fnmatchcase
from glob import escape
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

from .gate import fits, read_rule
from .paths import PLACES

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

_NUMBER = (int, float)
# As the CLI 2.1.329 offers its tools to the model: the required fields, then the others, each with its type or values.
_FIELDS: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "Agent": (
        {"description": str, "prompt": str},
        {
            "subagent_type": str,
            "model": frozenset({"sonnet", "opus", "haiku", "fable"}),
            "effort": frozenset({"low", "medium", "high", "xhigh", "max"}),
            "isolation": frozenset({"worktree", "remote"}),
        },
    ),
    "Bash": ({"command": str}, {"timeout": _NUMBER, "description": str, "dangerouslyDisableSandbox": bool}),
    "Edit": ({"file_path": str, "old_string": str, "new_string": str}, {"replace_all": bool}),
    "Glob": ({"pattern": str}, {"path": str}),
    "Grep": (
        {"pattern": str},
        {
            **dict.fromkeys(("path", "glob", "type"), str),
            "output_mode": frozenset({"content", "files_with_matches", "count"}),
            **dict.fromkeys(("-A", "-B", "-C", "context", "head_limit", "offset"), _NUMBER),
            **dict.fromkeys(("-n", "-i", "-o", "multiline"), bool),
        },
    ),
    "NotebookEdit": (
        {"notebook_path": str, "new_source": str},
        {
            "cell_id": str,
            "cell_type": frozenset({"code", "markdown"}),
            "edit_mode": frozenset({"replace", "insert", "delete"}),
        },
    ),
    "Read": ({"file_path": str}, {"offset": int, "limit": int, "pages": str, "allow_large": bool}),
    "WebFetch": ({"url": str, "prompt": str}, {"offset": int}),
    "WebSearch": ({"query": str}, {"allowed_domains": list, "blocked_domains": list}),
    "Write": ({"file_path": str, "content": str}, {}),
}
_READING, _CHANGING = {"Read", "Glob", "Grep"}, {"Edit", "Write", "NotebookEdit"}
_SEPARATORS = re.compile(r"[\s;&|(){}<>`$]+")
_QUOTING = re.compile(r"[\"'\\]")


def objection(name: str, changed: dict[str, Any], deny: Sequence[str], cwd: str) -> str | None:
    """Why a changed input may not run, in words for the model; None where it may.

    Args:
        name: Of the tool.
        changed: What it would be called with.
        deny: The deny rules. One that could be about the call holds: nobody sees whether it is.
        cwd: The working directory, without links.
    """
    if not changed:
        return "The changed input is empty."
    if fault := _fault(name, changed):
        return f"The changed input does not fit the tool: {fault}."
    rule = next((rule for rule in deny if _concerns(rule, name, changed, cwd)), None)
    return f"The changed input is not allowed by the rule {rule}." if rule else None


def _fault(name: str, changed: dict[str, Any]) -> str | None:
    if name not in _FIELDS:
        return None  # a server checks its tools' input itself
    required, optional = _FIELDS[name]
    known = required | optional
    if missing := [field for field in required if field not in changed]:
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
    if tool in _READING | _CHANGING:
        kind = _READING if tool in _READING else _CHANGING
        paths = _paths(name, changed) if name in kind or name == "Bash" else ()
        return any(_lies(path, specifier, cwd) for path in paths) if specifier else name in kind
    if tool != name:
        return tool.startswith("mcp__") and name.startswith(f"{tool}__")
    return not specifier or _names(specifier, name, changed)


def _names(specifier: str, name: str, changed: dict[str, Any]) -> bool:
    if name == "Bash":
        return any(fits(specifier, text) for text in _commands(changed["command"]))
    if name == "WebFetch":
        return specifier.removeprefix("domain:").strip("*.").lower() in _plain(changed["url"])
    return specifier in changed.values()


def _plain(url: str) -> str:
    """An address with its host as whoever fetches it reads it: decoded, in plain letters, without what is skipped."""
    letters = unicodedata.normalize("NFKC", unquote(url))
    skipped = {"Cc", "Cf", "Mn"}
    return "".join(c for c in letters if unicodedata.category(c) not in skipped).replace("\u3002", ".").lower()


def _commands(command: str) -> Iterator[str]:
    """The command, and all that begins at one of its words and ends before a separator, quotes and backslashes gone."""
    yield command.strip()
    for piece in re.split(r"[;&|(){}<>`\n]+", _QUOTING.sub("", command)):
        words = piece.split()
        for first in range(len(words)):
            for name in {words[first], Path(words[first]).name}:
                yield " ".join([name, *words[first + 1 :]])


def _paths(name: str, changed: dict[str, Any]) -> Iterator[str]:
    if name == "Bash":
        words = [word for word in _SEPARATORS.split(_QUOTING.sub("", changed["command"])) if word]
        parts = [part for word in words for part in (word, *re.split(r"[=:,]", word))]
        yield from parts
        yield from (os.path.join(above, part) for above in parts for part in parts)  # noqa: PTH118 after a cd
    else:
        yield str(changed.get(PLACES.get(name, ""), "."))


def _lies(path: str, specifier: str, cwd: str) -> bool:
    """Whether a path is one that a rule's pattern names, or lies below one, or is a pattern for one."""
    home = os.path.expanduser("~")  # noqa: PTH111
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
