"""Calls of many runs, which wait for the account's limits in their order."""

from collections.abc import Iterator
from contextlib import AsyncExitStack, contextmanager
from datetime import UTC, datetime, timedelta

import anyio
import anyio.abc
import pytest

from agent_workers.engine.messages import limits, pace
from agent_workers.engine.messages.pace import Call, Pace
from tests.waiting import PATIENCE_S

pytestmark = pytest.mark.anyio
MODEL = "claude-x"


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


class Clock:
    """Seconds since the test began; they pass when something waits."""

    def __init__(self) -> None:
        self.now = 0.0

    def monotonic(self) -> float:
        return 1000 + self.now

    def time(self) -> float:
        return 1_800_000_000 + self.now

    @contextmanager
    def move_on_after(self, seconds: float) -> Iterator[None]:
        self.now += seconds
        with anyio.CancelScope() as scope:
            scope.cancel()
            yield


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(pace, "time", clock)
    monkeypatch.setattr(limits, "time", clock)
    monkeypatch.setattr(pace, "awake", clock)
    return clock


async def begun(queue: Pace, clock: Clock, count: int) -> list[int]:
    """In which second each of some calls begins, one after the other; none of them ends."""
    times = []
    async with AsyncExitStack() as calls:
        for _ in range(count):
            await calls.enter_async_context(queue.call(MODEL))
            times.append(round(clock.now))
    return times


async def told_pace(clock: Clock, headers: dict[str, str], *, tokens: int = 0) -> Pace:
    """A pace that has seen one call, and many before."""
    found = Pace()
    for _ in range(1000):
        async with found.call(MODEL) as call:
            call.hear({})
    async with found.call(MODEL) as call:
        call.hear(headers)
        call.use(tokens, tokens)
    clock.now += 0.001
    return found


def full_at(clock: Clock, kind: str, *, limit: int, left: int, full_in_s: float) -> dict[str, str]:
    """What an answer says of a limit."""
    reset = datetime.fromtimestamp(clock.time() + full_in_s, UTC).isoformat()
    values = {"limit": limit, "remaining": left, "reset": reset}
    return {f"anthropic-ratelimit-{kind}-{name}": f"{value}" for name, value in values.items()}


async def test_calls_begin_as_fast_as_the_limit_fills_up_and_no_slower(clock: Clock) -> None:
    queue = await told_pace(clock, full_at(clock, "requests", limit=60, left=2, full_in_s=58))  # one a second
    assert await begun(queue, clock, 6) == [0, 0, 1, 2, 3, 4]


async def test_what_has_filled_up_while_nothing_was_asked_need_not_be_waited_for(clock: Clock) -> None:
    queue = await told_pace(clock, full_at(clock, "requests", limit=60, left=0, full_in_s=60))
    clock.now += 10
    assert await begun(queue, clock, 12) == [10] * 9 + [10, 11, 12]


@pytest.mark.parametrize("kind", ["input-tokens", "output-tokens", "tokens"])
async def test_tokens_are_guessed_from_the_calls_before(clock: Clock, kind: str) -> None:
    needed = 1000 if kind == "tokens" else 500
    headers = full_at(clock, kind, limit=60 * needed, left=needed, full_in_s=59)
    queue = await told_pace(clock, headers, tokens=500)
    assert await begun(queue, clock, 3) == [0, 1, 2]


async def test_at_first_nothing_is_expected_before_the_limit_is_full(clock: Clock) -> None:
    queue = Pace()
    async with queue.call(MODEL) as call:
        call.hear(full_at(clock, "requests", limit=60, left=1, full_in_s=59))
    clock.now += 0.001
    assert await begun(queue, clock, 4) == [0, 59, 59, 59]


async def test_after_a_refusal_less_is_expected_until_the_limit_is_full(clock: Clock) -> None:
    queue = await told_pace(clock, full_at(clock, "requests", limit=60, left=0, full_in_s=60))
    async with queue.call(MODEL) as call:
        assert round(clock.now) == 1
        call.hear(full_at(clock, "requests", limit=60, left=0, full_in_s=60))
        call.refuse(5000)
    assert await begun(queue, clock, 2) == [1 + 5, 1 + 8]


async def test_no_call_waits_for_ever(clock: Clock) -> None:
    queue = Pace()
    async with queue.call(MODEL) as call:
        call.hear(full_at(clock, "requests", limit=1, left=0, full_in_s=10**6))
        call.refuse(10**9)
    assert await begun(queue, clock, 1) == [60]


