"""One run of a tool: connects to its server, checks the call, makes it, and tells what came of it."""

from __future__ import annotations

import logging
import math
import re
import uuid
from contextlib import aclosing, suppress
from typing import TYPE_CHECKING

import anyio

from agent_workers.engine.base import Progress
from agent_workers.engine.mcp.arguments import admit_call
from agent_workers.engine.mcp.client import McpClient, McpError, is_lost
from agent_workers.engine.mcp.outcome import Outcome, failure_of, outcome_of
from agent_workers.engine.mcp.progress_text import ProgressText
from agent_workers.engine.mcp.server_pipes import server_pipes
from agent_workers.engine.mcp.web_server import Exchanges, web_server
from agent_workers.engine.process.stderr_tail import StderrTail
from agent_workers.errors import McpLost, McpUnavailable, WorkerError, defect
from agent_workers.protocol.v1.events import Ack, Done, ToolCall, ToolResult, Usage
from agent_workers.protocol.v1.tool_request import HttpToolServer

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Sequence
    from contextlib import AbstractAsyncContextManager
    from types import TracebackType
    from typing import Any, Literal, Self

    from agent_workers.engine.base import Tell
    from agent_workers.engine.process.guarded_process import GuardedProcess
    from agent_workers.protocol.v1.control import AgentMessage
    from agent_workers.protocol.v1.events import Body
    from agent_workers.protocol.v1.tool_request import ToolRequest

logger = logging.getLogger("agent_workers")

_PATIENCE_S = 30  # as long as an agent waits for its servers
# A stop takes 5 s at most: these four, and what it takes to kill.
_CANCEL_S = 1
_LEAVE_S = 1
_END_S = 1
_TERMINATE_S = 0.5
_LAST_WORDS_S = 0.5
_MAX_SAID = 1000
_SECRET = re.compile(r"(?i)(\w*(?:key|secret|token|passw(?:or)?d|passphrase|authorization)\w*[\"']?\s*[:=]\s*)\S+")
_URL_PASSWORD = re.compile(r"(://[^/\s:@]*:)[^/\s@]+@")


