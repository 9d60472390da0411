"""Whether the CLI of a run may serve the next run of its session: only where that could not tell the difference."""

from __future__ import annotations

from contextlib import aclosing
from typing import TYPE_CHECKING, Any

import anyio
from anyio.lowlevel import checkpoint

from agent_workers.engine.claude.process.cli_output import decoded
from agent_workers.errors import WorkerError
from agent_workers.protocol.v1.events import Delta, Done, Retry, Session, Thinking, ToolCall, ToolResult

if TYPE_CHECKING:
    from agent_workers.engine.claude.process.cli_output import CliOutput
    from agent_workers.engine.claude.process.cli_process import CliProcess
    from agent_workers.engine.process.stderr_tail import StderrTail
    from agent_workers.protocol.v1.events import Body

_REST_S = 3  # the CLI needs a few milliseconds, on a machine that does little else
_LIFECYCLE = "command_lifecycle"


class Keeping:
    """Follows a run; takes its CLI out of the event loop in the end.

    Args:
        prompt_id: The UUID of the prompt's message.
    """

    def __init__(self, prompt_id: str) -> None:
        self._prompt_id = prompt_id
        self._plain = True
        self._answered = False

    def note(self, body: Body) -> None:
        """Notes what the run has told."""
        if isinstance(body, Done):
            # A session that ends with structured output is resumed with a word of the CLI's own, which this one omits.
            self._answered = body.stop_reason == "end_turn" and body.output is None
        elif not isinstance(body, Session | Delta | Thinking | Retry | ToolCall | ToolResult):
            self._plain = False  # a fresh CLI would not know of it, or tell it anew

    async def leave(self, process: CliProcess, output: CliOutput, stderr: StderrTail) -> bool:
        """Waits until the CLI has completed the prompt, and leaves its pipes to another reader.

        Returns:
            Whether the CLI may serve another run. Otherwise it must be ended.
        """
        if not (self._plain and self._answered and await self._completed(output)):
            return False
        stdout, errors = await output.leave(), stderr.leave()
        await checkpoint()  # the event loop lets go of the pipes
        if stdout is None or errors is None:
            return False
        process.stdout, process.stderr = stdout, errors
        return not process.ended

    async def _completed(self, output: CliOutput) -> bool:
        with anyio.move_on_after(_REST_S):
            try:
                async with aclosing(output.messages()) as messages:
                    async for message in messages:
                        if message.get("command_uuid") == self._prompt_id and message.get("state") == "completed":
                            return True
                        if not _is_idle_talk(message):
                            break
            except (WorkerError, ValueError):
                pass
        return False


def says_nothing(line: bytes) -> bool:
    """Tells whether a line of a CLI that waits means nothing: no turn has begun, and nothing is asked."""
    message = decoded(line)
    return message is None or _is_idle_talk(message)


def _is_idle_talk(message: dict[str, Any]) -> bool:
    return message.get("type") in (_LIFECYCLE, "keep_alive") or message.get("subtype") == "status"
