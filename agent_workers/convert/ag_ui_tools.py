"""The tools of an AG-UI run: calls, their results, and the subagents that calls have started."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from agent_workers.convert.encoder import RUN_ENDED, Chunk
from agent_workers.convert.json_text import json_text

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from agent_workers.convert.event import Event

_OURS = "agent-workers"


class ToolCalls:
    """Writes the events of calls. What fits no call that is open goes by the extension form.

    Args:
        new_id: Makes the id of a message, of this kind.

    Attributes:
        parent: The message that the next call belongs to.
    """

    def __init__(self, new_id: Callable[[str], str]) -> None:
        self.parent: str | None = None
        self._new_id = new_id
        self._calls: dict[str, Chunk] = {}  # calls without a result, and whose they are
        self._kinds: dict[str, tuple[str, str]] = {}  # of every call: what a subagent of it is named, and is to do
        self._subagents: dict[str, bool] = {}  # whether each is still at work

    def is_new(self, event: Event) -> bool:
        """Tells whether a ``tool_call`` begins a call."""
        return event.has(tool_use_id=str, name=str, input=dict) and event.text("tool_use_id") not in self._kinds

    def call(self, event: Event) -> Iterator[Chunk]:
        """Yields the events of a new call."""
        call, name, given = event.text("tool_use_id"), event.text("name"), event.fields["input"]
        boss = event.text("parent_tool_use_id")
        whose = {"subagentRunId": boss} if boss else {}
        if boss:
            yield from self._subagent(boss)
        elif self.parent is None:
            self.parent = self._new_id("calls")
        self._kinds[call] = (_text(given, "subagent_type") or name, _text(given, "description"))
        self._calls[call] = whose
        parent = {} if boss else {"parentMessageId": self.parent}
        rest = with_rest(event.own("tool_use_id", "name", "input", "parent_tool_use_id"))
        yield {"type": "TOOL_CALL_START", "toolCallId": call, "toolCallName": name, **parent, **whose, **rest}
        yield {"type": "TOOL_CALL_ARGS", "toolCallId": call, "delta": json_text(given), **whose}
        yield {"type": "TOOL_CALL_END", "toolCallId": call, **whose}

    def result(self, event: Event) -> Iterator[Chunk]:
        """Yields the events of a ``tool_result``."""
        call = event.text("tool_use_id")
        if call not in self._calls or not event.has(tool_use_id=str, content=str):
            yield extension(event)
            return
        whose = self._calls.pop(call)
        if self._subagents.get(call):
            self._subagents[call] = False
            yield {"type": "SUBAGENT_FINISHED", "subagentRunId": call}
        if not whose:
            self.parent = None
        rest = event.own("tool_use_id", "content", "parent_tool_use_id")
        yield self._answer(call, event.fields["content"], whose, rest)

    def defer(self, pending: object) -> Chunk:
        """Returns how the run has ended: with a call that a later run decides, ``done.pending``, or without."""
        call = pending.get("tool_use_id") if isinstance(pending, dict) else None
        if not isinstance(pending, dict) or not isinstance(call, str):
            return {"type": "success"}
        self._calls.pop(call, None)
        interrupt = {"id": call, "reason": "permission_required", "toolCallId": call, **with_rest(pending)}
        return {"type": "interrupt", "interrupts": [interrupt]}

    def leave(self, why: str = RUN_ENDED) -> Iterator[Chunk]:
        """Ends the calls that have no result, so that no page waits for one, and the subagents."""
        for call, whose in self._calls.items():
            yield self._answer(call, why, whose, {"status": "error"})
        for subagent in [subagent for subagent, is_at_work in self._subagents.items() if is_at_work]:
            self._subagents[subagent] = False
            yield {"type": "SUBAGENT_FINISHED", "subagentRunId": subagent}
        self._calls.clear()
        self.parent = None

    def _answer(self, call: str, content: str, whose: Chunk, rest: Chunk) -> Chunk:
        told = {"messageId": self._new_id("result"), "toolCallId": call, "content": content, "role": "tool"}
        return {"type": "TOOL_CALL_RESULT", **told, **whose, **with_rest(rest)}

    def _subagent(self, boss: str) -> Iterator[Chunk]:
        """Announces the subagent that a call has started, once."""
        if boss in self._subagents:
            return
        self._subagents[boss] = True
        name, description = self._kinds.get(boss, ("subagent", ""))
        chunk: Chunk = {"subagentRunId": boss, "name": name}
        if description:
            chunk["description"] = description
        if over := self._calls.get(boss, {}).get("subagentRunId"):
            chunk["parentSubagentRunId"] = over
        yield {"type": "SUBAGENT_STARTED", **chunk, "parentToolCallId": boss}


def extension(event: Event) -> Chunk:
    """Returns the event of what the protocol has no form for."""
    return {"type": "CUSTOM", "name": event.type, "value": event.fields}


def with_rest(rest: dict[str, Any]) -> Chunk:
    """Returns where fields without a place of their own stand in an event; nothing if there are none."""
    return {"metadata": {_OURS: rest}} if rest else {}


def _text(fields: dict[str, Any], name: str) -> str:
    value = fields.get(name)
    return value if isinstance(value, str) else ""
