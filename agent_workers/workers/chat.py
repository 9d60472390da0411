"""agent-chat: a conversation in text. No tools, no files."""

from agent_workers.workers.base import Worker
from agent_workers.workers.chat_defaults import DEFAULTS

_EXAMPLES = """\
echo '{"prompt": "Hello"}' | agent-chat
agent-chat --pretty < request.json
agent-chat --simulate < request.json              without an account
agent-chat --simulate=rate-limited-429 < request.json
agent-chat < request.json | jq --unbuffered -rj 'select(.type == "delta").text'"""

WORKER = Worker(
    name=DEFAULTS.name,
    summary="Talks with Claude: a conversation in text, without tools or files.",
    system_prompt=DEFAULTS.system_prompt,
    max_turns=DEFAULTS.max_turns,
    examples=_EXAMPLES,
)
