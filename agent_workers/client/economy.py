"""The provider's batch API for requests of the engine messages that need no tools: half the price, within a day."""

from __future__ import annotations

import hashlib
from contextlib import aclosing
from typing import TYPE_CHECKING, Any, NamedTuple

from agent_workers.engine.messages.batch_api import (
    MOST_BYTES,
    MOST_REQUESTS,
    ApiBatch,
    ApiResult,
    BatchApi,
    failing,
    replayed,
    request_line,
)
from agent_workers.errors import ApiError, AuthError, WorkerError
from agent_workers.protocol.v1.problem import RequestProblems
from agent_workers.workers import WORKERS

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Mapping, Sequence

    from agent_workers.client.aio import AsyncRun
    from agent_workers.client.engine import AsyncEngineRunner
    from agent_workers.client.engine_host import EngineHost
    from agent_workers.engine.messages.access import Access

__all__ = [
    "MOST_BYTES",
    "MOST_REQUESTS",
    "ApiBatch",
    "ApiError",
    "ApiResult",
    "AuthError",
    "EconomyLane",
    "Offer",
]

_NOTHING = {"input_tokens": 0, "output_tokens": 0}
_TOOLS = "with tools"
_SESSION = "with a session"
_BUDGET = "with a budget too small for an answer"
_FAULTY = "that will be refused"


class Offer(NamedTuple):
    """What the batch API can do for a request.

    Attributes:
        request: The request as the API takes it; None where it has to run at once.
        why: Why it has to.
    """

    request: bytes | None = None
    why: str = ""


class EconomyLane:
    """The batch API as the runs of this process have it.

    Args:
        runner: The runner whose host and connections it shares; it is entered.

    Attributes:
        account: Tells the account and the API's address from others, once something was asked of it.
    """

    def __init__(self, runner: AsyncEngineRunner) -> None:
        self.account = ""
        self._runner = runner
        self._host: EngineHost = runner.host

    def offer(self, worker: str, request: Mapping[str, Any], custom_id: str) -> Offer:
        """Returns a request as the batch API takes it, or why it has to run at once.

        Args:
            worker: Name of the worker whose request it is.
            request: The request, by the contract's names.
            custom_id: By which its result is known.
        """
        try:
            admitted = self._host.admitted(WORKERS[worker], dict(request), named=False)
            why = _TOOLS if admitted.app_tools else _SESSION if admitted.session else ""
            body = None if why else self._host.first_body(WORKERS[worker], admitted)
        except (RequestProblems, WorkerError):  # its run tells what is wrong
            return Offer(why=_FAULTY)
        if body is None:
            return Offer(why=why or _BUDGET)
        del body["stream"]
        return Offer(request_line(custom_id, body))

    async def create(self, requests: Sequence[bytes]) -> ApiBatch:
        """Makes a batch of such requests; see ``BatchApi.create``."""
        return await (await self._api()).create(requests)

    async def get(self, batch_id: str) -> ApiBatch:
        """Looks at a batch; see ``BatchApi.get``."""
        return await (await self._api()).get(batch_id)

    async def latest(self) -> str | None:
        """Returns the id of the account's latest batch; see ``BatchApi.latest``."""
        return await (await self._api()).latest()

    async def recent(self, since: str, after: str | None) -> list[ApiBatch]:
        """Returns the account's batches, the latest first; see ``BatchApi.recent``."""
        api = await self._api()
        return [batch async for batch in api.recent(since, after)]

    async def results(self, batch_id: str) -> AsyncGenerator[ApiResult]:
        """Yields what has become of a batch's requests; see ``BatchApi.results``."""
        api = await self._api()
        async with aclosing(api.results(batch_id)) as results:
            async for result in results:
                yield result

    def run(self, worker: str, request: Mapping[str, Any], result: ApiResult, *, is_paid: bool = False) -> AsyncRun:
        """Returns the run of a request whose first call has this result.

        It is judged as any other: an answer that does not stand goes back to the model, at once and at the usual price.

        Args:
            worker: Name of the worker whose request it is.
            request: The request, by the contract's names.
            result: The result.
            is_paid: Whether what it has cost was told before.
        """
        runner = self._runner.for_worker(worker)
        if result.message is not None:
            message = {**result.message, "usage": _NOTHING} if is_paid else result.message
            return runner.stream(request, given=replayed(message), lane="economy")
        if result.error is not None and not result.error.retryable:
            return runner.stream(request, given=failing(result.error), lane="live")  # if it is answered, then at once
        return runner.stream(request, lane="live")

    def run_live(self, worker: str, request: Mapping[str, Any]) -> AsyncRun:
        """Returns the run of a request that is made at once after all."""
        return self._runner.for_worker(worker).stream(request, lane="live")

    async def _api(self) -> BatchApi:
        api = await self._host.api()
        self.account = self.account or _account(api.access)
        return BatchApi(api)


def _account(access: Access) -> str:
    """Returns a mark of an account and its address, from which nobody can tell the credential."""
    if access.is_simulated:
        return "simulated"
    told = [access.base_url, *(access.headers.get(name, "") for name in ("x-api-key", "authorization"))]
    return hashlib.sha256("\n".join(told).encode()).hexdigest()[:12]
