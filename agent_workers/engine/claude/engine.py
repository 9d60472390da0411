"""One run on the real CLI: reads its messages, translates them into events, and stops it."""

from __future__ import annotations

import gc
import logging
from contextlib import aclosing, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import anyio

from agent_workers.engine import awake
from agent_workers.engine.base import Progress
from agent_workers.engine.claude.keeping import Keeping
from agent_workers.engine.claude.launch.capabilities import offered
from agent_workers.engine.claude.messages.failure import cli_failure
from agent_workers.engine.claude.messages.translate import Translator
from agent_workers.engine.claude.messages.turn import Turn
from agent_workers.engine.claude.process.cli_input import again_line, model_line, refusal
from agent_workers.engine.claude.process.cli_output import CliOutput
from agent_workers.engine.claude.process.cli_stdin import CliStdin
from agent_workers.engine.claude.process.stopping import Stopping, ended
from agent_workers.engine.process.stderr_tail import StderrTail
from agent_workers.errors import CliCrashed, WorkerError
from agent_workers.protocol.v1.events import Ack, Notice, ToolCall, ToolResult
from agent_workers.protocol.v1.kind import is_task
from agent_workers.protocol.v1.request import ResumeSession

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Iterator, Sequence
    from types import TracebackType
    from typing import Self

    from agent_workers.engine.answer.reviewed import Reviewed
    from agent_workers.engine.base import Tell
    from agent_workers.engine.claude.launch.boot import BootedCli
    from agent_workers.engine.claude.launch.mcp_servers import McpServers
    from agent_workers.engine.claude.output.live_output import LiveOutput
    from agent_workers.engine.claude.questions.dialogue import Dialogue
    from agent_workers.engine.claude.sdk_client import SdkClient
    from agent_workers.engine.claude.steering import Steering
    from agent_workers.engine.process.leftovers import Orphans
    from agent_workers.protocol.v1.control import AgentMessage
    from agent_workers.protocol.v1.events import Body
    from agent_workers.protocol.v1.request import Request
    from agent_workers.protocol.v1.skill_use import Verdict

Message = dict[str, Any]

logger = logging.getLogger("agent_workers")

_REAP_S = 1
_EARLY_END_S = 3
_WITHDRAW_S = 0.5
_OF_FAILURE = ("errors", "api_error", "api_error_status", "api_error_type", "result")
_CATCH_UP_S = 0.1  # what is in the pipe already is read in less


_PROMPT_UNREAD = Notice(
    level="info",
    code="prompt_unread",
    message="The agent has not read the prompt, since another call waits for a decision. Send it again with that one.",
)


