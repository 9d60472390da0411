"""The SDK's way to a CLI that already runs. Imported late: importing the SDK takes longer than the CLI's own start."""

from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

from anyio.streams.memory import MemoryObjectReceiveStream
from claude_agent_sdk import ClaudeAgentOptions, ClaudeSDKClient, Transport

Message = dict[str, Any]


class RunningCli(Transport):
    """Lets the SDK's client speak its control protocol with the CLI of a run.

    The run's messages do not pass here; the engine reads them where they arrive, so that no answer waits for the SDK.

    Args:
        write: Writes bytes to the CLI's stdin.
        inbox: The control messages that the CLI has written.
    """

    def __init__(self, write: Callable[[bytes], Awaitable[None]], inbox: MemoryObjectReceiveStream[Message]) -> None:
        self._write = write
        self._inbox = inbox
        self._ready = False

    async def connect(self) -> None:
        """The CLI runs already."""
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
        """Whether the client may write."""
        return self._ready

    async def end_input(self) -> None:
        """Leaves stdin open: the engine closes it."""


def client_of(transport: Transport) -> ClaudeSDKClient:
    """The SDK's client for this run. One run, one client: a client reused carries its earlier context along."""
    return ClaudeSDKClient(ClaudeAgentOptions(verbatim_prompts=True, setting_sources=[], tools=[]), transport)
