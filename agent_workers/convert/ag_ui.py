"""AG-UI 1.0, the Agent-User Interaction Protocol.

Its extension form is a ``CUSTOM`` event named for the type, with the whole event as its value. Fields of an event that
AG-UI has no place for are in ``metadata``, under ``agent-workers``.

The package ``ag-ui-protocol`` has models and an encoder. The tests hold every frame to both; this module does without,
because that encoder escapes nothing beyond ASCII and sets numbers in its own way: its bytes would not be those of PHP.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from agent_workers.convert.ag_ui_tools import ToolCalls, extension, with_rest
from agent_workers.convert.ag_ui_usage import token_usage
from agent_workers.convert.encoder import BEGAN_AGAIN, Chunk, ChunkEncoder, begins_anew, blocks_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from agent_workers.convert.event import Event

_PROTOCOL = "1.0"
_KINDS = {"delta": "TEXT_MESSAGE", "thinking": "REASONING_MESSAGE"}
_ROLES = {"TEXT_MESSAGE": "assistant", "REASONING_MESSAGE": "reasoning"}


class AgUiEncoder(ChunkEncoder):
    """Writes the events of one run.

    ``RUN_STARTED`` names the thread, which is the session unless the caller knows better. Therefore it waits for
    ``session``, or whatever else comes.

    Args:
        thread: Id of the thread, as the client named it.
        run: Id of the run, as the client named it.
    """

    def __init__(self, thread: str | None = None, run: str | None = None) -> None:
        super().__init__()
        self._thread = thread
        self._run = run
        self._first: Event | None = None  # ``start``, until the run has begun
        self._is_begun = False
        self._model: str | None = None
        self._open: tuple[str, int] | None = None  # what is being said: kind and block
        self._message = ""
        self._messages: dict[int, list[str]] = {}  # the ids of messages by block
        self._count = 0
        self._told: list[str] = []  # the ids of all messages of this attempt
        self._tools = ToolCalls(self._id)
        self._tellers = {
            "start": self._begin_anew,
            "session": self._resume,
            "delta": self._speak,
            "thinking": self._speak,
            "tool_call": self._call,
            "tool_result": self._tools.result,
            "discard": self._take_back,
            "done": self._done,
            "error": self._error,
            "aborted": self._aborted,
        }

    # The run

    def _chunks(self, event: Event) -> Iterable[Chunk]:
        if self._is_begun:
            yield from super()._chunks(event)
        elif event.type == "start" and (self._first is None or begins_anew(event)):
            self._first = event
        else:
            self._is_begun = True
            session = event if event.type == "session" else None
            yield self._started(event, session)
            if session is None:
                yield from super()._chunks(event)

    def _started(self, event: Event, session: Event | None) -> Chunk:
        self._run = self._run or event.run
        self._thread = self._thread or (session.text("session_id") if session else "") or event.run
        self._model = (session.text("model") if session else "") or None
        known = {**(self._first.own() if self._first else {}), **(session.own() if session else {})}
        return {"type": "RUN_STARTED", **self._ids(), "protocolVersion": _PROTOCOL, **with_rest(known)}

    def _begin_anew(self, event: Event) -> Iterator[Chunk]:
        """Ends all that is open, and names the messages to drop: the run begins again in the midst of its stream."""
        told = {}
        if begins_anew(event):
            yield from self._close()
            yield from self._tools.leave(BEGAN_AGAIN)
            told = with_rest({"message_ids": self._told})
            self._told, self._messages, self._model = [], {}, None
            self._said.clear()
        yield {**extension(event), **told}

    def _resume(self, event: Event) -> Iterator[Chunk]:
        self._model = event.text("model") or self._model
        yield extension(event)

    def _ids(self) -> Chunk:
        return {"threadId": self._thread, "runId": self._run}

    def _done(self, event: Event) -> Iterator[Chunk]:
        if not self._said and event.text("text"):
            yield from self._say("TEXT_MESSAGE", -1, event.text("text"), {})
        outcome = self._tools.defer(event.fields.get("pending"))
        yield from self._close_all()
        output = event.fields.get("output")
        result = {} if output in (None, math.inf, -math.inf) else {"result": output}
        rest = with_rest(event.own("text", "output"))
        yield {"type": "RUN_FINISHED", **self._ids(), **result, "outcome": outcome, **self._usage(event), **rest}

    def _error(self, event: Event) -> Iterator[Chunk]:
        yield from self._close_all()
        told = {"message": event.text("message"), "code": event.text("code")}
        yield {"type": "RUN_ERROR", **told, **self._usage(event), **with_rest(event.own("message", "code"))}

    def _aborted(self, event: Event) -> Iterator[Chunk]:
        yield from self._close_all()
        outcome = {"outcome": {"type": "cancelled"}}
        yield {"type": "RUN_FINISHED", **self._ids(), **outcome, **self._usage(event), **with_rest(event.own())}

    def _usage(self, event: Event) -> Chunk:
        usage = token_usage(event.fields.get("usage"), event.fields.get("models"), self._model)
        return {"usage": usage} if usage else {}

    def _close_all(self) -> Iterator[Chunk]:
        yield from self._close()
        yield from self._tools.leave()

    # What is said and called

    def _speak(self, event: Event) -> Iterable[Chunk]:
        if not event.has(text=str, block=int):
            return self._extension(event)
        rest = with_rest(event.own("text", "block"))
        return self._say(_KINDS[event.type], event.fields["block"], event.fields["text"], rest)

    def _say(self, kind: str, block: int, text: str, rest: Chunk) -> Iterator[Chunk]:
        if not text and not rest:
            return
        if self._open != (kind, block):
            yield from self._close()
            self._open = (kind, block)
            self._message = self._id("text" if kind == "TEXT_MESSAGE" else "reasoning")
            self._messages.setdefault(block, []).append(self._message)
            if kind == "TEXT_MESSAGE":
                self._tools.parent = self._message
            else:
                yield {"type": "REASONING_START", "messageId": self._message}
            yield {"type": f"{kind}_START", "messageId": self._message, "role": _ROLES[kind]}
        if kind == "TEXT_MESSAGE":
            self._said.add(block)
        yield {"type": f"{kind}_CONTENT", "messageId": self._message, "delta": text, **rest}

    def _close(self) -> Iterator[Chunk]:
        if self._open:
            yield {"type": f"{self._open[0]}_END", "messageId": self._message}
            if self._open[0] == "REASONING_MESSAGE":
                yield {"type": "REASONING_END", "messageId": self._message}
        self._open = None

    def _take_back(self, event: Event) -> Iterator[Chunk]:
        blocks = blocks_of(event)
        self._said -= blocks
        if self._open and self._open[1] in blocks:
            yield from self._close()
        taken = [message for block in sorted(blocks) for message in self._messages.pop(block, [])]
        if self._tools.parent in taken:
            self._tools.parent = None
        yield {**extension(event), **with_rest({"message_ids": taken})}

    def _call(self, event: Event) -> Iterable[Chunk]:
        if not self._tools.is_new(event):
            yield extension(event)
            return
        yield from self._close()
        yield from self._tools.call(event)

    def _extension(self, event: Event) -> Iterable[Chunk]:
        return [extension(event)]

    def _id(self, kind: str) -> str:
        self._count += 1
        self._told.append(f"{self._run}:{kind}-{self._count}")
        return self._told[-1]
