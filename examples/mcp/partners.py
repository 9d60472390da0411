"""A small MCP server: the partners of a business platform. `agent-task` starts it; see examples/requests/task-mcp.json."""

from mcp.server.fastmcp import FastMCP

PARTNERS = {"Acme": "Berlin, partner since 2019", "Globex": "Vienna, partner since 2023"}

server = FastMCP("partners")


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
