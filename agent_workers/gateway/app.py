"""The gateway as an ASGI application: its routes, and what is told where something goes wrong."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

from starlette.middleware.cors import CORSMiddleware
from starlette.routing import Route, Router, WebSocketRoute

from agent_workers.connect.messages import PATH
from agent_workers.gateway.connecting import Connecting
from agent_workers.gateway.exchange import Exchange, Gone
from agent_workers.gateway.following import events, status
from agent_workers.gateway.openapi import page
from agent_workers.gateway.refusal import Refusal, busy
from agent_workers.gateway.starting import run_skill, start
from agent_workers.gateway.telling import abort, answers, permission, steer

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from starlette.types import ASGIApp, Receive, Scope, Send

    from agent_workers.gateway.gateway import Gateway

    Handler = Callable[[Gateway, Exchange], Awaitable[None]]

logger = logging.getLogger("agent_workers.gateway")

_ALLOWED = ("Authorization", "Content-Type", "Last-Event-ID", "X-CSRF-TOKEN", "X-Requested-With", "traceparent")
_EXPOSED = ("Date", "Retry-After", "X-Agent-Needs-Review", "X-Agent-Run")


class Endpoint:
    """One route, as an ASGI application of its own: a stream goes through nothing else.

    Args:
        gateway: What it is of.
        method: The only one that it answers.
        handler: Answers.
    """

    def __init__(self, gateway: Gateway, method: str, handler: Handler) -> None:
        self._gateway = gateway
        self._method = method
        self._handler = handler

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answers one request, whatever happens."""
        exchange = Exchange(scope, receive, send)
        try:
            if exchange.method != self._method:
                raise Refusal(405, "method_not_allowed", f"Send {self._method} to this address.")
            await self._handler(self._gateway, exchange)
        except Gone:
            exchange.connection.abort()
        except Refusal as refusal:
            self._gateway.meters.refused(refusal.code)
            await exchange.refuse(refusal)
        except Exception as error:  # noqa: BLE001  # whatever it is, one request has failed
            await self._fail(exchange, error)

    async def _fail(self, exchange: Exchange, error: Exception) -> None:
        if self._gateway.runs.is_away(error):
            logger.warning("the fleet cannot be reached: %s", error)
            refusal = busy("The runs cannot be reached. Try again in a moment.")
        else:
            logger.error("a request has failed: %s", exchange.method, exc_info=error)
            refusal = Refusal(500, "internal", "The server has failed. Try again.", retry_after_ms=5000)
        if exchange.has_begun:
            exchange.connection.abort()
        else:
            self._gateway.meters.refused(refusal.code)
            await exchange.refuse(refusal)


async def healthz(gateway: Gateway, exchange: Exchange) -> None:
    """Answers that the process is there."""
    await exchange.answer(200, b"ok\n", "text/plain; charset=utf-8")


async def readyz(gateway: Gateway, exchange: Exchange) -> None:
    """Answers whether runs can be started."""
    problem = await gateway.problem()
    await exchange.answer(503 if problem else 200, f"{problem or 'ok'}\n".encode(), "text/plain; charset=utf-8")


async def metrics(gateway: Gateway, exchange: Exchange) -> None:
    """Answers with the figures."""
    body, kind = gateway.meters.page(exchange.headers.get("accept", ""))
    await exchange.answer(200, body, kind)


async def openapi(gateway: Gateway, exchange: Exchange) -> None:
    """Answers with the description of these routes."""
    await exchange.json(200, page(gateway.settings.public_url))


async def _nothing(gateway: Gateway, exchange: Exchange) -> None:
    raise Refusal(404, "not_found", "There is nothing at this address. /openapi.json lists what there is.")


ROUTES: tuple[tuple[str, str, Any], ...] = (
    ("POST", "/v1/runs", start),
    ("GET", "/v1/runs/{run}", status),
    ("GET", "/v1/runs/{run}/events", events),
    ("POST", "/v1/runs/{run}/abort", abort),
    ("POST", "/v1/runs/{run}/permissions/{permission}", permission),
    ("POST", "/v1/runs/{run}/answers/{question}", answers),
    ("POST", "/v1/runs/{run}/steer", steer),
    ("POST", "/v1/skills/{name}", run_skill),
    ("GET", "/healthz", healthz),
    ("GET", "/readyz", readyz),
    ("GET", "/metrics", metrics),
    ("GET", "/openapi.json", openapi),
)


def application(gateway: Gateway) -> ASGIApp:
    """Returns the application."""
    routes = [Route(path, Endpoint(gateway, method, handler)) for method, path, handler in ROUTES]
    router = Router([*routes, WebSocketRoute(PATH, Connecting(gateway))], redirect_slashes=False)
    router.default = _AnyMethod(gateway)
    return CORSMiddleware(
        router,
        allow_origins=gateway.settings.origins,
        allow_methods=("GET", "POST"),
        allow_headers=_ALLOWED,
        expose_headers=_EXPOSED,
        max_age=600,
    )


class _AnyMethod(Endpoint):
    """What is answered where there is nothing."""

    def __init__(self, gateway: Gateway) -> None:
        super().__init__(gateway, "", _nothing)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "websocket":
            await send({"type": "websocket.close", "code": 1000})
            return
        self._method = scope.get("method", "")
        await super().__call__(scope, receive, send)
