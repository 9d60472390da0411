"""Event bodies as a worker writes them, to build recordings of."""

from typing import Any

Body = dict[str, Any]

SESSION_ID = "6f1f0c54-6e40-4e2c-9d7e-0a1b2c3d4e5f"
START: Body = {
    "type": "start",
    "worker": "agent-chat",
    "worker_version": "0.1.0",
    "sdk_version": "0.2.186",
    "simulated": False,
}
SESSION: Body = {
    "type": "session",
    "session_id": SESSION_ID,
    "model": "claude-opus-5-5",
    "cli_version": "2.1.329",
    "tools": [],
    "resumed": False,
}
ABORTED: Body = {"type": "aborted", "reason": "client", "session_id": SESSION_ID}


def delta(text: str, block: int = 1) -> Body:
    return {"type": "delta", "text": text, "block": block}


def thinking(text: str, block: int = 1) -> Body:
    return {"type": "thinking", "text": text, "block": block}


def discard(*blocks: int) -> Body:
    return {"type": "discard", "blocks": list(blocks), "reason": "retry"}


def notice(message: str) -> Body:
    return {"type": "notice", "level": "warning", "code": "something", "message": message}


def tool_call(parent: str | None = None) -> Body:
    call = {"type": "tool_call", "tool_use_id": "toolu_1", "name": "Bash", "input": {"command": "date"}}
    return call | ({"parent_tool_use_id": parent} if parent else {})


def tool_result(content: str = "Friday") -> Body:
    return {"type": "tool_result", "tool_use_id": "toolu_1", "status": "ok", "content": content}


def done(text: str = "", **fields: Any) -> Body:
    usage = {"input_tokens": 10, "output_tokens": 3}
    body = {"type": "done", "stop_reason": "end_turn", "text": text, "session_id": SESSION_ID, "usage": usage}
    return {**body, "cost_usd": 0.0123, "duration_ms": 4200, "turns": 2, **fields}


def error(code: str = "auth", *, retryable: bool = False, **fields: Any) -> Body:
    return {"type": "error", "code": code, "message": "It did not work.", "retryable": retryable, **fields}
