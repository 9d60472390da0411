"""Chained lines in a fleet: each attempt is a chain of its own, and what the fleet itself writes goes on in it."""

import json
import os
import signal
from collections.abc import Callable

import pytest

from agent_workers.proof import Report, verify
from agent_workers.simulator import Simulator
from tests.fleet.redis_server import RedisServer
from tests.fleet.served import CHAT, User, Working, processes_below
from tests.waiting import until

Work = Callable[..., Working]
ON = {"AGENT_WORKERS_CHAIN": "1"}
LEASE = ("--lease-s", "2")
SLOW = {**CHAT, "prompt": "Go. [[scenario:slow]]"}


def proven(redis: RedisServer, run: str) -> Report:
    """What the lines of a run in Redis prove."""
    found = redis.client.xrange(f"agent-workers:run:{{{run}}}")
    lines = [fields[b"event"] + b"\n" for _, fields in found if b"event" in fields]
    report = verify(lines)
    assert report.findings == []
    assert report.is_chained
    head = redis.client.hget(f"agent-workers:run:{{{run}}}:job", "head")
    assert head is None or head.decode() == report.runs[0].head
    return report


def test_each_attempt_is_a_chain_and_what_the_fleet_tells_of_it_goes_on_in_it(
    work: Work, user: User, redis: RedisServer
) -> None:
    working = work(*LEASE, env=ON)
    run = user.submit({**SLOW, "attempts": 2}).run
    user.wait_for(run, "delta")
    for pid in processes_below(working.process.pid):
        os.kill(pid, signal.SIGKILL)
    user.follow(run, "2-0", lambda event: event["type"] == "delta")  # after the fleet's retry
    user.abort(run)
    user.follow(run)
    report = proven(redis, run)
    assert (report.runs[0].attempts, report.runs[0].ended, report.runs[0].remarks) == (2, "aborted", [])


def test_the_end_of_a_run_whose_machine_was_lost_goes_on_from_its_last_line(
    work: Work, user: User, redis: RedisServer
) -> None:
    lost = work(*LEASE, env=ON)
    run = user.submit({**SLOW, "attempts": 1, "user": "u"}).run
    user.wait_for(run, "delta")
    lost.stop(signal.SIGKILL)
    work(*LEASE)  # a machine whose own lines are not chained
    assert user.follow(run)[-1].event["code"] == "worker_lost"
    assert proven(redis, run).runs[0].ended == "error"


@pytest.mark.parametrize("where", ["before it begins", "between attempts"])
def test_a_run_that_is_stopped_while_no_worker_has_it(
    work: Work, user: User, redis: RedisServer, simulator: Simulator, where: str
) -> None:
    if where == "between attempts":
        simulator.play("overloaded-529")
        work(*LEASE, env=ON)
        run = user.submit({**CHAT, "attempts": 3}).run
        user.follow(run, until_=lambda event: event["type"] == "retry" and event["max_attempts"] == 3)
        until(lambda: getattr(user.status(run), "state", "") == "scheduled")
        user.abort(run)
        assert user.follow(run)[-1].event["type"] == "aborted"
        proven(redis, run)
    else:
        run = user.submit(CHAT).run
        user.abort(run)
        [(_, fields)] = redis.client.xrange(f"agent-workers:run:{{{run}}}")
        assert "prev" not in json.loads(fields[b"event"])  # nobody knows by which machine it would have been run


def test_a_conversation_that_could_not_be_kept_is_told_in_the_chain(
    work: Work, user: User, redis: RedisServer, home: object
) -> None:
    work(env={**ON, "AGENT_WORKERS_SESSIONS": "file:///proc/no-such-folder"})
    run = user.submit(CHAT).run
    user.follow(run)
    assert proven(redis, run).runs[0].ended in ("done", "error")


def test_a_job_that_no_worker_takes_begins_a_chain(work: Work, user: User, redis: RedisServer) -> None:
    work(env=ON)
    run = user.submit({**CHAT, "credential": "none-such"}).run
    assert user.follow(run)[-1].event["code"] == "auth"
    assert proven(redis, run).lines == 1
