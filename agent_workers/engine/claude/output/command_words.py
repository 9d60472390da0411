"""Tells by its words which command a shell runs. Pure.

The CLI wraps a command before a shell gets it: quotes it, once or twice, and puts words of its own before, after and
sometimes between. What remains of a command in all of this are its words, in their order.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

_QUOTING = re.compile(r"['\"\\]+")
_WORD = re.compile(r"[^\s;|&(){}<>]+")
_WRAPPED = re.compile(r"\beval\s(.*)\bpwd -P\b", re.DOTALL)


def words_of(command: str) -> list[str]:
    """Returns the words of a command, without what quotes or joins them."""
    return _WORD.findall(_QUOTING.sub("", command))


def is_shell_line(line: str) -> bool:
    """Tells whether this is the command line of a shell that the CLI has started."""
    return _WRAPPED.search(line) is not None


def command_run_by(line: str, commands: Mapping[str, list[str]]) -> str | None:
    """Returns which of the commands a shell runs; None for none of them.

    Args:
        line: The shell's command line, as the CLI has made it.
        commands: The words of each command by its call, in the order of the calls.
    """
    wrapped = _WRAPPED.search(line)
    if not wrapped:
        return None
    found = words_of(wrapped[1])
    fitting = [call for call, words in commands.items() if _in_order(words, found)]
    return max(fitting, key=lambda call: len(commands[call]), default=None)  # of equals the first


def _in_order(words: Iterable[str], among: Iterable[str]) -> bool:
    rest = iter(among)
    return all(word in rest for word in words)
