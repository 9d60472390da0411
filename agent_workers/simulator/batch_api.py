"""The API's paths below ``/v1/messages/batches``."""

from collections.abc import Mapping

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.routing import BaseRoute, Route
from starlette.types import ASGIApp

from agent_workers.simulator.batch import Batch
from agent_workers.simulator.batch_body import RefusedBatchError
from agent_workers.simulator.batch_result import Results
from agent_workers.simulator.batches import Batches
from agent_workers.simulator.streaming import JSON

_PATH = "/v1/messages/batches"
_PAGE, _LONGEST_PAGE = 20, 1000


class BatchApi:
    """Makes batches, tells how far they are, and sends their results."""

    def __init__(self, batches: Batches) -> None:
        self.batches = batches

    def routes(self) -> list[BaseRoute]:
        """Returns the paths."""
        return [
            Route(_PATH, self.create, methods=["POST"]),
            Route(_PATH, self.page, methods=["GET"]),
            Route(_PATH + "/{id}", self.retrieve, methods=["GET"]),
            Route(_PATH + "/{id}/cancel", self.cancel, methods=["POST"]),
            Route(_PATH + "/{id}/results", self.results, methods=["GET"]),
        ]

    async def create(self, request: Request) -> ASGIApp:
        """Makes a batch of the body's requests, and leaves these out of the journal."""
        try:
            batch = await self.batches.create(request.scope["body"])
        except RefusedBatchError as problem:
            raise HTTPException(400, str(problem)) from problem
        request.scope["body"] = None
        request.scope["record"].body = {"id": batch.id, "requests": len(batch.requests)}
        return _told(request, batch)

    async def page(self, request: Request) -> ASGIApp:
        """Returns a page of batches, newest first."""
        limit = _limit(request.query_params)
        after = request.query_params.get("after_id")
        try:
            found, more = self.batches.page(limit, after)
        except KeyError as problem:
            raise HTTPException(400, f"after_id: there is no batch {after}") from problem
        data = [batch.as_json(_address(request)) for batch in found]
        first, last = (found[0].id, found[-1].id) if found else (None, None)
        return JSON({"data": data, "has_more": more, "first_id": first, "last_id": last})

    async def retrieve(self, request: Request) -> ASGIApp:
        """Returns how far a batch is."""
        batch = self._found(request)
        batch.poll(held=self.batches.held)
        return _told(request, batch)

    async def cancel(self, request: Request) -> ASGIApp:
        """Cancels a batch."""
        batch = self._found(request)
        if batch.ended_at is not None:
            raise HTTPException(400, f"Message batch {batch.id} has ended and cannot be canceled")
        batch.cancel()
        return _told(request, batch)

    async def results(self, request: Request) -> ASGIApp:
        """Sends the results of a batch that has ended."""
        batch = self._found(request)
        if batch.ended_at is None:
            raise HTTPException(400, f"Message batch {batch.id} is {batch.status} and has no results yet")
        return Results(batch, request.scope["record"])

    def _found(self, request: Request) -> Batch:
        batch_id = request.path_params["id"]
        batch = self.batches.find(batch_id)
        if batch is None:
            raise HTTPException(404, f"Message batch {batch_id} not found")
        return batch


def _limit(query: Mapping[str, str]) -> int:
    given = query.get("limit", str(_PAGE))
    if not given.isdecimal() or not 1 <= int(given) <= _LONGEST_PAGE:
        raise HTTPException(400, f"limit: Input should be a whole number from 1 to {_LONGEST_PAGE}")
    return int(given)


def _told(request: Request, batch: Batch) -> JSON:
    return JSON(batch.as_json(_address(request)))


def _address(request: Request) -> str:
    """Returns the address by which the client calls the server, with the mark of a simulator where it has one."""
    return f"http://{request.headers.get('host', '')}{request.scope['mark']}"
