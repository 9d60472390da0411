"""The gateway's process: opens the socket, serves until it is told to stop, and leaves in order."""

from __future__ import annotations

import asyncio
import logging
import os
import signal
import socket
import time
from contextlib import AsyncExitStack, contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import uvicorn

from agent_workers.connect.messages import MAX_FROM_MACHINE
from agent_workers.gateway.app import application
from agent_workers.gateway.connection import Connection, connections
from agent_workers.gateway.gateway import Gateway
from agent_workers.gateway.setting_up import open_runs
from agent_workers.gateway.tokens import Tokens
from agent_workers.service_manager import notify

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from agent_workers.gateway.once import Once
    from agent_workers.gateway.settings import GatewaySettings

    ReadAnew = Callable[[], tuple[GatewaySettings, Mapping[str, Any]]]

logger = logging.getLogger("agent_workers.gateway")

_KEEP_ALIVE_S = 75
_LAST_S = 5
_BACKLOG = 2048
_MODE = 0o660  # of a Unix socket: the proxy's group may connect


class Server(uvicorn.Server):
    """uvicorn's server; the signals are the gateway's."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Captures none."""
        yield


async def serve(
    settings: GatewaySettings, keys: Mapping[str, Any], listener: socket.socket, read_anew: ReadAnew
) -> None:
    """Serves until SIGTERM or SIGINT, of which a second one cuts the grace of what runs; SIGHUP reads the keys anew.

    Args:
        settings: The gateway's.
        keys: What tokens are checked with.
        listener: Where it listens.
        read_anew: Reads the settings and keys; raises ``ValueError`` where they have a fault.
    """
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    async with AsyncExitStack() as stack:
        runs, once, webhooks = await stack.enter_async_context(open_runs(settings))
        gateway = Gateway(settings, Tokens(settings, keys, once), runs, webhooks)
        for number in (signal.SIGTERM, signal.SIGINT):
            asyncio.get_running_loop().add_signal_handler(number, _stop, gateway, stop)
        asyncio.get_running_loop().add_signal_handler(signal.SIGHUP, _reload, gateway, once, read_anew)
        server = Server(_config(settings, gateway))
        serving = asyncio.create_task(server.serve(sockets=[listener]))
        ticking = asyncio.create_task(_tick(gateway, server))
        notify("READY=1")
        logger.info("listening on %s", settings.listen)
        await asyncio.wait([serving, asyncio.create_task(stop.wait())], return_when=asyncio.FIRST_COMPLETED)
        notify("STOPPING=1")
        await gateway.leave()
        server.should_exit = True
        with suppress(TimeoutError):
            await asyncio.wait_for(asyncio.shield(serving), _LAST_S)
        ticking.cancel()


def _stop(gateway: Gateway, stop: asyncio.Event) -> None:
    if stop.is_set():
        gateway.runs.hurry()
    stop.set()


def _reload(gateway: Gateway, once: Once, read_anew: ReadAnew) -> None:
    """Takes over keys and presets; what the gateway was opened with stays until it is started again."""
    try:
        settings, keys = read_anew()
    except ValueError as fault:
        logger.error("the settings stay as they were: %s", fault)
        return
    gateway.change(settings, Tokens(settings, keys, once))
    logger.info("the keys and presets were read anew")


def open_listener(address: str) -> socket.socket:
    """Opens the socket.

    Args:
        address: ``HOST:PORT``, ``[HOST]:PORT`` or ``unix:PATH``.

    Raises:
        OSError: It cannot be opened.
    """
    kind, _, path = address.partition(":")
    if kind == "unix":
        Path(path).unlink(missing_ok=True)
        listener = socket.socket(socket.AF_UNIX)
        listener.bind(path)
        Path(path).chmod(_MODE)
    else:
        host, _, port = address.rpartition(":")
        host = host.strip("[]")
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        listener = socket.socket(family)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((host, int(port)))
    listener.listen(_BACKLOG)
    listener.setblocking(False)
    return listener


def _config(settings: GatewaySettings, gateway: Gateway) -> uvicorn.Config:
    return uvicorn.Config(
        application(gateway),
        http=connections(settings.limits),  # type: ignore[arg-type]
        ws="websockets-sansio",  # it reads no more than one message ahead
        ws_max_size=MAX_FROM_MACHINE,
        ws_per_message_deflate=False,
        lifespan="off",
        loop="none",
        log_config=None,
        access_log=False,
        proxy_headers=bool(settings.trusted_proxies),
        forwarded_allow_ips=settings.trusted_proxies,
        server_header=False,
        backlog=_BACKLOG,
        timeout_keep_alive=_KEEP_ALIVE_S,
        timeout_graceful_shutdown=_LAST_S,
    )


async def _tick(gateway: Gateway, server: uvicorn.Server) -> None:
    """Looks after feeds and slow readers, once a second."""
    slow_s = gateway.settings.limits.slow_s
    while True:
        await asyncio.sleep(1)
        gateway.runs.tick()
        now = time.monotonic()
        for connection in tuple(server.server_state.connections):
            if not isinstance(connection, Connection):
                continue  # a machine's: what it does not take, pings find out
            if connection.full_since is not None and now - connection.full_since > slow_s:
                gateway.meters.dropped()
                connection.abort()


def raise_files() -> None:
    """Lets this process have as many files open as it may: each stream is one."""
    import resource

    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    with suppress(ValueError, OSError):
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


def state_folder(settings: GatewaySettings) -> Path | None:
    """Returns the folder for what lasts, made where it is not there; None where nothing does.

    Raises:
        OSError: It cannot be made.
    """
    if settings.state is None:
        return None
    folder = Path(settings.state)
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    if not os.access(folder, os.W_OK):
        raise PermissionError(f"{folder} is not writable")
    return folder
