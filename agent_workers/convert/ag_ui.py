"""AG-UI 1.0, the Agent-User Interaction Protocol.

Its extension form is a ``CUSTOM`` event named for the type, with the whole event as its value. Fields of an event that
AG-UI has no place for are in ``metadata``, under ``agent-workers``.

The package ``ag-ui-protocol`` has models and an encoder. The tests hold every frame to both; this module does without,
because that encoder escapes nothing beyond ASCII and sets numbers in its own way: its bytes would not be those of PHP.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from agent_workers.convert.ag_ui_usage import token_usage
from agent_workers.convert.encoder import RUN_ENDED, Chunk, ChunkEncoder, blocks_of
from agent_workers.convert.json_text import json_text

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from agent_workers.convert.event import Event

_OURS = "agent-workers"
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
        self._parent: str | None = None  # the message that the next call belongs to
        self._calls: dict[str, Chunk] = {}  # calls without a result, and whose they are
        self._names: dict[str, tuple[str, dict[str, Any]]] = {}  # name and input of every call
        self._subagents: dict[str, bool] = {}  # whether each is still at work
        self._tellers = {
            "delta": self._speak,
            "thinking": self._speak,
            "tool_call": self._call,
            "tool_result": self._result,
            "discard": self._take_back,
            "done": self._done,
            "error": self._error,
            "aborted": self._aborted,
        }

    # The run

    def _chunks(self, event: Event) -> Iterable[Chunk]:
        if self._is_begun:
            yield from super()._chunks(event)
        elif event.type == "start" and self._first is None:
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
        return {"type": "RUN_STARTED", **self._ids(), "protocolVersion": _PROTOCOL, **_with(known)}

    def _ids(self) -> Chunk:
        return {"threadId": self._thread, "runId": self._run}

    def _done(self, event: Event) -> Iterator[Chunk]:
        if not self._said and event.text("text"):
            yield from self._say("TEXT_MESSAGE", -1, event.text("text"), {})
        outcome: Chunk = {"type": "success"}
        pending = event.fields.get("pending")
        call = pending.get("tool_use_id") if isinstance(pending, dict) else None
        if isinstance(call, str):
            self._calls.pop(call, None)
            interrupt = {"id": call, "reason": "permission_required", "toolCallId": call, **_with(pending)}
            outcome = {"type": "interrupt", "interrupts": [interrupt]}
        yield from self._close_all()
        output = event.fields.get("output")
        result = {} if output is None else {"result": output}
        rest = _with(event.own("text", "output"))
        yield {"type": "RUN_FINISHED", **self._ids(), **result, "outcome": outcome, **self._usage(event), **rest}

    def _error(self, event: Event) -> Iterator[Chunk]:
        yield from self._close_all()
        told = {"message": event.text("message"), "code": event.text("code")}
        yield {"type": "RUN_ERROR", **told, **self._usage(event), **_with(event.own("message", "code"))}

    def _aborted(self, event: Event) -> Iterator[Chunk]:
        yield from self._close_all()
        outcome = {"outcome": {"type": "cancelled"}}
        yield {"type": "RUN_FINISHED", **self._ids(), **outcome, **self._usage(event), **_with(event.own())}

    def _usage(self, event: Event) -> Chunk:
        usage = token_usage(event.fields.get("usage"), event.fields.get("models"), self._model)
        return {"usage": usage} if usage else {}

    def _close_all(self) -> Iterator[Chunk]:
        yield from self._close()
        for call, whose in self._calls.items():
            yield self._answer(call, RUN_ENDED, whose, {"status": "error"})
        for subagent in [subagent for subagent, is_at_work in self._subagents.items() if is_at_work]:
            yield {"type": "SUBAGENT_FINISHED", "subagentRunId": subagent}

    # Text

    def _speak(self, event: Event) -> Iterable[Chunk]:
        if not event.has(text=str, block=int):
            return self._extension(event)
        rest = _with(event.own("text", "block"))
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
                self._parent = self._message
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
        if self._parent in taken:
            self._parent = None
        [custom] = self._extension(event)
        yield {**custom, **_with({"message_ids": taken})}

    # Tools

    def _call(self, event: Event) -> Iterator[Chunk]:
        call, name, given = event.text("tool_use_id"), event.text("name"), event.fields.get("input")
        if not event.has(tool_use_id=str, name=str, input=dict) or call in self._calls:
            yield from self._extension(event)
            return
        yield from self._close()
        boss = event.text("parent_tool_use_id")
        whose = {"subagentRunId": boss} if boss else {}
        if boss:
            yield from self._subagent(boss)
        elif self._parent is None:
            self._parent = self._id("calls")
        self._names[call] = (name, given or {})
        self._calls[call] = whose
        parent = {} if boss else {"parentMessageId": self._parent}
        rest = _with(event.own("tool_use_id", "name", "input", "parent_tool_use_id"))
        yield {"type": "TOOL_CALL_START", "toolCallId": call, "toolCallName": name, **parent, **whose, **rest}
        yield {"type": "TOOL_CALL_ARGS", "toolCallId": call, "delta": json_text(given), **whose}
        yield {"type": "TOOL_CALL_END", "toolCallId": call, **whose}

    def _result(self, event: Event) -> Iterator[Chunk]:
        call = event.text("tool_use_id")
        if call not in self._calls or not event.has(tool_use_id=str, content=str):
            yield from self._extension(event)
            return
        whose = self._calls.pop(call)
        if self._subagents.get(call):
            self._subagents[call] = False
            yield {"type": "SUBAGENT_FINISHED", "subagentRunId": call}
        if not whose:
            self._parent = None
        rest = event.own("tool_use_id", "content", "parent_tool_use_id")
        yield self._answer(call, event.fields["content"], whose, rest)

    def _answer(self, call: str, content: str, whose: Chunk, rest: Chunk) -> Chunk:
        told = {"messageId": self._id("result"), "toolCallId": call, "content": content, "role": "tool"}
        return {"type": "TOOL_CALL_RESULT", **told, **whose, **_with(rest)}

    def _subagent(self, boss: str) -> Iterator[Chunk]:
        """Announces the subagent that a call has started, once."""
        if boss in self._subagents:
            return
        self._subagents[boss] = True
        name, given = self._names.get(boss, ("subagent", {}))
        chunk: Chunk = {
            "type": "SUBAGENT_STARTED",
            "subagentRunId": boss,
            "name": _text(given, "subagent_type") or name,
        }
        if description := _text(given, "description"):
            chunk["description"] = description
        if over := self._calls.get(boss, {}).get("subagentRunId"):
            chunk["parentSubagentRunId"] = over
        yield {**chunk, "parentToolCallId": boss}

    # What the protocol has no form for

    def _extension(self, event: Event) -> Iterator[Chunk]:
        yield {"type": "CUSTOM", "name": event.type, "value": event.fields}

    def _id(self, kind: str) -> str:
        self._count += 1
        return f"{self._run}:{kind}-{self._count}"


def _with(rest: dict[str, Any] | None) -> Chunk:
    return {"metadata": {_OURS: rest}} if rest else {}


def _text(fields: dict[str, Any], name: str) -> str:
    value = fields.get(name)
    return value if isinstance(value, str) else ""
