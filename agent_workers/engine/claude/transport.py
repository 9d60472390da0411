"""Connects the SDK to a CLI that already runs. Imported late: importing the SDK takes longer than the CLI's start."""

from collections.abc import AsyncIterator, Awaitable, Callable
from typing import TYPE_CHECKING, Any

from anyio.streams.memory import MemoryObjectReceiveStream
from claude_agent_sdk import (
    CanUseTool,
    ClaudeAgentOptions,
    ClaudeSDKClient,
    HookCallback,
    HookContext,
    HookJSONOutput,
    HookMatcher,
    McpSdkServerConfig,
    PermissionResultAllow,
    PermissionResultDeny,
    ToolPermissionContext,
    Transport,
)

from agent_workers.engine.claude.questions.dialogue import Dialogue
from agent_workers.engine.claude.tool_server import tool_server
from agent_workers.protocol.v1.tool_names import APP_SERVER

if TYPE_CHECKING:
    from claude_agent_sdk.types import PreToolUseHookSpecificOutput

Message = dict[str, Any]


class RunningCli(Transport):
    """Lets the SDK's client speak its control protocol with the CLI of a run.

    The run's messages do not pass here: the engine reads them itself, so that no answer waits for the SDK.

    Args:
        write: Writes bytes to the CLI's stdin.
        inbox: The control messages that the CLI has written.
    """

    def __init__(self, write: Callable[[bytes], Awaitable[None]], inbox: MemoryObjectReceiveStream[Message]) -> None:
        self._write = write
        self._inbox = inbox
        self._ready = False

    async def connect(self) -> None:
        """Does nothing: the CLI already runs."""
        self._ready = True

    async def write(self, data: str) -> None:
        """Writes one or more lines to the CLI."""
        await self._write(data.encode())

    async def read_messages(self) -> AsyncIterator[Message]:
        """Yields the control messages."""
        async for message in self._inbox:
            yield message

    async def close(self) -> None:
        """Leaves the CLI alone: the engine stops it."""
        self._ready = False

    def is_ready(self) -> bool:
        """Tells whether the client may write."""
        return self._ready

    async def end_input(self) -> None:
        """Leaves stdin open: the engine closes it."""


def client_of(transport: Transport, dialogue: Dialogue | None) -> ClaudeSDKClient:
    """Makes the SDK's client of this run. A client that is reused would carry its earlier context along.

    Args:
        transport: Leads to the run's CLI.
        dialogue: Answers the agent's questions; None where it can ask none.
    """
    options = ClaudeAgentOptions(verbatim_prompts=True, setting_sources=[], tools=[])
    if dialogue and dialogue.decides:
        options.can_use_tool = _can_use_tool(dialogue)
        if dialogue.permissions and dialogue.permissions.defers:
            # A hook that fails blocks the call.
            options.hooks = {"PreToolUse": [HookMatcher(hooks=[_before_tool_use(dialogue)], on_failure="block")]}
    if dialogue and dialogue.app_tools:
        server = McpSdkServerConfig(type="sdk", name=APP_SERVER, instance=tool_server(dialogue.app_tools))
        options.mcp_servers = {APP_SERVER: server}
    return ClaudeSDKClient(options, transport)


def _can_use_tool(dialogue: Dialogue) -> CanUseTool:
    async def can_use_tool(
        name: str, tool_input: dict[str, Any], context: ToolPermissionContext
    ) -> PermissionResultAllow | PermissionResultDeny:
        verdict = await dialogue.decide(name, tool_input, context.tool_use_id or "", context.decision_reason)
        if verdict.allowed:
            return PermissionResultAllow(updated_input=verdict.tool_input)
        return PermissionResultDeny(message=verdict.message)

    return can_use_tool


def _before_tool_use(dialogue: Dialogue) -> HookCallback:
    async def before_tool_use(hook_input: Any, tool_use_id: str | None, context: HookContext) -> HookJSONOutput:
        call_id = hook_input.get("tool_use_id") or tool_use_id or ""
        fate, reason = await dialogue.look_at(hook_input["tool_name"], call_id, in_subagent="agent_id" in hook_input)
        if fate == "pass":
            return {}
        output: PreToolUseHookSpecificOutput = {"hookEventName": "PreToolUse", "permissionDecision": fate}
        if reason:
            output["permissionDecisionReason"] = reason
        return {"hookSpecificOutput": output}

    return before_tool_use
