"""An agent that waits, its last run told, for the next message of its conversation."""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import TYPE_CHECKING
from uuid import uuid4

from agent_workers.engine.claude.engine import ClaudeEngine
from agent_workers.engine.claude.keeping import says_nothing
from agent_workers.engine.claude.launch.command_line import command_line
from agent_workers.engine.claude.launch.run_files import refuse_image_files
from agent_workers.engine.claude.launch.transcript import ROOM
from agent_workers.engine.claude.launch.variables import variables_of
from agent_workers.engine.claude.process.cli_input import prompt_line
from agent_workers.engine.host.record_watch import RecordWatch
from agent_workers.engine.process.pipe import CHUNK
from agent_workers.errors import StateUnavailable
from agent_workers.protocol.v1.engines import MESSAGES
from agent_workers.protocol.v1.kind import is_task
from agent_workers.protocol.v1.request import ResumeSession
from agent_workers.wire import LineFramer, LineTooLong

if TYPE_CHECKING:
    from typing import IO

    from agent_workers.engine.base import WorkerDefaults
    from agent_workers.engine.claude.launch.boot import BootedCli
    from agent_workers.engine.claude.process.cli_process import CliProcess
    from agent_workers.engine.host.environment import Environment
    from agent_workers.protocol.v1.request import Request

_MOST_TALK = 1 << 20
_SAVE_S = 2  # these two, and what it takes to kill, are 5 s at most
_TERMINATE_S = 0.5
_TICK_S = 0.005


