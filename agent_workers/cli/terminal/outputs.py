"""What the tools of a run print, each below its call: the last lines while it goes on, and some of them for good."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.text import Text

from agent_workers.cli.terminal.printed_lines import PrintedLines

if TYPE_CHECKING:
    from agent_workers.cli.terminal.words import Event

_MOST_LIVE = 10
_MOST_KEPT = 20
_BAR = "│ "


class _Output:
    def __init__(self, indent: str, most: int) -> None:
        self.lines = PrintedLines(most)
        self.indent = indent
        self.left_out = 0

    def row(self, text: Text) -> Text:
        return Text.assemble((self.indent + _BAR, "dim"), text, no_wrap=True, overflow="ellipsis")

    def note(self, words: str) -> Text:
        return Text(f"{self.indent}⋯ {words}", "dim")

    def left(self) -> list[Text]:
        """Returns what is to be said of bytes that were not sent."""
        return [self.note(f"{self.left_out} more bytes were left out")] if self.left_out else []


class Outputs:
    """The output of the calls in progress.

    Args:
        most: Lines that are kept of each.
    """

    def __init__(self, most: int = _MOST_KEPT) -> None:
        self._most = most
        self._open: dict[str, _Output] = {}

    def __bool__(self) -> bool:
        return bool(self._open)

    def feed(self, event: Event, indent: str) -> _Output:
        """Takes a piece of what a call prints."""
        output = self._open.setdefault(str(event.get("tool_use_id")), _Output(indent, self._most))
        output.lines.feed(str(event.get("text", "")))
        left_out = event.get("truncated_bytes")
        output.left_out += left_out if isinstance(left_out, int) else 0
        return output

    def live(self) -> list[Text]:
        """Returns the last lines of each call."""
        return [output.row(line) for output in self._open.values() for line in output.lines.lines()[-_MOST_LIVE:]]

    def settle(self, tool_use_id: str) -> list[Text]:
        """Returns the lines of a call that stay when it has ended; it is forgotten."""
        output = self._open.pop(tool_use_id, None)
        if output is None:
            return []
        lines = output.lines.lines()[-self._most :]
        total = output.lines.count + (output.lines.unfinished is not None)
        above = [output.note(f"{total - len(lines)} lines above are not shown")] if total > len(lines) else []
        return [*above, *map(output.row, lines), *output.left()]

    def settle_all(self) -> list[Text]:
        """Returns the lines that stay of all calls: the run has ended, and no result will come."""
        return [line for call in list(self._open) for line in self.settle(call)]

    def end(self, tool_use_id: str) -> _Output | None:
        """Returns the output of a call that has ended, and forgets it."""
        return self._open.pop(tool_use_id, None)


class RunningLines:
    """The output of the calls in progress where nothing can be redrawn: each line once it is finished."""

    def __init__(self, most: int = 200) -> None:
        self._most = most
        self._outputs = Outputs(most)
        self._shown: dict[str, int] = {}

    def feed(self, event: Event, indent: str) -> list[Text]:
        """Returns the lines that a piece finishes, as long as there are not too many."""
        call = str(event.get("tool_use_id"))
        output = self._outputs.feed(event, indent)
        shown = self._shown.get(call, 0)
        rows = [output.row(line) for line in output.lines.take()[: self._most - shown]]
        self._shown[call] = shown + len(rows)
        return rows

    def settle(self, tool_use_id: str) -> list[Text]:
        """Returns what is still to be said of a call that has ended."""
        output = self._outputs.end(tool_use_id)
        if output is None:
            return []
        rest = [output.row(line) for line in output.lines.lines()]
        hidden = output.lines.count - self._shown.pop(tool_use_id, 0)
        hint = [output.note(f"{hidden} lines are not shown")] if hidden else []
        return [*hint, *rest, *output.left()]

    def settle_all(self) -> list[Text]:
        """Returns what is still to be said of all calls: the run has ended, and no result will come."""
        return [line for call in list(self._shown) for line in self.settle(call)]
