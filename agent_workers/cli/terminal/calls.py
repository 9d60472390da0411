"""The tool calls of a run in words: what is called, who allowed it, and what came of it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from agent_workers.cli.terminal.essence import essence
from agent_workers.cli.terminal.words import Event, line, seconds, short
from agent_workers.protocol.v1.tool_names import APP_TOOL

if TYPE_CHECKING:
    from rich.text import Text

_INDENT = "  "
_BRIEF = 40
_ASKED = 300
_WORTH_TELLING_MS = 50
_DEEPEST = 8  # a recording by others may nest without end
_FAILED = re.compile(r"Exit code \d+")
_STATUS_STYLES = {"ok": "green", "error": "red", "denied": "yellow"}
_BY = {"timeout": ": nobody answered in time", "policy": " by the host's rules", "abort": ": the run was stopped"}


@dataclass
class _Call:
    name: str
    brief: str
    depth: int
    began: datetime | None
    together: bool = False  # with others, so that its result has to say which it is of
    printed: bool = False  # what its result says has been shown


class Calls:
    """The calls of a run, remembered until their results come.

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
        """Returns the words for the call of a tool."""
        name, use_id = _name(event), str(event.get("tool_use_id"))
        depth = self._depth(event)
        self._depths[use_id] = depth
        self._open[use_id] = _Call(name, essence(name, event.get("input"), _BRIEF), depth, _time(event))
        beside = [call for call in self._open.values() if call.depth == depth]
        for call in beside:
            call.together = call.together or len(beside) > 1
        return line((f"{_INDENT * depth}→ {name} ", "bold"), (essence(name, event.get("input")), "dim"))

    def prints(self, event: Event) -> str:
        """Notes that what a call prints is shown; returns how far that is indented."""
        if call := self._open.get(str(event.get("tool_use_id"))):
            call.printed = True
        return f"{self._indent(event)}{_INDENT}"

    def ended(self, event: Event) -> Text:
        """Returns the words for the end of a call."""
        call = self._open.pop(str(event.get("tool_use_id")), None)
        status = str(event.get("status"))
        took = _between(call.began, event) if call and status != "denied" else ""
        indent = _INDENT * (call.depth if call else self._depth(event))
        whose = f"{_whose(call)} " if call else ""
        content = event.get("content", "")
        if call and call.printed:
            failed = _FAILED.match(str(content))
            content = failed[0] if failed else ""
        return line(
            (f"{indent}← {whose}{status} ", _STATUS_STYLES.get(status, "")),
            (" · ".join(filter(None, [took, short(content)])), "dim"),
        )

    def asked(self, event: Event) -> Text | None:
        """Returns the words for a question whether a call may run; None where a person sees the question itself."""
        self._asked[str(event.get("permission_id"))] = str(event.get("tool_use_id"))
        if self._person:
            return None
        reason = f" ({short(event['reason'])})" if event.get("reason") else ""
        return line(
            (f"{self._indent(event)}? may {_name(event)} run{reason} ", "yellow"),
            (f"{essence(_name(event), event.get('input'))}{_time_left(event)}", "dim"),
        )

    def resolved(self, event: Event) -> Text:
        """Returns the words for the answer to such a question."""
        question = str(event.get("permission_id"))
        use_id = self._asked.pop(question, question)  # a decision from an earlier run bears the call's own id
        call = self._open.get(use_id)
        if call:
            call.began = _time(event)  # a person's thinking is not the tool's time
        allowed = event.get("behavior") == "allow"
        whose = _whose(call) if call else "a call"
        words = f"{'✓' if allowed else '✗'} {whose} {'allowed' if allowed else 'denied'}{self._by(event)}"
        return line((_INDENT * (call.depth if call else 0) + words, "green" if allowed else "yellow"))

    def _by(self, event: Event) -> str:
        by = event.get("by")
        if by == "client":
            return " by you" if self._person else f" by the application{by_actor(event)}"
        return _BY.get(str(by), f" by {by}")

    def asked_user(self, event: Event) -> Text | None:
        """Returns the words for questions to the user; None where a person sees the questions themselves."""
        if self._person:
            return None
        asked = "; ".join(_asked(item) for item in event["questions"])
        words = f"{self._indent(event)}? the agent asks: {short(asked, _ASKED)} "
        return line((words, "yellow"), (_time_left(event).removeprefix(", "), "dim"))

    def answered(self, event: Event) -> Text:
        """Returns the words for the answer to such questions."""
        if event.get("by") == "client":
            return line((f"✓ answered{self._by(event)}", "green"))
        return line((f"✗ not answered{self._by(event)}", "yellow"))

    def app_called(self, event: Event) -> Text:
        """Returns the words for a call that the application runs; the call itself has been shown."""
        return line((f"  the application is to run {event.get('name')}{_time_left(event)}", "dim"))

    def task(self, event: Event) -> Text | None:
        """Returns the words for news of a subagent or of background work; None where the event tells nothing new."""
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


def by_actor(event: Event) -> str:
    """Returns who did it, where the event says so."""
    return f" ({short(event['actor'], _BRIEF)})" if event.get("actor") else ""


def _asked(item: Event) -> str:
    labels = ", ".join(str(option["label"]) for option in item["options"])
    return f"{item['question']} ({labels})"


def _name(event: Event) -> str:
    name = str(event.get("name"))
    own = name.removeprefix(APP_TOOL)
    return name if own == name else f"{own} (of the application)"


def _whose(call: _Call) -> str:
    return f"{call.name} ({call.brief})" if call.together and call.brief else call.name


def _time(event: Event, name: str = "ts") -> datetime | None:
    try:
        return datetime.fromisoformat(event[name])
    except (KeyError, TypeError, ValueError):
        return None


def _between(began: datetime | None, event: Event) -> str:
    """Returns how long something took; empty where that is unknown or too short to mention."""
    ended = _time(event)
    took_ms = (ended - began).total_seconds() * 1000 if began and ended else 0
    return seconds(took_ms) if took_ms >= _WORTH_TELLING_MS else ""


def _time_left(event: Event) -> str:
    now, expires = _time(event), _time(event, "expires_at")
    left_s = (expires - now).total_seconds() if now and expires else 0
    return f", {left_s:.0f} s to answer" if left_s > 0 else ""  # none for what was recorded long ago
