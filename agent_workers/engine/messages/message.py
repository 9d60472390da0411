"""One message of the model, as it streams: event bodies for the reader, and its content for what follows. Pure."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from itertools import count
from typing import TYPE_CHECKING, Any

from agent_workers.engine.answer.usage import usage_of
from agent_workers.errors import AnswerUnreadable
from agent_workers.protocol.document import parse_json
from agent_workers.protocol.v1.events import Body, Delta, Notice, Thinking, Usage
from agent_workers.protocol.v1.problem import RequestProblems
from agent_workers.wire import mend_surrogates

if TYPE_CHECKING:
    from collections.abc import Iterator

    from agent_workers.engine.answer.answer_text import AnswerText

Event = dict[str, Any]
Block = dict[str, Any]

_PIECES = {
    "text_delta": "text",
    "thinking_delta": "thinking",
    "signature_delta": "signature",
    "input_json_delta": "partial_json",
}
_KIND = re.compile(r"[a-z0-9_.-]{1,64}", re.IGNORECASE)
_KEPT = ("text", "thinking", "redacted_thinking", "tool_use")
_NAMELESS = "unknown"


@dataclass(slots=True)
class _Open:
    block: Block
    pieces: list[str] = field(default_factory=list)
    signature: str = ""


class StreamedMessage:
    """A message under way.

    Args:
        answer: The text of the run's answer; grows with the message's.
        thinking: Whether thinking is sent.
        partial: Whether text is sent as it comes, and not each block as a whole.
        passed_over: The kinds of blocks that were told to be left out; grows.

    Attributes:
        content: The finished blocks, as the API takes them back.
        usage: Tokens, as far as the API has told them.
        model: The model that answers; None until it is known.
        stop_reason: Why it ended; None until it has.
        unreadable: The ids of its calls whose input is no JSON object, such as one that ``max_tokens`` has cut.
        is_partly_unread: Whether something in it was passed over.
    """

    def __init__(self, answer: AnswerText, passed_over: set[str], *, thinking: bool, partial: bool) -> None:
        self.content: list[Block] = []
        self.usage = Usage()
        self.model: str | None = None
        self.stop_reason: str | None = None
        self.unreadable: set[str] = set()
        self.is_partly_unread = False
        self._passed_over = passed_over
        self._answer = answer
        self._thinking = thinking
        self._partial = partial
        self._open: dict[int, _Open] = {}

    @property
    def calls(self) -> list[Block]:
        """The calls of tools in it."""
        return [block for block in self.content if block["type"] == "tool_use"]

    @property
    def text(self) -> str:
        """Its own text."""
        return "".join(block["text"] for block in self.content if block["type"] == "text")

    @property
    def said(self) -> list[Block]:
        """Its content as the API takes it back, which is without blank texts."""
        return [block for block in self.content if block["type"] != "text" or block["text"].strip()]

    @property
    def unfinished_text(self) -> str:
        """Its text with what has come of open blocks."""
        return self.text + "".join("".join(each.pieces) for each in self._open.values() if _kind(each) == "text")

    def feed(self, event: Event) -> Iterator[Body]:
        """Yields the bodies that an event of the stream stands for, often none.

        Raises:
            AnswerUnreadable: It is not what the API documents.
        """
        try:
            yield from self._feed(event)
        except (KeyError, TypeError, AttributeError, ValueError, OverflowError, RecursionError) as error:
            name = str(event.get("type"))
            which = name if _KIND.fullmatch(name) else "of no kind"
            cause = f"an event {which} of the stream has another form: {type(error).__name__}"
            raise AnswerUnreadable(cause=cause) from error

    def _feed(self, event: Event) -> Iterator[Body]:
        match event["type"]:
            case "content_block_delta":
                yield from self._piece(event["index"], event["delta"])
            case "content_block_start":
                self._open[event["index"]] = opened = _Open(dict(event["content_block"]))
                if self._partial:
                    self._answer.open_block(event["index"], _kind(opened))
                begin = opened.block.get("text") or opened.block.get("thinking") or ""
                yield from self._add(event["index"], opened, begin)
            case "content_block_stop":
                yield from self._close(event["index"])
            case "message_start":
                self._begin(event["message"])
            case "message_delta":
                stop_reason = event["delta"].get("stop_reason")
                self.stop_reason = str(stop_reason) if stop_reason else self.stop_reason
                self.usage = usage_of(event.get("usage") or {}, onto=self.usage)
            case "message_stop":
                for index in [*self._open]:  # a gateway may leave out that they end
                    yield from self._close(index)
                self._answer.end_message()
                if not self._partial:
                    yield from self._whole()

    def _begin(self, message: Event) -> None:
        self.model = message.get("model")
        self._answer.begin_message(message.get("id"))
        self.usage = usage_of(message.get("usage") or {}, onto=self.usage)

    def _piece(self, index: int, delta: Event) -> Iterator[Body]:
        name = _PIECES.get(delta["type"])
        opened = self._open[index]
        if name == "signature":
            opened.signature += delta["signature"]
        elif name == "partial_json":
            opened.pieces.append(delta["partial_json"])
        elif name:
            yield from self._add(index, opened, delta[name])

    def _add(self, index: int, opened: _Open, text: str) -> Iterator[Body]:
        opened.pieces.append(text)
        if self._partial:
            yield from self._told(index, self._answer.add(index, text))

    def _told(self, index: int, text: str) -> Iterator[Body]:
        kind, number = self._answer.block(index)
        if text and kind == "text":
            yield Delta(text=text, block=number)
        elif text and kind == "thinking" and self._thinking:
            yield Thinking(text=text, block=number)

    def _close(self, index: int) -> Iterator[Body]:
        if self._partial:
            yield from self._told(index, self._answer.close_block(index))
        opened = self._open.pop(index)
        kind, block, written = _kind(opened), opened.block, "".join(opened.pieces)
        if kind == "text":
            block = {"type": "text", "text": mend_surrogates(written)}
        elif kind == "thinking":
            signature = opened.signature or block.get("signature", "")
            block = {"type": "thinking", "thinking": mend_surrogates(written), "signature": signature}
        elif kind == "tool_use":
            block = _call_of(block, written)
            block["id"] = self._own_id(block["id"])
            if block["input"] is None:
                block["input"] = {}  # so the API takes it back
                self.unreadable.add(block["id"])
                yield from self._pass_over(kind)
        elif kind not in _KEPT:
            yield from self._pass_over(kind)
            return
        self.content.append(block)

    def _own_id(self, name: str) -> str:
        """Returns the id of a call, another one where it is taken: the API takes none twice."""
        taken = {call["id"] for call in self.calls}
        free = (f"{name}_{number}" for number in count(2))
        return name if name not in taken else next(each for each in free if each not in taken)

    def _pass_over(self, kind: object) -> Iterator[Notice]:
        self.is_partly_unread = True
        name = kind if isinstance(kind, str) and _KIND.fullmatch(kind) else "of no kind"
        if name not in self._passed_over:
            self._passed_over.add(name)
            what = (
                "a tool call that cannot be read" if name == "tool_use" else f"a block ({name}) that is not known here"
            )
            yield Notice(
                level="warning", code="unknown_block", message=f"A part of the answer was passed over: {what}."
            )

    def _whole(self) -> Iterator[Body]:
        for block in self.content:
            kind = block["type"]
            if kind in ("text", "thinking") and block[kind]:
                number = self._answer.add_whole(kind, block[kind])
                if kind == "text":
                    yield Delta(text=block["text"], block=number)
                elif self._thinking:
                    yield Thinking(text=block["thinking"], block=number)


def _call_of(block: Block, written: str) -> Block:
    """Returns a call; its input is None where it is no JSON object."""
    if not isinstance(block["id"], str):
        raise TypeError
    name = block.get("name")
    try:
        found = parse_json(mend_surrogates(written or json.dumps(block.get("input") or {})).encode())
    except (RequestProblems, RecursionError):
        found = None
    return {
        "type": "tool_use",
        "id": block["id"],
        "name": name if isinstance(name, str) and name else _NAMELESS,
        "input": found if isinstance(found, dict) else None,
    }


def _kind(opened: _Open) -> str | None:
    return opened.block.get("type")
