"""Runs that failed for good, at the terminal: listed, shown, submitted again, dropped."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from agent_workers.fleet.keys import Keys
from tests.fleet.commands import Commands
from tests.fleet.redis_server import RedisServer
from tests.fleet.served import CHAT, User, Working
from tests.waiting import until

Work = Callable[..., Working]
FAILS = {**CHAT, "credential": "of-no-machine", "attempts": 1, "retry_on": ["auth"]}


@pytest.fixture
def failed(work: Work, fleet: Commands, user: User) -> list[str]:
    """Three runs that have failed, one of them in another queue."""
    work("--queue", "default=2", "--queue", "bulk=1")
    runs = [str(each["run"]) for each in fleet.submit({**FAILS, "run": "f-1"}, {**FAILS, "run": "f-2"})]
    runs += [str(fleet.submit({**FAILS, "run": "f-3", "queue": "bulk", "tenant": "acme"})[0]["run"])]
    for run in runs:
        user.follow(run)
    return runs


def listed(fleet: Commands, *options: str) -> dict[str, dict[str, object]]:
    lines = fleet("dead", "list", "--json", *options).stdout.splitlines()
    return {each["run"]: each for each in map(json.loads, lines)}


def test_failed_runs_are_listed_shown_and_dropped(failed: list[str], fleet: Commands, redis: RedisServer) -> None:
    assert set(listed(fleet)) == set(failed)
    assert set(listed(fleet, "--queue", "bulk")) == set(listed(fleet, "--tenant", "acme")) == {"f-3"}
    assert listed(fleet, "--code", "timeout") == {}
    assert listed(fleet)["f-1"]["code"] == "auth"
    shown = fleet("dead", "show", "f-1")
    assert (shown.returncode, shown.stdout.splitlines()[0]) == (0, "f-1  error  auth")
    assert '"credential": "of-no-machine"' in shown.stdout
    as_json = json.loads(fleet("dead", "show", "f-1", "--json").stdout)
    assert (as_json["event"]["code"], as_json["job"]["run"]) == ("auth", "f-1")
    assert fleet("dead", "drop", "f-1").stdout == "f-1: dropped\n"
    assert redis.client.ttl(Keys().job("f-1")) <= redis.client.ttl(Keys().events("f-1")) <= 86_400
    again = fleet("dead", "drop", "f-1", "nobody")
    assert again.returncode == 1
    assert again.stderr.splitlines() == [
        "Error: f-1: is not among the runs that failed for good; it is error",
        "Error: nobody: there is no such run, or it has ended too long ago",
    ]
    assert fleet("dead", "drop", "--all", "--queue", "default").stdout == "f-2: dropped\n"
    assert set(listed(fleet)) == {"f-3"}
    assert fleet("status", "f-3").stdout.splitlines()[0] == "f-3  error  auth"


def test_a_failed_run_is_submitted_again_as_one_new_run_and_both_say_so(
    failed: list[str], fleet: Commands, user: User
) -> None:
    first = json.loads(fleet("dead", "retry", "f-1").stdout)
    assert first["retry_of"] == "f-1"
    assert set(listed(fleet)) - {first["run"]} == {"f-2", "f-3"}
    assert user.follow(first["run"])[-1].event["code"] == "auth"
    again = fleet("dead", "retry", "f-1")
    assert (again.returncode, again.stderr) == (1, f"Error: f-1: was submitted again, as {first['run']}\n")
    assert json.loads(fleet("status", "f-1", "--json").stdout)["retried_as"] == first["run"]
    assert json.loads(fleet("status", first["run"], "--json").stdout)["retry_of"] == "f-1"
    until(lambda: first["run"] in listed(fleet))
    told = fleet("dead", "retry", "--all", "--code", "auth").stdout.splitlines()
    assert {json.loads(line)["retry_of"] for line in told} == {"f-2", "f-3", first["run"]}


def test_a_retry_leaves_out_the_times_of_the_first_and_says_what_is_no_job_today(
    failed: list[str], fleet: Commands, redis: RedisServer
) -> None:
    job = json.loads(redis.client.hget(Keys().job("f-2"), "job") or b"")
    late = {**job, "run_at": "2020-01-01T00:00:00Z", "expires_at": "2020-01-02T00:00:00Z"}
    redis.client.hset(Keys().job("f-2"), "job", json.dumps(late))
    redis.client.hset(Keys().job("f-3"), "job", json.dumps({**job, "of_yesterday": 1}))
    ended = fleet("dead", "retry", "f-3", "f-2")
    assert ended.returncode == 1
    assert ended.stderr.splitlines() == [
        "Error: f-3: its job would not be accepted today:",
        "  /of_yesterday: is not a known field",
    ]
    assert "f-3" in listed(fleet)
    new = json.loads(fleet("dead", "show", json.loads(ended.stdout)["run"], "--json").stdout)
    assert not {"run_at", "expires_at"} & new["job"].keys()


def test_a_failed_run_whose_job_has_gone_is_listed_and_can_be_dropped(
    failed: list[str], fleet: Commands, redis: RedisServer
) -> None:
    redis.client.delete(Keys().job("f-2"))
    assert listed(fleet)["f-2"]["state"] is None
    assert "its job has gone" in fleet("dead", "list").stdout
    assert fleet("dead", "show", "f-2").returncode == 1
    assert "can only be dropped" in fleet("dead", "retry", "f-2").stderr
    assert fleet("dead", "drop", "f-2").returncode == 0
    assert set(listed(fleet)) == {"f-1", "f-3"}


def test_which_runs_are_meant_must_be_said(fleet: Commands) -> None:
    assert fleet("dead", "list").stdout == "no run has failed for good\n"
    for words in (("retry",), ("drop", "r", "--all"), ("drop", "r", "--code", "auth"), ("drop",)):
        assert fleet("dead", *words).returncode == 2


def test_a_person_whom_a_job_names_for_its_failure_is_told_on_with_it(
    work: Work, fleet: Commands, user: User, redis: RedisServer
) -> None:
    work()
    for name in ("Anna Muster", "bö"):
        user.follow(
            user.submit({**FAILS, "run": f"of {name}".replace(" ", "-")[:4], "on_failure": {"person": name}}).run
        )
    assert set(listed(fleet, "--person", "Anna Muster")) == {"of-A"}
    assert listed(fleet)["of-b"]["person"] == "bö"
    entries: Any = redis.client.xrange("agent-workers:for-people")
    assert [(fields[b"run"], fields[b"person"].decode()) for _, fields in entries] == [
        (b"of-A", "Anna Muster"),
        (b"of-b", "bö"),
    ]
