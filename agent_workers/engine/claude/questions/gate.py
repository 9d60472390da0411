"""Decides which calls need no permission. The CLI runs this program before each call of a command or a web address.

``python gate.py FILE`` reads the CLI's hook input on stdin and, where the call needs a permission, has the CLI ask for
one. FILE holds the keyword arguments of ``Gate`` as JSON. The CLI's own idea of a harmless command is far wider. The
CLI still applies its rules to what passes here, so a mistake here allows nothing that the CLI would not.

The program starts anew for each such call, so it imports nothing but a little of the standard library.
"""

from __future__ import annotations

import json
import os
import re
import sys
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

GUARDED = ("Bash", "WebFetch")
"""The tools whose calls it judges: those that the table of built-in tools, which it cannot import, calls guarded."""

_NO_RULE = "No rule allows this call, and it is not among those that need no permission."
_NONE = r"(?!)"
# Programs with those of their options that neither write, run a program, follow links nor take a file's name. All other
# words are operands, and count as paths. The programs of TEXT take no paths.
HARMLESS = {
    "cat": r"-[AbeEnstTuv]+",
    "cmp": r"-[bls]+",
    "cut": r"-[bcdf][^/]*|-s",
    "date": r"-u|\+.*",
    "grep": r"-[cehHilLnoqrsvwxEF]+|-[ABCm]\d*",
    "head": r"-[nc]?\d*|-[qv]+",
    "ls": r"-[1aAcdFghiklmnopqrRsStuvxX]+",
    "pwd": r"-[LP]",
    "sort": r"-[bdfghiMnrsuV]+|-k[\d.,bdfgiMnrV]*|-t.?",
    "tac": _NONE,
    "tail": r"-[nc]?\+?\d*|-[qv]+",
    "uniq": r"-[cdiu]+",
    "wc": r"-[clLmw]+",
}
_MAX_OPERANDS = {"date": 0, "uniq": 1}  # one more operand would set the clock, or be a file to write to
TEXT = frozenset({"basename", "dirname", "echo", "false", "printf", "tr", "true"})
EDITS = {
    "cp": r"-[finprRv]+",
    "mkdir": r"-[pv]+",
    "mv": r"-[finv]+",
    "rm": r"-[dfirRv]+",
    "rmdir": r"-[pv]+",
    "sed": r"-[Einrs]+",
    "touch": r"-[acm]+",
}
# These may leave behind a link that leads elsewhere than before.
_MOVING = frozenset({"cp", "mv"})
# After these programs, later words of the same line may mean something else.
_UNSETTLING = frozenset(
    {
        *(".", "alias", "builtin", "cd", "command", "declare", "enable", "env", "eval", "exec", "export", "hash"),
        *("local", "popd", "pushd", "readonly", "set", "shopt", "source", "trap", "typeset", "unalias", "unset"),
    }
)
# The part of the shell's language that is understood: words of plain characters and quoted text, without expansions.
_END = r"(?=[\s;&|]|\Z)"
_WORD = r"""(?:[\w@%+=:,./^-]|'[^']*'|"[^"$`\\!]*")+"""
_TOKEN = re.compile(
    rf"(?P<space>[ \t]+)|(?P<operator>&&|\|\||[;|\n])|(?P<quiet>2>&1{_END}|(?:[12&]?>|<)[ \t]*/dev/null{_END})"
    rf"|[12]?>>?[ \t]*(?P<target>{_WORD}){_END}|(?P<word>{_WORD}){_END}"
)
_HOST = re.compile(r"https?://([A-Za-z0-9.-]+)(?::\d+)?(?:[/?#]|\Z)", re.IGNORECASE)
_QUOTES = re.compile(r"'([^']*)'|\"([^\"]*)\"")
_SUBSTITUTION = re.compile(r"\$\(|`|[<>]\(")
_BETWEEN = re.compile(r"&&|\|\||[;|&\n(){}]")
_DUPLICATION = re.compile(r"[12]?>&[12]|&>")
_PREFIX = re.compile(r"(?:[A-Za-z_]\w*=\S*\s+|(?:time|nohup|nice|timeout(?:\s+-[^\s]+)*\s+[\d.]+[smhd]?)\s+)+")


class Part(NamedTuple):
    """One of the commands that a line is made of.

    Attributes:
        text: The command as it stands in the line.
        words: Its words, without quotes.
        targets: The files that it writes to.
        piped: Whether it runs at the same time as the one before it.
    """

    text: str
    words: list[str]
    targets: list[str]
    piped: bool = False

    @property
    def takes_paths(self) -> bool:
        """Whether it may name files."""
        return bool(self.targets) or self.words[0] not in TEXT


