"""The end of a run in words: how it went, what it cost, and how to go on."""

from __future__ import annotations

import json
from typing import Any

from rich.text import Text

from agent_workers.cli.terminal.essence import essence
from agent_workers.cli.terminal.words import Event, line, seconds

_MOST = 20  # denied calls that are listed


def done(event: Event) -> Text:
    """Returns the words for a run that ended with an answer."""
    normal = event.get("stop_reason") == "end_turn"
    text = line(("done" if normal else f"done: {event.get('stop_reason')}", "green" if normal else "yellow"))
    text.append_text(_consumption(event))
    if "output" in event:
        output = json.dumps(event["output"], indent=2, ensure_ascii=False)
        text = Text("\n").join([line(output), text])
    if event.get("needs_review"):
        text.append_text(line(("\n  the model is not sure: a person should look at it", "yellow")))
    text.append_text(_denials(event.get("denials") or []))
    if pending := event.get("pending"):
        return text.append_text(_pending(pending, event.get("session_id")))
    return text.append_text(_continuation(event))


def error(event: Event) -> Text:
    """Returns the words for a run that failed, or a request that was refused."""
    text = line(("error ", "bold red"), (f"{event.get('code')}: {event.get('message')}", "red"))
    for problem in event.get("details") or ():
        guess = f" (did you mean {problem['did_you_mean']}?)" if problem.get("did_you_mean") else ""
        text.append_text(line((f"\n  {problem.get('pointer') or 'request'}: {problem.get('message')}{guess}", "red")))
    if event.get("retryable"):
        wait = f" in {seconds(event['retry_after_ms'])}" if event.get("retry_after_ms") else ""
        text.append_text(line((f"\n  the same request may succeed later: try again{wait}", "yellow")))
    if event.get("details") and (consumed := _consumption(event)):
        text.append("\n ")
        return text.append_text(consumed).append_text(_continuation(event))
    return text.append_text(_consumption(event)).append_text(_continuation(event))


def aborted(event: Event) -> Text:
    """Returns the words for a run that was stopped."""
    text = line((f"aborted ({event.get('reason')})", "bold yellow"))
    return text.append_text(_consumption(event)).append_text(_continuation(event))


def _consumption(event: Event) -> Text:
    usage = event.get("usage") or {}
    read = sum(
        usage.get(name) or 0 for name in ("input_tokens", "cache_read_input_tokens", "cache_creation_input_tokens")
    )
    parts = []
    if "input_tokens" in usage or "output_tokens" in usage:
        parts.append(f"{read} tokens in, {usage.get('output_tokens', '?')} out")
    if "cost_usd" in event:
        parts.append(f"${event['cost_usd']:.4f}")
    if "duration_ms" in event:
        parts.append(seconds(event["duration_ms"]))
    if "turns" in event:
        parts.append(f"{event['turns']} turn{'' if event['turns'] == 1 else 's'}")
    return line(("".join(f" · {part}" for part in parts), "dim"))


def _denials(denials: list[Any]) -> Text:
    rows = [f"\n  denied: {_call(denial)}" for denial in denials[:_MOST]]
    if len(denials) > _MOST:
        rows.append(f"\n  denied: {len(denials) - _MOST} more")
    return line(("".join(rows), "yellow"))


def _pending(pending: Any, session_id: object) -> Text:
    decision = {"tool_use_id": pending.get("tool_use_id"), "behavior": "allow"}
    permissions = {"mode": "defer", "decision": decision}
    fields = f'"session": {json.dumps({"resume": session_id})}, "permissions": {json.dumps(permissions)}'
    waits = (f"\n  waits for a decision: {_call(pending)}", "yellow")
    return line(waits, (f'\nto allow it (or "deny"): {fields}', "dim")) if session_id else line(waits)


def _call(call: Any) -> str:
    return f"{call.get('name')} {essence(call.get('name'), call.get('input'))}".rstrip()


def _continuation(event: Event) -> Text:
    if not event.get("session_id"):
        return Text()
    return line((f'\nto go on: "session": {{"resume": "{event["session_id"]}"}}', "dim"))
