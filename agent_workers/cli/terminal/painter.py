"""From text to lines for a terminal, by rich. Whatever the text holds, no escape sequence but rich's own comes out."""

from __future__ import annotations

from io import StringIO
from typing import TYPE_CHECKING

from markdown_it import MarkdownIt
from rich.cells import cell_len
from rich.console import COLOR_SYSTEMS, Console
from rich.markdown import Markdown
from rich.text import Text

from agent_workers.cli.harmless import harmless
from agent_workers.cli.terminal.screen import Line

if TYPE_CHECKING:
    from rich.console import RenderableType
    from rich.segment import Segment
    from rich.style import Style

# Tags are text here: rich would leave them out.
_PARSER = MarkdownIt("commonmark", {"html": False}).enable("strikethrough").enable("table")
_CODE_COLORS = "ansi_dark"  # the terminal's own sixteen


class Painter:
    """Makes lines for one terminal, with the colors that its environment variables promise."""

    def __init__(self) -> None:
        self._console = Console(file=StringIO(), force_terminal=True, legacy_windows=False)
        self._colors = COLOR_SYSTEMS.get(self._console.color_system or "")

    def lines(self, renderable: RenderableType, columns: int) -> list[Line]:
        """Returns the lines of a text or other renderable, without empty ones before and after."""
        options = self._console.options.update(width=columns, height=None)
        rows = self._console.render_lines(renderable, options, pad=False)
        inked = [index for index, segments in enumerate(rows) if any(segment.text.strip() for segment in segments)]
        return [self._line(segments) for segments in rows[inked[0] : inked[-1] + 1]] if inked else []

    def markdown(self, text: str, columns: int) -> list[Line]:
        """Returns the lines of Markdown; those of the text as it is where rich cannot render it."""
        text = harmless(text)
        markdown = Markdown("", code_theme=_CODE_COLORS, hyperlinks=False)
        try:
            markdown.parsed = _PARSER.parse(text)
            return self.lines(markdown, columns)
        except Exception:  # noqa: BLE001 what a model wrote must not end the run
            return self.lines(Text(text), columns)

    def _line(self, segments: list[Segment]) -> Line:
        parts = [(harmless(segment.text), segment.style) for segment in segments if not segment.control]
        cells = sum(cell_len(text) for text, _ in parts)
        return Line("".join(self._styled(text, style) for text, style in parts), cells)

    def _styled(self, text: str, style: Style | None) -> str:
        if style is None:
            return text
        if self._console.no_color:
            style = style.without_color
        return style.update_link(None).render(text, color_system=self._colors)


def first_block(text: str) -> int:
    """Returns how many characters of a harmless text are its first, finished Markdown block; 0 while it may go on.

    Only whole lines are looked at: half of one may come to mean something else.
    """
    lines = text.split("\n")[:-1]
    starts = [token.map[0] for token in _PARSER.parse("\n".join(lines)) if token.level == 0 and token.map]
    return sum(len(line) + 1 for line in lines[: starts[1]]) if len(starts) > 1 else 0
