"""Each event in a few words."""

from __future__ import annotations

from typing import TYPE_CHECKING

from agent_workers.cli.terminal.calls import Calls, by_actor
from agent_workers.cli.terminal.closing import aborted, done, error
from agent_workers.cli.terminal.words import Event, line, seconds, short
from agent_workers.protocol.v1.envelope import attempt_begun

if TYPE_CHECKING:
    from collections.abc import Callable

    from rich.text import Text

_ENVELOPE = ("v", "seq", "run", "ts")


class Narrator:
    """Tells one run.

    Args:
        person: Whether the one who reads this is asked, at a prompt of its own, and answers.

    Attributes:
        calls: The calls of the run.
    """

    def __init__(self, *, person: bool = False) -> None:
        self._person = person
        self._has_begun = False
        self._forget()

    def _forget(self) -> None:
        calls = self.calls = Calls(person=self._person)
        self._words: dict[str, Callable[[Event], Text | None]] = {
            "start": self._start,
            "session": _session,
            "tool_call": calls.called,
            "tool_result": calls.ended,
            "permission_request": calls.asked,
            "permission_resolved": calls.resolved,
            "question": calls.asked_user,
            "question_resolved": calls.answered,
            "steered": _steered,
            "app_tool_call": calls.app_called,
            "task": calls.task,
            "retry": _retry,
            "notice": _notice,
            "ack": _ack,
            "done": done,
            "error": error,
            "aborted": aborted,
        }

    def narrate(self, event: Event) -> Text | None:
        """Returns the words for an event; None where there is nothing to say, as for an unknown type."""
        if self.begins_anew(event):
            self._forget()
        words = self._words.get(event.get("type", ""))
        try:
            return words(event) if words else None
        except (AttributeError, TypeError, ValueError):  # a recording by others may hold anything
            return line((f"! {short({name: event[name] for name in event if name not in _ENVELOPE})}", "dim"))
        finally:
            self._has_begun = self._has_begun or event.get("type") == "start"

    def begins_anew(self, event: Event) -> bool:
        """Tells whether an event begins the run again, since its worker was lost: what was told no longer counts."""
        return self._has_begun and (attempt_begun(event) or 1) > 1

    def _start(self, event: Event) -> Text | None:
        if self.begins_anew(event):
            words = f"↻ the run begins again (attempt {event['attempt']}): what stands above no longer counts"
            return line((words, "yellow"))
        return line(("simulated: no model answers", "dim")) if event.get("simulated") else None


def superseded(reason: object) -> Text:
    """Returns the words for text that was discarded and is still on the screen."""
    return line((f"✗ superseded ({reason}): the text above no longer counts, a new version follows", "yellow"))


def _session(event: Event) -> Text:
    resumed = ", resumed" if event.get("resumed") else ""
    return line((f"{event.get('model')} · session {event.get('session_id')}{resumed}", "dim"))


def _steered(event: Event) -> Text:
    return line((f"» the agent has read what was said to it{by_actor(event)}", "green"))


def _retry(event: Event) -> Text:
    http = f" (HTTP {event['http_status']})" if event.get("http_status") else ""
    attempt = f"attempt {event.get('attempt')} of {event.get('max_attempts')}"
    return line((f"↻ {event.get('code')}{http}: {attempt} in {seconds(event.get('delay_ms', 0))}", "yellow"))


def _notice(event: Event) -> Text:
    style = "yellow" if event.get("level") == "warning" else "dim"
    return line((f"! {event.get('message')} ({event.get('code')})", style))


def _ack(event: Event) -> Text | None:
    if event.get("ok"):
        return None
    if event.get("code") == "too_late":
        return line(("! the agent ended before it read what was said to it", "yellow"))
    return line((f"! control message {event.get('id')} changed nothing: {event.get('code')}", "yellow"))
