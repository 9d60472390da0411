"""The SDK's client of one run. It is imported late and connects to a CLI that already runs."""

from __future__ import annotations

import gc
import json
import logging
import math
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import anyio

from agent_workers.engine import awake
from agent_workers.errors import CliCrashed, WorkerError, defect
from agent_workers.protocol.v1.tool_names import APP_SERVER

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from types import ModuleType

    from claude_agent_sdk import ClaudeSDKClient

    from agent_workers.engine.claude.questions.dialogue import Dialogue

logger = logging.getLogger("agent_workers")

_CONNECT_S = 15
_DISCONNECT_S = 1
_ID = "worker-handshake"
_HELLO = {
    "protocolVersion": "2025-06-18",
    "capabilities": {},
    "clientInfo": {"name": "agent-workers", "version": "1"},
}


class SdkClient:
    """Speaks the SDK's control protocol with the CLI.

    Args:
        write: Writes bytes to the CLI's stdin.
        dialogue: Answers the agent's questions; None where it can ask none.
        is_known: Whether the CLI has shaken hands with the application's tools in an earlier run, and does not again.

    Attributes:
        connected: Set once the client is connected.
        fault: Why the run failed, where it needs the client.
    """

    def __init__(
        self, write: Callable[[bytes], Awaitable[None]], dialogue: Dialogue | None, *, is_known: bool = False
    ) -> None:
        self.connected = anyio.Event()
        self.fault: WorkerError | None = None
        self._write = write
        self._dialogue = dialogue
        self._outbox, self._inbox = anyio.create_memory_object_stream[dict[str, Any]](math.inf)
        self._client: ClaudeSDKClient | None = None
        self._handshake = list(_HANDSHAKE) if is_known and dialogue and dialogue.app_tools else []
        if self._handshake:
            self.hand(self._handshake[0])

    def hand(self, message: dict[str, Any]) -> None:
        """Passes on a control message of the CLI; keeps it until the client is connected."""
        with suppress(anyio.BrokenResourceError, anyio.ClosedResourceError):
            self._outbox.send_nowait(message)

    async def connect(self) -> None:
        """Imports the SDK in a thread and connects."""
        try:
            sdk = await anyio.to_thread.run_sync(_import_sdk, abandon_on_cancel=True)
            client = sdk.client_of(sdk.RunningCli(self._tell, self._inbox), self._dialogue)
            with awake.move_on_after(_CONNECT_S) as scope:
                await client.connect()
            if scope.cancelled_caught:
                raise TimeoutError
            self._client = client
            self.connected.set()
        except Exception as error:  # noqa: BLE001 whatever it is, it fails only those runs that need the client
            if self._dialogue and self._dialogue.needed:
                self.fault = CliCrashed(cause=f"the SDK's client could not connect: {defect(error)}")
            else:  # the CLI asked something that a chat without tools need not answer
                logger.warning("the SDK's client could not connect: %s", type(error).__name__)

    async def _tell(self, data: bytes) -> None:
        """Writes to the CLI, but for what answers the handshake that it has behind it."""
        if self._handshake and _ID.encode() in data:
            response = json.loads(data).get("response")
            if isinstance(response, dict) and response.get("request_id") == _ID:
                del self._handshake[0]
                for following in self._handshake[:1]:
                    self.hand(following)
                return
        await self._write(data)

    async def close(self) -> None:
        """Disconnects from the CLI, which the engine stops."""
        self._outbox.close()
        if self._client:
            with anyio.move_on_after(_DISCONNECT_S, shield=True), suppress(Exception):
                await self._client.disconnect()
        self._inbox.close()


def _to_tools(message: dict[str, Any]) -> dict[str, Any]:
    """Returns what the CLI would say to the server of the application's tools."""
    request = {"subtype": "mcp_message", "server_name": APP_SERVER, "message": {"jsonrpc": "2.0", **message}}
    return {"type": "control_request", "request_id": _ID, "request": request}


_HANDSHAKE = (
    _to_tools({"id": 0, "method": "initialize", "params": _HELLO}),
    _to_tools({"method": "notifications/initialized"}),
)


def _import_sdk() -> ModuleType:
    gc.disable()  # a collection during the import finds nothing and costs a quarter of its time
    try:
        from agent_workers.engine.claude import transport
    finally:
        gc.freeze()
        gc.enable()
    return transport
