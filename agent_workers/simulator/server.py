"""Runs the HTTP server on a socket, in a process and event loop that belong to somebody else."""

import asyncio
import logging
import socket
from collections.abc import Iterator
from contextlib import contextmanager

import anyio
import uvicorn
from starlette.types import ASGIApp

# uvicorn logs each response that a scenario cuts as an error, on a terminal that belongs to somebody else.
_SILENT = logging.CRITICAL + 1
_KEEP_ALIVE_S = 600
_GRACE_S = 1


class GuestServer(uvicorn.Server):
    """A server that leaves the signal handlers of its process alone."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Captures none."""
        yield


async def serve(app: ASGIApp, listener: socket.socket) -> None:
    """Serves until it is cancelled, then closes the listener and drops every connection at once."""
    config = uvicorn.Config(
        app,
        http="h11",
        ws="none",
        lifespan="off",
        log_config=None,
        log_level=_SILENT,
        access_log=False,
        proxy_headers=False,
        server_header=False,
        headers=[("x-simulated", "agent-workers")],
        timeout_keep_alive=_KEEP_ALIVE_S,
    )
    server = GuestServer(config)
    try:
        await server.serve(sockets=[listener])
    finally:
        await _drop(server)
        listener.close()


async def _drop(server: GuestServer) -> None:
    # uvicorn's own shutdown waits for the responses to end, and a stalled one never does.
    for listening in getattr(server, "servers", ()):
        listening.close()
    tasks = list(server.server_state.tasks)
    for task in tasks:
        task.cancel()
    for connection in list(server.server_state.connections):
        connection.transport.abort()
    with anyio.CancelScope(shield=True):
        await asyncio.sleep(0)
        if tasks:
            await asyncio.wait(tasks, timeout=_GRACE_S)
