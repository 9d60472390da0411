"""The application's tools as a server of the ``mcp`` package, in either of its major versions."""

from collections.abc import Sequence
from contextlib import suppress
from typing import Any

from mcp.server import Server
from mcp.types import CallToolResult, ContentBlock, ImageContent, ListToolsResult, TextContent, Tool

from agent_workers.engine.questions.app_tools import AppTools
from agent_workers.protocol.v1.content import ResultBlock, TextBlock
from agent_workers.protocol.v1.tool_names import APP_SERVER

# mcp 1 registers handlers with decorators, mcp 2 takes them in the constructor. A type checker sees one of the two.
_Server: Any = Server
_TOOL_USE_ID = "claudecode/toolUseId"


def tool_server(app_tools: AppTools) -> Any:
    """Builds the server that lists the tools and calls them."""

    async def list_tools() -> list[Tool]:
        return [
            Tool(name=tool.name, description=tool.description, inputSchema=tool.input_schema)
            for tool in app_tools.tools.values()
        ]

    async def answer(name: str, arguments: dict[str, Any], meta: Any) -> CallToolResult:
        content, is_error = await app_tools.call(name, arguments, _tool_use_id(meta))
        return CallToolResult(content=_content(content), isError=is_error)

    async def call_tool(name: str, arguments: dict[str, Any]) -> CallToolResult:
        meta = None
        with suppress(LookupError):
            meta = server.request_context.meta
        return await answer(name, arguments, meta)

    async def on_list_tools(_context: Any, _params: Any) -> ListToolsResult:
        return ListToolsResult(tools=await list_tools())

    async def on_call_tool(_context: Any, params: Any) -> CallToolResult:
        return await answer(params.name, params.arguments or {}, params.meta)

    if not hasattr(Server, "list_tools"):
        return _Server(APP_SERVER, on_list_tools=on_list_tools, on_call_tool=on_call_tool)
    server = _Server(APP_SERVER)
    server.list_tools()(list_tools)
    server.call_tool(validate_input=False)(call_tool)  # AppTools does, without fetching
    return server


def _tool_use_id(meta: Any) -> str | None:
    """Returns the id of the model's call, which the CLI sends along."""
    said = meta if isinstance(meta, dict) else getattr(meta, "model_extra", None) or {}
    tool_use_id = said.get(_TOOL_USE_ID)
    return tool_use_id if isinstance(tool_use_id, str) else None


def _content(content: str | Sequence[ResultBlock]) -> list[ContentBlock]:
    if isinstance(content, str):
        return [TextContent(type="text", text=content)]
    return [
        TextContent(type="text", text=block.text)
        if isinstance(block, TextBlock)
        else ImageContent(type="image", data=block.source.data, mimeType=block.source.media_type)
        for block in content
    ]
