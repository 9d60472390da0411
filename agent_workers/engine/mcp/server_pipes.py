"""The transport to a server that is a process: one JSON-RPC message a line, on its stdin and stdout."""

from __future__ import annotations

import json
import logging
import os
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

import anyio
import mcp.types as types  # noqa: PLR0402 as the package's own documentation has it
from mcp.shared.message import SessionMessage

from agent_workers.engine.process.pipe import CHUNK, reader_of
from agent_workers.wire import LineFramer, LineTooLong, mend_surrogates

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from typing import Self

    from anyio.streams.memory import MemoryObjectSendStream

    from agent_workers.engine.process.guarded_process import GuardedProcess

logger = logging.getLogger("agent_workers")

_MAX_MESSAGE = 64 << 20  # bytes


@asynccontextmanager
async def server_pipes(process: GuardedProcess) -> AsyncIterator[tuple[Any, Any]]:
    """Yields the streams of a client's session; the first one ends when the server closes its stdout."""
    put, messages = anyio.create_memory_object_stream[SessionMessage | Exception](0)
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(_receive, process, put)
        yield messages, _Stdin(process)
        tasks.cancel_scope.cancel()


async def _receive(process: GuardedProcess, put: MemoryObjectSendStream[SessionMessage | Exception]) -> None:
    framer = LineFramer(_MAX_MESSAGE)
    stdout = await reader_of(process.stdout)
    async with put:
        while chunk := await stdout.read(CHUNK):
            try:
                lines = framer.push(chunk)
            except LineTooLong:
                logger.error("the MCP server wrote a message of more than %d bytes", _MAX_MESSAGE)
                return
            for line in lines:
                try:
                    message = _message(line)
                except RecursionError:
                    logger.error("the MCP server wrote a message that is nested too deep")
                    return
                if message:
                    await put.send(SessionMessage(message))


def _message(line: bytes) -> Any:
    """Returns a line's message; None for one that is none: some servers print there what is meant for a person.

    Raises:
        RecursionError: It is nested too deep to be read.
    """
    if not line.strip():
        return None
    adapter = getattr(types, "jsonrpc_message_adapter", None)  # mcp 2
    try:
        return adapter.validate_json(line, by_name=False) if adapter else types.JSONRPCMessage.model_validate_json(line)
    except ValueError:
        pass
    try:  # with lone surrogates, which other languages write, or nested deeper than that reader allows
        read = mend_surrogates(json.loads(line))
        return adapter.validate_python(read, by_name=False) if adapter else types.JSONRPCMessage.model_validate(read)
    except ValueError:
        logger.warning("a line of %d bytes of the MCP server is no message", len(line))
        return None


class _Stdin:
    """Writes messages to the server's stdin, each as a whole before ``send`` returns."""

    def __init__(self, process: GuardedProcess) -> None:
        self._process = process
        self._writing = anyio.Lock()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        """Leaves the pipe open: who ends the server closes it."""

    async def aclose(self) -> None:
        """Likewise."""

    async def send(self, message: SessionMessage) -> None:
        line = message.message.model_dump_json(by_alias=True, exclude_none=True) + "\n"
        view = memoryview(line.encode())
        async with self._writing:
            while view:
                try:
                    view = view[os.write(self._process.stdin.fileno(), view) :]
                except BlockingIOError:
                    await anyio.wait_writable(self._process.stdin.fileno())
                except (BrokenPipeError, ValueError):
                    return  # the server has ended, and the end of its stdout says so
