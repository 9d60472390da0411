"""Runs scripts instead of agents, for the tests of those who run workers."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from agent_workers.client.aio import AsyncRun
from agent_workers.client.conversation import Conversation
from agent_workers.client.handle import checked_credential
from agent_workers.client.runner import Run
from agent_workers.protocol.v1.envelope import TERMINAL, attempt_begun, envelop
from agent_workers.wire import dump

if TYPE_CHECKING:
    from agent_workers.client.event import Event
    from agent_workers.client.result import Result

Answer = str | Mapping[str, Any] | Sequence[Mapping[str, Any]]
"""What a fake run answers: its text, its output, or the bodies of its events."""

_SESSION = "00000000-0000-4000-8000-000000000000"
_START = {"type": "start", "worker": "fake", "worker_version": "0", "sdk_version": "0", "simulated": True}


class FakeRunner:
    """Answers each request by a script, and remembers what it was asked to do.

    Only the worker's bytes are made up: they are read by the same code as a real worker's.

    Args:
        answers: One for each run, in this order: a text, an output as a mapping, or bodies of events as a list, which
            may lack its end. A function answers every run; it gets the request. Without any, each answer is empty.

    Attributes:
        requests: What was run, in order.
        sent: The control messages of all runs.
        had_credential: Whether each run had a key of its own, which is not kept.
    """

    def __init__(self, *answers: Answer | Callable[[Mapping[str, Any]], Answer]) -> None:
        self.requests: list[Mapping[str, Any]] = []
        self.sent: list[dict[str, Any]] = []
        self.had_credential: list[bool] = []
        self._answers = list(answers)
        self._is_given = bool(answers)

    def run(self, request: Mapping[str, Any], *, credential: str | None = None) -> Result:
        """Returns the answer, as ``ProcessRunner.run`` does."""
        return self.stream(request, credential=credential).result()

    def stream(self, request: Mapping[str, Any], *, credential: str | None = None) -> Run:
        """Returns a run of the script, as ``ProcessRunner.stream`` does."""
        return Run(self._conversation(request, credential))

    @property
    def for_async(self) -> AsyncFakeRunner:
        """The same for a program with an event loop."""
        return AsyncFakeRunner(self._conversation)

    @staticmethod
    def failure(code: str, message: str = "", *, retryable: bool = False, **fields: Any) -> list[dict[str, Any]]:
        """Returns the answer of a run that fails.

        Args:
            code: The contract's, such as ``rate_limited``.
            message: What its user reads.
            retryable: Whether the same request may succeed later.
            fields: More of ``error``, such as ``retry_after_ms``.
        """
        words = message or f"A fake failure: {code}."
        return [_START, {"type": "error", "code": code, "message": words, "retryable": retryable, **fields}]

    def _conversation(self, request: Mapping[str, Any], credential: str | None) -> Conversation:
        if credential is not None:
            checked_credential(credential)
        answer = self._next(request)
        conversation = Conversation(_FakeCommand(_bodies(answer), self.sent), request)
        self.requests.append({**request, "run": conversation.run})
        self.had_credential.append(credential is not None)
        return conversation

    def _next(self, request: Mapping[str, Any]) -> Answer:
        if not self._is_given:
            return ""
        if not self._answers:
            raise AssertionError("The fake runner has no answer left for this run: pass it one more.")
        answer = self._answers[0]
        if callable(answer):
            return answer(request)
        self._answers.pop(0)
        return answer


class AsyncFakeRunner:
    """The runs of a ``FakeRunner`` for a program with an event loop."""

    def __init__(self, conversation: Callable[[Mapping[str, Any], str | None], Conversation]) -> None:
        self._conversation = conversation

    async def run(self, request: Mapping[str, Any], *, credential: str | None = None) -> Result:
        """Returns the answer."""
        async with self.stream(request, credential=credential) as run:
            return await run.result()

    def stream(self, request: Mapping[str, Any], *, credential: str | None = None) -> AsyncRun:
        """Returns a run of the script."""
        return AsyncRun(self._conversation(request, credential))


def _bodies(answer: Answer) -> list[Mapping[str, Any]]:
    if isinstance(answer, str):
        return _answering(answer)
    if isinstance(answer, Mapping):
        return _answering(dump(answer).decode(), output=answer)
    return list(answer)


def _answering(text: str, **more: Any) -> list[Mapping[str, Any]]:
    session = {"session_id": _SESSION, "model": "fake", "cli_version": "0", "tools": [], "resumed": False}
    words = [{"type": "delta", "text": word, "block": 1} for word in re.findall(r"\s*\S+\s*|\s+", text)]
    usage = {"input_tokens": 1, "output_tokens": max(1, len(words))}
    end = {"stop_reason": "end_turn", "text": text, **more, "session_id": _SESSION, "usage": usage}
    return [_START, {"type": "session", **session}, *words, {"type": "done", **end, "duration_ms": 1, "turns": 1}]


@dataclass(slots=True)
class _FakeProcess:
    """A worker that writes a line each time that it is looked at."""

    lines: list[bytes]
    sent: list[dict[str, Any]]
    run: str = ""
    stderr: str = ""
    status: int | None = None
    tells_its_end: bool = True
    ends: bool = field(default=False)

    @property
    def has_output(self) -> bool:
        return bool(self.lines)

    async def ready(self) -> None:
        from anyio.lowlevel import checkpoint  # who waits in a loop has it

        await checkpoint()

    def wait(self, timeout_s: float | None) -> None:
        pass

    def send(self, line: bytes) -> bool:
        message = json.loads(line)
        if self.run:
            self.sent.append(message)
        else:
            self.run = message["run"]
        return self.status is None

    def take(self) -> list[bytes]:
        chunk = self.lines.pop(0).replace(b'"run":""', b'"run":' + dump(self.run), 1) if self.lines else b""
        if not self.lines:
            self.status = 0
        return [chunk] if chunk else []

    def end_input(self) -> None:
        pass

    def signal(self, number: int) -> None:
        self.lines.clear()
        self.status = -number

    def wake(self) -> None:
        pass

    def close(self) -> None:
        self.status = 0 if self.status is None else self.status


@dataclass(frozen=True, slots=True)
class _FakeCommand:
    bodies: list[Mapping[str, Any]]
    sent: list[dict[str, Any]]
    grace_s: float = 0
    overtime_s: float = 1e9

    def start(self) -> _FakeProcess:
        ts = "2026-01-01T00:00:00.000Z"
        events: list[Event] = []
        for body in self.bodies:
            seq = 1 if not events or (attempt_begun(body) or 1) > 1 else events[-1]["seq"] + 1
            events.append(envelop(dict(body), seq=seq, run="", ts=ts))
        last = next((number for number, event in enumerate(events, 1) if event["type"] in TERMINAL), len(events))
        return _FakeProcess([dump(event) + b"\n" for event in events[:last]], self.sent)
