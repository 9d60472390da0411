"""A small MCP server: the partners of a business platform.

Part of a task's request, where the host's policy allows this command:

    "mcp_servers": {"crm": {"command": "/path/to/python", "args": ["/path/to/partners.py"]}},
    "tools": ["mcp__crm__find_partner"],
    "permissions": {"allow": ["mcp__crm__find_partner"]}
"""

try:
    from mcp.server.mcpserver import Context, MCPServer
except ModuleNotFoundError:  # mcp 1 has it by another name
    try:
        from mcp.server.fastmcp import Context
        from mcp.server.fastmcp import FastMCP as MCPServer
    except ModuleNotFoundError:
        raise SystemExit(
            "The package mcp is missing. Run this with the Python of the workers, which have it."
        ) from None

PARTNERS = {
    "Acme": "Berlin, partner since 2019",
    "Globex": "Vienna, partner since 2023",
    "Murtal Messebau": "Graz, partner since 2021",
}

server = MCPServer("partners")


@server.tool()
def find_partner(name: str) -> str:
    """Finds a partner by name."""
    return f"{name}: {PARTNERS[name]}" if name in PARTNERS else f"There is no partner {name}."


@server.tool()
def list_partners() -> list[str]:
    """Lists the names of all partners."""
    return sorted(PARTNERS)


@server.tool()
async def search(q: str, context: Context) -> list[str]:
    """Finds partners by a part of their name, and tells which it looks at."""
    for number, name in enumerate(PARTNERS, start=1):
        await context.report_progress(number, len(PARTNERS), f"Looking at {name}")
    return [f"{name}: {known}" for name, known in PARTNERS.items() if q.lower() in name.lower()]


if __name__ == "__main__":
    server.run()
