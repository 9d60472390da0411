"""The batches of messages that a simulator has."""

from itertools import islice

from agent_workers.simulator.api_request import OWN_SESSION, ApiRequest, MalformedRequestError
from agent_workers.simulator.batch import Batch, BatchRequest
from agent_workers.simulator.batch_body import requests_of
from agent_workers.simulator.conversation import Conversations, Cue
from agent_workers.simulator.reply import encoded
from agent_workers.simulator.scenario import Failure
from agent_workers.simulator.scenario_file import UnknownScenarioError

_REMEMBERED = 1000
_AT_A_TIME = 50
_REQUIRED = ("model", "max_tokens")


class Batches:
    """The latest batches. What a scenario answers to their requests is settled when they are made."""

    def __init__(self, conversations: Conversations) -> None:
        self.held = False
        self._conversations = conversations
        self._batches: dict[str, Batch] = {}

    async def create(self, body: object) -> Batch:
        """Makes a batch, and lets the server do other things meanwhile.

        Raises:
            RefusedBatchError: The API would refuse the body.
        """
        from anyio.lowlevel import checkpoint  # whoever makes a simulator does not pay for it, only who serves

        settings = self._conversations.scenario.batch
        requests = []
        for custom_id, params in requests_of(body):
            requests.append(BatchRequest(custom_id, encoded(params), self._cue(custom_id, params)))
            if len(requests) % _AT_A_TIME == 0:
                await checkpoint()
        batch = Batch(requests, settings)
        if len(self._batches) >= _REMEMBERED:
            del self._batches[next(iter(self._batches))]
        self._batches[batch.id] = batch
        return batch

    def _cue(self, custom_id: str, params: object) -> Cue:
        """Returns the step for a request. A later batch with the same id and first prompt tries it again."""
        try:
            request = ApiRequest({OWN_SESSION: custom_id}, params)
            for name in _REQUIRED:
                if name not in request.body:
                    return _refused(f"{name}: Field required")
            return self._conversations.cue(request)
        except (MalformedRequestError, UnknownScenarioError) as problem:
            return _refused(str(problem))

    def known(self) -> list[Batch]:
        """Returns the batches, oldest first."""
        return list(self._batches.values())

    def find(self, batch_id: str) -> Batch | None:
        """Returns the batch of that id."""
        return self._batches.get(batch_id)

    def page(self, limit: int, after_id: str | None) -> tuple[list[Batch], bool]:
        """Returns so many batches, newest first, from the one after ``after_id``, and whether there are more.

        Raises:
            KeyError: There is no batch ``after_id``.
        """
        newest = self.known()[::-1]
        begin = newest.index(self._batches[after_id]) + 1 if after_id else 0
        return list(islice(newest, begin, begin + limit)), len(newest) > begin + limit

    def end(self) -> None:
        """Ends all that are there, and holds no other any more."""
        self.held = False
        for batch in self.known():
            batch.end()


def _refused(message: str) -> Cue:
    return Cue("refused", Failure(status=400, error="invalid_request_error", message=message), 1)
