"""A pool on the fleet's machine runs its jobs, and the conversation's agent stays for the next one."""

from collections.abc import Callable

from tests.e2e.worker import Home
from tests.fleet.served import CHAT, User, Working
from tests.pool.served import ServedPool


def test_a_pool_of_the_machine_runs_the_jobs(work: Callable[..., Working], user: User, home: Home) -> None:
    pool = ServedPool(home, "--min-idle", "1")
    try:
        pool.wait_for("idle", 1)
        work(env={"AGENT_WORKERS_POOL": str(pool.path)})
        first = user.run(CHAT)
        assert (first[0]["warm"], first[-1]["type"]) == ("warm", "done")
        pool.wait_for("live", 1)
        again = user.submit({**CHAT, "session": {"resume": first[-1]["session_id"]}}).run
        user.follow(again)
        assert user.check(again)[0]["warm"] == "live"
    finally:
        pool.stop()
