"""Jobs as whoever submits them sees them: each runs, is followed from any point, stopped, told something."""

import signal
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from agent_workers.fleet.fleet import NoSuchRun, RunOver, RunTaken
from agent_workers.simulator import Simulator, journal
from tests.e2e.worker import Home
from tests.fleet.redis_server import RedisServer, running_redis
from tests.fleet.served import CHAT, User, Working

Work = Callable[..., Working]
SLOW = {**CHAT, "prompt": "Go. [[scenario:slow]]"}


def test_a_job_runs_and_each_event_of_its_worker_is_in_its_stream(work: Work, user: User, redis: RedisServer) -> None:
    work()
    run = user.submit({**CHAT, "user": "u-1", "metadata": {"a": [1, 2.5, "é"]}}).run
    events = [entry.event for entry in user.follow(run)]
    assert [event["type"] for event in events[:2]] == ["start", "session"]
    assert events == user.check(run)
    assert events[0]["metadata"] == {"a": [1, 2.5, "é"]}
    assert "attempt" not in events[0]
    status = user.status(run)
    assert status
    assert (status.state, status.attempt, status.fields["user"]) == ("done", 1, "u-1")
    assert status.fields["session_id"] == events[1]["session_id"]
    assert 0 < redis.client.ttl(f"agent-workers:run:{{{run}}}") <= 86_400


