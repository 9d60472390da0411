"""Whose job is next: limits hold over the whole fleet and heal, tenants take turns, a limited credential waits."""

import signal
from collections.abc import Callable

from agent_workers.simulator import Simulator
from tests.e2e.worker import Home
from tests.fleet.redis_server import RedisServer
from tests.fleet.served import CHAT, User, Working
from tests.waiting import until

Work = Callable[..., Working]
SLOW = {**CHAT, "prompt": "Go. [[scenario:slow]]"}


def running(user: User, *runs: str) -> int:
    return sum(status.state == "running" for run in runs if (status := user.status(run)))


def begun(user: User, run: str) -> int:
    status = user.status(run)
    assert status
    return int(status.fields["begun"])


def test_tenants_take_turns_however_many_jobs_one_has(work: Work, user: User) -> None:
    many = [user.submit({**CHAT, "tenant": "many"}).run for _ in range(6)]
    one = user.submit({**CHAT, "tenant": "one"}).run
    urgent = user.submit({**CHAT, "tenant": "many", "priority": 5}).run
    work()
    for run in (*many, one, urgent):
        user.follow(run)
    order = sorted([*many, one, urgent], key=lambda run: begun(user, run))
    assert set(order[:2]) == {one, urgent}
    assert order[2:] == many


def test_a_limit_of_a_queue_holds_over_all_processes_and_heals(work: Work, user: User, redis: RedisServer) -> None:
    redis.client.hset("agent-workers:limits", "queue:default", "2")
    first = work("--queue", "default=2", "--lease-s", "2")
    runs = [user.submit({**SLOW, "attempts": 1}).run for _ in range(4)]
    until(lambda: running(user, *runs) == 2)
    work("--queue", "default=4", "--lease-s", "2")
    assert running(user, *runs) == 2
    first.stop(signal.SIGKILL)
    until(lambda: [status.state for run in runs if (status := user.status(run))] == ["error"] * 2 + ["running"] * 2)
    for run in runs[2:]:
        user.abort(run)
        user.follow(run)


def test_a_limit_of_a_tenant_leaves_room_for_others(work: Work, user: User, redis: RedisServer) -> None:
    redis.client.hset("agent-workers:limits", "tenant:*", "1")
    work("--queue", "default=3", "--queue", "other=1")
    first, second = (user.submit({**SLOW, "tenant": "t"}).run for _ in range(2))
    elsewhere = user.submit({**SLOW, "tenant": "t", "queue": "other"}).run
    until(lambda: running(user, first) == 1)
    assert user.run({**CHAT, "tenant": "u"})[-1]["type"] == "done"
    assert running(user, second, elsewhere) == 0
    user.abort(first)
    until(lambda: running(user, second, elsewhere) == 1)
    for run in (second, elsewhere):
        user.abort(run)
        user.follow(run)


def test_a_limited_credential_waits_on_all_machines_and_others_go_on(
    work: Work, user: User, home: Home, simulator: Simulator, redis: RedisServer
) -> None:
    folder = home.root / "credentials"
    folder.mkdir()
    for name in ("a", "b"):
        (folder / name).write_text(f"key-{name}")
    work("--queue", "default=2", "--credentials", str(folder))
    simulator.play("rate-limited-429-long")
    run = user.submit({**CHAT, "credential": "a", "attempts": 2, "engine": "messages"}).run
    until(lambda: redis.client.hget("agent-workers:paused", "a"))
    simulator.play("hello")
    waits = user.submit({**CHAT, "credential": "a"})
    assert waits.state == "queued"
    assert user.run({**CHAT, "credential": "b"})[-1]["type"] == "done"
    assert user.status(waits.run).state == "queued"  # type: ignore[union-attr]
    redis.client.hset("agent-workers:paused", "a", "1")  # as if the time had passed
    assert user.follow(waits.run)[-1].event["type"] == "done"
    user.abort(run)
