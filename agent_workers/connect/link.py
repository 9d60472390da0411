"""Keeps a machine connected: one WebSocket, opened from here, and another one where it breaks."""

from __future__ import annotations

import asyncio
import json
import logging
import random
import ssl
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed, InvalidHandshake, InvalidStatus, WebSocketException

from agent_workers.connect.messages import (
    FIRST_S,
    MAX_FROM_GATEWAY,
    OTHER_VERSION,
    REFUSED,
    Unreadable,
    Welcome,
    from_gateway,
)
from agent_workers.connect.sides import until_one_ends

if TYPE_CHECKING:
    from websockets.asyncio.client import ClientConnection

    from agent_workers.connect.machine import Machine

logger = logging.getLogger("agent_workers.connect")

_FIRST_WAIT_S, _LONGEST_WAIT_S = 0.5, 60
_FOR_GOOD = {401, 403, 404, 426}
_CLOSED_FOR_GOOD = {REFUSED, OTHER_VERSION}


class Refused(Exception):
    """Raised where the gateway does not take this machine, and would not take it later either."""


class Link:
    """A machine's way to its gateway.

    Args:
        machine: Who is connected.
        address: The WebSocket's address.
        token: Says whose machine it is.
        trusted: What the gateway's certificate is checked with; None without TLS.
    """

    def __init__(self, machine: Machine, address: str, token: str, trusted: ssl.SSLContext | None) -> None:
        self._machine = machine
        self._address = address
        self._token = token
        self._trusted = trusted
        self._failures = 0
        self._grace: asyncio.TimerHandle | None = None

    async def keep(self) -> None:
        """Stays connected until the machine is drained.

        Raises:
            Refused: The gateway does not take this machine.
        """
        while not self._machine.is_drained:
            try:
                await self._connected()
                words = "the gateway has closed the connection"
            except InvalidStatus as error:
                words = _said(error)
                if error.response.status_code in _FOR_GOOD:
                    raise Refused(words) from None
            except ConnectionClosed as error:
                words = f"the connection is lost ({error})"
                if error.rcvd and error.rcvd.code in _CLOSED_FOR_GOOD:
                    raise Refused(error.rcvd.reason or words) from None
            except ssl.SSLCertVerificationError as error:
                words = f"its certificate is not trusted ({error.verify_message}); name your CA with --ca-file"
                raise Refused(words) from None
            except (OSError, TimeoutError, InvalidHandshake, WebSocketException, Unreadable) as error:
                words = f"the gateway cannot be reached ({error or type(error).__name__})"
            if self._machine.is_drained:
                return
            await self._wait(words)

    async def _connected(self) -> None:
        async with connect(
            self._address,
            additional_headers={"Authorization": f"Bearer {self._token}"},
            ssl=self._trusted,
            compression=None,
            max_size=MAX_FROM_GATEWAY,
            max_queue=4,
            user_agent_header="agent-workers",
        ) as socket:
            await socket.send(self._machine.offer())
            async with asyncio.timeout(FIRST_S):
                message = from_gateway(_text(await socket.recv()))
            if not isinstance(message, Welcome):
                raise Unreadable("the gateway does not begin with a welcome")
            self._keep_runs()
            self._machine.welcome(message)
            self._failures = 0
            logger.info("connected to %s", self._address)
            await self._serve(socket)

    async def _serve(self, socket: ClientConnection) -> None:
        try:
            await until_one_ends(self._read(socket), self._write(socket))
        finally:
            self._lose_runs_later()

    async def _read(self, socket: ClientConnection) -> None:
        async for data in socket:
            self._machine.take(from_gateway(_text(data)))

    async def _write(self, socket: ClientConnection) -> None:
        """Sends what there is, as fast as the gateway takes it, until the machine is drained."""
        while not self._machine.is_drained:
            for message in self._machine.outgoing():
                await socket.send(message)
            if not self._machine.is_drained:
                await self._machine.news.wait()

    def _keep_runs(self) -> None:
        if self._grace:
            self._grace.cancel()
            self._grace = None

    def _lose_runs_later(self) -> None:
        self._keep_runs()
        self._grace = asyncio.get_running_loop().call_later(self._machine.grace_s, self._lose_runs)

    def _lose_runs(self) -> None:
        logger.warning("no connection for %g s: the runs are stopped", self._machine.grace_s)
        self._machine.abandon()

    async def _wait(self, words: str) -> None:
        longest = min(_LONGEST_WAIT_S, _FIRST_WAIT_S * 2**self._failures)
        self._failures = min(self._failures + 1, 10)
        seconds = longest * random.uniform(0.5, 1)  # noqa: S311  # many machines come back at the same time
        logger.warning("%s; again in %.1f s", words, seconds)
        until = asyncio.get_running_loop().time() + seconds
        while not self._machine.is_drained and (left := until - asyncio.get_running_loop().time()) > 0:
            self._machine.news.clear()
            with suppress(TimeoutError):
                await asyncio.wait_for(self._machine.news.wait(), left)


def _text(data: Any) -> str:
    if not isinstance(data, str):
        raise Unreadable("the gateway has sent bytes")
    return data


def _said(error: InvalidStatus) -> str:
    """Returns what the gateway says of its refusal."""
    with suppress(ValueError, TypeError, KeyError):
        return str(json.loads(error.response.body or b"")["message"])
    status = error.response.status_code
    missing = " It is no gateway, or one that takes no machines." if status == 404 else ""  # noqa: PLR2004
    return f"the gateway has answered with {status}.{missing}"
