"""Which MCP servers count as up, by what the CLI reports when it is."""

from typing import Any

import pytest

from agent_workers.engine.claude.launch.mcp_servers import McpServers
from agent_workers.engine.claude.launch.variables import CACHE
from agent_workers.protocol.v1.task_request import TaskRequest

SERVERS = {"crm": {"command": "a"}, "mail": {"command": "b"}}


@pytest.mark.parametrize(
    ("status", "tools", "failed"),
    [
        ("connected", ["Read", "mcp__crm__search"], []),
        ("connected", ["Read", "mcp__crmx__search"], ["crm"]),
        ("connected", [], ["crm"]),
        ("connected", None, []),
        ("pending", ["mcp__crm__search"], ["crm"]),
    ],
)
def test_a_server_that_the_run_needs_is_up_when_it_is_connected_and_has_listed_a_tool(
    status: str, tools: Any, failed: list[str]
) -> None:
    request = TaskRequest.model_validate(
        {"prompt": "x", "cwd": "/", "tools": ["Read", "mcp__crm__search"], "mcp_servers": SERVERS}
    )
    servers = McpServers(request, {"MCP_TIMEOUT": "10000", CACHE: "/nowhere"})
    told = [{"name": "crm", "status": status}, {"name": "mail", "status": "connected"}]
    assert servers.failed({"mcp_servers": told, "tools": tools}) == failed
