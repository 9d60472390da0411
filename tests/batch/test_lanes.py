"""Slow runs in processes of their own and cheap ones in the batch's: neither waits for the other."""

import json
from collections.abc import AsyncIterator, Mapping
from contextlib import nullcontext
from typing import Any

import anyio
import pytest
from anyio.lowlevel import checkpoint

from agent_workers.batch.batch import Batch
from agent_workers.batch.item import Line
from agent_workers.batch.lanes import Lanes
from agent_workers.batch.limits import Limits
from agent_workers.batch.pace import Account, Pace
from agent_workers.client import FakeRunner, RunFailed
from agent_workers.client.choice import ChosenRunner, EngineChoice
from tests.waiting import PATIENCE_S

pytestmark = pytest.mark.anyio


class Gate:
    """A runner whose runs end when it is opened."""

    def __init__(self) -> None:
        self.running = 0
        self.most = 0
        self.opened = anyio.Event()
        self._fake = FakeRunner(lambda request: "done").for_async

    def stream(self, request: Mapping[str, Any]) -> Any:
        return _Waiting(self, self._fake.stream(request))

    def runner(self, worker: str) -> Any:
        return self

    def place(self, request: Mapping[str, Any]) -> Any:
        return nullcontext()


class _Waiting:
    def __init__(self, gate: Gate, run: Any) -> None:
        self._gate = gate
        self._run = run

    async def __aenter__(self) -> Any:
        self._gate.running += 1
        self._gate.most = max(self._gate.most, self._gate.running)
        try:
            await self._gate.opened.wait()
        finally:
            self._gate.running -= 1
        return await self._run.__aenter__()

    async def __aexit__(self, *error: Any) -> None:
        await self._run.__aexit__(*error)


class Told:
    def __init__(self) -> None:
        self.lines: list[int] = []

    async def event(self, event: Any) -> None: ...

    async def record(self, record: dict[str, Any]) -> None:
        self.lines.append(record["line"])

    def hurry(self) -> None: ...


class Given:
    """Lines, and how many of them were read."""

    def __init__(self, engines: list[str]) -> None:
        self.read = 0
        self._lines = [
            Line(number, json.dumps({"worker": "agent-chat", "prompt": "x", "engine": engine}).encode())
            for number, engine in enumerate(engines, 1)
        ]

    async def __aiter__(self) -> AsyncIterator[Line]:
        for line in self._lines:
            self.read += 1
            yield line


async def settled(condition: Any) -> None:
    """Waits until something is so."""
    with anyio.fail_after(PATIENCE_S):
        while not condition():
            await checkpoint()


def batch(apart: Gate, here: Gate, told: Told) -> Batch:
    runner = ChosenRunner("agent-chat", apart, here, EngineChoice())  # type: ignore[arg-type]
    return Batch({"agent-chat": runner}, told, Limits(concurrency=2, here=5))


async def test_neither_kind_of_runs_keeps_the_other_waiting() -> None:
    for slow, quick, names in ((0, 1, ("agent", "messages")), (1, 0, ("messages", "agent"))):
        gates, told = (Gate(), Gate()), Told()
        gates[quick].opened.set()
        given = Given([names[0]] * 20 + [names[1]] * 30)
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(batch(*gates, told).run, given)
            await settled(lambda told=told: len(told.lines) == 30)
            assert set(told.lines) == set(range(21, 51))
            gates[slow].opened.set()
        assert gates[slow].most == (2, 5)[slow]
        assert sorted(told.lines) == list(range(1, 51))


async def test_no_more_lines_are_read_than_are_worth_it() -> None:
    apart, here, told = Gate(), Gate(), Told()
    given = Given(["agent"] * 1000)
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(batch(apart, here, told).run, given)
        await settled(lambda: apart.running == 2)
        await anyio.wait_all_tasks_blocked()
        assert given.read == 2 + 256 + 1  # running, read ahead, and the one that waits for room
        apart.opened.set()
    assert len(told.lines) == 1000


async def test_long_lines_are_not_read_ahead() -> None:
    lanes, long = Lanes(1, 1), Line(1, b"x" * (40 << 20))
    with anyio.fail_after(PATIENCE_S):
        await lanes.enter(lanes.apart, long)
    with anyio.move_on_after(0.01) as waiting:
        await lanes.enter(lanes.apart, long)
    assert waiting.cancelled_caught
    with anyio.fail_after(PATIENCE_S):
        await lanes.enter(lanes.here, long)  # which can begin


async def test_a_rate_limit_of_one_kind_slows_both_and_lessens_its_own() -> None:
    account = Account()
    one, other = Pace(8, account), Pace(8, account)
    event = {"code": "rate_limited", "message": "m", "retryable": True, "retry_after_ms": 600_000}
    one.note_failure(RunFailed(event), 1)
    assert other.waits_s > 500
    assert (one.allowed, other.allowed) == (4, 8)


async def test_runs_begin_in_the_order_in_which_they_came() -> None:
    pace, begun = Pace(1), list[int]()

    async def run(number: int) -> None:
        async with pace:
            begun.append(number)
            await checkpoint()

    async with anyio.create_task_group() as tasks:
        for number in range(9):
            tasks.start_soon(run, number)
    assert begun == list(range(9))


async def test_one_that_is_cancelled_while_it_waits_leaves_its_turn_to_the_next() -> None:
    pace, is_done = Pace(1), anyio.Event()

    async def run() -> None:
        async with pace:
            is_done.set()

    async with anyio.create_task_group() as tasks, pace:
        with anyio.move_on_after(0):
            async with pace:
                raise AssertionError("there was no room")
        tasks.start_soon(run)
        await anyio.wait_all_tasks_blocked()
        assert not is_done.is_set()
    assert is_done.is_set()


@pytest.mark.parametrize(
    ("stream", "wanted", "expected"),
    [
        (None, False, {"partial": False}),
        ({"ping_s": 5}, False, {"ping_s": 5, "partial": False}),
        ({"partial": "x"}, False, {"partial": "x"}),
        ("x", False, "x"),
        (None, True, None),
    ],
)
async def test_an_answer_whose_events_nobody_reads_comes_whole(stream: Any, wanted: bool, expected: Any) -> None:
    here = FakeRunner("Hello.")

    class Engine(Gate):
        def stream(self, request: Mapping[str, Any]) -> Any:
            return here.for_async.stream(request)

    request = {"worker": "agent-chat", "prompt": "x", "engine": "messages", **({"stream": stream} if stream else {})}
    runner = ChosenRunner("agent-chat", Gate(), Engine(), EngineChoice())  # type: ignore[arg-type]

    async def lines() -> AsyncIterator[Line]:
        yield Line(1, json.dumps(request).encode())

    await Batch({"agent-chat": runner}, Told(), Limits(concurrency=1), wants_events=wanted).run(lines())
    assert here.requests[0].get("stream") == expected
