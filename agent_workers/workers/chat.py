"""agent-chat: a conversation in text. No tools, no files."""

from agent_workers.workers.base import Worker

_EXAMPLES = """\
echo '{"prompt": "Hello"}' | agent-chat
agent-chat --pretty < request.json
agent-chat --simulate < request.json              without an account
agent-chat --simulate=rate-limited-429 < request.json
agent-chat < request.json | jq --unbuffered -rj 'select(.type == "delta").text'"""

WORKER = Worker(
    name="agent-chat",
    summary="Talks with Claude: a conversation in text, without tools or files.",
    system_prompt=(
        "You are a helpful assistant inside a business application. Answer in the language of the user. "
        "Use Markdown where it helps. Say so when you do not know something."
    ),
    examples=_EXAMPLES,
)
