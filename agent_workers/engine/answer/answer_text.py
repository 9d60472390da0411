"""The text of the answer so far: numbered blocks, of which a retry may take some back."""

from __future__ import annotations

from dataclasses import dataclass, field

from agent_workers.wire import mend_surrogates


@dataclass(slots=True)
class _Block:
    kind: str | None
    number: int
    held: str = ""  # the first half of a character, until the second half comes


@dataclass(slots=True)
class AnswerText:
    """The text of the answer, block by block. Numbers count text and thinking blocks over the whole run, from 1.

    Attributes:
        thinking: Whether thinking is sent; what was never sent need not be taken back.
    """

    thinking: bool = False
    _texts: dict[int, list[str]] = field(default_factory=dict)
    _open: dict[int, _Block] = field(default_factory=dict)
    _streamed: set[str] = field(default_factory=set)
    _unfinished: list[int] = field(default_factory=list)
    _last: int = 0

    @property
    def text(self) -> str:
        """The final answer: all that was said and not taken back since the last tool call."""
        return "".join(piece for pieces in self._texts.values() for piece in pieces)

    def begin_message(self, message_id: str | None) -> None:
        """Notes that a message of the model begins to stream."""
        self._open.clear()
        if message_id:
            self._streamed.add(message_id)

    def end_message(self, *, kept: int | None = None) -> None:
        """Notes that the message ends: a retry replaces none of it, or only the blocks from index ``kept`` on."""
        lost = () if kept is None else [block.number for index, block in self._open.items() if index >= kept]
        self._unfinished = [number for number in self._unfinished if number in lost]

    def has_streamed(self, message_id: str | None) -> bool:
        """Tells whether this message's text has already come as a stream."""
        return message_id in self._streamed

    def open_block(self, index: int, kind: str | None) -> None:
        """Notes that a content block of the message begins."""
        number = self._number() if kind in ("text", "thinking") else 0
        self._open[index] = _Block(kind, number)

    def block(self, index: int) -> tuple[str | None, int]:
        """Returns kind and number of an open or just closed block."""
        block = self._open.get(index)
        return (block.kind, block.number) if block else (None, 0)

    def add(self, index: int, text: str) -> str:
        """Adds a piece of text; returns what can be sent now: never half a character."""
        block = self._open.get(index)
        if block is None:
            return ""
        text = block.held + text
        block.held = ""
        if text and "\ud800" <= text[-1] <= "\udbff":
            block.held, text = text[-1], text[:-1]
        return self._keep(block, mend_surrogates(text))

    def close_block(self, index: int) -> str:
        """Ends a block; returns what was held back of it."""
        block = self._open.get(index)
        if block is None or not block.held:
            return ""
        text, block.held = mend_surrogates(block.held), ""
        return self._keep(block, text)

    def _keep(self, block: _Block, text: str) -> str:
        told = block.kind == "text" or (block.kind == "thinking" and self.thinking)
        if text and told and block.number not in self._unfinished:
            self._unfinished.append(block.number)
        if text and block.kind == "text":
            self._texts.setdefault(block.number, []).append(text)
        return text

    def add_whole(self, kind: str, text: str) -> int:
        """Adds a finished block; returns its number."""
        number = self._number()
        if kind == "text":
            self._texts[number] = [mend_surrogates(text)]
        return number

    def discard_unfinished(self) -> list[int]:
        """Takes back the blocks of a message that was never completed; returns their numbers."""
        blocks, self._unfinished = self._unfinished, []
        for number in blocks:
            self._texts.pop(number, None)
        return blocks

    def discard_all(self) -> list[int]:
        """Takes back all text since the last tool call; returns the numbers of its blocks."""
        blocks = list(self._texts)
        self._texts.clear()
        return blocks

    def restart(self) -> None:
        """Forgets what was said before a tool call; it has been sent and is no part of the final answer."""
        self._texts.clear()

    def _number(self) -> int:
        self._last += 1
        return self._last
