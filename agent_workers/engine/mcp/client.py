"""A client of one server: the session of the ``mcp`` package, in either of its major versions."""

from __future__ import annotations

import logging
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import anyio
import mcp.types as types  # noqa: PLR0402 as the package's own documentation has it
from mcp import ClientSession
from mcp.shared import exceptions

from agent_workers import __version__

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Awaitable, Callable
    from types import TracebackType
    from typing import Self

    Progress = Callable[[float, float | None, str | None], Awaitable[None]]

logger = logging.getLogger("agent_workers")

McpError: type[Exception] = getattr(exceptions, "MCPError", None) or exceptions.McpError
"""Raised when the server answers with an error, or will not answer any more."""

_SESSION_ENDED = 32600  # the package's own, where a server that is reached by HTTP has forgotten the session
_CONNECTION_CLOSED = (-32000, "Connection closed")  # likewise, where nothing more can be read
_LEVELS = {
    **dict.fromkeys(("debug",), logging.DEBUG),
    **dict.fromkeys(("info", "notice"), logging.INFO),
    "warning": logging.WARNING,
}
_MOST_PAGES = 1000
_MAX_LOGGED = 1000
_session: Any = ClientSession  # a type checker sees one of the two versions


class McpClient:
    """Speaks with one server. What the server asks in its turn (sampling, elicitation, roots) is declined.

    Args:
        name: The server's name, for the log.
        receiving: The stream of the server's messages.
        sending: The stream of this client's.

    Attributes:
        on_unreadable: Called when the server has answered with what is no message.
    """

    def __init__(self, name: str, receiving: Any, sending: Any) -> None:
        self.on_unreadable: Callable[[], None] = lambda: None
        self._name = name
        self._sending = _Watched(sending)
        self._session = _session(
            receiving,
            self._sending,
            logging_callback=self._log,
            message_handler=self._note,
            client_info=types.Implementation(name="agent-workers", version=__version__),
        )

    async def __aenter__(self) -> Self:
        await self._session.__aenter__()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._session.__aexit__(kind, error, trace)

    async def initialize(self) -> None:
        """Agrees with the server on a version of the protocol."""
        await self._session.initialize()

    async def tools(self) -> AsyncGenerator[dict[str, Any]]:
        """Yields the tools that the server lists, page by page."""
        cursor = None
        for _ in range(_MOST_PAGES):
            params: dict[str, Any] = {"params": {"cursor": cursor}} if cursor else {}
            page = await self._ask(types.ListToolsRequest, types.ListToolsResult, {"method": "tools/list", **params})
            listed = _plain(page)
            for tool in listed["tools"]:
                yield tool
            if not (cursor := listed.get("nextCursor")):
                return

    async def call(self, tool: str, tool_input: dict[str, Any], progress: Progress | None) -> dict[str, Any]:
        """Calls a tool; returns its result as the server wrote it."""
        call = {"method": "tools/call", "params": {"name": tool, "arguments": tool_input}}
        options = {"progress_callback": progress} if progress else {}
        return _plain(await self._ask(types.CallToolRequest, types.CallToolResult, call, **options))

    async def cancel(self) -> bool:
        """Tells the server that the result of the call is no longer wanted; False where none is open."""
        if self._sending.call is None:
            return False
        params = {"requestId": self._sending.call, "reason": "The run was stopped."}
        note = types.CancelledNotification.model_validate({"method": "notifications/cancelled", "params": params})
        await self._session.send_notification(_wrapped(types.ClientNotification, note))
        return True

    async def _ask(self, kind: Any, result: Any, document: dict[str, Any], **options: Any) -> Any:
        return await self._session.send_request(
            _wrapped(types.ClientRequest, kind.model_validate(document)), result, **options
        )

    async def _log(self, params: Any) -> None:
        level = _LEVELS.get(params.level, logging.ERROR)
        logger.log(level, "MCP server %s: %s", self._name, ascii(str(params.data)[:_MAX_LOGGED])[1:-1])

    async def _note(self, message: Any) -> None:
        if isinstance(message, Exception):
            self.on_unreadable()


def is_lost(error: Any) -> bool:
    """Tells whether an error is none of the server's, but says that no answer will come."""
    return error.code == _SESSION_ENDED or (error.code, error.message) == _CONNECTION_CLOSED


class _Watched:
    """A stream of outgoing messages that knows the id of the call among them."""

    def __init__(self, stream: Any) -> None:
        self.call: Any = None
        self._stream = stream

    async def __aenter__(self) -> Self:
        await self._stream.__aenter__()
        return self

    async def __aexit__(self, *error: Any) -> None:
        await self._stream.__aexit__(*error)

    async def aclose(self) -> None:
        await self._stream.aclose()

    async def send(self, item: Any) -> None:
        message = getattr(item.message, "root", item.message)
        if getattr(message, "method", None) == "tools/call":
            self.call = message.id
        with suppress(anyio.BrokenResourceError, anyio.ClosedResourceError):
            await self._stream.send(item)


def _wrapped(union: Any, value: Any) -> Any:
    """Returns a message as the session takes it: mcp 1 wraps it in a model, for mcp 2 the union is only a type."""
    return union(value) if isinstance(union, type) else value


def _plain(result: Any) -> dict[str, Any]:
    found: dict[str, Any] = result.model_dump(by_alias=True, mode="json")
    return found
