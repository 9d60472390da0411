"""The engine that runs one tool of an MCP server, without a model; the only part that is a client of MCP."""

from agent_workers.engine.mcp.start import start_tool

__all__ = ["start_tool"]
