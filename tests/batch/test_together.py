"""What takes long is done once for all who have come meanwhile."""

import anyio
import pytest

from agent_workers.batch.together import Together
from tests.waiting import PATIENCE_S

pytestmark = pytest.mark.anyio


class Slow:
    """Is done when it is let."""

    def __init__(self) -> None:
        self.begun = 0
        self.fault: Exception | None = None
        self.let = anyio.Event()

    async def act(self) -> None:
        self.begun += 1
        await self.let.wait()
        if self.fault:
            raise self.fault


async def test_who_comes_while_it_is_done_waits_for_the_next_time_with_all_others() -> None:
    slow, ended = Slow(), list[int]()
    together = Together(slow.act)

    async def ask(number: int) -> None:
        await together.done()
        ended.append(number)

    with anyio.fail_after(PATIENCE_S):
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(ask, 0)
            await anyio.wait_all_tasks_blocked()
            for number in range(1, 10):
                tasks.start_soon(ask, number)
            await anyio.wait_all_tasks_blocked()
            assert (slow.begun, ended) == (1, [])
            slow.let.set()
    assert (slow.begun, sorted(ended)) == (2, list(range(10)))


async def test_its_failure_is_that_of_all_for_whom_it_was_done_and_of_no_other() -> None:
    slow, failed = Slow(), list[int]()
    together = Together(slow.act)
    slow.fault = OSError("the disk is full")

    async def ask(number: int) -> None:
        try:
            await together.done()
        except OSError:
            failed.append(number)

    with anyio.fail_after(PATIENCE_S):
        async with anyio.create_task_group() as tasks:
            for number in range(3):
                tasks.start_soon(ask, number)
            await anyio.wait_all_tasks_blocked()
            slow.let.set()
        slow.fault = None
        await together.done()
    assert sorted(failed) == [0, 1, 2]


async def test_who_is_cancelled_while_it_is_done_leaves_it_to_the_next() -> None:
    slow, scope, ended = Slow(), anyio.CancelScope(), list[str]()
    together = Together(slow.act)

    async def give_up() -> None:
        with scope:
            await together.done()
            ended.append("given up")

    async def ask() -> None:
        await together.done()
        ended.append("asked")

    with anyio.fail_after(PATIENCE_S):
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(give_up)
            tasks.start_soon(ask)
            await anyio.wait_all_tasks_blocked()
            scope.cancel()
            await anyio.wait_all_tasks_blocked()
            slow.let.set()
    assert (slow.begun, ended) == (2, ["asked"])
