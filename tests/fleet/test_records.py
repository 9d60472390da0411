"""A fleet whose runs are recorded: whatever becomes of its processes, each run is in the database once."""

import signal
import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.e2e.worker import Home
from tests.fleet.served import CHAT, User, Working
from tests.waiting import until

Work = Callable[..., Working]


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "records.db"


def rows(file: Path, query: str) -> list[tuple]:
    if not file.exists():
        return []
    connection = sqlite3.connect(file)
    try:
        return connection.execute(query).fetchall()
    except sqlite3.OperationalError:  # no table yet
        return []
    finally:
        connection.close()


def test_runs_are_recorded_with_what_their_jobs_say(work: Work, user: User, file: Path, home: Home) -> None:
    working = work(env={"AGENT_WORKERS_RECORDS": f"sqlite:///{file}"})
    job = {**CHAT, "user": "user-7", "tenant": "acme", "subject": {"type": "deal", "id": "7"}}
    events = user.run(job)
    assert working.stop() == 0
    [run] = rows(file, "SELECT id, status, user, tenant, worker, attempts, last_seq, subject FROM agent_runs")
    assert run == (
        *(events[0]["run"], "done", "user-7", "acme", "agent-chat", 1, events[-1]["seq"]),
        '{"type":"deal","id":"7"}',
    )
    assert [kind for (kind,) in rows(file, "SELECT kind FROM agent_messages ORDER BY seq")] == ["question", "text"]
    assert not list(home.root.rglob("records/spool/*/*.jsonl"))


def test_a_run_that_another_process_takes_over_is_recorded_once(work: Work, user: User, file: Path) -> None:
    env = {"AGENT_WORKERS_RECORDS": f"sqlite:///{file}"}
    first = work("--lease-s", "1", env=env)
    run = user.submit({**CHAT, "prompt": "Go. [[scenario:slow]]", "limits": {"timeout_s": 60}}).run
    user.wait_for(run, "delta")
    first.send(signal.SIGKILL)
    second = work("--lease-s", "1", env=env)
    until(lambda: rows(file, "SELECT attempts FROM agent_runs") == [(2,)])
    user.abort(run)
    user.follow(run)
    assert second.stop() == 0
    assert rows(file, "SELECT id, status, code, attempts FROM agent_runs") == [(run, "aborted", "client", 2)]
    assert rows(file, "SELECT attempt FROM agent_messages WHERE kind = 'question'") == [(2,)]
    assert rows(file, "SELECT DISTINCT attempt FROM agent_messages") == [(2,)]


def test_a_run_that_is_lost_for_good_is_recorded_as_lost(work: Work, user: User, file: Path) -> None:
    env = {"AGENT_WORKERS_RECORDS": f"sqlite:///{file}"}
    first = work("--lease-s", "1", env=env)
    run = user.submit({**CHAT, "prompt": "Go. [[scenario:slow]]", "attempts": 1}).run
    user.wait_for(run, "delta")
    until(lambda: rows(file, "SELECT status FROM agent_runs") == [("running",)])
    first.send(signal.SIGKILL)
    work("--lease-s", "1", env=env)
    until(lambda: rows(file, "SELECT status, code FROM agent_runs") == [("error", "worker_lost")])


def test_a_database_that_is_away_holds_up_no_run_and_no_end(work: Work, user: User, file: Path) -> None:
    address = "postgresql://ada:s3cret-word@127.0.0.1:1/records"
    working = work(env={"AGENT_WORKERS_RECORDS": address})
    assert user.run(CHAT)[-1]["type"] == "done"
    assert working.stop() == 0
    log = working.log.read_text()
    assert "they wait on disk" in log
    assert "s3cret-word" not in log


def test_an_address_that_is_none_is_told_at_the_start(home: Home, redis: object, file: Path) -> None:
    working = Working(home, redis, env={"AGENT_WORKERS_RECORDS": "oracle://ada:s3cret-word@host/x"})  # type: ignore[arg-type]
    assert working.stop(signal.SIGCONT) == 1
    assert "oracle is no database that records can be written to" in working.log.read_text()
    assert "s3cret-word" not in working.log.read_text()
