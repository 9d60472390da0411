"""What a run comes to."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from agent_workers.client.errors import error_of

if TYPE_CHECKING:
    from agent_workers.client.event import Event


@dataclass(frozen=True, slots=True)
class Result:
    """What a run has come to.

    Attributes:
        run: The run's id.
        text: The answer.
        output: The structured answer, where the request asked for one.
        session_id: For ``session.resume`` of the next request; None where the session was not kept.
        stop_reason: Such as ``end_turn``.
        usage: Tokens.
        cost_usd: An estimate in US dollars; None where it is not known.
        needs_review: Whether a person should look at a skill's output; None where the skill does not say.
        event: The whole ``done`` event.
    """

    run: str
    text: str
    output: Any
    session_id: str | None
    stop_reason: str
    usage: dict[str, int]
    cost_usd: float | None
    needs_review: bool | None
    event: Event


class Outcome:
    """Gathers a run's events to its result."""

    def __init__(self) -> None:
        self._texts: dict[int, str] = {}
        self._started = False
        self._terminal: Event | None = None

    def add(self, event: Event) -> None:
        """Takes the next event."""
        match event["type"]:
            case "start":
                self._started = True
                self._texts.clear()  # where the run begins anew, the lost attempt does not count
            case "delta":
                self._texts[event["block"]] = self._texts.get(event["block"], "") + event["text"]
            case "discard":
                for block in event["blocks"]:
                    self._texts.pop(block, None)
            case "done" | "error" | "aborted":
                self._terminal = event

    def result(self) -> Result:
        """Returns the result of a run that has ended.

        Raises:
            RunFailed: It ended with ``error``; ``RunRefused`` where nothing ran.
            RunAborted: It was stopped.
        """
        event = self._terminal
        if event is None:
            raise RuntimeError("the run has not ended: read its events to the end first")
        if event["type"] != "done":
            raise error_of(event, started=self._started)
        return Result(
            run=event["run"],
            text=self._whole(event["text"], event.get("truncated_bytes", 0)),
            output=event.get("output"),
            session_id=event.get("session_id"),
            stop_reason=event["stop_reason"],
            usage=event.get("usage") or {},
            cost_usd=event.get("cost_usd"),
            needs_review=event.get("needs_review"),
            event=event,
        )

    def _whole(self, text: str, left_out: int) -> str:
        """Completes a text that was cut to fit its line from the deltas."""
        if not left_out:
            return text
        begin = text.encode("utf-8", "replace")  # lone surrogates, which only a worker of another make writes
        told = "".join(self._texts.values()).encode("utf-8", "replace")[-len(begin) - left_out :]
        is_whole = len(told) == len(begin) + left_out and told.startswith(begin)
        return told.decode() if is_whole else text
