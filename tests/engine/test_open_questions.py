"""Questions to the application: each is resolved once, whatever happens at the same time."""

import anyio
import pytest

from agent_workers.engine.base import Progress
from agent_workers.engine.questions.open_questions import OpenQuestions
from agent_workers.protocol.v1.control import Permission
from agent_workers.protocol.v1.events import Body
from tests.waiting import PATIENCE_S

pytestmark = pytest.mark.anyio


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


async def test_a_resolution_on_its_way_to_a_slow_reader_is_not_told_twice() -> None:
    pending = OpenQuestions(Progress())
    told: list[Body] = []
    at_it, go_on = anyio.Event(), anyio.Event()

    async def tell(body: Body) -> bool:
        told.append(body)
        if body.type == "permission_resolved":
            at_it.set()
            await go_on.wait()
        else:
            answer = Permission(type="permission", id="1", permission_id=body.permission_id, behavior="allow")
            assert pending.answer(answer).ok
        return True

    pending.tell = tell
    with anyio.fail_after(PATIENCE_S):
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(_ask, pending)
            await at_it.wait()
            assert pending.unsettled() == []
            go_on.set()
    assert [body.type for body in told] == ["permission_request", "permission_resolved"]


async def test_a_question_that_could_not_be_told_is_not_resolved() -> None:
    pending = OpenQuestions(Progress())

    async def tell(body: Body) -> bool:
        return False

    pending.tell = tell
    with anyio.fail_after(PATIENCE_S):
        await _ask(pending)
    assert pending.unsettled() == []


async def _ask(pending: OpenQuestions) -> None:
    await pending.permission(tool_use_id="t", name="Bash", tool_input={}, reason=None, timeout_s=5)
