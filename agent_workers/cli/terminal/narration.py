"""Each event in a few words. Text of others is never read as markup."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from rich.text import Text

from agent_workers.cli.harmless import harmless

if TYPE_CHECKING:
    from collections.abc import Callable

Event = dict[str, Any]

_LONGEST = 100  # characters of a tool's input or result
_ENVELOPE = ("v", "seq", "run", "ts")
_STATUS_STYLES = {"ok": "green", "error": "red", "denied": "yellow"}


def narrate(event: Event) -> Text | None:
    """The words for an event; None where there is nothing to say, as for a type that is not known."""
    words = _WORDS.get(event.get("type", ""))
    try:
        return words(event) if words else None
    except (AttributeError, TypeError, ValueError):  # a recording by others may hold anything
        return _line((f"! {_short({name: event[name] for name in event if name not in _ENVELOPE})}", "dim"))


def _line(*parts: tuple[object, str] | str) -> Text:
    """One text out of plain pieces and styled ones."""
    styled = [(part, "") if isinstance(part, str) else part for part in parts]
    return Text.assemble(*((harmless(str(words)), style) for words, style in styled))


def _short(value: object) -> str:
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    text = " ".join(text.split())
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 1]}…"


def _session(event: Event) -> Text:
    resumed = ", resumed" if event.get("resumed") else ""
    return _line((f"{event.get('model')} · session {event.get('session_id')}{resumed}", "dim"))


def _start(event: Event) -> Text | None:
    return _line(("simulated: no model answers", "dim")) if event.get("simulated") else None


def _tool_call(event: Event) -> Text:
    indent = "  " if event.get("parent_tool_use_id") else ""
    return _line((f"{indent}→ {event.get('name')} ", "bold"), (_short(event.get("input")), "dim"))


def _tool_result(event: Event) -> Text:
    indent = "  " if event.get("parent_tool_use_id") else ""
    status = str(event.get("status"))
    return _line((f"{indent}← {status} ", _STATUS_STYLES.get(status, "")), (_short(event.get("content", "")), "dim"))


def _permission_request(event: Event) -> Text:
    reason = f" ({event['reason']})" if event.get("reason") else ""
    asked = f"? may {event.get('name')} run{reason} "
    return _line((asked, "yellow"), (f"{_short(event.get('input'))} until {event.get('expires_at')}", "dim"))


def _permission_resolved(event: Event) -> Text:
    return _line((f"  {event.get('behavior')}, decided by {event.get('by')}", "dim"))


def _app_tool_call(event: Event) -> Text:
    return _line((f"→ {event.get('name')} (of the application) ", "bold"), (_short(event.get("input")), "dim"))


def _task(event: Event) -> Text:
    return _line((f"· {event.get('status')}: {_short(event.get('description', ''))}", "dim"))


def _retry(event: Event) -> Text:
    http = f" (HTTP {event['http_status']})" if event.get("http_status") else ""
    attempt = f"attempt {event.get('attempt')} of {event.get('max_attempts')}"
    return _line((f"↻ {event.get('code')}{http}: {attempt} in {_seconds(event.get('delay_ms', 0))}", "yellow"))


def superseded(reason: object) -> Text:
    """The words for text that was taken back and still stands there."""
    return _line((f"✗ superseded ({reason}): the text above no longer counts, a new version follows", "yellow"))


def _notice(event: Event) -> Text:
    style = "yellow" if event.get("level") == "warning" else "dim"
    return _line((f"! {event.get('message')} ({event.get('code')})", style))


def _ack(event: Event) -> Text | None:
    if event.get("ok"):
        return None
    return _line((f"! control message {event.get('id')} changed nothing: {event.get('code')}", "yellow"))


def _done(event: Event) -> Text:
    normal = event.get("stop_reason") == "end_turn"
    text = _line(("done" if normal else f"done: {event.get('stop_reason')}", "green" if normal else "yellow"))
    text.append_text(_consumption(event))
    if "output" in event:
        output = json.dumps(event["output"], indent=2, ensure_ascii=False)
        text = Text("\n").join([_line(output), text])
    return text.append_text(_continuation(event))


def _error(event: Event) -> Text:
    text = _line(("error ", "bold red"), (f"{event.get('code')}: {event.get('message')}", "red"))
    for problem in event.get("details") or ():
        guess = f" (did you mean {problem['did_you_mean']}?)" if problem.get("did_you_mean") else ""
        text.append_text(_line((f"\n  {problem.get('pointer') or 'request'}: {problem.get('message')}{guess}", "red")))
    if event.get("retryable"):
        wait = f" in {_seconds(event['retry_after_ms'])}" if event.get("retry_after_ms") else ""
        text.append_text(_line((f"\n  the same request may succeed later: try again{wait}", "yellow")))
    return text.append_text(_consumption(event)).append_text(_continuation(event))


def _aborted(event: Event) -> Text:
    text = _line((f"aborted ({event.get('reason')})", "bold yellow"))
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
        parts.append(_seconds(event["duration_ms"]))
    if "turns" in event:
        parts.append(f"{event['turns']} turn{'' if event['turns'] == 1 else 's'}")
    return _line(("".join(f" · {part}" for part in parts), "dim"))


def _continuation(event: Event) -> Text:
    if not event.get("session_id"):
        return Text()
    return _line((f'\nto go on: "session": {{"resume": "{event["session_id"]}"}}', "dim"))


def _seconds(milliseconds: float) -> str:
    return f"{milliseconds / 1000:.1f} s"


_WORDS: dict[str, Callable[[Event], Text | None]] = {
    "start": _start,
    "session": _session,
    "tool_call": _tool_call,
    "tool_result": _tool_result,
    "permission_request": _permission_request,
    "permission_resolved": _permission_resolved,
    "app_tool_call": _app_tool_call,
    "task": _task,
    "retry": _retry,
    "notice": _notice,
    "ack": _ack,
    "done": _done,
    "error": _error,
    "aborted": _aborted,
}
