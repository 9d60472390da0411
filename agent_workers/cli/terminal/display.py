"""A run on a terminal: what is settled stays, the rest is redrawn until it is."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

from rich.text import Text

from agent_workers.cli.harmless import harmless
from agent_workers.cli.terminal.narration import Narrator, superseded
from agent_workers.cli.terminal.outputs import Outputs
from agent_workers.cli.terminal.painter import Painter, first_block
from agent_workers.cli.terminal.screen import Line, Screen
from agent_workers.protocol.v1.events import TERMINAL

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

Voice = Literal["delta", "thinking"]

_REMEMBERED = 100  # passages; what lies further back has scrolled away


class _Piece(NamedTuple):
    block: str
    text: str


@dataclass(frozen=True)
class _Passage:
    """Something printed: of a voice, or a note where that is None."""

    lines: list[Line]
    voice: Voice | None = None
    pieces: list[_Piece] = field(default_factory=list)


class Display:
    """The form of one run on a terminal.

    Args:
        size: Gives the terminal's columns and rows.
        person: Whether its reader is asked and answers, at a prompt that is not drawn here.

    Attributes:
        behind: Whether there is text that has not been painted.
    """

    def __init__(self, size: Callable[[], tuple[int, int]], *, person: bool = False) -> None:
        self.behind = False
        self._narrator = Narrator(person=person)
        self._outputs = Outputs()
        self._screen = Screen(size)
        self._painter = Painter()
        self._printed: deque[_Passage] = deque(maxlen=_REMEMBERED)
        self._voice: Voice | None = None
        self._pieces: list[_Piece] = []

    def feed(self, event: dict[str, Any]) -> str:
        """Returns what to write for an event at once; text of the model waits for ``paint``."""
        kind = event.get("type")
        if kind == "delta" or kind == "thinking":  # noqa: PLR1714 tells the type checker more
            self._speak(kind, [_Piece(str(event.get("block")), harmless(str(event.get("text", ""))))])
        elif kind == "discard":
            self._discard({*map(str, event.get("blocks") or ())}, event.get("reason"))
        elif kind == "tool_output":
            self._outputs.feed(event, self._narrator.calls.prints(event))
            self.behind = True
        else:
            self._tell(event)
        return self._screen.take()

    def _tell(self, event: dict[str, Any]) -> None:
        begins_anew = self._narrator.begins_anew(event)
        note = self._narrator.narrate(event)
        if note is None:
            return
        self._finish()
        if event["type"] == "tool_result":
            self._keep(self._outputs.settle(str(event.get("tool_use_id"))))
        elif event["type"] in TERMINAL or begins_anew:
            self._keep(self._outputs.settle_all())
        self._note(note)
        if begins_anew:
            self._printed.clear()  # its blocks have the numbers of those that come
        self.behind = bool(self._outputs)  # what others print was overwritten

    def _keep(self, rows: list[Text]) -> None:
        if rows:
            self._print(_Passage(self._rows(rows)))

    def _rows(self, rows: list[Text]) -> list[Line]:
        return [line for row in rows for line in self._painter.lines(row, self._screen.columns)]

    def paint(self) -> str:
        """Returns what to write so that all text shows."""
        self.behind = False
        if self._voice == "delta":
            self._settle()
        self._screen.show([*self._lines_of(self._voice, self._pieces), *self._rows(self._outputs.live())])
        return self._screen.take()

    def make_room(self) -> str:
        """Returns what to write so that all text shows for good; others may write below it then."""
        painted = self.paint()
        self._finish()
        self._screen.leave()
        return painted + self._screen.take()

    def _speak(self, voice: Voice, pieces: list[_Piece]) -> None:
        if voice != self._voice:
            self._finish()
        self._voice = voice
        self._pieces += pieces
        self.behind = True

    def _settle(self) -> None:
        """Prints the Markdown blocks that are finished, so that the redrawn part stays small."""
        while length := first_block(_text(self._pieces)):
            done, self._pieces = _split(self._pieces, length)
            self._print(_Passage(self._lines_of("delta", done), "delta", done))

    def _finish(self) -> None:
        """Prints all that was said so far."""
        if self._voice == "delta":
            self._settle()
        if self._pieces:
            self._print(_Passage(self._lines_of(self._voice, self._pieces), self._voice, self._pieces))
        self._voice, self._pieces, self.behind = None, [], False

    def _note(self, note: Text) -> None:
        after_text = bool(self._printed) and self._printed[-1].voice is not None
        lines = self._painter.lines(note, self._screen.columns)
        self._print(_Passage([*([Line("", 0)] if after_text else []), *lines]))

    def _print(self, passage: _Passage) -> None:
        self._screen.print(passage.lines)
        self._printed.append(passage)

    def _lines_of(self, voice: Voice | None, pieces: list[_Piece]) -> list[Line]:
        text = _text(pieces)
        if not text.strip():
            return []
        columns = self._screen.columns
        if voice == "thinking":
            lines = self._painter.lines(Text(text.strip(), style="dim italic"), columns)
        else:
            lines = self._painter.markdown(text, columns)
        return [Line("", 0), *lines] if self._printed else lines

    # Taking back

    def _discard(self, blocks: set[str], reason: object) -> None:
        touched = [index for index, passage in enumerate(self._printed) if _blocks(passage) & blocks]
        first = self._first_changed(touched, blocks)
        self._pieces = _without(self._pieces, blocks)
        self.behind = True
        recent = [self._printed.pop() for _ in range(len(self._printed) - first)][::-1]
        if not recent:
            return
        if self._screen.rub_out([line for passage in recent for line in passage.lines]):
            self._print_again(recent, blocks)
        elif touched:
            self._printed.extend(_Passage(passage.lines, passage.voice) for passage in recent)
            self._finish()
            self._note(superseded(reason))
        else:
            self._printed.extend(recent)

    def _first_changed(self, touched: list[int], blocks: set[str]) -> int:
        """Returns which printed passage is the first that may look otherwise without these blocks."""
        first, voice = len(self._printed), self._voice
        if touched:
            first, voice = touched[0], self._printed[touched[0]].voice
        elif not any(piece.block in blocks for piece in self._pieces):
            return first
        # What followed has said where the passage before it ends.
        return first - 1 if first and voice and self._printed[first - 1].voice == voice else first

    def _print_again(self, passages: list[_Passage], blocks: set[str]) -> None:
        """Prints what still counts of what was rubbed out together with the discarded text."""
        voice, pieces = self._voice, self._pieces
        self._voice, self._pieces = None, []
        for passage in passages:
            if passage.voice is None:
                self._finish()
                self._print(passage)
            else:
                self._speak(passage.voice, _without(passage.pieces, blocks))
        if voice:
            self._speak(voice, pieces)


def _text(pieces: Iterable[_Piece]) -> str:
    return "".join(piece.text for piece in pieces)


def _blocks(passage: _Passage) -> set[str]:
    return {piece.block for piece in passage.pieces}


def _without(pieces: Iterable[_Piece], blocks: set[str]) -> list[_Piece]:
    return [piece for piece in pieces if piece.block not in blocks]


def _split(pieces: list[_Piece], length: int) -> tuple[list[_Piece], list[_Piece]]:
    """Splits the pieces after so many characters."""
    before: list[_Piece] = []
    for index, piece in enumerate(pieces):
        if length < len(piece.text):
            head, tail = piece.text[:length], piece.text[length:]
            return [*before, piece._replace(text=head)], [piece._replace(text=tail), *pieces[index + 1 :]]
        before.append(piece)
        length -= len(piece.text)
    return before, []
