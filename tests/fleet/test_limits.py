"""Limits at the terminal: they hold at once, and what waits and fits begins at once."""

import json
from collections.abc import Callable

from tests.fleet.commands import Commands
from tests.fleet.served import CHAT, User, Working
from tests.waiting import until

Work = Callable[..., Working]
SLOW = {**CHAT, "prompt": "Go. [[scenario:slow]]"}


def test_a_limit_holds_at_once_and_what_fits_begins_when_it_goes(work: Work, fleet: Commands, user: User) -> None:
    assert fleet("limits").stdout == "no limits: as many runs at once as there are slots\n"
    assert fleet("limits", "set", "queue", "default", "0").stdout == "queue default: 0\n"
    work("--queue", "default=3")
    runs = [each["run"] for each in fleet.submit(*[{**SLOW, "tenant": "acme"}] * 3)]

    def running() -> int:
        return json.loads(fleet("status", "--json").stdout)["queues"]["default"]["running"]

    assert running() == 0
    assert "default: is held by its limit of 0" in fleet("status").stdout
    assert fleet("limits", "set", "tenant", "*", "1").stdout == "tenant *: 1\n"
    assert fleet("limits", "unset", "queue", "default").stdout == "queue default: no limit of its own\n"
    until(lambda: running() == 1)
    status = json.loads(fleet("status", "--json").stdout)
    assert status["tenants"] == {"acme": {"waiting": 2, "running": 1, "limit": 1}}
    fleet("limits", "set", "tenant", "acme", "2")
    until(lambda: running() == 2)
    assert fleet("limits").stdout == "tenant *: 1\ntenant acme: 2\n"
    assert json.loads(fleet("limits", "show", "--json").stdout) == {"queue": {}, "tenant": {"*": 1, "acme": 2}}
    fleet("abort", *runs)
    for run in runs:
        user.follow(run)


def test_a_change_lets_begin_what_waits_where_no_process_would_look_soon(fleet: Commands, user: User) -> None:
    """A slot that no process keeps stands for one that is idle: nothing but the change admits a job."""
    fleet("limits", "set", "queue", "*", "0")
    now_ms = user.redis.client.time()[0] * 1000  # type: ignore[index]
    user.redis.client.zadd("agent-workers:queue:default:slots", {"host/1": now_ms + 3_600_000})
    run = fleet.submit(CHAT)[0]["run"]
    assert user.status(run).state == "queued"  # type: ignore[union-attr]
    fleet("limits", "set", "queue", "default", "1")
    assert user.status(run).state == "admitted"  # type: ignore[union-attr]


def test_what_is_no_limit_is_refused(fleet: Commands) -> None:
    for words in (
        ("set", "queue", "Not A Queue", "1"),
        ("set", "tenant", "", "1"),
        ("set", "queue", "a", "-1"),
        ("set", "user", "a", "1"),
        ("--redis", "redis://127.0.0.1:1/0", "set", "queue", "a", "1"),
    ):
        assert fleet("limits", *words).returncode == 2
    assert fleet("limits", "unset", "queue", "a").stdout == "queue a: there was none\n"
