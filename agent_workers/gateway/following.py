"""The routes that look at runs."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from agent_workers.convert import FORMATS
from agent_workers.gateway.access import claims_of
from agent_workers.gateway.feed import NATIVE, Place
from agent_workers.gateway.reader import Reader
from agent_workers.gateway.refusal import Refusal, busy, no_run
from agent_workers.protocol.v1.fields import RUN_ID

if TYPE_CHECKING:
    from agent_workers.gateway.claims import Claims
    from agent_workers.gateway.exchange import Exchange
    from agent_workers.gateway.feed import Feed
    from agent_workers.gateway.gateway import Gateway

_PLACE = re.compile(r"(?:(\d{1,9})-)?(\d{1,15})", re.ASCII)
_RUN = re.compile(RUN_ID.strip("^$"), re.ASCII)


async def events(gateway: Gateway, exchange: Exchange) -> None:
    """Goes on with a run's events. It never starts a run, because ``EventSource`` reconnects by itself."""
    run = run_of(exchange)
    claims = claims_of(exchange, gateway.tokens, run=run)
    name = format_of(exchange)
    if gateway.is_leaving and gateway.settings.redis is not None:
        raise busy("The server restarts. Try again in a moment.", after_ms=1000)
    with gateway.streams.slot(claims.owner, exchange.address):
        feed = await gateway.runs.feed(run, claims.owner) if claims.may_see(run) else None
        # Only a native stream can go on from its middle: the others' frames depend on those before them.
        after = place_of(exchange.headers.get("last-event-id", ""), run) if name == NATIVE else Place()
        if feed is None or feed.is_torn_off(after):
            raise no_run()
        if feed.is_read(after):
            await exchange.answer(204)  # tells EventSource not to come again
            return
        await stream(gateway, exchange, feed, name, after)


async def status(gateway: Gateway, exchange: Exchange) -> None:
    """Tells how far a run is; when it has ended, with its terminal event."""
    run = run_of(exchange)
    claims = claims_of(exchange, gateway.tokens)
    found = await gateway.runs.status(run, claims.owner) if claims.may_see(run) else None
    if found is None:
        raise no_run()
    await exchange.json(200, {**found, **gateway.links(run)})


async def stream(gateway: Gateway, exchange: Exchange, feed: Feed, name: str, after: Place) -> None:
    """Sends a run's events after the last one that the browser has."""
    reader = Reader(feed, name, after, exchange.connection)
    end = await reader.serve(exchange)
    gateway.meters.streamed(end)
    gateway.left(feed)


def run_of(exchange: Exchange) -> str:
    """Returns the run that the address names.

    Raises:
        Refusal: No run is called so.
    """
    run = exchange.path["run"]
    if not _RUN.fullmatch(run):
        raise no_run()
    return run


def own_run(exchange: Exchange, claims: Claims) -> str:
    """Returns the run that the address names, if the token is about it, and not for reading alone.

    Raises:
        Refusal: It is not.
    """
    run = run_of(exchange)
    if not claims.may_see(run):
        raise no_run()
    if claims.use == "read":
        raise Refusal(403, "forbidden", "This token is for reading alone.")
    return run


def format_of(exchange: Exchange) -> str:
    """Returns the format that is asked for.

    Raises:
        Refusal: There is none of this name.
    """
    name = exchange.query.get("format") or NATIVE
    if name not in FORMATS:
        raise Refusal(422, "unknown_format", f"There is no such format. Known are {', '.join(FORMATS)}.")
    return name


def place_of(last: str, run: str) -> Place:
    """Returns the place that a ``Last-Event-ID`` names in a run; the run's beginning where it names none."""
    found = _PLACE.fullmatch(last.removeprefix(f"{run}:")) if last.startswith(f"{run}:") else None
    return Place(int(found[1] or 1), int(found[2])) if found else Place()
