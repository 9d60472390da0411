"""What a run has asked, and whether it is open: an answer counts once, and only for what was asked."""

from __future__ import annotations

import time
from datetime import datetime
from typing import TYPE_CHECKING, Any

from agent_workers.gateway.refusal import Refusal, invalid

if TYPE_CHECKING:
    from collections.abc import Mapping

TOO_LONG = "The call is too long to be shown to the person who decides."
_LONGEST = 10_000
_ASKED = {"permission_request": "permission_id", "question": "question_id"}
_SETTLED = {"permission_resolved": "permission_id", "question_resolved": "question_id"}
Key = tuple[str, str]


class Questions:
    """The questions of one attempt of a run, as its events tell them."""

    def __init__(self) -> None:
        self._asked: dict[Key, Mapping[str, Any]] = {}
        self._settled: set[Key] = set()

    def note(self, event: Mapping[str, Any]) -> None:
        """Hears the run's next event."""
        kind = event["type"]
        if kind == "start":
            self._asked.clear()
            self._settled.clear()
        elif name := _ASKED.get(kind):
            self._asked[name, str(event.get(name))] = event
        elif name := _SETTLED.get(kind):
            self._settled.add((name, str(event.get(name))))

    def open(self, name: str, identifier: str) -> Mapping[str, Any]:
        """Returns a question that is open.

        Args:
            name: ``permission_id`` or ``question_id``.
            identifier: Its id.

        Raises:
            Refusal: There is none, or it is not open any more.
        """
        asked = self._asked.get((name, identifier))
        if asked is None:
            raise Refusal(404, "no_question", "There is no such question.")
        if (name, identifier) in self._settled or expiry(asked) <= time.time():
            raise over()
        return asked

    def take(self, name: str, identifier: str) -> None:
        """Notes that a question has its answer: of two answers the first one counts."""
        self._settled.add((name, identifier))

    def give_back(self, name: str, identifier: str) -> None:
        """Lets an answer that did not reach the run be given again."""
        self._settled.discard((name, identifier))


def over() -> Refusal:
    """Returns the refusal of a question that is answered, expired, or of a run that has ended."""
    return Refusal(410, "question_over", "This question is not open any more.")


def expiry(asked: Mapping[str, Any]) -> float:
    """Returns when a question expires, in seconds since the epoch; never, where it does not say."""
    try:
        return datetime.fromisoformat(str(asked.get("expires_at"))).timestamp()
    except ValueError:
        return float("inf")


def decision(asked: Mapping[str, Any], behavior: str, message: str | None) -> dict[str, str]:
    """Returns a decision, which is a refusal where the call was too long to be shown as a whole."""
    if asked.get("truncated_bytes") is not None:
        behavior, message = "deny", TOO_LONG
    told = message if behavior == "deny" else None
    return {"behavior": behavior, **({"message": told} if told else {})}


def check_answers(asked: Mapping[str, Any], answers: Mapping[str, Any]) -> None:
    """Checks that answers are those to a question: the worker would refuse others, and it would stay open for nobody.

    Raises:
        Refusal: They are not.
    """
    several = {item["question"]: bool(item.get("multi")) for item in asked.get("questions", ())}
    if unknown := next((question for question in answers if question not in several), None):
        raise invalid({"answers": [f'"{unknown}" was not asked.']})
    for question, is_multi in several.items():
        answer = answers.get(question)
        texts = answer if is_multi and isinstance(answer, list) and answer else [answer]
        if not all(isinstance(text, str) and 0 < len(text) <= _LONGEST for text in texts):
            more = ", or with a list of them" if is_multi else ""
            raise invalid({"answers": [f'Answer "{question}" with a text of 1 to 10,000 characters{more}.']})
