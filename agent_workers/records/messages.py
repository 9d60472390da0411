"""The messages of one attempt: what was asked, said and decided. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from agent_workers.records.changes import MESSAGES, Change, Put, Withdraw
from agent_workers.records.run_row import named
from agent_workers.records.texts import ENDING, LONGEST, Text, Texts

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from agent_workers.records.about import About
    from agent_workers.records.keeping import Keeping

_ROLES = {"question": "user", "steer": "user", "permission": "user", "tool_result": "tool"}
_MOST_STEERS = 1000


class Messages:
    """What an attempt's events say, as rows.

    Args:
        about: What is known of the run.
        keeping: What of it is kept.
        steers: The words that the run was sent, by the ids of their messages.
    """

    def __init__(self, about: About, keeping: Keeping, steers: dict[str, str] | None = None) -> None:
        self._about = about
        self._keeping = keeping
        self._steers = steers if steers is not None else {}
        self._attempt = about.attempt
        self._conversation_id: str | None = None
        self._texts = Texts()
        self._names: dict[str, str | None] = {}
        self._asked: dict[str, dict[str, Any]] = {}

    def anew(self) -> Messages:
        """Returns those of another attempt."""
        return Messages(self._about, self._keeping, self._steers)

    def told(self, message: Mapping[str, Any]) -> None:
        """Takes note of a control message."""
        name, text = message.get("id"), message.get("text")
        if message.get("type") == "steer" and isinstance(name, str) and isinstance(text, str):
            self._steers[name] = text
            if len(self._steers) > _MOST_STEERS:
                del self._steers[next(iter(self._steers))]

    def question(self, attempt: int, conversation_id: str | None) -> list[Change]:
        """Returns the question's row; none where the question is not known."""
        self._attempt, self._conversation_id = attempt, conversation_id
        question = self._about.question
        if self._about.runs_tool and not self._keeping.has_tools:
            question = {"tool": question["tool"]}
        return [] if question is None else [self._put(0, "question", self._about.at, question)]

    def take(self, kind: str, event: dict[str, Any], at: str) -> list[Change]:
        """Returns the rows that an event makes, or that it removes."""
        seq = event["seq"]
        changes: list[Change] = []
        if kind == "delta":
            block, text = event.get("block"), event.get("text")
            if type(block) is int and isinstance(text, str):
                changes += self._said(self._texts.add(block, text), seq, at)
        elif kind == "discard":
            changes += self._discard(event)
        elif kind in ENDING:
            changes += self.end(seq, at)
        return [*changes, *self._acted(kind, event, at)]

    def end(self, seq: int, at: str) -> list[Change]:
        """Returns the row of the text that was being written."""
        return list(self._said(self._texts.end(), seq, at))

    def _said(self, text: Text | None, seq: int, at: str) -> Iterator[Change]:
        if text:
            self._texts.note(text.block, seq)
            yield self._put(seq, "text", at, text.text)

    def _discard(self, event: dict[str, Any]) -> Iterator[Change]:
        blocks = event.get("blocks")
        for block in blocks if isinstance(blocks, list) else []:
            if type(block) is int:
                for seq in self._texts.discard(block):
                    yield Withdraw(self._about.run, self._attempt, seq)

    def _acted(self, kind: str, event: dict[str, Any], at: str) -> Iterator[Change]:
        seq, use = event["seq"], named(event.get("tool_use_id"))
        if kind == "tool_call":
            name = named(event.get("name"))
            self._names[use or ""] = name
            yield self._put(seq, "tool_call", at, event.get("input"), name=name, tool_use_id=use)
        elif kind == "tool_result":
            name, status = self._names.pop(use or "", None), named(event.get("status"))
            yield self._put(seq, "tool_result", at, event.get("content"), name=name, tool_use_id=use, status=status)
        elif kind == "permission_request":
            self._asked[str(event.get("permission_id"))] = event
        elif kind == "permission_resolved":
            asked = self._asked.pop(str(event.get("permission_id")), {})
            yield self._put(
                seq,
                "permission",
                at,
                {"by": event.get("by")},
                name=named(asked.get("name")),
                tool_use_id=named(asked.get("tool_use_id")),
                status=named(event.get("behavior")),
                actor=named(event.get("actor")),
            )
        elif kind == "steered":
            yield self._put(
                seq, "steer", at, self._steers.pop(str(event.get("id")), None), actor=named(event.get("actor"))
            )

    def _put(
        self,
        seq: int,
        kind: str,
        at: str,
        content: Any,
        *,
        name: str | None = None,
        tool_use_id: str | None = None,
        status: str | None = None,
        actor: str | None = None,
    ) -> Put:
        row = {
            "run_id": named(self._about.run),
            "conversation_id": self._conversation_id,
            "attempt": self._attempt,
            "seq": seq,
            "role": _ROLES.get(kind, "assistant"),
            "kind": kind,
            "content": self._keeping.content(kind, _short(content)),
            "name": name,
            "tool_use_id": tool_use_id,
            "status": status,
            "actor": actor,
            "created_at": at,
        }
        return Put(MESSAGES, row, self._about.run, self._attempt)


def _short(content: Any) -> Any:
    """Returns a content, or None where it is too long to be kept."""
    return content if _length(content) <= LONGEST else None


def _length(value: Any) -> int:
    if isinstance(value, str):
        return len(value)
    if isinstance(value, dict):
        return sum(len(name) + _length(item) for name, item in value.items())
    return sum(map(_length, value)) if isinstance(value, list) else 1