class Gate:
    """Decides which calls of one run need no permission.

    Args:
        allow: The request's allow rules.
        deny: The request's deny rules.
        directories: The working directories, links resolved.
        edits: Whether commands may also change files in them.
    """

    def __init__(
        self, *, allow: Iterable[str] = (), deny: Iterable[str] = (), directories: Sequence[str], edits: bool = False
    ) -> None:
        self._allow = [read_rule(rule) for rule in allow]
        self._deny = [read_rule(rule) for rule in deny]
        self._directories = directories
        self._edits = edits
        self._options = HARMLESS | (EDITS if edits else {})

    def passes(self, name: str, tool_input: dict[str, Any], cwd: str) -> bool:
        """Tells whether the CLI's rules may decide on a call; otherwise it needs a permission, whatever they say.

        Args:
            name: The tool's name.
            tool_input: The call's input.
            cwd: Where a command would run.
        """
        if name not in GUARDED or (name, "") in self._allow:
            return True
        if name == "WebFetch":
            return self._allows_address(tool_input.get("url"))
        command = tool_input.get("command")
        return isinstance(command, str) and self._passes_command(command.strip(), cwd)

    def _allows_address(self, url: object) -> bool:
        found = _HOST.match(url) if isinstance(url, str) else None
        domains = [specifier.removeprefix("domain:") for tool, specifier in self._allow if tool == "WebFetch"]
        return found is not None and any(fits(domain, found[1].lower()) for domain in domains)

    def _passes_command(self, command: str, cwd: str) -> bool:
        if ("Bash", command) in self._allow:
            return True
        parts = parts_of(command)
        if parts is None:
            return self._allowed_in_pieces(command)
        if any(name == "Bash" and fits(rule, part.text) for name, rule in self._deny for part in parts):
            return True  # the CLI denies it and names the rule
        others = [part for part in parts if not _any_fits(self._allow, part.text)]
        settled = all(part in others or _bare(part.text).split()[0] not in _UNSETTLING for part in parts)
        settled = settled and _names_what_is_there(parts)
        return not others or (settled and all(self._is_harmless(part, cwd) for part in others))

    def _is_harmless(self, part: Part, cwd: str) -> bool:
        program, *words = part.words or [""]
        if part.targets and not (self._edits and all(self._is_inside(target, cwd) for target in part.targets)):
            return False
        if program in TEXT:
            return not (program == "printf" and words and words[0].startswith("-"))  # -v sets a variable
        known = self._options.get(program)
        if known is None:
            return False
        operands = [word for word in words if not re.fullmatch(known, word)]
        if len(operands) > _MAX_OPERANDS.get(program, len(operands)):
            return False
        return all(not word.startswith("-") and self._is_inside(word, cwd) for word in operands)

    def _is_inside(self, path: str, cwd: str) -> bool:
        if path.startswith("~") or "\0" in path:
            return False
        real = os.path.realpath(os.path.join(cwd, path))  # noqa: PTH118 pathlib would double the time to start
        return any(real == each or real.startswith(each.rstrip("/") + "/") for each in self._directories)

    def _allowed_in_pieces(self, command: str) -> bool:
        """Tells whether rules allow each piece of a command that is more than plain words."""
        if _SUBSTITUTION.search(command):
            return False
        pieces = [piece.strip() for piece in _BETWEEN.split(_DUPLICATION.sub(" ", command)) if piece.strip()]
        return bool(pieces) and all(_any_fits(self._allow, piece) for piece in pieces)


def parts_of(command: str) -> list[Part] | None:
    """Returns the commands of a line; None where it is empty or more than plain words."""
    parts, part, place, begun = [], Part("", [], []), 0, 0
    while place < len(command):
        found = _TOKEN.match(command, place)
        if not found:
            return None
        if found["operator"]:
            parts.append(part._replace(text=command[begun:place].strip()))
            part, begun = Part("", [], [], found["operator"] == "|"), found.end()
        elif found["target"]:
            part.targets.append(_unquoted(found["target"]))
        elif found["word"]:
            part.words.append(_unquoted(found["word"]))
        place = found.end()
    parts.append(part._replace(text=command[begun:].strip()))
    return parts if all(part.words for part in parts) else None


def _names_what_is_there(parts: Sequence[Part]) -> bool:
    """Tells whether each path still leads to the same file when it is used: no command before it may move a link."""
    moving = next((number for number, part in enumerate(parts) if part.words[0] in _MOVING), len(parts))
    first = moving
    while first < len(parts) and parts[first].piped:
        first -= 1
    return not any(part.takes_paths for number, part in enumerate(parts) if number >= first and number != moving)


def _unquoted(word: str) -> str:
    return _QUOTES.sub(lambda quoted: quoted[1] if quoted[1] is not None else quoted[2], word)


def _bare(text: str) -> str:
    """Returns the command without the variables and wrapper programs before it that the CLI skips as well."""
    return _PREFIX.sub("", text, count=1) if _PREFIX.match(text) else text


def read_rule(rule: str) -> tuple[str, str]:
    """Splits a rule into its tool and its specifier, which may be empty."""
    name, _, specifier = rule.partition("(")
    return name, specifier.removesuffix(")")


def _any_fits(rules: Iterable[tuple[str, str]], text: str) -> bool:
    return any(fits(rule, text) or fits(rule, _bare(text)) for name, rule in rules if name == "Bash")


def fits(specifier: str, text: str) -> bool:
    """Tells whether a rule's specifier fits a text: ``prefix:*``, a pattern with ``*``, or the text itself."""
    if not specifier:
        return True
    if specifier.endswith(":*"):
        prefix = specifier.removesuffix(":*")
        return text == prefix or text.startswith(f"{prefix} ")
    pattern = ".*".join(map(re.escape, specifier.split("*")))
    return bool(re.fullmatch(pattern, text, re.DOTALL)) or (specifier.endswith(" *") and text == specifier[:-2])


def main(rules: str) -> None:
    """Answers the CLI on stdout; writes nothing where the call passes."""
    with open(rules, encoding="utf-8") as file:  # noqa: PTH123 see above
        gate = Gate(**json.load(file))
    call = json.load(sys.stdin)
    if not gate.passes(call["tool_name"], call["tool_input"], call["cwd"]):
        output = {"hookEventName": "PreToolUse", "permissionDecision": "ask", "permissionDecisionReason": _NO_RULE}
        json.dump({"hookSpecificOutput": output}, sys.stdout)


if __name__ == "__main__":
    main(sys.argv[1])
