"""An agent that a pool has kept serves its conversation on, but not one that has gone on elsewhere."""

from collections.abc import Iterator

import pytest

from agent_workers.simulator import Simulator
from tests.e2e.worker import Home
from tests.fleet.redis_server import RedisServer
from tests.fleet.sessions.machines import Request, Slot, counts, wait
from tests.pool.served import ServedPool

WORDS = [f"Word {number} {name}." for number, name in enumerate(("aardvark", "bandicoot", "capybara", "dugong", "emu"))]


@pytest.fixture
def pool(homes: list[Home]) -> Iterator[ServedPool]:
    pool = ServedPool(homes[0], "--min-idle", "0")
    try:
        yield pool
    finally:
        pool.stop()


def test_a_kept_agent_gives_up_a_conversation_that_has_gone_on_on_another_machine(
    homes: list[Home], redis: RedisServer, simulator: Simulator, pool: ServedPool
) -> None:
    here = Slot({**homes[0].environ, "AGENT_WORKERS_POOL": str(pool.path)}, redis.port)
    there = Slot(homes[1].environ, redis.port)
    session: str | None = None
    ways = []
    for number, (slot, words) in enumerate(zip((here, here, there, here, here), WORDS, strict=True)):
        request: Request = {"prompt": words, **({"session": {"resume": session}} if session else {})}
        events = wait(slot.attempt(f"run-{number}", request))
        assert events[-1]["type"] == "done", events
        session = events[-1]["session_id"]
        ways.append(events[0].get("warm"))
        assert counts(simulator, *WORDS) == [1] * (number + 1) + [0] * (len(WORDS) - number - 1)
    assert ways == ["cold", "live", None, "cold", "live"]


def test_a_kept_agent_gives_up_what_an_attempt_has_said_that_is_made_again(
    homes: list[Home], redis: RedisServer, simulator: Simulator, pool: ServedPool
) -> None:
    here = Slot({**homes[0].environ, "AGENT_WORKERS_POOL": str(pool.path)}, redis.port)
    first = wait(here.attempt("one", {"prompt": WORDS[0]}))
    request: Request = {"prompt": WORDS[1], "session": {"resume": first[-1]["session_id"]}}
    wait(here.attempt("two", request, is_final=False))
    again = wait(here.attempt("two", request, attempt=2))
    assert (again[0]["warm"], again[-1]["type"]) == ("cold", "done")
    assert counts(simulator, *WORDS[:2]) == [1, 1]
