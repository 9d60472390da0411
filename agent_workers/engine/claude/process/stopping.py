"""Stops the CLI in order: asks the agent, then sends SIGTERM. The caller kills what remains."""

from __future__ import annotations

from contextlib import aclosing, suppress
from typing import TYPE_CHECKING

import anyio

from agent_workers.engine.claude.process.cli_input import interrupt_line
from agent_workers.errors import WorkerError

if TYPE_CHECKING:
    from agent_workers.engine.claude.process.cli_output import CliOutput
    from agent_workers.engine.claude.process.cli_process import CliProcess
    from agent_workers.engine.claude.process.cli_stdin import CliStdin

# A stop takes 5 s at most: these three, and what it takes to kill.
_INTERRUPT_S = 2
_TERMINATE_S = 2
_TERMINATE_AGAIN_S = 0.5


class Stopping:
    """The stop of one CLI.

    Args:
        process: The CLI.
        stdin: Writes to it.
        output: Its messages.
    """

    def __init__(self, process: CliProcess, stdin: CliStdin, output: CliOutput) -> None:
        self._process = process
        self._stdin = stdin
        self._output = output
        self._turn_ended = anyio.Event()

    async def stop(self, *, interrupt: bool) -> None:
        """Stops the CLI; returns when it has ended, or when its time is up.

        Args:
            interrupt: Whether the agent is at work; told to stop, it notes in the session where it was stopped.
        """
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(self._discard_messages)  # with a full pipe it could not end
            await self._stop_in_order(interrupt=interrupt)
            tasks.cancel_scope.cancel()

    async def _stop_in_order(self, *, interrupt: bool) -> None:
        if interrupt and not await self._interrupted():
            self._process.terminate()
        self._process.close_stdin()
        with anyio.move_on_after(_TERMINATE_S):
            await ended(self._process)
        if not self._process.ended:
            self._process.terminate()
            with anyio.move_on_after(_TERMINATE_AGAIN_S):
                await ended(self._process)

    async def _interrupted(self) -> bool:
        """Asks the agent to end its turn, so that the session holds what was sent of it; returns whether it did.

        A CLI that still boots takes it too: it ends the turn before it calls the API.
        """
        if self._process.ended or self._stdin.holds_prompt:
            return False
        with anyio.move_on_after(_INTERRUPT_S):
            await self._stdin.prompted.wait()
            self._turn_ended = anyio.Event()
            await self._stdin.write(interrupt_line())
            await self._turn_ended.wait()
        return self._turn_ended.is_set()

    async def _discard_messages(self) -> None:
        """Reads on until the agent's turn has ended."""
        with suppress(WorkerError, ValueError):
            async with aclosing(self._output.messages()) as messages:
                async for message in messages:
                    if message["type"] == "result":
                        self._turn_ended.set()
        self._turn_ended.set()


async def ended(process: CliProcess) -> int:
    """Waits until the CLI has ended; returns its status."""
    return await anyio.to_thread.run_sync(process.wait, abandon_on_cancel=True)
