"""What agent-chat adds to a request. Its agent is started before what checks the request is imported."""

from agent_workers.engine.base import WorkerDefaults

DEFAULTS = WorkerDefaults(
    "agent-chat",
    "You are a helpful assistant inside a business application. Answer in the language of the user. "
    "Use Markdown where it helps. Say so when you do not know something.",
)
