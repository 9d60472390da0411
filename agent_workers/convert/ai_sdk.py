"""The UI message stream of Vercel's AI SDK (package ``ai``, version 7): what its ``useChat`` reads.

Its extension form is a transient part ``data-TYPE`` with the whole event. Fields of an event that a chunk has no place
for are in ``providerMetadata.agentWorkers``; those about the run are in the message's metadata.
"""

from __future__ import annotations

from io import StringIO
from typing import TYPE_CHECKING

from agent_workers.convert.ai_sdk_tools import ToolParts, extension, rest_of
from agent_workers.convert.encoder import Chunk, ChunkEncoder, begins_anew, blocks_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from agent_workers.convert.event import Event

_FINISH_REASONS = {
    "end_turn": "stop",
    "max_tokens": "length",
    "refusal": "content-filter",
    "permission_required": "tool-calls",
}


class AiSdkEncoder(ChunkEncoder):
    """Writes the chunks of one message.

    A step is what the model says and calls until it has the results. Text that is taken back goes by ``reset-step``,
    after which what is left of the step is said again; where the step has calls, which cannot, it stays. Where the run
    begins again the open step goes, calls and all. Earlier ones stay, for nothing in the protocol takes them back:
    ``lost_steps`` in the message's metadata tells how many no longer count.
    """

    def __init__(self) -> None:
        super().__init__()
        self._is_begun = False
        self._open: tuple[str, int] | None = None  # what is being said: kind and block
        self._part = ""
        self._parts = 0
        self._steps = 0
        self._step: list[tuple[str, int, StringIO]] | None = None  # what the open step says: kind, block, text
        self._has_calls = False  # whether the open step has calls
        self._tools = ToolParts()
        self._tellers = {
            "start": self._begin_anew,
            "session": lambda event: [{"type": "message-metadata", "messageMetadata": event.own()}],
            "delta": self._speak,
            "thinking": self._speak,
            "tool_call": self._call,
            "tool_result": self._tools.result,
            "permission_request": lambda event: [self._tools.ask(event)],
            "permission_resolved": lambda event: [self._tools.settle(event)],
            "discard": self._take_back,
            "done": self._done,
            "error": self._error,
            "aborted": self._aborted,
        }

    def closing(self) -> str:
        """Returns the end mark of the stream."""
        return "data: [DONE]\n\n"

    # The run

    def _chunks(self, event: Event) -> Iterable[Chunk]:
        if self._is_begun:
            yield from super()._chunks(event)
            return
        self._is_begun = True
        chunk: Chunk = {"type": "start"}
        if event.run:
            chunk["messageId"] = event.run
        if event.type == "start":
            yield {**chunk, "messageMetadata": {"run": event.run, **event.own()}}
        else:
            yield {**chunk, "messageMetadata": {"run": event.run}}
            yield from super()._chunks(event)

    def _begin_anew(self, event: Event) -> Iterator[Chunk]:
        """Takes back the open step, which is all that can be; the run begins again in the midst of its stream."""
        yield extension(event)
        if not begins_anew(event):
            return
        self._open, self._has_calls = None, False
        self._said.clear()
        self._tools.forget()
        lost = self._steps
        if self._step is not None:
            self._step, lost = [], lost - 1
            yield {"type": "reset-step"}
        yield {"type": "message-metadata", "messageMetadata": {"lost_steps": lost, **event.own()}}

    def _done(self, event: Event) -> Iterator[Chunk]:
        if not self._said and event.text("text"):
            yield from self._say("text", -1, event.text("text"), {})
        yield from self._tools.defer(event.fields.get("pending"))
        yield from self._close_all()
        reason = _FINISH_REASONS.get(event.text("stop_reason"), "other")
        yield {"type": "finish", "finishReason": reason, "messageMetadata": {"end": "done", **event.own("text")}}

    def _error(self, event: Event) -> Iterator[Chunk]:
        yield from self._close_all()
        yield {"type": "message-metadata", "messageMetadata": {"end": "error", **event.own()}}
        yield {"type": "error", "errorText": event.text("message")}

    def _aborted(self, event: Event) -> Iterator[Chunk]:
        yield from self._close_all()
        yield {"type": "abort", "reason": event.text("reason")}
        yield {"type": "finish", "messageMetadata": {"end": "aborted", **event.own()}}

    def _close_all(self) -> Iterator[Chunk]:
        yield from self._close()
        yield from self._tools.leave()
        if self._step is not None:
            yield {"type": "finish-step"}

    # What is said and called

    def _speak(self, event: Event) -> Iterable[Chunk]:
        if not event.has(text=str, block=int):
            return self._extension(event)
        kind = "text" if event.type == "delta" else "reasoning"
        return self._say(kind, event.fields["block"], event.fields["text"], rest_of(event, "text", "block"))

    def _say(self, kind: str, block: int, text: str, rest: Chunk) -> Iterator[Chunk]:
        if not text and not rest:
            return
        if self._open != (kind, block):
            yield from self._close()
            if self._step is not None and self._has_calls and self._tools.are_done:
                self._step = None
                yield {"type": "finish-step"}
            yield from self._open_step()
            assert self._step is not None
            self._open = (kind, block)
            self._parts += 1
            self._part = f"{kind}-{self._parts}"
            self._step.append((kind, block, StringIO()))
            yield {"type": f"{kind}-start", "id": self._part}
        assert self._step
        self._step[-1][2].write(text)
        if kind == "text":
            self._said.add(block)
        yield {"type": f"{kind}-delta", "id": self._part, "delta": text, **rest}

    def _call(self, event: Event) -> Iterable[Chunk]:
        if not self._tools.is_new(event):
            yield extension(event)
            return
        yield from self._close()
        yield from self._open_step()
        self._has_calls = True
        yield self._tools.call(event)

    def _close(self) -> Iterator[Chunk]:
        if self._open:
            yield {"type": f"{self._open[0]}-end", "id": self._part}
        self._open = None

    def _open_step(self) -> Iterator[Chunk]:
        if self._step is None:
            self._step, self._has_calls = [], False
            self._steps += 1
            yield {"type": "start-step"}

    def _take_back(self, event: Event) -> Iterator[Chunk]:
        yield extension(event)
        blocks = blocks_of(event)
        self._said -= blocks
        said = self._step or []
        kept = [part for part in said if part[1] not in blocks]
        if len(kept) < len(said) and not self._has_calls:
            self._open, self._step = None, []
            yield {"type": "reset-step"}
            for kind, block, said_so in kept:
                yield from self._say(kind, block, said_so.getvalue(), {})
            yield from self._close()
        elif self._open and self._open[1] in blocks:
            yield from self._close()

    def _extension(self, event: Event) -> Iterable[Chunk]:
        return [extension(event)]
