"""One run on the real SDK and its CLI: reads what the CLI writes, translates it, stops it."""

from __future__ import annotations

import asyncio
import json
import logging
import os
import time
from contextlib import aclosing, suppress
from typing import IO, TYPE_CHECKING, Any

import anyio
from anyio.lowlevel import checkpoint

from agent_workers.engine.base import Progress
from agent_workers.errors import CliCrashed, WorkerError
from agent_workers.protocol.v1.events import Done
from agent_workers.wire import LineFramer, LineTooLong

from .equipment import offered
from .failure import cli_failure
from .sdk_client import SdkClient
from .translate import Translator

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Iterator, Sequence
    from pathlib import Path
    from types import TracebackType
    from typing import Self

    from agent_workers.engine.base import Tell
    from agent_workers.protocol.v1.control import AppToolResult, Permission
    from agent_workers.protocol.v1.events import Body
    from agent_workers.protocol.v1.request import Request

    from .dialogue import Dialogue
    from .leftovers import Orphans
    from .process import CliProcess
    from .sessions import Lease

Message = dict[str, Any]

logger = logging.getLogger("agent_workers")

_CHUNK = 1 << 16
_MAX_MESSAGE = 64 << 20  # bytes of one message of the CLI; the SDK's own bound is 1 MiB, less than a large tool result
_STDERR_TAIL = 8 << 10
_REST_S = 0.02
_REAP_S = 1
_TERMINATE_S = 3
_CONTROL_TYPES = frozenset({"control_request", "control_response", "control_cancel_request"})


