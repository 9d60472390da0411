"""A batch API in memory, which can fail and lose its answers, and starts of a batch that can be killed at any step."""

import json
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import anyio
import anyio.lowlevel

from agent_workers.batch.batch import Batch
from agent_workers.batch.checkpoint import Checkpoint, CheckpointLost
from agent_workers.batch.economy import Economy
from agent_workers.batch.item import Line
from agent_workers.batch.limits import Limits
from agent_workers.batch.totals import Totals
from agent_workers.client import Event, FakeRunner
from agent_workers.client.choice import ChosenRunner
from agent_workers.client.economy import ApiBatch, ApiError, ApiResult, Offer
from agent_workers.errors import ModelNotFound, NetworkError
from tests.waiting import PATIENCE_S

MESSAGE = {"content": [{"type": "text", "text": "from the batch"}]}


class Killed(Exception):
    """Raised in place of SIGKILL: nothing is written or called after it."""


class Steps:
    """Counts what a start does outside of itself, and kills it at one of these steps."""

    def __init__(self, last: int | None = None) -> None:
        self.count = 0
        self._last = last

    def __call__(self) -> None:
        self.count += 1
        if self._last is not None and self.count >= self._last:
            raise Killed


@dataclass
class FakeBatch:
    """A batch of some account."""

    id: str
    requests: list[str]
    ended: bool = False
    ends_at: int | None = 1
    looks: int = 0
    results: Callable[[str], ApiResult] | None = None
    cut: list[int | ApiError] = field(default_factory=list)

    def look(self) -> None:
        self.ended = self.ended or (self.ends_at is not None and self.looks >= self.ends_at)
        self.looks += 1

    @property
    def as_told(self) -> ApiBatch:
        return ApiBatch(self.id, self.ended, len(self.requests), f"2026-11-26T10:00:{len(self.id):02}Z", "")


class FakeApi:
    """What is at the provider, whoever asks.

    ``creating`` has one entry for each of the next calls that make a batch: an error, and whether it was made all the
    same; ``failing`` the errors of the next calls of any other name. ``busy`` runs fail before they take their answer.
    """

    def __init__(self) -> None:
        self.batches: list[FakeBatch] = []
        self.creating: list[tuple[ApiError, bool]] = []
        self.failing: dict[str, list[ApiError]] = {}
        self.ends_at: int | None = 1
        self.busy = 0
        self.on_create: Callable[[], object] = lambda: None
        self.calls: Counter[str] = Counter()

    def others(self, count: int, *, ended: bool) -> FakeBatch:
        """Somebody else's batch of so many requests."""
        name = f"other-{len(self.batches)}"
        batch = FakeBatch(name, [f"{name}x-{number}" for number in range(1, count + 1)], ended=ended, ends_at=None)
        self.batches.append(batch)
        return batch

    def end(self) -> None:
        for batch in self.batches:
            batch.ended = True

    @property
    def sent(self) -> Counter[str]:
        """How often each line was sent."""
        ids = [each for batch in self.batches if batch.id.startswith("own") for each in batch.requests]
        return Counter(each.partition("-")[2] for each in ids)


class FakeLane:
    """The lane of one start; see ``EconomyLane``. A request of the engine messages whose prompt is "tools" has some."""

    def __init__(self, api: FakeApi, steps: Callable[[], None], account: str) -> None:
        self.account = account
        self.live: list[str] = []
        self.given: list[str] = []
        self._api = api
        self._step = steps

    def offer(self, worker: str, request: dict[str, Any], custom_id: str) -> Offer:
        return Offer(why="with tools") if request["prompt"] == "tools" else Offer(custom_id.encode())

    async def create(self, requests: list[bytes]) -> ApiBatch:
        await self._called("create")
        self._api.on_create()
        error, arrives = self._api.creating.pop(0) if self._api.creating else (None, True)
        if arrives:
            ids = [request.decode() for request in requests]
            batch = FakeBatch(f"own-{len(self._api.batches)}", ids, ends_at=self._api.ends_at)
            self._api.batches.append(batch)
        self._step()
        if error:
            raise error
        return batch.as_told

    async def get(self, batch_id: str) -> ApiBatch:
        await self._called("get")
        batch = self._found(batch_id)
        batch.look()
        return batch.as_told

    async def latest(self) -> str | None:
        await self._called("latest")
        return self._api.batches[-1].id if self._api.batches else None

    async def recent(self, since: str, after: str | None) -> list[ApiBatch]:
        await self._called("recent")
        found: list[ApiBatch] = []
        for batch in reversed(self._api.batches):
            if batch.id == after:
                break
            found.append(batch.as_told)
        return found

    async def results(self, batch_id: str) -> AsyncIterator[ApiResult]:
        await self._called("results")
        batch = self._found(batch_id)
        cut = batch.cut.pop(0) if batch.cut else None
        for number, custom_id in enumerate(reversed(batch.requests)):
            if cut == number:
                return
            if isinstance(cut, ApiError) and number == 1:
                raise cut
            yield batch.results(custom_id) if batch.results else ApiResult(custom_id, message=MESSAGE)
            self._step()

    def run(self, worker: str, request: dict[str, Any], result: ApiResult, *, is_paid: bool) -> Any:
        if result.message is None and (result.error is None or result.error.retryable):
            return self.run_live(worker, request)
        self.given.append(request["prompt"])
        if self._api.busy:
            self._api.busy -= 1
            return self._run([{"type": "error", "code": "worker_lost", "message": "no", "retryable": True}], request)
        if result.error:
            return self._run([{"type": "error", "code": "auth", "message": "no", "retryable": False}], request)
        text = result.message["content"][0]["text"]
        return self._run(_answer(text, "economy", 0.0 if is_paid else 0.5), request)

    def run_live(self, worker: str, request: dict[str, Any]) -> Any:
        self.live.append(request["prompt"])
        return self._run(_answer("live", "live", 1.0), request)

    def _run(self, bodies: list[dict[str, Any]], request: dict[str, Any]) -> Any:
        return FakeRunner(bodies).for_async.stream(request)

    async def _called(self, name: str) -> None:
        await anyio.lowlevel.checkpoint()
        self._step()
        self._api.calls[name] += 1
        if failing := self._api.failing.get(name):
            raise failing.pop(0)

    def _found(self, batch_id: str) -> FakeBatch:
        found = next((each for each in self._api.batches if each.id == batch_id), None)
        if found is None:
            raise ModelNotFound(http_status=404, cause="status 404")
        return found


