"""A line that a person types to the agent while it works, key by key, so that nothing else moves on the terminal."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from rich.cells import cell_len

from agent_workers.cli.terminal.question import without_controls

if TYPE_CHECKING:
    from agent_workers.cli.controlling_terminal import ControllingTerminal

PROMPT = "Say to the agent: "

_SEQUENCE = re.compile(r"\x1b(?:[\[O][0-?]*[ -/]*[@-~]?)?")  # what arrow keys and the like type
_ENTER = ("\r", "\n")
_BACKSPACE = ("\x7f", "\x08")
_KILL_LINE = "\x15"
_MOST = 4000


class Composer:
    """Composes one line after the other; keeps what was typed beyond a line for the next.

    Args:
        terminal: Gives the keys, and shows what they make.
    """

    def __init__(self, terminal: ControllingTerminal) -> None:
        self._terminal = terminal
        self._typed = ""

    @property
    def begun(self) -> bool:
        """Whether there are keys that no line has used yet."""
        return bool(self._typed)

    def press(self, keys: str) -> None:
        """Takes keys for the next line; those that begin none count for nothing."""
        self._typed = _SEQUENCE.sub("", self._typed + keys).lstrip("".join((*_ENTER, *_BACKSPACE, _KILL_LINE, "\x04")))

    def forget(self) -> None:
        """Drops the keys that no line has used."""
        self._typed = ""

    async def compose(self) -> str:
        """Shows the prompt and what is typed, until Enter or until all of it is erased; returns the line.

        Raises:
            TerminalLost: The terminal cannot be used.
        """
        line = ""
        await self._terminal.write(PROMPT)
        while True:
            keys, self._typed = _SEQUENCE.sub("", self._typed), ""
            for place, key in enumerate(keys):
                if key in _ENTER:
                    self._typed = keys[place + 1 :]
                    await self._terminal.write("\n")
                    return line.strip()
                line = await self._press(key, line)
            if not line:
                await self._erase(PROMPT)
                return ""
            await self._terminal.wait_typed()
            self._typed += self._terminal.read_keys()

    async def _press(self, key: str, line: str) -> str:
        if key in _BACKSPACE:
            await self._erase(line[-1:])
            return line[:-1]
        if key == _KILL_LINE:
            await self._erase(line)
            return ""
        if not without_controls(key) or len(line) >= _MOST:
            return line
        await self._terminal.write(key)
        return line + key

    async def _erase(self, text: str) -> None:
        cells = cell_len(text)
        await self._terminal.write("\b" * cells + " " * cells + "\b" * cells)