class ClaudeEngine:
    """The agent of one run.

    Args:
        request: What the run is asked to do.
        process: Its CLI, started.
        lease: The session that it writes.
        unsent: What of the prompt has not been written to the CLI yet.
        needs_first: Whether the SDK has to say something to the CLI before the prompt.
        folder: Where calls that wait for a later run are noted.
    """

    def __init__(
        self, request: Request, process: CliProcess, lease: Lease, unsent: bytes, *, needs_first: bool, folder: Path
    ) -> None:
        self.progress = Progress()
        self._process = process
        self._lease = lease
        self._unsent = unsent
        self._needs_first = needs_first
        self._translator = Translator(
            self.progress,
            thinking=request.thinking,
            resumed=getattr(request.session, "resume", None) is not None,
            output_schema=request.output_schema,
            offered=offered(request),
        )
        self._dialogue = _dialogue_of(request, self.progress, self._translator, folder)
        self._framer = LineFramer(_MAX_MESSAGE)
        self._stderr_tail = b""
        self._stderr_ended = anyio.Event()
        self._writing = anyio.Lock(fast_acquire=True)
        self._sdk = SdkClient(self._write, self._dialogue)
        self._attached = False

    async def __aenter__(self) -> Self:
        self._stdout = await _reader(self._process.stdout)
        self._tasks = anyio.create_task_group()
        await self._tasks.__aenter__()
        if self._needs_first or (self._dialogue and self._dialogue.app_tools):
            self._attach()  # for these the CLI asks before it says that it is up
        self._tasks.start_soon(self._send_prompt)
        self._tasks.start_soon(self._keep_stderr_tail)
        if self._process.orphans:
            self._tasks.start_soon(self._reap, self._process.orphans)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._tasks.cancel_scope.cancel()
        await self._tasks.__aexit__(kind, error, trace)
        await self._sdk.close()

    async def events(self) -> AsyncGenerator[Body]:
        """Yields the run's event bodies, a terminal one last.

        Raises:
            WorkerError: The agent failed.
        """
        async with aclosing(self._messages()) as messages:
            async for message in messages:
                self._lease.rename(message)
                if message.get("type") == "result":
                    self._lease.announce_end()  # a reader of the end may go on at once
                for body in self._translated(message):
                    if isinstance(body, Done) and self._dialogue and (notice := self._dialogue.left_over()):
                        yield notice
                    yield body
                if self._translator.finished:
                    return
        raise self._sdk.fault or await self._early_end()

    def listen(self, tell: Tell) -> None:
        """Has the agent's questions told from now on."""
        if self._dialogue:
            self._dialogue.pending.tell = tell

    def answer(self, message: Permission | AppToolResult) -> bool:
        """Answers one of the agent's questions; False where it is not open."""
        return self._dialogue is not None and self._dialogue.pending.answer(message)

    def unsettled(self) -> Sequence[Body]:
        """How the questions end that were not answered."""
        return self._dialogue.pending.unsettled() if self._dialogue else ()

    async def stop(self, *, interrupt: bool) -> None:
        """Ends every process of the run: asks the agent, then SIGTERM, then SIGKILL; 5 s at most.

        Args:
            interrupt: Whether the agent is at work; told to stop, it notes in the session where it was stopped.
        """
        self._lease.announce_end()
        with anyio.CancelScope(shield=True):
            async with anyio.create_task_group() as tasks:
                tasks.start_soon(self._discard_messages)  # with a full pipe it could not end
                await self._stop_in_order(interrupt=interrupt)
                tasks.cancel_scope.cancel()
            self.kill()

    async def _stop_in_order(self, *, interrupt: bool) -> None:
        if interrupt:
            if not self._process.ended:
                await self._sdk.interrupt()
            self._process.terminate()
        self._process.close_stdin()
        with anyio.move_on_after(_TERMINATE_S):
            await self._ended()
        if not self._process.ended:
            self._process.terminate()
            with anyio.move_on_after(_TERMINATE_S / 6):
                await self._ended()

    def kill(self) -> None:
        """Ends every process of the run at once."""
        self._process.kill()
        self._process.remove_scratch()
        self._lease.release()

    async def _ended(self) -> int:
        return await anyio.to_thread.run_sync(self._process.wait, abandon_on_cancel=True)

    # Reading

    async def _messages(self) -> AsyncGenerator[Message]:
        """Yields the messages of the run; hands the control messages to the SDK."""
        rested = time.monotonic()
        while chunk := await self._stdout.read(_CHUNK):
            for message in self._decoded(chunk):
                if message.get("type") in _CONTROL_TYPES:
                    self._sdk.hand(message)
                else:
                    yield message
            if time.monotonic() - rested > _REST_S:
                await checkpoint()  # a flood of messages must not keep a stop signal waiting
                rested = time.monotonic()

    def _decoded(self, chunk: bytes) -> Iterator[Message]:
        try:
            lines = self._framer.push(chunk)
        except LineTooLong as error:
            raise CliCrashed(cause=f"the CLI wrote a message of more than {_MAX_MESSAGE} bytes") from error
        for line in lines:
            if line.startswith(b"{"):  # some builds write plain diagnostics to stdout
                try:
                    message = json.loads(line)
                except (ValueError, RecursionError):
                    logger.warning("a line of %d bytes is not JSON", len(line))
                    continue
                if isinstance(message.get("type"), str):
                    yield message

    def _translated(self, message: Message) -> Iterator[Body]:
        if message.get("subtype") == "init":  # each turn brings one
            self._attach()
        try:
            yield from self._translator.feed(message)
        except WorkerError:
            raise
        except Exception:
            if message.get("type") == "result":
                raise
            # Newer CLIs may write what this version does not know; the answer must not be lost for it.
            logger.warning("a message of type %r was not understood", message.get("type"))

    async def _early_end(self) -> WorkerError:
        status = None
        with anyio.move_on_after(_TERMINATE_S):
            await self._stderr_ended.wait()
            status = await self._ended()
        return cli_failure(status, self._stderr_tail.decode("utf-8", "replace").strip())

    async def _keep_stderr_tail(self) -> None:
        stderr = await _reader(self._process.stderr)
        while chunk := await stderr.read(_CHUNK):
            self._stderr_tail = (self._stderr_tail + chunk)[-_STDERR_TAIL:]
        self._stderr_ended.set()

    async def _reap(self, orphans: Orphans) -> None:
        while True:
            await anyio.sleep(_REAP_S)
            orphans.reap()

    # Writing

    async def _send_prompt(self) -> None:
        if self._needs_first:
            await self._sdk.connected.wait()
        if self._unsent:
            await self._write(self._unsent)

    async def _write(self, data: bytes) -> None:
        view = memoryview(data)
        async with self._writing:
            while view:
                try:
                    view = view[os.write(self._process.stdin.fileno(), view) :]
                except BlockingIOError:
                    await anyio.wait_writable(self._process.stdin.fileno())
                except (BrokenPipeError, ValueError):
                    return  # the CLI has ended; reading tells why

    def _attach(self) -> None:
        if not self._attached:
            self._attached = True
            self._tasks.start_soon(self._connect)

    async def _connect(self) -> None:
        await self._sdk.connect()
        if self._sdk.fault:
            self._process.terminate()  # reading then ends, and tells of the fault

    async def _discard_messages(self) -> None:
        with suppress(WorkerError, ValueError):
            async with aclosing(self._messages()) as messages:
                async for _ in messages:
                    pass


def _dialogue_of(request: Request, progress: Progress, translator: Translator, folder: Path) -> Dialogue | None:
    if not request.app_tools and not hasattr(request, "permissions"):
        return None  # words alone leave nothing to ask, and do not pay for it
    from .dialogue import Dialogue  # noqa: PLC0415 see above

    return Dialogue(request, progress, translator, folder)


async def _reader(pipe: IO[bytes]) -> asyncio.StreamReader:
    """Reads a pipe through the event loop, registered once: anyio's ``wait_readable`` registers for each read."""
    reader = asyncio.StreamReader(limit=_CHUNK)
    loop = asyncio.get_running_loop()
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), pipe)
    return reader