class Callers:
    """Makes calls that end when they are let."""

    def __init__(self, pace: Pace) -> None:
        self.calls: list[Call] = []
        self._pace = pace
        self._end = anyio.Event()

    async def call(self, model: str = MODEL) -> None:
        async with self._pace.call(model) as call:
            self.calls.append(call)
            await self._end.wait()

    async def begin(self, tasks: anyio.abc.TaskGroup, count: int, model: str = MODEL) -> None:
        for _ in range(count):
            tasks.start_soon(self.call, model)
        await anyio.wait_all_tasks_blocked()

    def end(self) -> None:
        self._end.set()


def told(limit: int, remaining: int, full_in_s: float = 3600) -> dict[str, str]:
    prefix, full = "anthropic-ratelimit-requests-", datetime.now(UTC) + timedelta(seconds=full_in_s)
    return {f"{prefix}limit": f"{limit}", f"{prefix}remaining": f"{remaining}", f"{prefix}reset": full.isoformat()}


async def test_the_first_few_ask_and_the_others_wait_until_the_limits_are_known() -> None:
    callers = Callers(Pace())
    async with anyio.create_task_group() as tasks:
        await callers.begin(tasks, 50)
        assert len(callers.calls) == 4
        callers.calls[0].hear({})
        await anyio.wait_all_tasks_blocked()
        assert len(callers.calls) == 50
        callers.end()


async def test_where_no_answer_begins_the_others_wait_no_longer_than_is_worth_it(clock: Clock) -> None:
    assert await begun(Pace(), clock, 7) == [0, 0, 0, 0, 5, 5, 5]


async def test_no_more_are_made_than_the_api_has_room_for() -> None:
    callers = Callers(Pace())
    async with anyio.create_task_group() as tasks:
        await callers.begin(tasks, 50)
        for number, call in enumerate(callers.calls[:4]):
            call.hear(told(20, 19 - number))
        await anyio.wait_all_tasks_blocked()
        assert len(callers.calls) == 20
        tasks.cancel_scope.cancel()


async def test_what_an_answer_says_that_was_asked_for_earlier_does_not_open_more() -> None:
    callers = Callers(Pace())
    async with anyio.create_task_group() as tasks:
        await callers.begin(tasks, 50)
        for number, call in reversed(list(enumerate(callers.calls[:4]))):
            call.hear(told(20, 19 - number, 3600 + number))
        await anyio.wait_all_tasks_blocked()
        assert len(callers.calls) == 20
        tasks.cancel_scope.cancel()


async def test_each_model_has_limits_of_its_own() -> None:
    callers = Callers(Pace())
    async with anyio.create_task_group() as tasks:
        await callers.begin(tasks, 1)
        callers.calls[0].hear(told(20, 0))
        await callers.begin(tasks, 9)
        assert len(callers.calls) == 1
        await callers.begin(tasks, 3, "claude-y")
        assert len(callers.calls) == 4
        tasks.cancel_scope.cancel()


async def test_a_refusal_stops_all_for_the_time_that_it_names() -> None:
    callers = Callers(Pace())
    async with anyio.create_task_group() as tasks:
        await callers.begin(tasks, 1)
        callers.calls[0].hear({})
        callers.calls[0].refuse(600_000)
        await callers.begin(tasks, 3)
        assert len(callers.calls) == 1
        tasks.cancel_scope.cancel()


async def test_tokens_of_answers_under_way_count_before_they_come() -> None:
    callers = Callers(Pace())
    headers = {name.replace("requests", "output-tokens"): value for name, value in told(1000, 1000).items()}
    async with anyio.create_task_group() as tasks:
        await callers.begin(tasks, 1)
        callers.calls[0].hear(headers)
        callers.calls[0].use(10, 100)
        await callers.begin(tasks, 50)
        assert len(callers.calls) == 10
        tasks.cancel_scope.cancel()


async def test_a_place_that_was_waited_for_is_that_of_the_first_call_of_a_run() -> None:
    shared = Pace()
    callers = Callers(shared)
    async with anyio.create_task_group() as tasks:
        await callers.begin(tasks, 3)
        async with shared.place(MODEL):
            await callers.begin(tasks, 1)  # as a run that begins in the block
            assert len(callers.calls) == 4
            await callers.begin(tasks, 1)
            assert len(callers.calls) == 4
        callers.calls[0].hear({})
        await anyio.wait_all_tasks_blocked()
        assert len(callers.calls) == 5
        callers.end()


async def test_a_place_that_nobody_takes_is_given_back() -> None:
    shared = Pace()
    with anyio.fail_after(PATIENCE_S):
        for _ in range(20):
            async with shared.place(MODEL):
                pass
        async with shared.call(MODEL) as call:
            assert not call.is_heard
