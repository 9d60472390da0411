"""``--result``: the output of a run as one JSON document, and nothing else on stdout."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from agent_workers.cli.harmless import harmless
from agent_workers.stdio.stderr import say

if TYPE_CHECKING:
    from agent_workers.stdio.stdout import Stdout


class ResultOnly:
    """Takes a run's lines and writes the output of ``done``; an ``error`` or ``aborted`` is told on stderr.

    Args:
        name: The program's, before each line on stderr.
        out: The claimed stdout.
    """

    tells_errors = True

    def __init__(self, name: str, out: Stdout) -> None:
        self._name = name
        self._out = out

    async def send(self, line: bytes) -> None:
        """Takes one event.

        Raises:
            OutputClosed: Nobody reads.
        """
        if result := self._result(line):
            await self._out.send(result)

    def send_now(self, line: bytes) -> None:
        """Takes one event without an event loop.

        Raises:
            OutputClosed: Nobody reads.
        """
        if result := self._result(line):
            self._out.send_now(result)

    async def wait_closed(self) -> None:
        """Returns when the reader has gone."""
        await self._out.wait_closed()

    def _result(self, line: bytes) -> bytes:
        event = json.loads(line)
        if event["type"] == "done":
            if event.get("needs_review"):
                say(f"{self._name}: the model is not sure of this output: a person should look at it (needs_review)")
            return json.dumps(event.get("output"), separators=(",", ":")).encode() + b"\n"
        if event["type"] == "error":
            say(f"{self._name}: {harmless(event['message'])} ({event['code']})")
            for problem in event.get("details") or ():
                say(f"  {harmless(_told(problem))}")
        elif event["type"] == "aborted":
            say(f"{self._name}: stopped ({event['reason']})")
        return b""


def _told(problem: dict[str, Any]) -> str:
    near = problem.get("did_you_mean")
    return f"{problem['pointer'] or '/'} {problem['message']}" + (f"; did you mean {near}?" if near else "")
