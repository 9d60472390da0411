"""The questions of a run: each is settled once, before the end."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from agent_workers.protocol.v1.events import TERMINAL

if TYPE_CHECKING:
    from collections.abc import Iterator

_IDS = {
    **dict.fromkeys(("permission_request", "permission_resolved"), "permission_id"),
    **dict.fromkeys(("question", "question_resolved"), "question_id"),
}
_ASKS = {"permission_resolved": "permission_request", "question_resolved": "question"}


class Wrong(NamedTuple):
    """What is wrong, and where in the event."""

    pointer: str
    message: str


class Settlements:
    """The questions of one run that wait for an answer."""

    def __init__(self) -> None:
        self._calls: set[str] = set()
        self._open: dict[tuple[str, str], None] = {}
        self._settled: set[tuple[str, str]] = set()

    def feed(self, event: dict[str, Any]) -> Iterator[Wrong]:
        """Follows one event; yields what is wrong with the question that it asks or settles."""
        kind = str(event.get("type"))
        if kind == "tool_call":
            if isinstance(call := event.get("tool_use_id"), str):
                self._calls.add(call)
        elif kind in _IDS and isinstance(name := event.get(_IDS[kind]), str):
            for words in self._settle(kind, name) if kind in _ASKS else self._ask(kind, name):
                yield Wrong(f"/{_IDS[kind]}", words)
        elif kind in TERMINAL:
            for asked, name in self._open:
                yield Wrong("", f"the {asked} {name[:80]!r} was not settled before it")

    def _ask(self, kind: str, name: str) -> Iterator[str]:
        if (kind, name) in self._open or (kind, name) in self._settled:
            yield f"is the id of an earlier {kind}"
        self._open[kind, name] = None

    def _settle(self, kind: str, name: str) -> Iterator[str]:
        asked = (_ASKS[kind], name)
        if asked in self._settled:
            yield "was settled before"
        elif asked not in self._open and name not in self._calls:  # an earlier run's question bears its call's id
            yield f"names no {asked[0]} before it"
        self._open.pop(asked, None)
        self._settled.add(asked)
