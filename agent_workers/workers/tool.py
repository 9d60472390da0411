"""agent-tool: one tool of an MCP server, run for a person; no model is asked."""

from agent_workers.protocol.v1.tool_request import ToolRequest
from agent_workers.workers.base import Worker

_EXAMPLES = """\
echo '{"server": {"name": "crm", "command": "/opt/crm/mcp"}, "tool": "search", "input": {"q": "Acme"}}' | agent-tool
agent-tool --policy policy.toml < tool.json        the policy allows the server, as for a task
agent-tool --pretty < tool.json
agent-tool < tool.json | jq 'select(.type == "done").output'
agent-tool --control                               stdin goes on: abort"""

WORKER = Worker(
    name="agent-tool",
    summary="Runs one tool of an MCP server for a person; no model is asked.",
    request=ToolRequest,
    examples=_EXAMPLES,
)
