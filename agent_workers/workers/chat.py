"""agent-chat: a conversation in text. No tools, no files."""

from agent_workers.workers.base import Worker

WORKER = Worker(
    name="agent-chat",
    summary="Talks with Claude: a conversation in text, without tools or files.",
    system_prompt=(
        "You are a helpful assistant inside a business application. Answer in the language of the user. "
        "Use Markdown where it helps. Say so when you do not know something."
    ),
)
