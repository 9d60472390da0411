"""The route on which users' own machines connect."""

from __future__ import annotations

import asyncio
import logging
from contextlib import suppress
from typing import TYPE_CHECKING

import anyio.to_thread
from starlette.responses import JSONResponse
from starlette.websockets import WebSocket, WebSocketDisconnect

from agent_workers.connect.messages import (
    FIRST_S,
    OTHER_VERSION,
    REFUSED,
    REPLACED,
    UNREADABLE,
    VERSION,
    Offer,
    Unreadable,
    from_machine,
)
from agent_workers.connect.sides import until_one_ends
from agent_workers.gateway.refusal import Refusal, busy
from agent_workers.validation.event_schema import event_schema

if TYPE_CHECKING:
    from starlette.types import Receive, Scope, Send

    from agent_workers.gateway.claims import Claims
    from agent_workers.gateway.gateway import Gateway
    from agent_workers.gateway.machine import ConnectedMachine

logger = logging.getLogger("agent_workers.gateway")

_LOOK_S = 5
"""How often to look whether a token still holds."""
_BEARER = "bearer "
_RESTART = 1012


class _Closing(Exception):
    """Raised where a connection is to be closed."""

    def __init__(self, code: int, reason: str) -> None:
        super().__init__(reason)
        self.code = code


class Connecting:
    """The route, as an ASGI application of its own.

    Args:
        gateway: What it is of.
    """

    def __init__(self, gateway: Gateway) -> None:
        self._gateway = gateway

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serves one connection to its end."""
        socket = WebSocket(scope, receive, send)
        try:
            token = _token_of(socket)
            claims = self._claims(token)
        except Refusal as refusal:
            self._gateway.meters.refused(refusal.code)
            answer = JSONResponse(refusal.body(), refusal.status, refusal.headers())
            await socket.send_denial_response(answer)
            return
        await socket.accept()
        try:
            await self._serve(socket, token, claims)
        except (_Closing, Refusal) as closing:
            code = closing.code if isinstance(closing, _Closing) else REFUSED
            with suppress(RuntimeError, WebSocketDisconnect):
                await socket.close(code, str(closing)[:120])
        except WebSocketDisconnect:
            pass

    def _claims(self, token: str) -> Claims:
        claims = self._gateway.tokens.read(token)
        if claims.use != "connect":
            raise Refusal(403, "forbidden", "This token is not for connecting a machine: its use must be connect.")
        if self._gateway.runs.machines is None:
            raise Refusal(404, "no_machines", "This gateway takes no machines: its runs are the fleet's.")
        if self._gateway.is_leaving:
            raise busy("The server restarts. Try again in a moment.", after_ms=1000)
        return claims

    async def _serve(self, socket: WebSocket, token: str, claims: Claims) -> None:
        offer = await _offer(socket)
        await anyio.to_thread.run_sync(_warm_up)
        machines = self._gateway.runs.machines
        assert machines is not None
        try:
            machine = machines.connect(claims.owner, offer)
        except Refusal as refusal:
            raise _Closing(_RESTART, str(refusal)) from None
        welcome, replaced = machine.attach(offer)
        try:
            await socket.send_text(welcome)
            await until_one_ends(
                _read(socket, machine), _write(socket, machine), _replaced(replaced), self._watch(token)
            )
        finally:
            machine.detach(replaced)

    async def _watch(self, token: str) -> None:
        """Closes the connection of a token that has ended, or was revoked.

        Raises:
            Refusal: It holds no more.
        """
        while True:
            await asyncio.sleep(_LOOK_S)
            self._gateway.tokens.read(token)


def _token_of(socket: WebSocket) -> str:
    said = socket.headers.get("authorization", "")
    if said[: len(_BEARER)].lower() != _BEARER:
        raise Refusal(401, "token_missing", "There is no token: send it as Authorization: Bearer.")
    return said[len(_BEARER) :].strip()


async def _offer(socket: WebSocket) -> Offer:
    try:
        async with asyncio.timeout(FIRST_S):
            text = await _text(socket)
    except TimeoutError:
        raise _Closing(UNREADABLE, "the offer did not come in time") from None
    try:
        offer = from_machine(text)
    except Unreadable as error:
        raise _Closing(UNREADABLE, str(error)) from None
    if not isinstance(offer, Offer):
        raise _Closing(UNREADABLE, "a connection begins with an offer")
    if offer.v != VERSION:
        words = f"this gateway speaks version {VERSION} of the protocol: install its version of agent-workers"
        raise _Closing(OTHER_VERSION, words)
    return offer


async def _read(socket: WebSocket, machine: ConnectedMachine) -> None:
    while True:
        try:
            message = from_machine(await _text(socket))
        except Unreadable as error:
            raise _Closing(UNREADABLE, str(error)) from None
        if isinstance(message, Offer):
            raise _Closing(UNREADABLE, "there is one offer")
        machine.take(message)


async def _write(socket: WebSocket, machine: ConnectedMachine) -> None:
    while True:
        for text in machine.outgoing():
            await socket.send_text(text)
        await machine.news.wait()


async def _replaced(replaced: asyncio.Event) -> None:
    await replaced.wait()
    raise _Closing(REPLACED, "this machine has another connection")


async def _text(socket: WebSocket) -> str:
    message = await socket.receive()
    if message["type"] == "websocket.disconnect":
        raise WebSocketDisconnect(message.get("code", 1005))
    text = message.get("text")
    if not isinstance(text, str):
        raise _Closing(UNREADABLE, "a message is text")
    return text


def _warm_up() -> None:
    """Makes the schemas of events, which takes a while, before the first event waits for them."""
    for _ in event_schema().faults({"type": ""}):
        pass
