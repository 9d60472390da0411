"""Sends what tools print while they print it, each piece for the call that it belongs to."""

from __future__ import annotations

import re
import time
from typing import TYPE_CHECKING, Any

import anyio

from agent_workers.engine.claude.output.command_files import read_kept
from agent_workers.engine.claude.output.command_words import command_run_by, is_shell_line, words_of
from agent_workers.engine.printed import PIECE, Printed
from agent_workers.protocol.v1.tools import SHELL

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from agent_workers.engine.base import Tell
    from agent_workers.engine.claude.output.command_files import CommandFile, CommandFiles
    from agent_workers.protocol.v1.events import ToolCall, ToolOutput, ToolResult

_TICK_S = 0.01  # how often to read while something is printed
_IDLE_TICK_S = 0.03  # and how often when nothing has been for a second
_IDLE_AFTER_S = 1
_SEARCH_S = 1  # how long the processes are asked whose file it is
_COMPARED = 200  # characters by which a file and a result are known to be of the same command
_OWN_WORDS = ("(Bash completed", "<persisted-output>")
_KEPT = "persistedOutputPath"  # where the CLI keeps an output that is too long for a result, which has its beginning
_FAILED = re.compile(r"(?:Error: )?Exit code \d+(?:\n|$)")


class _Call:
    """A call in progress. It runs a command where it has words, and prints into a file once that is found."""

    def __init__(self, tool_use_id: str) -> None:
        self.printed = Printed(tool_use_id)
        self.words: list[str] | None = None
        self.file: CommandFile | None = None

    @property
    def waits(self) -> bool:
        return self.words is not None and self.file is None

    def give_back(self) -> CommandFile | None:
        """Returns the file, and leaves it, where nothing was printed into it: it may be that of an equal command."""
        file = self.file
        if file is None or self.printed.has_begun or file.beginning(1):
            return None
        self.file = None
        return file

    def piece(self, now: float) -> ToolOutput | None:
        if self.file and self.printed.is_due(now):
            self.printed.add(self.file.read(min(PIECE, self.printed.room)))
        return self.printed.piece(now)

    def rest(self) -> Iterator[ToolOutput]:
        if self.file:
            while data := self.file.read(self.printed.room):
                self.printed.add(data)
            self.printed.leave_out(self.file.unread)
            self.file.close()
        return self.printed.rest()


class LiveOutput:
    """What the tools of one run print.

    Args:
        files: The files that commands print into.

    Attributes:
        tell: Sends an event.
    """

    def __init__(self, files: CommandFiles) -> None:
        self.tell: Tell = _tell_nobody
        self._files = files
        self._calls: dict[str, _Call] = {}
        self._unclaimed: list[CommandFile] = []
        self._begun = anyio.Event()

    def begin(self, call: ToolCall) -> None:
        """Takes note of a call of the model."""
        self.expect(call.name, call.tool_use_id, call.input)

    def expect(self, name: str, tool_use_id: str, tool_input: dict[str, Any]) -> None:
        """Takes note that a call may begin at any moment, with this input, which need not be the model's own."""
        command = tool_input.get("command")
        if name == SHELL and isinstance(command, str):
            self._call(tool_use_id).words = words_of(command)

    def add(self, tool_use_id: str, text: str) -> None:
        """Takes what a tool of the application prints."""
        self._call(tool_use_id).printed.add(text.encode("utf-8", "replace"))

    def end(self, result: ToolResult, told: object) -> Iterator[ToolOutput]:
        """Yields what is still to be sent of a call that has ended.

        Args:
            result: The call's result.
            told: What the CLI itself says of the result.
        """
        self.look(told=True)
        call = self._calls.pop(result.tool_use_id, None)
        if call is None:
            return
        if file := call.give_back():
            self._unclaimed.append(file)
        if call.waits:
            call.file = self._claim(result.content)
            if call.file is None:  # the command was over before its file was seen
                _add_result(call.printed, result, told)
        yield from call.rest()
        if not any(call.words for call in self._calls.values()):
            self._leave_unclaimed()

    def close(self) -> None:
        """Leaves all files."""
        self._files.close()
        self._leave_unclaimed()

    def _leave_unclaimed(self) -> None:
        while self._unclaimed:
            self._unclaimed.pop().close()

    async def watch(self) -> None:
        """Sends what tools print, until cancelled."""
        self._files.watch(self.look)
        printed_at = 0.0
        while True:
            if not self._calls:
                self._begun = anyio.Event()
                await self._begun.wait()
            self.look()
            for call in list(self._calls.values()):
                if piece := call.piece(time.monotonic()):
                    await self.tell(piece)
                    printed_at = time.monotonic()
            await anyio.sleep(_TICK_S if time.monotonic() - printed_at < _IDLE_AFTER_S else _IDLE_TICK_S)

    def _call(self, tool_use_id: str) -> _Call:
        self._begun.set()
        return self._calls.setdefault(tool_use_id, _Call(tool_use_id))

    def look(self, *, told: bool = False) -> None:
        """Finds the files of commands that have begun, and the calls that they belong to."""
        waiting = {name: call.words or [] for name, call in self._calls.items() if call.waits}
        if not waiting:
            return
        for file in self._files.appeared(told=told):
            file.candidates = set(waiting)
            self._unclaimed.append(file)
        for file in list(self._unclaimed):
            if (name := self._owner(file, waiting)) and waiting.pop(name, None) is not None:
                self._calls[name].file = file
                self._unclaimed.remove(file)

    def _owner(self, file: CommandFile, waiting: Mapping[str, list[str]]) -> str | None:
        """Returns the call whose command prints into the file, as its process tells; None while it is not known."""
        if time.monotonic() - file.found_at < _SEARCH_S:
            for line in self._files.printers(file):
                if name := command_run_by(line, waiting):
                    return name
                if is_shell_line(line):
                    file.candidates.clear()  # it is of a call that was not told yet
        elif len(file.candidates) == 1 and file.candidates <= set(waiting):  # not every system tells of processes
            return next(iter(file.candidates))
        return None

    def _claim(self, content: str) -> CommandFile | None:
        """Returns the file of a command that was over before its process was seen: it holds what the result says."""
        begins = {file: file.beginning(1 << 16).decode("utf-8", "replace").strip() for file in self._unclaimed}
        fitting = [file for file, text in begins.items() if text and text[:_COMPARED] in content]
        file = max(fitting, key=lambda file: len(begins[file]), default=None)  # another's few words may be in it too
        if file:
            self._unclaimed.remove(file)
        return file


def _add_result(printed: Printed, result: ToolResult, told: Any) -> None:
    """Adds what a command printed, as far as its result says it."""
    if isinstance(told, dict) and (kept := read_kept(told.get(_KEPT), printed.room)):
        data, left_out = kept
        printed.add(data)
        printed.leave_out(left_out)
    else:
        printed.add(_printed_text(result, told).encode("utf-8", "replace"))


def _printed_text(result: ToolResult, told: Any) -> str:
    if isinstance(told, dict) and isinstance(told.get("stdout"), str):
        return str(told["stdout"])
    if failed := _FAILED.match(result.content):
        return result.content[failed.end() :]
    own_words = result.status != "ok" or result.content.startswith(_OWN_WORDS)
    return "" if own_words else result.content


async def _tell_nobody(body: object) -> bool:
    return False
