"""The tool calls of a run in words: what is called, who allowed it, and what came of it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from .essence import essence
from .words import Event, line, seconds, short

if TYPE_CHECKING:
    from rich.text import Text

_INDENT = "  "
_BRIEF = 40
_DEEPEST = 8  # a recording by others may nest without end
_STATUS_STYLES = {"ok": "green", "error": "red", "denied": "yellow"}
_BY = {"timeout": "nobody answered in time", "policy": "by the host's rules", "abort": "the run was stopped"}


@dataclass
class _Call:
    name: str
    brief: str
    depth: int
    began: datetime | None
    together: bool = False  # with others, so that its result has to say whose it is


class Calls:
    """What has to be remembered of a run's calls to tell of them.

    Args:
        person: Whether the one who reads this is asked, at a prompt of its own, and answers.
    """

    def __init__(self, *, person: bool = False) -> None:
        self._person = person
        self._open: dict[str, _Call] = {}
        self._asked: dict[str, str] = {}
        self._depths: dict[str, int] = {}
        self._tasks: dict[str, tuple[str, str]] = {}

    def called(self, event: Event) -> Text:
        """A tool is called."""
        name, use_id = str(event.get("name")), str(event.get("tool_use_id"))
        depth = self._depth(event)
        self._depths[use_id] = depth
        self._open[use_id] = _Call(name, essence(name, event.get("input"), _BRIEF), depth, _time(event))
        if len(self._open) > 1:
            for call in self._open.values():
                call.together = True
        return line((f"{_INDENT * depth}→ {name} ", "bold"), (essence(name, event.get("input")), "dim"))

    def ended(self, event: Event) -> Text:
        """A call has ended."""
        call = self._open.pop(str(event.get("tool_use_id")), None) or _Call("", "", self._depth(event), None)
        status = str(event.get("status"))
        whose = [call.name, *([f"({call.brief})"] if call.together and call.brief else [])] if call.name else []
        took = f"· {_between(call.began, event)} " if status != "denied" and _between(call.began, event) else ""
        return line(
            (f"{_INDENT * call.depth}← {' '.join([*whose, status])} ", _STATUS_STYLES.get(status, "")),
            (f"{took}{'· ' if whose else ''}{short(event.get('content', ''))}", "dim"),
        )

    def asked(self, event: Event) -> Text | None:
        """Somebody is asked whether a call may run."""
        self._asked[str(event.get("permission_id"))] = str(event.get("tool_use_id"))
        if self._person:
            return None
        reason = f" ({short(event['reason'])})" if event.get("reason") else ""
        time_left = _until(event)
        within = f" An answer is awaited within {time_left}." if time_left else ""
        return line(
            (f"{self._indent(event)}? may {event.get('name')} run{reason} ", "yellow"),
            (f"{essence(event.get('name'), event.get('input'))}{within}", "dim"),
        )

    def resolved(self, event: Event) -> Text:
        """Such a question is settled."""
        question = str(event.get("permission_id"))
        use_id = self._asked.pop(question, question)  # a decision from an earlier run bears the call's own id
        call = self._open.get(use_id)
        if call:
            call.began = _time(event)  # a person's thinking is not the tool's time
        allowed = event.get("behavior") == "allow"
        who = "by you" if self._person else "by the application"
        by = who if event.get("by") == "client" else _BY.get(str(event.get("by")), f"by {event.get('by')}")
        what = f"{call.name} " if call else ""
        words = f"{what}{'allowed' if allowed else 'denied'}: {by}"
        indent = _INDENT * (call.depth if call else 0)
        return line((f"{indent}{'✓' if allowed else '✗'} {words}", "green" if allowed else "yellow"))

    def app_called(self, event: Event) -> Text:
        """A tool of the application is called."""
        told = short(event.get("input"))
        return line((f"→ {event.get('name')} (of the application) ", "bold"), (told, "dim"))

    def task(self, event: Event) -> Text | None:
        """There is news of a subagent or of background work; None where it is none."""
        task_id, status = str(event.get("task_id")), str(event.get("status"))
        last_status, about = self._tasks.get(task_id, ("", ""))
        about = about or short(event.get("description", ""))
        self._tasks[task_id] = status, about
        if status == last_status and status != "progress":
            return None  # the agent says it twice
        told = short(event.get("description") or about) if status == "progress" else about
        return line((f"{self._indent(event)}· {status}{': ' if told else ''}{told}", "dim"))

    def _depth(self, event: Event) -> int:
        parent = event.get("parent_tool_use_id")
        return min(self._depths.get(str(parent), 0) + 1, _DEEPEST) if parent else 0

    def _indent(self, event: Event) -> str:
        return _INDENT * self._depths.get(str(event.get("tool_use_id")), 0)


def _time(event: Event, name: str = "ts") -> datetime | None:
    try:
        return datetime.fromisoformat(event[name])
    except (KeyError, TypeError, ValueError):
        return None


def _between(began: datetime | None, event: Event) -> str:
    """How long something took; empty where that is not known."""
    ended = _time(event)
    return seconds((ended - began).total_seconds() * 1000) if began and ended else ""


def _until(event: Event) -> str:
    now, expires = _time(event), _time(event, "expires_at")
    return f"{(expires - now).total_seconds():.0f} s" if now and expires else ""
