"""Runs whose worker, machine or Redis goes: each has one end, and no lost attempt is heard after a newer one."""

import json
import os
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from agent_workers.fleet.serving.escalation import escalated
from agent_workers.simulator import Simulator
from tests.fleet.redis_server import RedisServer
from tests.fleet.served import CHAT, User, Working, processes_below
from tests.waiting import until

Work = Callable[..., Working]
SLOW = {**CHAT, "prompt": "Go. [[scenario:slow]]"}
LEASE = ("--lease-s", "2")


def second_attempt(event: dict[str, Any]) -> bool:
    return event["type"] == "start" and event.get("attempt") == 2


def test_the_run_of_a_process_that_was_killed_begins_again_elsewhere(work: Work, user: User) -> None:
    lost = work(*LEASE)
    run = user.submit({**SLOW, "metadata": {"deal": 7}}).run
    user.wait_for(run, "delta")
    lost.stop(signal.SIGKILL)
    work(*LEASE)
    start = user.follow(run, until_=second_attempt)[-1]
    assert (start.id, start.event["seq"], start.event["metadata"]) == ("2-1", 1, {"deal": 7})
    user.abort(run)
    user.follow(run)
    assert user.check(run)[-1]["type"] == "aborted"


def test_a_run_whose_process_was_killed_too_often_ends_with_worker_lost_and_is_kept(
    work: Work, user: User, redis: RedisServer
) -> None:
    run = user.submit({**SLOW, "attempts": 2, "user": "u", "on_failure": {"queue": "people"}}).run
    for attempt in (1, 2):
        working = work(*LEASE)
        user.follow(run, f"{attempt}-0", lambda event: event["type"] == "delta")
        working.stop(signal.SIGKILL)
    work(*LEASE)
    last = user.follow(run)[-1]
    assert (last.event["code"], last.event["retryable"], last.event["user"]) == ("worker_lost", True, "u")
    assert last.id.startswith("2-")
    user.check(run)
    assert redis.client.zrange("agent-workers:dead", 0, -1) == [run.encode()]
    until(lambda: user.status(escalated(run)), what="the queue that the job names gets it")
    passed_on = user.status(escalated(run))
    assert passed_on
    assert (passed_on.state, passed_on.fields["queue"]) == ("queued", "people")
    assert json.loads(passed_on.job)["prompt"] == SLOW["prompt"]


def test_a_run_that_may_not_begin_twice_does_not(work: Work, user: User) -> None:
    lost = work(*LEASE)
    run = user.submit({**SLOW, "attempts": 1}).run
    user.wait_for(run, "delta")
    lost.stop(signal.SIGKILL)
    work(*LEASE)
    assert user.follow(run)[-1].event["code"] == "worker_lost"
    assert [event["type"] for event in user.check(run)].count("start") == 1


def test_a_process_that_stood_still_past_its_lease_is_not_heard_again(work: Work, user: User) -> None:
    zombie = work(*LEASE)
    run = user.submit(SLOW).run
    user.wait_for(run, "delta")
    zombie.send(signal.SIGSTOP)
    work(*LEASE)
    user.follow(run, until_=second_attempt)
    zombie.send(signal.SIGCONT)
    until(lambda: not processes_below(zombie.process.pid), what="its worker is stopped")
    user.abort(run)
    user.follow(run)
    user.check(run)
    assert [event["seq"] for event in user.check(run)][:2] == [1, 2]


def test_a_worker_that_is_killed_is_another_attempt_on_the_same_machine(work: Work, user: User) -> None:
    working = work()
    run = user.submit(SLOW).run
    user.wait_for(run, "delta")
    for pid in processes_below(working.process.pid):
        os.kill(pid, signal.SIGKILL)
    entries = user.follow(run, until_=second_attempt)
    retry = entries[-2].event
    assert (retry["type"], retry["code"], retry["attempt"], retry["max_attempts"]) == ("retry", "worker_lost", 2, 3)
    user.abort(run)
    user.follow(run)
    user.check(run)


@pytest.mark.parametrize("end", [RedisServer.kill, RedisServer.stop])
def test_redis_that_goes_and_comes_back_loses_no_event_and_stops_no_run(
    work: Work, user: User, redis: RedisServer, end: Callable[[RedisServer], None]
) -> None:
    work("--lease-s", "1")
    run = user.submit({**CHAT, "prompt": "Go. [[scenario:many-deltas]]"}).run
    user.wait_for(run, "start")
    end(redis)
    redis.start()
    user.follow(run)
    whole = user.check(run)
    assert whole[-1]["type"] == "done"
    assert "".join(event["text"] for event in whole if event["type"] == "delta") == whole[-1]["text"]
    assert user.run(CHAT)[-1]["type"] == "done"


def test_a_redis_that_was_emptied_is_worked_for_again(work: Work, user: User, redis: RedisServer) -> None:
    work("--lease-s", "1")
    run = user.submit(SLOW).run
    user.wait_for(run, "delta")
    redis.client.flushall()
    until(lambda: redis.client.exists("agent-workers:queues"))
    assert user.run(CHAT)[-1]["type"] == "done"


def test_a_failure_before_the_first_token_is_tried_again_and_one_after_it_is_not(
    work: Work, user: User, simulator: Simulator
) -> None:
    work()
    simulator.play("overloaded-529")
    run = user.submit({**CHAT, "attempts": 2, "limits": {"timeout_s": 60}}).run
    events = [entry.event for entry in user.follow(run)]
    assert (events[-1]["code"], user.status(run).attempt) == ("overloaded", 2)  # type: ignore[union-attr]
    cut = user.submit({**CHAT, "prompt": "[[scenario:error-mid-stream]] Go"}).run
    assert user.follow(cut)[-1].event["type"] == "error"
    assert user.status(cut).attempt == 1  # type: ignore[union-attr]
    asked = user.submit(
        {
            **CHAT,
            "prompt": "[[scenario:error-mid-stream]] Go",
            "attempts": 2,
            "retry_on": ["overloaded", "server_error"],
        }
    ).run
    assert user.follow(asked)[-1].event["type"] == "error"
    assert user.status(asked).attempt == 2  # type: ignore[union-attr]


def test_nothing_is_left_of_a_run_but_its_events(work: Work, user: User, redis: RedisServer, tmp_path: Path) -> None:
    work()
    run = user.submit({**CHAT, "tenant": "t"}).run
    user.follow(run)
    user.check(run)
    for key in ("queue:default:running", "tenant:t:running", "queue:default:lanes", "expiring"):
        assert not redis.client.exists(f"agent-workers:{key}")
    assert redis.client.xlen("agent-workers:queue:default:jobs") == 0
    assert redis.client.xpending("agent-workers:queue:default:jobs", "workers")["pending"] == 0


def test_a_run_that_has_begun_in_time_may_begin_again_later(work: Work, user: User, redis: RedisServer) -> None:
    working = work()
    run = user.submit({**SLOW, "expires_at": "2099-01-01T00:00:00Z"}).run
    user.wait_for(run, "delta")
    redis.client.hset(f"agent-workers:run:{{{run}}}:job", "expires_at", "1")  # as if the time had passed
    for pid in processes_below(working.process.pid):
        os.kill(pid, signal.SIGKILL)
    user.follow(run, until_=second_attempt)
    user.abort(run)
    assert user.follow(run)[-1].event["type"] == "aborted"