def _answer(text: str, lane: str, cost_usd: float) -> list[dict[str, Any]]:
    usage = {"input_tokens": 2, "output_tokens": 1}
    end = {"stop_reason": "end_turn", "text": text, "usage": usage, "cost_usd": cost_usd, "lane": lane}
    return [{"type": "delta", "text": text, "block": 1}, {"type": "done", **end, "duration_ms": 1, "turns": 1}]


class _SteppingCheckpoint(Checkpoint):
    step: Callable[[], None] = staticmethod(lambda: None)
    writable: int | None = None

    def _append(self, entry: dict[str, Any], *, durable: bool = True) -> None:
        if self.writable is not None:
            self.writable -= 1
            if self.writable < 0:
                raise CheckpointLost("the disk is full")
        self.step()
        super()._append(entry, durable=durable)
        self.step()


class Told:
    """What a start tells."""

    def __init__(self, step: Callable[[], None]) -> None:
        self.records: list[dict[str, Any]] = []
        self._step = step

    async def event(self, event: Event) -> None:
        pass

    async def record(self, record: dict[str, Any]) -> None:
        self._step()
        self.records.append(record)
        self._step()

    def hurry(self) -> None:
        pass


@dataclass
class Start:
    """What one start came to."""

    records: list[dict[str, Any]]
    said: list[str]
    lane: FakeLane
    fake: FakeRunner
    totals: Totals | None = None

    @property
    def lanes(self) -> dict[int, str | None]:
        return {record["line"]: record.get("lane") for record in self.records}


def start(
    path: Path,
    api: FakeApi,
    lines: Iterable[Line],
    *,
    wait: bool = False,
    steps: Steps | None = None,
    account: str = "me",
    on_create: Callable[[Batch], object] = lambda batch: None,
    most: int = 1000,
    writable: int | None = None,
    **limits: Any,
) -> Start:
    """Starts a batch in the economy lane, and has it end or be killed.

    Args:
        path: The checkpoint.
        api: The provider.
        lines: The lines.
        wait: Whether it waits.
        steps: Kill it.
        account: Whose key it has.
        on_create: Is called when the API gets lines.
        most: Lines that are sent together at most.
        writable: How many lines the checkpoint's disk still takes.
        limits: What it may use up.
    """
    step = steps or Steps()
    lane, said = FakeLane(api, step, account), []
    fake = FakeRunner(lambda request: "by an agent")

    async def run() -> Totals:
        economy = Economy(
            lane, checkpoint, workers=["agent-chat"], usual="agent-chat", wait=wait, say=said.append, most_requests=most
        )
        limit = Limits(**{"concurrency": 3, **limits})
        batch = Batch(
            {"agent-chat": _Chosen("agent-chat", fake.for_async, None, None)},
            told,
            limit,
            checkpoint,
            "agent-chat",
            economy=economy,
        )
        api.on_create = lambda: on_create(batch)
        for record in checkpoint.settled.values():
            batch.totals.add(record, earlier=True)
        batch.totals.cost_usd += checkpoint.lost_usd
        try:
            with anyio.fail_after(PATIENCE_S):
                return await batch.run(_given(lines))
        finally:
            economy.close()

    told = Told(step)
    checkpoint = _SteppingCheckpoint(path)
    checkpoint.step, checkpoint.writable = step, writable
    found = Start(told.records, said, lane, fake)
    try:
        told.records += checkpoint.untold()
        checkpoint.all_told()
        found.totals = anyio.run(run)
    except BaseExceptionGroup as faults:
        if faults.subgroup(Killed) is None or faults.split(Killed)[1] is not None:
            raise
    except (Killed, CheckpointLost):
        pass
    finally:
        checkpoint.close()
    return found


class _Chosen(ChosenRunner):
    def runs_here(self, request: Mapping[str, Any]) -> bool:
        return request.get("engine") == "messages"


async def _given(lines: Iterable[Line]) -> AsyncIterator[Line]:
    for line in lines:
        yield line


def asked(*requests: dict[str, Any] | str) -> list[Line]:
    """Lines of the engine messages; a string is a prompt."""
    bodies = [{"engine": "messages", "prompt": each} if isinstance(each, str) else each for each in requests]
    return [Line(number, json.dumps(body).encode()) for number, body in enumerate(bodies, 1)]


def prompts(count: int) -> list[Line]:
    return asked(*(f"prompt {number}" for number in range(1, count + 1)))


LOST = NetworkError(cause="ReadError: the connection broke")
