"""The calls of one message of the model: run side by side by the application, told as they end."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import anyio

from agent_workers.protocol.v1.events import Body, ToolCall, ToolOutput, ToolResult
from agent_workers.protocol.v1.tool_names import APP_TOOL

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable, Collection

    from agent_workers.engine.base import Progress
    from agent_workers.engine.questions.app_tools import AppTools
    from agent_workers.protocol.v1.control import AppToolResult

Block = dict[str, Any]

_UNREADABLE = "The input of this call is no JSON object. Nothing has run."
_NOT_RUN = "This call has not run."


class ToolRound:
    """Runs the calls of a run, a message at a time.

    Args:
        progress: Knows which calls are in progress.
        spawn: Starts a task of the run.
    """

    def __init__(self, progress: Progress, spawn: Callable[..., object]) -> None:
        self.tools: AppTools | None = None
        self._progress = progress
        self._spawn = spawn
        self._said: dict[str, AppToolResult] = {}
        self._outbox, self._inbox = anyio.create_memory_object_stream[Body](math.inf)
        self._results: dict[str, Block] = {}

    def note(self, tool_use_id: str, result: AppToolResult) -> None:
        """Notes what the application says of a result besides its content."""
        self._said[tool_use_id] = result

    def show(self, tool_use_id: str, text: str) -> None:
        """Tells what a tool prints."""
        self._outbox.send_nowait(ToolOutput(tool_use_id=tool_use_id, stream="stdout", text=text))

    async def run(self, calls: list[Block], unreadable: Collection[str] = ()) -> AsyncGenerator[Body]:
        """Yields the calls, and what comes of them as it comes.

        Args:
            calls: The calls.
            unreadable: The ids of those that do not run, and of which nothing is told; the model learns why.
        """
        self._results = {name: {**_result_of(name, _UNREADABLE), "is_error": True} for name in unreadable}
        calls = [call for call in calls if call["id"] not in unreadable]
        for call in calls:
            self._progress.calls.add(call["id"])
            yield ToolCall(tool_use_id=call["id"], name=call["name"], input=call["input"])
        for call in calls:
            self._spawn(self._call, call)
        missing = len(calls)
        while missing:
            body = await self._inbox.receive()
            missing -= isinstance(body, ToolResult)
            yield body

    def results(self, calls: list[Block]) -> list[Block]:
        """Returns the results in the order of the calls, as the API takes them."""
        return [self._results[call["id"]] for call in calls]

    def close(self) -> None:
        """Leaves nothing open."""
        self._outbox.close()
        self._inbox.close()

    async def _call(self, call: Block) -> None:
        name = call["name"].removeprefix(APP_TOOL)
        if self.tools:
            content, is_error = await self.tools.call(name, call["input"], call["id"])
        else:
            content, is_error = f"There is no tool {name}.", True
        blocks = content if isinstance(content, str) else [part.model_dump(exclude_none=True) for part in content]
        said = self._said.pop(call["id"], None)
        result = _result_of(call["id"], blocks)
        self._results[call["id"]] = {**result, "is_error": True} if is_error else result
        self._progress.calls.discard(call["id"])
        self._progress.touch()
        self._outbox.send_nowait(
            ToolResult(
                tool_use_id=call["id"],
                status="error" if is_error else "ok",
                content=_plain(blocks),
                retryable=said.retryable if said and is_error else None,
                replayed=True if said and said.replayed else None,
            )
        )


def not_run(call: Block) -> Block:
    """Returns the result of a call in an answer with which the model has stopped."""
    return {**_result_of(call["id"], _NOT_RUN), "is_error": True}


def _result_of(call_id: str, content: str | list[Block]) -> Block:
    return {"type": "tool_result", "tool_use_id": call_id, "content": content}


def _plain(content: str | list[Block]) -> str:
    if isinstance(content, str):
        return content
    return "\n".join(part.get("text") or f"[{part['type']}]" for part in content)
