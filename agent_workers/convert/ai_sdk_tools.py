"""The tools of a message of the AI SDK: calls, questions for consent, results."""

from __future__ import annotations

from typing import TYPE_CHECKING

from agent_workers.convert.encoder import RUN_ENDED, Chunk

if TYPE_CHECKING:
    from collections.abc import Iterator

    from agent_workers.convert.event import Event

_BY_WORKER = {"providerExecuted": True, "dynamic": True}
"""The page does not run the tool, and has no code for it."""


class ToolParts:
    """Writes the chunks of calls. What fits no call that is open goes by the extension form."""

    def __init__(self) -> None:
        self.forget()

    def forget(self) -> None:
        """Forgets every call: the run begins again."""
        self._seen: set[str] = set()
        self._calls: dict[str, str | None] = {}  # calls without a result, and what became of the question about them
        self._asked: dict[str, str] = {}  # calls by the ids of the questions

    @property
    def are_done(self) -> bool:
        """Whether each call has its result."""
        return not self._calls

    def is_new(self, event: Event) -> bool:
        """Tells whether a ``tool_call`` begins a call."""
        return event.has(tool_use_id=str, name=str, input=dict) and event.text("tool_use_id") not in self._seen

    def call(self, event: Event) -> Chunk:
        """Returns the chunk of a new call."""
        call = event.text("tool_use_id")
        self._seen.add(call)
        self._calls[call] = None
        chunk = {"toolCallId": call, "toolName": event.fields["name"], "input": event.fields["input"], **_BY_WORKER}
        return {"type": "tool-input-available", **chunk, **rest_of(event, "tool_use_id", "name", "input")}

    def result(self, event: Event) -> Iterator[Chunk]:
        """Yields the chunks of a ``tool_result``."""
        call, content, status = event.text("tool_use_id"), event.fields.get("content"), event.text("status")
        if call not in self._calls or not event.has(tool_use_id=str, content=str):
            yield extension(event)
            return
        verdict = self._calls.pop(call)
        if verdict == "asked":
            verdict = "deny" if status == "denied" else "allow"
            yield {**_response(self._question(call)), "approved": verdict == "allow"}
        if verdict == "deny" or (status == "denied" and verdict is None):
            yield from self._denied(event, call, verdict)
        elif status in ("error", "denied"):
            rest = rest_of(event, "tool_use_id", "content", *(["status"] if status == "error" else []))
            yield {"type": "tool-output-error", "toolCallId": call, "errorText": content, **_BY_WORKER, **rest}
        else:
            rest = rest_of(event, "tool_use_id", "content", *(["status"] if status == "ok" else []))
            yield {"type": "tool-output-available", "toolCallId": call, "output": content, **_BY_WORKER, **rest}

    def _denied(self, event: Event, call: str, verdict: str | None) -> Iterator[Chunk]:
        """Tells a denial; the reason is that of the approval, or where nobody was asked, of one that was automatic."""
        if verdict is None:
            asked = f"{call}-denied"
            yield {"type": "tool-approval-request", "approvalId": asked, "toolCallId": call, "isAutomatic": True}
            yield {**_response(asked), "approved": False, "reason": event.text("content")}
        if verdict is not None or rest_of(event, "tool_use_id", "content", "status"):
            yield extension(event)
        yield {"type": "tool-output-denied", "toolCallId": call}

    def ask(self, event: Event) -> Chunk:
        """Returns the chunk of a ``permission_request``."""
        call, question = event.text("tool_use_id"), event.text("permission_id")
        if self._calls.get(call, "unknown") is not None or question in self._asked or not event.has(permission_id=str):
            return extension(event)
        self._calls[call] = "asked"
        self._asked[question] = call
        chunk: Chunk = {"type": "tool-approval-request", "approvalId": question, "toolCallId": call}
        chunk["approvalDescriptor"] = event.own("permission_id", "tool_use_id", "reason")
        return {**chunk, "reason": event.text("reason")} if "reason" in event.fields else chunk

    def settle(self, event: Event) -> Chunk:
        """Returns the chunk of a ``permission_resolved``."""
        question = event.text("permission_id")
        call = self._asked.get(question)
        if call is None or self._calls.get(call) != "asked":
            return extension(event)
        approved = event.text("behavior") == "allow"
        self._calls[call] = "allow" if approved else "deny"
        chunk = {"approved": approved, "reason": event.text("by"), "providerExecuted": True}
        return {**_response(question), **chunk, **rest_of(event, "permission_id", "behavior", "by")}

    def defer(self, pending: object) -> Iterator[Chunk]:
        """Yields the question about the call that a later run decides: ``done.pending``."""
        call = pending.get("tool_use_id") if isinstance(pending, dict) else None
        if isinstance(call, str) and self._calls.get(call, "unknown") is None:
            del self._calls[call]
            yield {"type": "tool-approval-request", "approvalId": call, "toolCallId": call}

    def leave(self) -> Iterator[Chunk]:
        """Ends the calls that have no result, so that no page waits for one."""
        for call, verdict in self._calls.items():
            if verdict == "asked":
                yield {**_response(self._question(call)), "approved": False, "reason": RUN_ENDED}
            if verdict in ("deny", "asked"):
                yield {"type": "tool-output-denied", "toolCallId": call}
            else:
                yield {"type": "tool-output-error", "toolCallId": call, "errorText": RUN_ENDED, **_BY_WORKER}

    def _question(self, call: str) -> str:
        return next(question for question, asked in self._asked.items() if asked == call)


def extension(event: Event) -> Chunk:
    """Returns the chunk of what the protocol has no form for."""
    return {"type": f"data-{event.type}", "data": event.fields, "transient": True}


def rest_of(event: Event, *told: str) -> Chunk:
    """Returns where an event's other fields stand in a chunk; nothing if it has none."""
    rest = event.own(*told)
    return {"providerMetadata": {"agentWorkers": rest}} if rest else {}


def _response(question: str) -> Chunk:
    return {"type": "tool-approval-response", "approvalId": question}
