"""Tells the application of its runs: signed, and until it has taken it."""

from __future__ import annotations

import asyncio
import logging
from contextlib import suppress
from datetime import UTC, datetime
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import urlsplit

import anyio.to_thread

from agent_workers.client.reader import lost
from agent_workers.gateway.webhook_message import kind_of, message, name_of
from agent_workers.gateway.witness import Witness
from agent_workers.protocol.v1.envelope import envelop
from agent_workers.wire import dump, timestamp

if TYPE_CHECKING:
    from collections.abc import Mapping

    from standardwebhooks import Webhook

    from agent_workers.gateway.composing import Composed
    from agent_workers.gateway.outbox import Outbox, Waiting
    from agent_workers.gateway.webhook import WebhookTable

logger = logging.getLogger("agent_workers.gateway")

_WITHIN_S = 15
_AT_ONCE = 8
_LOOK_S = 1.0
_LONGEST_WAIT_S = 86_400
_GONE = 410
_ABOUT = ("subject", "goal", "skill", "metadata")


class Said(NamedTuple):
    """What the receiver has answered.

    Attributes:
        status: The HTTP status; 0 where there was none.
        wait_s: How long it wants to be left alone.
    """

    status: int
    wait_s: float = 0


class Webhooks(Witness):
    """The webhooks of one gateway.

    Args:
        table: Where they go, and what is told.
        signer: Signs them.
        outbox: Has those that wait.
        address: What stands before a run's id in the address of its events.
    """

    def __init__(self, table: WebhookTable, signer: Webhook, outbox: Outbox, address: str) -> None:
        self._table = table
        self._signer = signer
        self._outbox = outbox
        self._address = address
        self._has_news = asyncio.Event()

    def begin(self, composed: Composed, tenant: str | None) -> None:
        """Notes a run before it begins: whatever happens then, its end is told."""
        request = composed.request
        about: dict[str, Any] = {"run": composed.run, "worker": composed.preset.worker, "user": request["user"]}
        about |= {name: request[name] for name in _ABOUT if name in request}
        if tenant is not None:
            about["tenant"] = tenant
        if composed.conversation is not None:
            about["conversation"] = composed.conversation
        self._outbox.begin(composed.run, {**about, "transcript": f"{self._address}/{composed.run}/events"})

    def told(self, run: str, message: Mapping[str, Any]) -> None:
        """Hears what a run is told, and says nothing of it."""

    def forget(self, run: str) -> None:
        """Hears that a run could not begin."""
        self._outbox.forget(run)

    def hear(self, run: str, line: bytes, event: Mapping[str, Any]) -> None:
        """Hears an event of a run."""
        kind = kind_of(event)
        if kind is None or kind not in self._table.tells:
            return
        about = self._outbox.about(run)
        if about is None:
            return  # it was told, or was begun by another
        is_end = kind == "run.ended"
        self._outbox.put(name_of(run, event), message(about, event, line), ends=run if is_end else None)
        self._has_news.set()

    def lose(self, run: str) -> None:
        """Tells of a run that nobody has any more."""
        event = envelop(lost(), seq=1, run=run, ts=timestamp(datetime.now(UTC)))
        self.hear(run, dump(event), event)

    def lose_all(self) -> None:
        """Tells of the runs of an earlier process that nobody has any more."""
        for run in self.open_runs():
            self.lose(run)

    def open_runs(self) -> list[str]:
        """Returns the runs of an earlier process whose end was not told yet."""
        return self._outbox.open_runs()

    def expects(self, run: str) -> bool:
        """Whether a run's end is still to be told."""
        return self._outbox.about(run) is not None

    @property
    def waiting(self) -> int:
        """How many webhooks wait."""
        return self._outbox.waiting

    async def deliver(self) -> None:
        """Sends what waits, until it is cancelled."""
        while True:
            self._outbox.prune()
            due = self._outbox.due(_AT_ONCE)
            if due:
                await asyncio.gather(*map(self._send, due))
                continue
            self._has_news.clear()
            with suppress(TimeoutError):
                await asyncio.wait_for(self._has_news.wait(), _LOOK_S)

    async def _send(self, waiting: Waiting) -> None:
        said = await anyio.to_thread.run_sync(self._post, waiting)
        if 200 <= said.status < 300:  # noqa: PLR2004
            self._outbox.settle(waiting.id)
        elif said.status == _GONE:
            logger.warning("webhook %s: its receiver wants it no more", waiting.id)
            self._outbox.settle(waiting.id)
        elif not self._outbox.fail(waiting, wait_s=said.wait_s):
            logger.error("webhook %s was given up: nobody has taken it for days", waiting.id)
        else:
            logger.warning("webhook %s was not taken (%s); it is sent again", waiting.id, said.status or "no answer")

    def _post(self, waiting: Waiting) -> Said:
        """Sends a webhook once; it follows nobody elsewhere."""
        now = datetime.now(UTC)
        address = urlsplit(self._table.url)
        kind = HTTPSConnection if address.scheme == "https" else HTTPConnection
        connection = kind(address.hostname or "", address.port, timeout=_WITHIN_S)
        headers = {
            "Content-Type": "application/json",
            "User-Agent": "agent-workers",
            "webhook-id": waiting.id,
            "webhook-timestamp": str(int(now.timestamp())),
            "webhook-signature": self._signer.sign(waiting.id, now, waiting.body.decode()),
        }
        path = f"{address.path or '/'}{f'?{address.query}' if address.query else ''}"
        try:
            connection.request("POST", path, waiting.body, headers)
            response = connection.getresponse()
            return Said(response.status, _wait_s(response.headers.get("Retry-After")))
        except (OSError, HTTPException, ValueError):  # the last of an id that is no header
            return Said(0)
        finally:
            connection.close()


def _wait_s(said: str | None) -> float:
    return min(float(said), _LONGEST_WAIT_S) if said and said.isascii() and said.isdigit() else 0
