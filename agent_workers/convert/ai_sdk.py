"""The UI message stream of Vercel's AI SDK (package ``ai``, version 7): what its ``useChat`` reads.

Its extension form is a transient part ``data-TYPE`` with the whole event. Fields of an event that a chunk has no place
for are in ``providerMetadata.agentWorkers``; those about the run are in the message's metadata.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from agent_workers.convert.encoder import RUN_ENDED, Chunk, ChunkEncoder, blocks_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from agent_workers.convert.event import Event

_FINISH_REASONS = {
    "end_turn": "stop",
    "max_tokens": "length",
    "refusal": "content-filter",
    "permission_required": "tool-calls",
}
_BY_WORKER = {"providerExecuted": True, "dynamic": True}
"""The page does not run the tool, and has no code for it."""


class AiSdkEncoder(ChunkEncoder):
    """Writes the chunks of one message.

    A step is what the model says and calls until it has the results. Text that is taken back goes by ``reset-step``,
    where it is all that the step has.
    """

    def __init__(self) -> None:
        super().__init__()
        self._is_begun = False
        self._open: tuple[str, int] | None = None  # what is being said: kind and block
        self._part = ""
        self._parts = 0
        self._step: set[int] | None = None  # the blocks that the open step has
        self._has_calls = False  # whether the open step has calls
        self._calls: dict[str, str | None] = {}  # calls without a result, and what became of the question about them
        self._asked: dict[str, str] = {}  # calls by the ids of the questions
        self._tellers = {
            "start": self._start,
            "session": self._session,
            "delta": self._speak,
            "thinking": self._speak,
            "tool_call": self._call,
            "tool_result": self._result,
            "permission_request": self._ask,
            "permission_resolved": self._settle,
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

    def _start(self, event: Event) -> Iterator[Chunk]:
        yield from self._extension(event)

    def _session(self, event: Event) -> Iterator[Chunk]:
        yield {"type": "message-metadata", "messageMetadata": event.own()}

    def _done(self, event: Event) -> Iterator[Chunk]:
        if not self._said and event.text("text"):
            yield from self._say("text", -1, event.text("text"), {})
        pending = event.fields.get("pending")
        call = pending.get("tool_use_id") if isinstance(pending, dict) else None
        if isinstance(call, str) and call in self._calls and self._calls[call] is None:
            del self._calls[call]
            yield {"type": "tool-approval-request", "approvalId": call, "toolCallId": call}
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
        for call, verdict in self._calls.items():
            yield from self._leave(call, verdict)
        if self._step is not None:
            yield {"type": "finish-step"}

    # Text

    def _speak(self, event: Event) -> Iterable[Chunk]:
        if not event.has(text=str, block=int):
            return self._extension(event)
        kind = "text" if event.type == "delta" else "reasoning"
        return self._say(kind, event.fields["block"], event.fields["text"], _rest(event, "text", "block"))

    def _say(self, kind: str, block: int, text: str, rest: Chunk) -> Iterator[Chunk]:
        if not text and not rest:
            return
        if self._open != (kind, block):
            yield from self._close()
            if self._step is not None and self._has_calls and not self._calls:
                self._step = None
                yield {"type": "finish-step"}
            yield from self._open_step()
            self._open = (kind, block)
            self._parts += 1
            self._part = f"{kind}-{self._parts}"
            yield {"type": f"{kind}-start", "id": self._part}
        assert self._step is not None
        self._step.add(block)
        if kind == "text":
            self._said.add(block)
        yield {"type": f"{kind}-delta", "id": self._part, "delta": text, **rest}

    def _close(self) -> Iterator[Chunk]:
        if self._open:
            yield {"type": f"{self._open[0]}-end", "id": self._part}
        self._open = None

    def _open_step(self) -> Iterator[Chunk]:
        if self._step is None:
            self._step, self._has_calls = set(), False
            yield {"type": "start-step"}

    def _take_back(self, event: Event) -> Iterator[Chunk]:
        yield from self._extension(event)
        blocks = blocks_of(event)
        self._said -= blocks
        if self._step and self._step <= blocks and not self._has_calls:
            self._open = None
            self._step.clear()
            yield {"type": "reset-step"}
        elif self._open and self._open[1] in blocks:
            yield from self._close()

    # Tools

    def _call(self, event: Event) -> Iterable[Chunk]:
        call = event.text("tool_use_id")
        if not event.has(tool_use_id=str, name=str, input=dict) or call in self._calls:
            yield from self._extension(event)
            return
        yield from self._close()
        yield from self._open_step()
        self._has_calls = True
        self._calls[call] = None
        chunk = {"toolCallId": call, "toolName": event.fields["name"], "input": event.fields["input"], **_BY_WORKER}
        yield {"type": "tool-input-available", **chunk, **_rest(event, "tool_use_id", "name", "input")}

    def _result(self, event: Event) -> Iterator[Chunk]:
        call, content, status = event.text("tool_use_id"), event.fields.get("content"), event.text("status")
        if call not in self._calls or not event.has(tool_use_id=str, content=str):
            yield from self._extension(event)
            return
        verdict = self._calls.pop(call)
        if status == "denied" and verdict != "allow":
            yield from self._denied(event, call, verdict)
        elif status in ("error", "denied"):
            rest = _rest(event, "tool_use_id", "content", *(["status"] if status == "error" else []))
            yield {"type": "tool-output-error", "toolCallId": call, "errorText": content, **_BY_WORKER, **rest}
        else:
            rest = _rest(event, "tool_use_id", "content", *(["status"] if status == "ok" else []))
            yield {"type": "tool-output-available", "toolCallId": call, "output": content, **_BY_WORKER, **rest}

    def _denied(self, event: Event, call: str, verdict: str | None) -> Iterator[Chunk]:
        """Tells a denial; the reason is that of the approval, or where nobody was asked, of one that was automatic."""
        if verdict is None:
            yield from _refuse(call, event.text("content"))
            if _rest(event, "tool_use_id", "content", "status"):
                yield from self._extension(event)
        else:
            yield from self._extension(event)
        yield {"type": "tool-output-denied", "toolCallId": call}

    def _leave(self, call: str, verdict: str | None) -> Iterator[Chunk]:
        """Ends a call that has no result, so that no page waits for one."""
        if verdict in ("deny", "asked"):
            if verdict == "asked":
                [asked] = [asked for asked, of in self._asked.items() if of == call]
                yield {"type": "tool-approval-response", "approvalId": asked, "approved": False, "reason": RUN_ENDED}
            yield {"type": "tool-output-denied", "toolCallId": call}
        else:
            yield {"type": "tool-output-error", "toolCallId": call, "errorText": RUN_ENDED, **_BY_WORKER}

    def _ask(self, event: Event) -> Iterator[Chunk]:
        call, question = event.text("tool_use_id"), event.text("permission_id")
        if self._calls.get(call, "unknown") is not None or question in self._asked or not event.has(permission_id=str):
            yield from self._extension(event)
            return
        self._calls[call] = "asked"
        self._asked[question] = call
        chunk: Chunk = {"type": "tool-approval-request", "approvalId": question, "toolCallId": call}
        chunk["approvalDescriptor"] = event.own("permission_id", "tool_use_id", "reason")
        yield {**chunk, "reason": event.text("reason")} if "reason" in event.fields else chunk

    def _settle(self, event: Event) -> Iterator[Chunk]:
        question = event.text("permission_id")
        call = self._asked.get(question)
        if call is None or self._calls.get(call) != "asked":
            yield from self._extension(event)
            return
        approved = event.text("behavior") == "allow"
        self._calls[call] = "allow" if approved else "deny"
        chunk = {"approvalId": question, "approved": approved, "reason": event.text("by")}
        rest = _rest(event, "permission_id", "behavior", "by")
        yield {"type": "tool-approval-response", **chunk, "providerExecuted": True, **rest}

    # What the protocol has no form for

    def _extension(self, event: Event) -> Iterator[Chunk]:
        yield {"type": f"data-{event.type}", "data": event.fields, "transient": True}


def _refuse(call: str, reason: str) -> Iterator[Chunk]:
    asked = f"{call}-denied"
    yield {"type": "tool-approval-request", "approvalId": asked, "toolCallId": call, "isAutomatic": True}
    yield {"type": "tool-approval-response", "approvalId": asked, "approved": False, "reason": reason}


def _rest(event: Event, *told: str) -> dict[str, Any]:
    rest = event.own(*told)
    return {"providerMetadata": {"agentWorkers": rest}} if rest else {}