class McpEngine:
    """The call of one run.

    Args:
        request: What the run is asked to do.
        process: The server, where it is a process; started.
    """

    def __init__(self, request: ToolRequest, process: GuardedProcess | None) -> None:
        self.progress = Progress(waiting=1)  # for the server: no model is silent here
        self._request = request
        self._server = request.server.name
        self._process = process
        self._exchanges = Exchanges()
        self._client: McpClient | None = None
        self._call: str | None = None
        self._fault: WorkerError | None = None
        self._put, self._bodies = anyio.create_memory_object_stream["Body"](math.inf)
        self._worked = anyio.Event()
        for name in ("mcp", "client", "httpx", "httpcore"):  # their complaints quote what passes
            logging.getLogger(name).setLevel(logging.CRITICAL)

    async def __aenter__(self) -> Self:
        self._work_scope = anyio.CancelScope()
        self._tasks = anyio.create_task_group()
        await self._tasks.__aenter__()
        if self._process:
            self._stderr = StderrTail(self._process.stderr)
            self._tasks.start_soon(self._stderr.keep)
        self._tasks.start_soon(self._work)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._tasks.cancel_scope.cancel()
        await self._tasks.__aexit__(kind, error, trace)
        self._put.close()
        self._bodies.close()

    async def events(self) -> AsyncGenerator[Body]:
        """Yields the call, its progress and its result, and at last what the run has come to.

        Raises:
            WorkerError: The request is refused by the server's own lists, or the server fails.
        """
        async for body in self._bodies:
            yield body
        raise self._fault or McpUnavailable(cause="the client ended early")

    def listen(self, tell: Tell) -> None:
        """Asks nothing."""

    def answer(self, message: AgentMessage) -> Ack:
        """Takes no answer: no question is open."""
        return Ack(id=message.id, ok=False, code="not_pending")

    async def catch_up(self) -> None:
        """Has no session."""

    def unsettled(self) -> Sequence[Body]:
        """Leaves nothing open."""
        return ()

    async def stop(self, *, interrupt: bool) -> None:
        """Tells the server that the call is cancelled, where one is at work; ends it within 5 s.

        Args:
            interrupt: Whether the run was stopped.
        """
        with anyio.CancelScope(shield=True):
            if interrupt and self._call:
                await self._cancel()
            if interrupt:
                self._work_scope.cancel()
            with anyio.move_on_after(_LEAVE_S):
                await self._worked.wait()
            self._work_scope.cancel()
            if self._process:
                await self._end(self._process)
            self.kill()

    def kill(self) -> None:
        """Ends every process of the run at once."""
        if self._process:
            self._process.kill()
            self._process.remove_scratch()

    async def _cancel(self) -> None:
        with anyio.move_on_after(_CANCEL_S), suppress(Exception):
            if self._client and await self._client.cancel() and not self._process:
                await self._exchanges.next_answer()

    async def _end(self, process: GuardedProcess) -> None:
        process.close_stdin()
        for patience_s in (_END_S, _TERMINATE_S):
            with anyio.move_on_after(patience_s):
                await anyio.to_thread.run_sync(process.wait, abandon_on_cancel=True)
                return
            process.terminate()

    # The work

    async def _work(self) -> None:
        """Does the whole of it. What the connection throws when it breaks is told as the run's failure."""
        try:
            with self._work_scope:
                async with self._connection() as streams, McpClient(self._server, *streams) as client:
                    self._client = client
                    await self._converse(client)
        except Exception as error:  # noqa: BLE001 the package's transports throw whatever they met, in groups
            logger.debug("the connection broke: %s", defect(error))
            await self._lose(f"the connection broke: {', '.join(_kinds(error))}")
        finally:
            self._put.close()
            self._worked.set()

    def _connection(self) -> AbstractAsyncContextManager[tuple[Any, Any]]:
        if self._process:
            return server_pipes(self._process)
        assert isinstance(self._request.server, HttpToolServer)
        return web_server(self._request.server, self._exchanges)

    async def _converse(self, client: McpClient) -> None:
        try:
            await self._make_ready(client)
            if outcome := await self._called(client):
                self._settle(outcome)
            else:
                await self._lose("the connection was closed during the call")
        except WorkerError as error:
            await self._fail(error)
        except McpError as error:
            await self._lose(f"it answers with an error: {ascii(str(error)[:_MAX_SAID])[1:-1]}")
        except (ValueError, RuntimeError) as error:  # an answer that no known version of the protocol has
            await self._lose(f"its answer is not understood: {type(error).__name__}")
        self._put.close()

    async def _make_ready(self, client: McpClient) -> None:
        """Waits for the server and its list; returns if it has the tool, and the input fits.

        Raises:
            InvalidRequest: It has not, or it does not.
            McpUnavailable: The server does not answer.
        """
        with anyio.move_on_after(_PATIENCE_S) as patience:
            client.on_unreadable = patience.cancel
            await client.initialize()
            async with aclosing(client.tools()) as tools:
                await admit_call(self._request, tools)
        client.on_unreadable = _go_on
        if patience.cancelled_caught:
            raise self._unavailable("it does not answer as a server does")

    async def _called(self, client: McpClient) -> Outcome | None:
        """Makes the call; returns what came of it, None where no answer can come any more."""
        self._call = f"call_{uuid.uuid4().hex}"
        self._tell(ToolCall(tool_use_id=self._call, name=self._request.tool_name, input=self._request.input))
        said = ProgressText(self._call, self._tell) if self._request.stream.tool_output else None
        outcome = None
        async with anyio.create_task_group() as tasks:
            if said:
                tasks.start_soon(said.keep_sending)
            if not self._process:
                tasks.start_soon(self._give_up, tasks.cancel_scope)
            outcome = await self._outcome(client, said)
            tasks.cancel_scope.cancel()
        if said:
            said.end()
        return outcome

    async def _outcome(self, client: McpClient, said: ProgressText | None) -> Outcome | None:
        try:
            return outcome_of(await client.call(self._request.tool, self._request.input, said.note if said else None))
        except McpError as error:
            told: Any = getattr(error, "error", None)
            return None if is_lost(told) else failure_of(told.code, told.message)
        except (ValueError, RuntimeError) as error:
            logger.error("MCP server %s: its result is not understood: %s", self._server, type(error).__name__)
            return Outcome(failed=True, retryable=False, text="The tool's answer is not a valid result.")

    async def _give_up(self, scope: anyio.CancelScope) -> None:
        await self._exchanges.none_left()
        scope.cancel()

    # The end

    def _settle(self, outcome: Outcome) -> None:
        assert self._call
        status: Literal["ok", "error"] = "error" if outcome.failed else "ok"
        result = ToolResult(tool_use_id=self._call, status=status, content=outcome.text, retryable=outcome.retryable)
        self._tell(result)
        done = Done(
            stop_reason="end_turn",
            text=outcome.text,
            output=outcome.output,
            usage=Usage(),
            duration_ms=0,  # the run knows
            turns=0,
            truncated_bytes=outcome.left_out or None,
        )
        self._call = None
        self._tell(done)

    async def _lose(self, cause: str) -> None:
        """Tells that the server has failed, before the call or in the midst of it."""
        if self._call is None:
            await self._fail(self._unavailable(cause))
            return
        message = (
            f"The MCP server {self._server} ended, or broke the connection, while it ran the tool. "
            "What the tool had done by then is not known."
        )
        self._tell(ToolResult(tool_use_id=self._call, status="error", content=message, retryable=True))
        self._call = None
        await self._fail(McpLost(message, cause=f"MCP server {self._server}: {cause}"))

    async def _fail(self, fault: WorkerError) -> None:
        if self._fault or self._put.statistics().open_send_streams == 0:
            return  # the run has its end already
        if isinstance(fault, McpUnavailable) and self._process:
            with anyio.move_on_after(_LAST_WORDS_S):
                await self._stderr.ended.wait()
            if said := _SECRET.sub(r"\1[hidden]", _URL_PASSWORD.sub(r"\1[hidden]@", self._stderr.text)):
                logger.error("MCP server %s wrote: %s", self._server, ascii(" ".join(said.split())[-_MAX_SAID:])[1:-1])
        self._fault = fault

    def _unavailable(self, cause: str) -> McpUnavailable:
        message = f"The MCP server {self._server} does not start or does not answer."
        return McpUnavailable(message, cause=f"MCP server {self._server}: {cause}")

    def _tell(self, body: Body) -> None:
        with suppress(anyio.BrokenResourceError, anyio.ClosedResourceError):
            self._put.send_nowait(body)


def _go_on() -> None:
    """Does nothing: in the midst of a call another answer may still come."""


def _kinds(error: BaseException) -> list[str]:
    """Returns the types of what was thrown: the words could quote what passed."""
    if isinstance(error, BaseExceptionGroup):
        return [kind for each in error.exceptions for kind in _kinds(each)]
    return [type(error).__name__]