class ClaudeEngine:
    """The agent of one run.

    Args:
        request: What the run is asked to do.
        cli: The CLI, started.
        unsent: The part of the CLI's first input that has not been written yet.
        held: The prompt, where the SDK must speak to the CLI first; else empty.
        later: The prompt, where the CLI begins with a turn about a call that waited; else empty.
        prompt_id: The UUID of the prompt's message.
        folder: Where deferred calls are noted for a later run.
        servers: The request's MCP servers, where it brings any.
        keep: Whether the CLI is to wait for the session's next run, where this one ends with an answer.

    Attributes:
        kept: The CLI, where it waits for the next run and must be ended by whoever takes it from here.
    """

    def __init__(
        self,
        request: Request,
        cli: BootedCli,
        unsent: bytes,
        *,
        held: bytes,
        later: bytes,
        prompt_id: str,
        folder: Path,
        servers: McpServers | None = None,
        keep: bool = False,
    ) -> None:
        self.progress = Progress()
        self.kept: BootedCli | None = None
        self._cli = cli
        self._keeping = Keeping(prompt_id) if keep else None
        self._turn = Turn(cli.transcript, prompt_id, self.progress)
        self._process = cli.process
        self._lease = cli.lease
        self._translator = Translator(
            self.progress,
            thinking=request.thinking,
            resumed=isinstance(request.session, ResumeSession),
            output_schema=request.output_schema,
            offered=offered(request),
        )
        self._dialogue = _dialogue_of(request, self.progress, self._translator, folder)
        self._tool_output = _live_output_of(request, cli)
        if self._tool_output and self._dialogue:
            self._dialogue.show_output(self._tool_output)
        self._output = CliOutput(cli.process.stdout)
        self._stderr = StderrTail(cli.process.stderr)
        self._stdin = CliStdin(cli.process.stdin, unsent, held)
        self._later = later
        self._reviewed = _reviewed_of(request)
        self._runs_code = is_task(request)
        self._needs_sdk = cli.capabilities.needs_first
        self._sdk: SdkClient | None = None
        self._servers = servers
        self._partial = request.stream.partial
        self._max_turns = cli.max_turns
        self._steering: Steering | None = None
        self._settled = False
        self._fault: WorkerError | None = None

    async def __aenter__(self) -> Self:
        await self._output.open()
        self._tasks = anyio.create_task_group()
        await self._tasks.__aenter__()
        self._tasks.start_soon(self._stdin.send_prompt, self._connected)
        if self._needs_sdk or (self._dialogue and self._dialogue.app_tools):
            self._attach()  # the CLI asks for these before it reports that it is up
        self._tasks.start_soon(self._stderr.keep)
        if self._tool_output:
            self._tasks.start_soon(self._tool_output.watch)
        if self._servers:
            self._tasks.start_soon(self._await_servers, self._servers)
        if self._process.orphans:
            self._tasks.start_soon(self._reap, self._process.orphans)
        if not gc.isenabled():  # in a process's first run
            gc.freeze()  # what is loaded by now stays
            gc.enable()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._tasks.cancel_scope.cancel()
        await self._tasks.__aexit__(kind, error, trace)
        if self._tool_output:
            self._tool_output.close()
        if self._sdk:
            await self._sdk.close()

    async def events(self) -> AsyncGenerator[Body]:
        """Yields the run's event bodies, a terminal one last.

        Raises:
            WorkerError: The agent failed.
        """
        async with aclosing(self._messages()) as messages:
            async for message in messages:
                known_to_cli = message.get("session_id")
                self._lease.rename(message)
                if message.get("type") == "result":
                    async for body in self._told_at_end(message):
                        yield body
                    if self._translator.finished:
                        return
                    continue
                try:
                    for body in self._translated(message):
                        for output in self._before(body, message) if self._tool_output or self._steering else ():
                            yield output
                        yield body
                except WorkerError as error:
                    await self._end_turn(error)
                    raise
                for told in self._steering.follow(message) if self._steering else ():
                    yield told
                if self._servers and self._servers.awaits(message):
                    for notice in await self._judge(self._servers, message, str(known_to_cli)):
                        yield notice
        raise self._fault or self._translator.explain(await self._early_end())

    async def _told_at_end(self, result: Message) -> AsyncGenerator[Body]:
        """Yields what is told at the end of a turn: of the run, where it was the last."""
        between = await self._next_turn(result)
        if between is not None:
            for body in between:
                yield body
            return
        self._note_end()
        try:
            last = self._with_earlier(result)
            done = [self._reviewed.settle(body) if self._reviewed else body for body in self._translated(last)]
        except WorkerError as error:
            await self._end_turn(error)
            raise
        await self._end_turn()
        for notice in self._left_over():
            yield notice
        for body in done:
            yield body

    async def _next_turn(self, result: Message) -> list[Body] | None:
        """Begins the next turn of several; returns what is told before it, None where this one was the last."""
        if self._later and self._translator.is_answer(result):
            prompt, self._later = self._later, b""  # it follows the turn of the call that waited
            await self._stdin.write(prompt)
            return list(self._translator.end_turn(result))
        if self._reviewed and (verdict := self._reviewed.judge(self._translator.output_of(result))):
            await self._stdin.write(_again(verdict))
            return [*self._translator.begin_again(result), self._reviewed.notice()]
        return None

    def _with_earlier(self, result: Message) -> Message:
        """Returns a turn's result as one with the earlier answer, where it brings none and an earlier one stands."""
        earlier = self._reviewed.fall_back() if self._reviewed else None
        if earlier is None:
            return result
        told = {"subtype": "success", "is_error": False, "stop_reason": "end_turn", "structured_output": earlier.output}
        return {name: value for name, value in result.items() if name not in _OF_FAILURE} | told

    def _left_over(self) -> Iterator[Notice]:
        """Yields what the request brought for nothing."""
        if self._dialogue and (notice := self._dialogue.left_over()):
            yield notice
        if self._later:
            yield _PROMPT_UNREAD

    def _note_end(self) -> None:
        """Notes that the agent has ended its last turn, and saved it."""
        self._lease.announce_end()  # whoever reads the end may start the next run at once
        if self._steering and self._steering.astray:
            self._process.begin_kill()  # else it makes a turn of these at once

    def _before(self, body: Body, message: Message) -> Iterator[Body]:
        """Takes note of a body; yields what a tool has printed and nobody has told yet, before its result is told."""
        if self._steering:
            self._steering.note(body)
        if self._tool_output and isinstance(body, ToolCall):
            self._tool_output.begin(body)
        elif self._tool_output and isinstance(body, ToolResult):
            yield from self._tool_output.end(body, message.get("tool_use_result"))

    async def _end_turn(self, error: WorkerError | None = None) -> None:
        translator = self._translator
        await self._turn.end(translator.latest, error, refused=translator.refused, gone=lambda: self._process.ended)

    def listen(self, tell: Tell) -> None:
        """Registers the callback that sends the agent's questions, and what its tools print."""
        if self._tool_output:
            self._tool_output.tell = tell
        if self._dialogue:
            self._dialogue.questions.tell = tell
            self._dialogue.before_deferral = self._close_steering

    def answer(self, message: AgentMessage) -> Ack | None:
        """Passes on what is for the agent; returns the ``ack``, where it can be told at once."""
        if message.type == "steer":
            return Ack(id=message.id, ok=False, code="too_late") if self._settled else self._steer().take(message)
        if self._dialogue:
            return self._dialogue.answer(message)
        return Ack(id=message.id, ok=False, code="not_pending")

    def _steer(self) -> Steering:
        if self._steering is None:
            from agent_workers.engine.claude.steering import Steering  # few runs need it

            self._steering = Steering(
                self._stdin.write,
                self._spawn,
                calls=self._translator.calling,
                rounds=self._translator.rounds,
                max_turns=self._max_turns,
                partial=self._partial,
                closed=self._dialogue is not None and self._dialogue.defers,
            )
        return self._steering

    async def _close_steering(self) -> None:
        if self._steering:
            await self._steering.close()

    def _spawn(self, *work: Any) -> None:
        self._tasks.start_soon(*work)

    async def catch_up(self) -> None:
        """Notes the session, if the CLI has named it already: it may run ahead of a worker that gets little time."""
        with awake.move_on_after(_CATCH_UP_S), suppress(WorkerError, ValueError):
            async with aclosing(self._output.messages()) as messages:
                async for message in messages:
                    if message.get("subtype") == "init":
                        self._lease.rename(message)
                        self.progress.session_id = message.get("session_id")
                        return

    def unsettled(self) -> Sequence[Body]:
        """Returns the events that close unanswered questions and say what became of the session."""
        questions = self._dialogue.questions.unsettled() if self._dialogue else ()
        words = self._steering.unread() if self._steering else ()
        self._settled = True
        return [*questions, *words, *self._turn.notices()]

    async def stop(self, *, interrupt: bool) -> None:
        """Ends every process of the run within 5 s: asks the agent, then sends SIGTERM, then SIGKILL.

        Args:
            interrupt: Whether the agent is at work; told to stop, it notes in the session where it was stopped.
        """
        self._lease.announce_end()
        with anyio.CancelScope(shield=True):
            if not interrupt and await self._keep():
                return
            if self._steering and self._steering.astray:
                await self._keep_from_words(self._steering, interrupt=interrupt)
            await Stopping(self._process, self._stdin, self._output).stop(interrupt=interrupt)
            self.kill()

    async def _keep(self) -> bool:
        """Has the CLI wait for the next run, where it may; returns whether it does."""
        plain = not (self._runs_code or self._steering or self._reviewed or self._servers)
        if not (self._keeping and plain and self.progress.saved) or self._fault or self.progress.busy:
            return False
        if not await self._keeping.leave(self._process, self._output, self._stderr):
            return False
        self._lease.offer()
        self.kept = self._cli
        return True

    async def _keep_from_words(self, steering: Steering, *, interrupt: bool) -> None:
        """Keeps the CLI from a turn of its own about words that came too late."""
        if interrupt:
            with anyio.move_on_after(_WITHDRAW_S):
                await steering.withdraw()
        else:
            self._process.terminate()  # it may have begun already

    def kill(self) -> None:
        """Ends every process of the run at once."""
        self.kept = None
        self._process.kill()
        self._process.remove_scratch()
        self._turn.settle(self._steering.astray if self._steering else ())
        self._lease.release()

    async def _judge(self, servers: McpServers, init: Message, session_id: str) -> Iterator[Notice]:
        self.progress.waiting += 1  # for what the servers have said: the model is not the one that is silent
        try:
            return await servers.judge(init, session_id, end=self._process.terminate)
        finally:
            self.progress.waiting -= 1
            self.progress.touch()

    async def _await_servers(self, servers: McpServers) -> None:
        self.progress.waiting += 1  # the model is not the one that is silent
        missing = await servers.wait()
        self.progress.waiting -= 1
        self.progress.touch()
        if missing:
            self._fail(missing)

    # Reading

    async def _messages(self) -> AsyncGenerator[Message]:
        """Yields the messages of the run; passes those of the control protocol on to the SDK's client."""
        async with aclosing(self._output.messages()) as messages:
            async for message in messages:
                match message["type"]:
                    case "control_request":
                        self._attach().hand(message)
                    case "control_response" | "control_cancel_request":
                        self._take_response(message)
                    case _:
                        yield message

    def _take_response(self, message: Message) -> None:
        if words := refusal(message):
            self._fail(CliCrashed(cause=f"the CLI refused to begin: {words}"))
        elif self._sdk:
            self._sdk.hand(message)

    def _translated(self, message: Message) -> Iterator[Body]:
        if message.get("subtype") == "init" and self._dialogue and self._dialogue.needed:  # each turn has one
            self._attach()
        try:
            for body in self._translator.feed(message):
                if self._keeping:
                    self._keeping.note(body)
                yield body
        except WorkerError:
            if message.get("type") != "result":
                self._process.terminate()  # before it costs more
            raise
        except Exception:
            if message.get("type") == "result":
                raise
            # A newer CLI may write what this version does not know; the answer must not be lost over it.
            logger.warning("a message of type %r was not understood", message.get("type"))

    async def _early_end(self) -> WorkerError:
        status = None
        with anyio.move_on_after(_EARLY_END_S):
            await self._stderr.ended.wait()
            status = await ended(self._process)
        return cli_failure(status, self._stderr.text)

    async def _reap(self, orphans: Orphans) -> None:
        while True:
            await anyio.sleep(_REAP_S)
            orphans.reap()

    # The SDK

    async def _connected(self) -> None:
        await self._attach().connected.wait()

    def _attach(self) -> SdkClient:
        """Returns the SDK's client, which answers what the CLI asks; imports and connects it on the first call."""
        if self._sdk is None:
            from agent_workers.engine.claude.sdk_client import SdkClient

            self._sdk = SdkClient(self._stdin.write, self._dialogue, is_known=self._cli.has_served)
            self._tasks.start_soon(self._connect, self._sdk)
        return self._sdk

    async def _connect(self, sdk: SdkClient) -> None:
        await sdk.connect()
        if sdk.fault:
            self._fail(sdk.fault)

    def _fail(self, fault: WorkerError) -> None:
        self._fault = self._fault or fault
        self._process.terminate()  # reading then ends and raises the fault


def _dialogue_of(request: Request, progress: Progress, translator: Translator, folder: Path) -> Dialogue | None:
    if not request.app_tools and not request.tools and not is_task(request):
        return None  # a chat without tools asks nothing, and does not pay for it
    from agent_workers.engine.claude.questions.dialogue import Dialogue

    return Dialogue(request, progress, translator, folder)


def _again(verdict: Verdict) -> bytes:
    """Returns what the CLI is told where the model is to answer once more."""
    return (model_line(verdict.model) if verdict.model else b"") + again_line(verdict.again or "")


def _reviewed_of(request: Request) -> Reviewed | None:
    if request.skill_use is None or request.skill_use.reviewer is None:
        return None
    from agent_workers.engine.answer.reviewed import Reviewed  # for skills with checks alone

    return Reviewed(request.skill_use.reviewer)


def _live_output_of(request: Request, cli: BootedCli) -> LiveOutput | None:
    if not request.stream.tool_output:
        return None
    from agent_workers.engine.claude.output.command_files import CommandFiles  # few requests ask for it
    from agent_workers.engine.claude.output.live_output import LiveOutput

    return LiveOutput(CommandFiles(Path(cli.environ["TMPDIR"]), cli.process.pid))