def test_a_reader_goes_on_after_any_event(work: Work, user: User) -> None:
    work()
    run = user.submit(CHAT).run
    whole = user.follow(run)
    for at in (1, len(whole) // 2, len(whole) - 1):
        assert user.follow(run, after=whole[at - 1].id) == whole[at:]
    with pytest.raises(NoSuchRun):
        user.follow(run, after=whole[-1].id)


def test_a_job_that_is_submitted_twice_runs_once(work: Work, user: User) -> None:
    job = {**CHAT, "run": "r-1"}
    assert user.submit(job).is_new
    assert not user.submit(job).is_new
    with pytest.raises(RunTaken):
        user.submit({**job, "prompt": "Something else"})
    work()
    user.follow("r-1")
    assert not user.submit(job).is_new
    assert [event["type"] for _, event in user.entries("r-1")].count("start") == 1


def test_a_job_that_waits_is_aborted_at_once_and_echoes_what_it_was_for(user: User) -> None:
    run = user.submit({**CHAT, "user": "u", "subject": {"type": "deal", "id": "7"}}).run
    user.abort(run)
    (entry,) = user.follow(run)
    assert (entry.id, entry.event["type"], entry.event["reason"]) == ("1-1", "aborted", "client")
    assert (entry.event["user"], entry.event["subject"]) == ("u", {"type": "deal", "id": "7"})
    with pytest.raises(RunOver):
        user.abort(run)
    with pytest.raises(NoSuchRun):
        user.abort("nobody")


def test_a_job_that_runs_is_aborted(work: Work, user: User) -> None:
    work()
    run = user.submit(SLOW).run
    user.wait_for(run, "delta")
    user.abort(run)
    assert user.follow(run)[-1].event["type"] == "aborted"
    assert [event["type"] for event in user.check(run)][-1] == "aborted"


def test_a_job_begins_at_its_time_and_not_after_it(work: Work, user: User) -> None:
    work()
    now = datetime.now(UTC)
    late = user.submit({**CHAT, "run_at": (now + timedelta(seconds=2)).isoformat()})
    never = user.submit({**CHAT, "run_at": (now + timedelta(days=2)).isoformat()})
    assert (late.state, never.state) == ("scheduled", "scheduled")
    events = [entry.event for entry in user.follow(late.run)]
    assert datetime.fromisoformat(events[0]["ts"]) >= now + timedelta(seconds=2)
    assert user.entries(never.run) == []


def test_a_job_that_could_not_begin_in_time_ends_with_timeout(work: Work, user: User) -> None:
    expired = (datetime.now(UTC) - timedelta(seconds=1)).isoformat()
    run = user.submit({**CHAT, "expires_at": expired, "user": "u"}).run
    work()
    (entry,) = user.follow(run)
    assert (entry.event["type"], entry.event["code"], entry.event["user"]) == ("error", "timeout", "u")


@pytest.fixture
def shown(simulator: Simulator, monkeypatch: pytest.MonkeyPatch) -> Simulator:
    """A model whose journal shows the keys."""
    monkeypatch.setattr(journal, "_SECRETS", frozenset())
    return simulator


def test_a_credential_is_one_of_the_machine_and_its_name_alone_is_in_redis(
    work: Work, user: User, home: Home, shown: Simulator
) -> None:
    folder = home.root / "credentials"
    folder.mkdir()
    (folder / "team-7").write_text("key-of-team-7\n")
    work("--credentials", str(folder))
    assert user.run({**CHAT, "credential": "team-7"})[-1]["type"] == "done"
    assert {record.headers["x-api-key"] for record in shown.requests("/v1/messages")} == {"key-of-team-7"}
    missing = user.run({**CHAT, "credential": "team-8"})[-1]
    assert (missing["type"], missing["code"]) == ("error", "auth")
    assert b"key-of-team-7" not in b"".join(
        path.read_bytes() for path in user.redis.folder.rglob("*") if path.is_file()
    )


def test_what_the_hosts_policy_refuses_ends_the_run_and_is_not_tried_again(work: Work, user: User, home: Home) -> None:
    policy = home.root / "policy.toml"
    policy.write_text('version = 1\nmodels = ["claude-haiku-4-5"]\n')
    work("--policy", str(policy))
    run = user.submit({**CHAT, "model": "claude-opus-4-8"}).run
    events = [entry.event for entry in user.follow(run)]
    assert [event.get("code") for event in events] == ["policy_denied"]
    status = user.status(run)
    assert status
    assert (status.state, status.attempt) == ("error", 1)


def test_what_a_run_is_told_reaches_its_worker_which_says_so(work: Work, user: User) -> None:
    work()
    run = user.submit(SLOW).run
    user.wait_for(run, "delta")
    name = user.send(run, {"type": "permission", "permission_id": "nobody-asked", "behavior": "allow"})
    ack = user.wait_for(run, "ack")
    assert (ack["id"], ack["ok"], ack["code"]) == (name, False, "not_pending")
    user.abort(run)
    user.follow(run)


def test_a_process_that_is_stopped_lets_its_run_end(work: Work, user: User) -> None:
    working = work("--grace-s", "100")
    run = user.submit({**CHAT, "prompt": "Hello [[scenario:memory]]"}).run
    user.wait_for(run, "start")
    assert working.stop() == 0
    assert user.check(run)[-1]["type"] == "done"


def test_a_process_that_may_not_wait_gives_its_run_to_another_at_once(
    work: Work, user: User, redis: RedisServer
) -> None:
    working = work("--grace-s", "0", "--lease-s", "3000")
    run = user.submit(SLOW).run
    user.wait_for(run, "delta")
    assert working.stop(signal.SIGINT) == 0
    assert user.status(run).state == "queued"  # type: ignore[union-attr]
    work("--lease-s", "3000")
    entries = user.follow(run, until_=lambda event: event["type"] == "start" and event.get("attempt") == 2)
    assert entries[-1].id == "2-1"
    user.abort(run)
    assert user.follow(run)[-1].event["type"] == "aborted"
    user.check(run)
    assert redis.client.smembers("agent-workers:queue:default:running") == set()


def test_a_run_that_may_not_begin_twice_ends_where_its_process_is_stopped(work: Work, user: User) -> None:
    working = work("--grace-s", "0")
    run = user.submit({**SLOW, "attempts": 1}).run
    user.wait_for(run, "delta")
    working.stop()
    last = user.check(run)[-1]
    assert (last["type"], last["code"]) == ("error", "worker_lost")


def test_a_redis_behind_a_socket_serves_a_fleet(home: Home, tmp_path: Path) -> None:
    path = tmp_path / "redis.sock"
    with running_redis(tmp_path / "behind", "--unixsocket", str(path)) as redis:
        redis.url = f"unix://{path}"
        working = Working(home, redis).wait_up()
        try:
            assert User(redis).run(CHAT)[-1]["type"] == "done"
        finally:
            working.stop()
