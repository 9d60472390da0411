"""What one would write instead of agent-chat: thirty lines round the SDK, after the SDK's own README."""

import json
import sys

import anyio
from claude_agent_sdk import ClaudeAgentOptions, ResultMessage, StreamEvent, query


async def main() -> None:
    """Streams one answer as JSON lines."""
    request = json.load(sys.stdin)
    options = ClaudeAgentOptions(
        system_prompt=request.get("system_prompt", "You are a helpful assistant."),
        tools=[],
        setting_sources=[],
        include_partial_messages=True,
    )
    async for message in query(prompt=request["prompt"], options=options):
        if isinstance(message, StreamEvent):
            delta = message.event.get("delta", {})
            if delta.get("type") == "text_delta":
                emit({"type": "delta", "text": delta["text"]})
        elif isinstance(message, ResultMessage):
            emit({"type": "done", "text": message.result, "session_id": message.session_id})


def emit(event: dict) -> None:
    """Writes one line."""
    print(json.dumps(event), flush=True)


anyio.run(main)