class LiveAgent:
    """An idle CLI that holds a conversation. It needs no event loop; whoever has it polls ``descriptors``.

    It gives its session up to another run that asks for it: ``drain`` then says that it must be ended.

    Args:
        cli: The CLI that a run has kept.
        request: That run's request.
        worker: The worker's part.
    """

    def __init__(self, cli: BootedCli, request: Request, worker: WorkerDefaults) -> None:
        self._cli = cli._replace(has_served=True)
        self._request = request
        self._worker = worker
        self._framer = LineFramer(_MOST_TALK)
        self._usable = True
        assert cli.lease.descriptor is not None
        self._watch = RecordWatch(cli.lease.descriptor)

    @property
    def session_id(self) -> str:
        """The conversation's session, as the application knows it."""
        return self._cli.lease.session_id

    @property
    def worker_name(self) -> str:
        """Name of the worker whose agent it is."""
        return self._worker.name

    @property
    def process(self) -> CliProcess:
        """The CLI's process."""
        return self._cli.process

    @property
    def descriptors(self) -> list[int]:
        """What to poll for input; ``drain`` must follow it."""
        process, watch = self._cli.process, self._watch.descriptor
        return [process.stdout.fileno(), process.stderr.fileno(), *([] if watch is None else [watch])]

    def drain(self) -> bool:
        """Reads what the CLI has said; returns whether it may still be used, else ``end`` must follow."""
        self._watch.clear()
        try:
            self._usable = self._usable and self._is_idle() and not self._cli.lease.is_wanted
        except (OSError, LineTooLong):
            self._usable = False
        return self._usable

    def is_of(self, owner: str | None) -> bool:
        """Returns whether the conversation is that of a request's ``session_owner``."""
        return owner == self._request.session_owner

    def misfit(self, request: Request, environment: Environment) -> str | None:
        """Returns what of the request this agent cannot do as a fresh one would; None where it fits.

        Args:
            request: An admitted request to the same worker.
            environment: Where the agent lives.

        Raises:
            StateUnavailable: The state directory cannot be written.
        """
        if not self.drain() or not self._cli.transcript.path.exists():
            return "ended"
        earlier = self._request
        if is_task(request) or (request.tools, request.app_tools) != (earlier.tools, earlier.app_tools):
            return "tools"
        if request.engine == MESSAGES:
            return "engine"
        session = request.session
        if not isinstance(session, ResumeSession) or session.fork or session.resume != self.session_id:
            return "session"
        if request.session_owner != earlier.session_owner:
            return "session"
        return self._differing(request) or self._differing_variable(request, environment)

    def hand_over(self, request: Request, environment: Environment, *, keep: bool = False) -> ClaudeEngine:
        """Tells the agent the next message; returns the engine of the run. This object is of no use after that.

        Args:
            request: One that fits.
            environment: Where the agent lives.
            keep: Whether the CLI is to wait for a further run.

        Raises:
            StateUnavailable: The state directory cannot be written; the agent is ended.
        """
        cli = self._cli
        try:
            if not isinstance(request.prompt, str):
                refuse_image_files(Path(cli.environ["TMPDIR"]), cli.capabilities.cwd, cli.lease.agent_id)
            folder = environment.common_dir("pending")
            cli.lease.go_on()
        except BaseException as error:
            self.end()
            if isinstance(error, OSError):
                raise StateUnavailable(cause=str(error)) from error
            raise
        self._watch.close()
        prompt_id = str(uuid4())
        prompt = prompt_line(request, prompt_id)
        cli.transcript.room = ROOM + 3 * len(prompt)
        unsent = cli.process.write_now(prompt)
        return ClaudeEngine(request, cli, unsent, held=b"", later=b"", prompt_id=prompt_id, folder=folder, keep=keep)

    def end(self) -> None:
        """Ends the agent within 5 s, and gives its session up. What was said in it is saved."""
        process, lease = self._cli.process, self._cli.lease
        self._usable = False
        lease.announce_end()
        process.close_stdin()
        if not self._ends_within(_SAVE_S):
            process.terminate()
            self._ends_within(_TERMINATE_S)
        process.kill()
        process.remove_scratch()
        self._watch.close()
        lease.release()

    def _is_idle(self) -> bool:
        process = self._cli.process
        said = _read(process.stdout)
        lines = self._framer.push(said or b"")
        _read(process.stderr)
        return said is not None and not process.ended and all(map(says_nothing, lines))

    def _ends_within(self, seconds: float) -> bool:
        deadline = time.monotonic() + seconds
        process = self._cli.process
        while not process.ended and time.monotonic() < deadline:
            _read(process.stdout), _read(process.stderr)  # with a full pipe it could not end
            time.sleep(_TICK_S)
        return process.ended

    def _differing(self, request: Request) -> str | None:
        """Returns what differs of that which a CLI is told once: it takes no second ``initialize``, but says it did."""
        earlier = self._request
        flags, given = self._flags_of(request), self._flags_of(earlier)
        if request.model is None:
            given = [flag for flag in given if not flag.startswith("--model=")]  # a session keeps its last model
        if request.limits.max_budget_usd is not None:
            return "max-budget-usd"  # the CLI counts from its start
        if differing := set(flags) ^ set(given):
            return min(flag.strip("-").partition("=")[0] for flag in differing)
        instructions = [each.system_prompt or self._worker.system_prompt for each in (request, earlier)]
        if instructions[0] != instructions[1]:
            return "system_prompt"
        return "output_schema" if request.output_schema is not None else None  # such a run is not kept either

    def _differing_variable(self, request: Request, environment: Environment) -> str | None:
        cli = self._cli
        variables = variables_of(request, environment, cli.capabilities, Path(cli.environ["TMPDIR"]))
        if variables.credential != cli.credential:
            return "credential"
        return None if variables.environ == cli.environ else "variables"

    def _flags_of(self, request: Request) -> list[str]:
        cli = self._cli
        return command_line(Path(), request, cli.capabilities, cli.lease, files={}, max_turns=self._worker.max_turns)


def _read(pipe: IO[bytes]) -> bytes | None:
    """Reads what a pipe holds, without waiting; None at its end."""
    said = b""
    try:
        while chunk := os.read(pipe.fileno(), CHUNK):
            said += chunk
    except BlockingIOError:
        return said
    return None
