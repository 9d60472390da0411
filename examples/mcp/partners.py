"""A small MCP server: the partners of a business platform.

Part of a task's request, where the host's policy allows this command:

    "mcp_servers": {"crm": {"command": "/path/to/python", "args": ["/path/to/partners.py"]}},
    "tools": ["mcp__crm__find_partner"],
    "permissions": {"allow": ["mcp__crm__find_partner"]}
"""

try:
    from mcp.server.mcpserver import MCPServer
except ModuleNotFoundError:  # mcp 1 has it by another name
    from mcp.server.fastmcp import FastMCP as MCPServer

PARTNERS = {"Acme": "Berlin, partner since 2019", "Globex": "Vienna, partner since 2023"}

server = MCPServer("partners")


@server.tool()
def find_partner(name: str) -> str:
    """Finds a partner by name."""
    return f"{name}: {PARTNERS[name]}" if name in PARTNERS else f"There is no partner {name}."


@server.tool()
def list_partners() -> list[str]:
    """Lists the names of all partners."""
    return sorted(PARTNERS)


if __name__ == "__main__":
    server.run()
