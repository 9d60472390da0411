"""An agent that is started before its request is known, and told all of it at once when it comes."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from agent_workers.engine.claude.launch.boot import binding_of, boot, capabilities_of
from agent_workers.engine.claude.launch.command_line import command_line
from agent_workers.engine.claude.launch.run_files import refuse_image_files
from agent_workers.engine.claude.start import hand_over
from agent_workers.errors import CliCrashed
from agent_workers.protocol.v1.kind import is_task

if TYPE_CHECKING:
    from agent_workers.engine.base import WorkerDefaults
    from agent_workers.engine.claude.engine import ClaudeEngine
    from agent_workers.engine.claude.process.cli_process import CliProcess
    from agent_workers.engine.host.environment import Environment
    from agent_workers.protocol.v1.request import Request


class WaitingAgent:
    """A CLI that is up and has been told nothing yet.

    Args:
        request: Stands for the requests that will come; granted by the host's policy.
        environment: Where the agent lives.
        worker: The worker's part.

    Raises:
        WorkerError: The CLI is missing, or the state directory cannot be written.
    """

    def __init__(self, request: Request, environment: Environment, worker: WorkerDefaults) -> None:
        self._worker = worker
        self._cli = boot(request, environment, worker, None, is_ahead=True)
        self._flags = self._flags_of(request)

    @property
    def worker_name(self) -> str:
        """Name of the worker whose agent it is."""
        return self._worker.name

    @property
    def process(self) -> CliProcess:
        """The CLI's process."""
        return self._cli.process

    def misfit(self, request: Request, environment: Environment) -> str | None:
        """Returns what of the request this agent cannot be told any more; None where it fits.

        Args:
            request: An admitted request to the same worker.
            environment: Where the agent lives.

        Raises:
            StateUnavailable: The state directory cannot be written.
        """
        if not self.drain():
            return "ended"
        if is_task(request):
            return "tools"
        if request.session is not None:
            return "session"
        if capabilities_of(request, environment, self._worker, None) != self._cli.capabilities:
            return "tools"
        differing = set(self._flags_of(request)) ^ set(self._flags)
        return min((flag.strip("-").partition("=")[0] for flag in differing), default=None)

    def hand_over(self, request: Request, environment: Environment, *, keep: bool = False) -> ClaudeEngine:
        """Tells the agent the request; returns the engine of the run.

        Args:
            request: One that fits.
            environment: Where the agent lives.
            keep: Whether the CLI is to wait for the session's next run.

        Raises:
            WorkerError: The state directory cannot be written; the agent is ended.
        """
        cli = self._cli
        try:
            cli.lease.bind(binding_of(request, self._worker))
            if not isinstance(request.prompt, str):
                refuse_image_files(Path(cli.environ["TMPDIR"]), cli.capabilities.cwd, cli.lease.agent_id)
            instructions = request.system_prompt or self._worker.system_prompt
            return hand_over(request, environment, cli._replace(late_instructions=instructions), keep=keep)
        except BaseException:
            self.end()
            raise

    @property
    def descriptors(self) -> list[int]:
        """What to poll for input, after which ``drain`` tells whether the agent is still there."""
        return [self._cli.process.stdout.fileno()]

    def drain(self) -> bool:
        """Returns whether the agent may still be used: it says nothing before it is told something."""
        return not self._cli.process.ended

    @property
    def fault(self) -> str:
        """Why it may not be used, where it has ended."""
        return f"{CliCrashed.code}: the CLI ended with status {self._cli.process.wait()} while it waited"

    def end(self) -> None:
        """Ends the agent."""
        self._cli.abandon()

    def drop(self) -> None:
        """Has the agent ended without waiting for it, as a signal handler may; its guardian removes its files."""
        self._cli.process.begin_kill()
        with suppress(OSError):
            self._cli.lease.abandon()

    def _flags_of(self, request: Request) -> list[str]:
        cli, turns = self._cli, self._worker.max_turns
        return command_line(Path(), request, cli.capabilities, cli.lease, files={}, max_turns=turns)
