"""What becomes of a batch's requests, one line for each, made when it is read."""

import json
from dataclasses import dataclass
from typing import Any

from anyio.lowlevel import checkpoint
from starlette.types import Receive, Scope, Send

from agent_workers.simulator.api_request import ApiRequest
from agent_workers.simulator.batch import Batch, BatchRequest
from agent_workers.simulator.journal import Record
from agent_workers.simulator.reply import compose, encoded
from agent_workers.simulator.scenario import Failure, Message
from agent_workers.simulator.streaming import cut, error_body, while_listening, write

_JSON_LINES = [(b"content-type", b"application/x-jsonl")]
_LOST = error_body("api_error", "Internal server error")


@dataclass
class Results:
    """Sends the results, in another order than the requests. The record counts the lines as deltas."""

    batch: Batch
    record: Record

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Sends them, as long as the client is there."""
        await while_listening(receive, self.record, lambda: self._play(send))

    async def _play(self, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": _JSON_LINES})
        limit = self.batch.cut()
        for request in reversed(self.batch.requests):
            await checkpoint()
            if self.record.deltas == limit:
                await cut(self.record)
                return
            self.record.deltas += 1
            await write(send, result_line(self.batch, request))
        self.batch.reads += 1
        await write(send, b"", more=False)


def result_line(batch: Batch, request: BatchRequest) -> bytes:
    """Returns one line of a batch's results."""
    outcome = batch.outcome(request)
    result: dict[str, Any] = {"type": outcome}
    if outcome == "succeeded":
        result["message"] = _message(batch, request)
    elif outcome == "errored":
        step = request.cue.step
        result["error"] = error_body(step.error, step.message) if isinstance(step, Failure) else _LOST
    return encoded({"custom_id": request.custom_id, "result": result}) + b"\n"


def _message(batch: Batch, request: BatchRequest) -> dict[str, Any]:
    """Returns the answer, with ids that are the same each time it is read."""
    assert isinstance(request.cue.step, Message)
    message = compose(request.cue.step, ApiRequest({}, json.loads(request.params)), request.cue.call).message
    name = f"{batch.id.removeprefix('msgbatch_sim_')}_{request.custom_id}"
    content = [
        {**block, "id": f"toolu_sim_{name}_{index}"} if block.get("type") == "tool_use" else block
        for index, block in enumerate(message["content"])
    ]
    usage = {**message["usage"], "service_tier": "batch"}
    return {**message, "id": f"msg_sim_{name}", "content": content, "usage": usage}
