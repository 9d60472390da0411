"""The provider's batch API for requests of the engine messages that need no tools: half the price, within a day."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

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
from agent_workers.errors import ApiError, WorkerError
from agent_workers.protocol.v1.problem import RequestProblems
from agent_workers.workers import WORKERS

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Mapping, Sequence

    from agent_workers.client.aio import AsyncRun
    from agent_workers.client.engine import AsyncEngineRunner
    from agent_workers.client.engine_host import EngineHost

__all__ = ["MOST_BYTES", "MOST_REQUESTS", "ApiBatch", "ApiError", "ApiResult", "EconomyLane"]


class EconomyLane:
    """The batch API as the runs of this process have it.

    Args:
        runner: The runner whose host and connections it shares; it is entered.
    """

    def __init__(self, runner: AsyncEngineRunner) -> None:
        self._runner = runner
        self._host: EngineHost = runner.host

    def request_line(self, worker: str, request: Mapping[str, Any], custom_id: str) -> bytes | None:
        """Returns a request as the batch API takes it; None where it has to run at once.

        That is one with tools or a session, one of another engine, and one that will be refused.

        Args:
            worker: Name of the worker whose request it is.
            request: The request, by the contract's names.
            custom_id: By which its result is known.
        """
        try:
            admitted = self._host.admitted(WORKERS[worker], dict(request), named=False)
            if admitted.app_tools or admitted.session is not None:
                return None
            body = self._host.first_body(WORKERS[worker], admitted)
        except (RequestProblems, WorkerError, KeyError):
            return None  # its run tells what is wrong
        body.pop("stream", None)
        return request_line(custom_id, body)

    async def create(self, requests: Sequence[bytes]) -> ApiBatch:
        """Makes a batch of such requests; see ``BatchApi.create``."""
        return await (await self._api()).create(requests)

    async def get(self, batch_id: str) -> ApiBatch:
        """Looks at a batch; see ``BatchApi.get``."""
        return await (await self._api()).get(batch_id)

    async def recent(self, since: str) -> list[ApiBatch]:
        """Returns the account's batches since a time, the latest first; see ``BatchApi.recent``."""
        api = await self._api()
        return [batch async for batch in api.recent(since)]

    async def results(self, batch_id: str) -> AsyncGenerator[ApiResult]:
        """Yields what has become of a batch's requests; see ``BatchApi.results``."""
        api = await self._api()
        async for result in api.results(batch_id):
            yield result

    def run(self, worker: str, request: Mapping[str, Any], result: ApiResult) -> AsyncRun:
        """Returns the run of a request whose first call has this result.

        It is judged as any other: an answer that does not stand goes back to the model, at once and at the usual price.
        """
        runner = self._runner.for_worker(worker)
        if result.message is not None:
            return runner.stream(request, given=replayed(result.message), lane="economy")
        if result.error is not None and not result.error.retryable:
            return runner.stream(request, given=failing(result.error), lane="economy")
        return runner.stream(request, lane="live")

    def run_live(self, worker: str, request: Mapping[str, Any]) -> AsyncRun:
        """Returns the run of a request that is made at once after all."""
        return self._runner.for_worker(worker).stream(request, lane="live")

    async def _api(self) -> BatchApi:
        return BatchApi(await self._host.api())
