"""The process of a connected machine: connects, serves until it is told to stop, and lets its runs end."""

from __future__ import annotations

import asyncio
import logging
import signal
from typing import TYPE_CHECKING

from agent_workers.connect.link import Link
from agent_workers.connect.machine import Machine

if TYPE_CHECKING:
    import ssl
    from collections.abc import Mapping

    from agent_workers.connect.machine import Offered

logger = logging.getLogger("agent_workers.connect")


async def serve(
    offered: Offered, environ: Mapping[str, str], address: str, token: str, trusted: ssl.SSLContext | None
) -> None:
    """Serves until SIGTERM or SIGINT; a second one stops the runs.

    Args:
        offered: What this machine lends.
        environ: The environment of its workers.
        address: The WebSocket's address.
        token: Says whose machine it is.
        trusted: What the gateway's certificate is checked with; None without TLS.

    Raises:
        Refused: The gateway does not take this machine.
    """
    machine = Machine(offered, environ)
    asked = 0

    def stop() -> None:
        nonlocal asked
        asked += 1
        if asked == 1:
            logger.info("no new runs; those that go on may end. A second signal stops them")
            machine.drain()
        else:
            machine.stop()

    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop)
    try:
        await Link(machine, address, token, trusted).keep()
    finally:
        await machine.close()
