"""What was decided in a run, by whom, and whether a signature proves it."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, Literal

from agent_workers.proof.finding import Finding
from agent_workers.proof.signature import Signature, parse

if TYPE_CHECKING:
    from collections.abc import Iterator

    from agent_workers.proof.keys import Keys
    from agent_workers.proof.record import Record

_ASKED = {"permission_request": "permission_id", "question": "question_id"}
_SETTLED = {"permission_resolved": "permission_id", "question_resolved": "question_id"}
_OTHER = {"allow": "deny", "deny": "allow"}
_MOST_OPEN = 1000

State = Literal["proven", "wrong", "unchecked", "unsigned"]


@dataclass(frozen=True, slots=True)
class Decision:
    """A decision that came from outside of the run.

    Attributes:
        line: Number of the line that tells it.
        run: The run's id.
        id: Id of the question.
        behavior: ``allow``, ``deny`` or ``answer``.
        actor: Who decided; empty where nobody is named.
        state: ``proven``: by its signature. ``wrong``: the signature is not one of what stands there. ``unchecked``:
            no key was given. ``unsigned``: it bears no signature.
        signed_at: When it was signed, in seconds since the epoch; None where it is not.
        key: Id of the key.
    """

    line: int
    run: str
    id: str
    behavior: str
    actor: str
    state: State
    signed_at: int | None = None
    key: str | None = None

    def to_json(self) -> dict[str, Any]:
        """Returns it as a JSON object, without what is unknown."""
        return {name: value for name, value in asdict(self).items() if value not in (None, "")}


@dataclass(frozen=True, slots=True)
class _Question:
    line: int
    head: str
    tool: str
    tool_use_id: str


class Decisions:
    """Checks the decisions of one attempt.

    Args:
        keys: What they may be signed with; none where signatures are not to be checked.
    """

    def __init__(self, keys: Keys) -> None:
        self._keys = keys
        self._open: dict[str, _Question] = {}

    def take(self, record: Record, event: dict[str, Any]) -> Iterator[Decision | Finding]:
        """Takes the next event; yields the decision that it tells, and what is wrong with it."""
        if name := _ASKED.get(record.type):
            tool = str(event.get("name", "AskUserQuestion"))
            self._open[str(event.get(name))] = _Question(
                record.line, record.head, tool, str(event.get("tool_use_id", ""))
            )
            if len(self._open) > _MOST_OPEN:
                self._open.pop(next(iter(self._open)))
        elif name := _SETTLED.get(record.type):
            yield from self._settled(record, event, str(event.get(name)))

    def _settled(self, record: Record, event: dict[str, Any], question_id: str) -> Iterator[Decision | Finding]:
        question = self._open.pop(question_id, None)
        if "signature" not in event:
            if event.get("by") == "client":
                yield _decision(record, event, question_id, "unsigned", None)
            return
        signature = parse(event["signature"])
        if not self._keys:
            yield _decision(record, event, question_id, "unchecked", signature)
            return
        fault = self._fault(event, question_id, question, signature)
        yield _decision(record, event, question_id, "wrong" if fault else "proven", signature)
        if fault:
            yield Finding("decision", record.line, record.seq, fault, record.run)

    def _fault(
        self, event: dict[str, Any], question_id: str, question: _Question | None, signature: Signature | None
    ) -> str | None:
        if signature is None:
            return "its signature has a form that is not known here"
        key = self._keys.get(signature.key)
        if key is None:
            return f"it is signed with the key {signature.key}, which was not given"
        if question is None:
            return "what it answers does not stand before it, so nobody can tell what was decided on"
        return _difference(signature, key, event, _statement(event, question_id, question), question)


def _difference(
    signature: Signature, key: bytes, event: dict[str, Any], stated: dict[str, str], question: _Question
) -> str | None:
    """Returns in what a decision differs from the one that was signed; None where in nothing."""
    other = {**stated, "behavior": _OTHER.get(stated["behavior"], "")}
    fault = None
    if signature.is_of(key, other):
        is_overruled = event.get("by") == "policy" and other["behavior"] == "allow"
        fault = None if is_overruled else f"the decision was changed: {other['behavior']} was signed"
    elif not signature.is_by(stated["actor"]):
        fault = "the actor was changed: another one has signed"
    elif not signature.is_of(key, stated) and signature.shown == question.head:
        fault = "its signature is not one of this key: it was changed, or made without the key"
    return fault or (None if signature.shown == question.head else _shown(question))


def _shown(question: _Question) -> str:
    words = "is not what was shown to who decided: the tool, its input or an id differs"
    return f"line {question.line}, the question, {words}"


def _statement(event: dict[str, Any], question_id: str, question: _Question) -> dict[str, str]:
    is_answer = event["type"] == "question_resolved"
    return {
        "actor": str(event.get("actor") or ""),
        "behavior": "answer" if is_answer else str(event.get("behavior")),
        "id": question_id,
        "run": str(event.get("run")),
        "tool": question.tool,
        "tool_use_id": question.tool_use_id,
        "type": "answer" if is_answer else "permission",
    }


def _decision(
    record: Record, event: dict[str, Any], question_id: str, state: State, signature: Signature | None
) -> Decision:
    return Decision(
        line=record.line,
        run=record.run,
        id=question_id,
        behavior="answer" if record.type == "question_resolved" else str(event.get("behavior")),
        actor=str(event.get("actor") or ""),
        state=state,
        signed_at=int(signature.time) if signature else None,
        key=signature.key if signature else None,
    )
