"""What is recorded stands in the database, whatever happens to it, to the disk and to the process meanwhile."""

import asyncio
import json
import os
import signal
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from agent_workers.client import FakeRunner
from agent_workers.protocol.toml_file import Unreadable
from agent_workers.records import BadAddress, Recorder, RecordsSettings, read_settings
from agent_workers.records.changes import Dropped
from agent_workers.records.database import shown
from agent_workers.records.recorder import Place
from agent_workers.records.spool import Spool
from tests.waiting import PATIENCE_S, until

REQUEST = {"prompt": "Hello", "user": "user-7"}


@pytest.fixture
def env(tmp_path: Path) -> dict[str, str]:
    return {"PATH": os.defpath, "HOME": str(tmp_path), "AGENT_WORKERS_STATE_DIR": str(tmp_path / "state")}


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "records.db"


def address(file: Path) -> str:
    return f"sqlite:///{file}"


def rows(file: Path, query: str) -> list[tuple]:
    with sqlite3.connect(file) as connection:
        found = connection.execute(query).fetchall()
    connection.close()
    return found


def spooled(env: dict[str, str]) -> list[Path]:
    return sorted(Path(env["AGENT_WORKERS_STATE_DIR"]).glob("records/spool/*/*.jsonl"))


def write_what_waits(file: Path, env: dict[str, str], **settings: object) -> Place:
    place = Place(RecordsSettings(database=address(file), **settings), env)
    for journal in place.spool.leftovers():
        assert place.writer.drain(place.spool, journal)
    place.engine.dispose()
    return place


def test_a_run_that_is_read_through_a_recorder_is_recorded(file: Path, env: dict[str, str]) -> None:
    with Recorder(address(file), env=env) as recorder:
        run = recorder.around(FakeRunner("Hello to you").stream(REQUEST), REQUEST, tenant="tenant-1")
        assert run.result().text == "Hello to you"
        run.close()
    assert rows(file, "SELECT status, user, tenant FROM agent_runs") == [("done", "user-7", "tenant-1")]
    assert rows(file, "SELECT kind, content FROM agent_messages ORDER BY seq") == [
        ("question", '"Hello"'),
        ("text", '"Hello to you"'),
    ]
    assert spooled(env) == []


def test_a_run_of_an_event_loop_is_recorded_with_what_it_was_told(file: Path, env: dict[str, str]) -> None:
    steered = [{"type": "steered", "id": "word", "actor": "user-7"}]

    async def main() -> str:
        runner = FakeRunner([*steered, {"type": "done", "stop_reason": "end_turn", "text": "Well"}])
        recorder = Recorder(address(file), env=env)
        async with recorder.around_async(runner.for_async.stream(REQUEST), REQUEST) as run:
            assert run._run.has_begun is False
            run._recording.told({"type": "steer", "id": "word", "text": "Be quick"})
            text = (await run.result()).text
        recorder.close()
        return text

    assert asyncio.run(main()) == "Well"
    assert rows(file, "SELECT content, actor FROM agent_messages WHERE kind = 'steer'") == [('"Be quick"', "user-7")]


def test_a_run_that_nobody_reads_to_its_end_is_aborted(file: Path, env: dict[str, str]) -> None:
    with Recorder(address(file), env=env) as recorder:
        for event in recorder.around(FakeRunner("one two three").stream(REQUEST), REQUEST):
            if event["type"] == "delta":
                break
    assert rows(file, "SELECT status, code FROM agent_runs") == [("aborted", "client")]


def test_a_recording_that_ends_without_a_terminal_event_is_of_a_lost_worker(file: Path, env: dict[str, str]) -> None:
    with Recorder(address(file), env=env) as recorder:
        recorder.begin(REQUEST, run="run-1").end()
    assert rows(file, "SELECT status, code FROM agent_runs") == [("error", "worker_lost")]


def test_a_run_that_is_lost_elsewhere_has_ended_whatever_is_written_late(file: Path, env: dict[str, str]) -> None:
    with Recorder(address(file), env=env) as recorder:
        recorder.begin(REQUEST, run="run-1").leave()
        done = recorder.begin(REQUEST, run="run-2")
        done.take({"v": 1, "run": "run-2", "seq": 1, "type": "done"})
        done.leave()
    with Recorder(address(file), env=env) as recorder:
        for run in ("run-1", "run-2", "never-begun"):
            recorder.lose(run)
    with Recorder(address(file), env=env) as recorder:
        recorder.begin(REQUEST, run="run-1").leave()  # as from the journal of a process that was killed
    assert sorted(rows(file, "SELECT id, status, code FROM agent_runs")) == [
        ("run-1", "error", "worker_lost"),
        ("run-2", "done", None),
    ]


def test_while_the_database_takes_nothing_runs_go_on_and_are_written_later(file: Path, env: dict[str, str]) -> None:
    file.mkdir()  # no database can be there
    recorder = Recorder(address(file), env=env)
    for number in range(3):
        recorder.around(FakeRunner(f"Answer {number}").stream(REQUEST), REQUEST).result()
    assert not recorder.close()
    assert len(spooled(env)) == 3
    file.rmdir()
    write_what_waits(file, env)
    assert sorted(rows(file, "SELECT content FROM agent_messages WHERE kind = 'text'")) == [
        (f'"Answer {number}"',) for number in range(3)
    ]
    assert spooled(env) == []


def test_a_recorder_writes_what_an_earlier_process_left(file: Path, env: dict[str, str]) -> None:
    file.mkdir()
    with Recorder(address(file), env=env) as recorder:
        recorder.begin(REQUEST, run="earlier").end()
    file.rmdir()
    with Recorder(address(file), env=env) as recorder:
        recorder.begin(REQUEST, run="later").end()
        until(lambda: not spooled(env))
    assert sorted(rows(file, "SELECT id FROM agent_runs")) == [("earlier",), ("later",)]


def test_a_full_spool_drops_the_oldest_contents_and_keeps_what_was_spent(file: Path, env: dict[str, str]) -> None:
    file.mkdir()
    recorder = Recorder(settings=RecordsSettings(database=address(file), spool_mb=1), env=env)
    for number in range(8):
        done = {"type": "done", "stop_reason": "end_turn", "text": "", "cost_usd": number / 100, "usage": {}}
        answer = [{"type": "delta", "text": "x" * 200_000, "block": 1}, done]
        recorder.around(FakeRunner(answer).stream(REQUEST), REQUEST).result()
    assert sum(path.stat().st_size for path in spooled(env)) < 1 << 20
    assert recorder.dropped > 0
    recorder.close()
    file.rmdir()
    place = write_what_waits(file, env)
    assert place.writer.dropped == recorder.dropped
    assert [cost for (cost,) in rows(file, "SELECT cost_usd FROM agent_usage ORDER BY cost_usd")] == [
        number / 100 for number in range(8)
    ]
    assert rows(file, "SELECT count(*) FROM agent_runs WHERE status = 'done'") == [(8,)]
    kept = rows(file, "SELECT count(*) FROM agent_messages WHERE kind = 'text'")[0][0]
    assert 0 < kept < 8
    newest = rows(file, "SELECT id FROM agent_runs ORDER BY ended_at DESC, cost_usd DESC LIMIT 1")[0]
    assert rows(file, "SELECT run_id FROM agent_messages WHERE kind = 'text' ORDER BY id")[-1] == newest


def test_what_the_database_refuses_for_good_keeps_nothing_else_from_it(file: Path, env: dict[str, str]) -> None:
    with Recorder(address(file), env=env) as recorder:
        recorder.begin(REQUEST, run="first").end()
    with sqlite3.connect(file) as connection:
        connection.execute(
            "CREATE TRIGGER refuses BEFORE INSERT ON agent_messages WHEN new.content LIKE '%bad%' "
            "BEGIN SELECT RAISE(ABORT, 'refused'); END"
        )
    connection.close()
    with Recorder(address(file), env=env) as recorder:
        recorder.begin({"prompt": "A bad one"}, run="second").end()
    assert rows(file, "SELECT run_id, content FROM agent_messages ORDER BY run_id") == [
        ("first", '"Hello"'),
        ("second", None),
    ]
    assert recorder.dropped == 1
    assert rows(file, "SELECT status FROM agent_runs") == [("error",), ("error",)]


def test_a_disk_that_takes_nothing_stops_no_run(file: Path, env: dict[str, str]) -> None:
    with Recorder(address(file), env=env) as recorder:
        recording = recorder.begin(REQUEST, run="run-1")
        until(lambda: file.exists() and rows(file, "SELECT name FROM sqlite_master WHERE name = 'agent_runs'"))
        journal = recording._journal
        assert journal
        until(lambda: journal.is_written)
        descriptor, journal._descriptor = journal._descriptor, os.open("/dev/full", os.O_RDWR)
        recording.take({"v": 1, "run": "run-1", "seq": 1, "type": "start", "worker": "agent-chat"})
        until(lambda: rows(file, "SELECT worker FROM agent_runs") == [("agent-chat",)])
        os.close(journal._descriptor)
        journal._descriptor = descriptor
        recording.end()
    assert rows(file, "SELECT status FROM agent_runs") == [("error",)]


def test_many_threads_record_at_once_and_nothing_is_lost_or_doubled(file: Path, env: dict[str, str]) -> None:
    with Recorder(address(file), env=env) as recorder:

        def record(number: int) -> None:
            for each in range(5):
                request = {"prompt": f"{number}.{each}"}
                recorder.around(FakeRunner("a b c").stream(request), request).result()

        threads = [threading.Thread(target=record, args=(number,)) for number in range(6)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(timeout=PATIENCE_S)
        assert recorder.close(PATIENCE_S)
    assert rows(file, "SELECT count(*), count(DISTINCT run_id) FROM agent_messages") == [(60, 30)]
    assert rows(file, "SELECT count(*) FROM agent_runs WHERE status = 'done'") == [(30,)]


KILLED = """
import os, sys
from agent_workers.records import Recorder
recorder = Recorder(sys.argv[1])
for number in range(100_000):
    recording = recorder.begin({"prompt": f"Question {number}"}, run=f"run-{number}")
    recording.take({"v": 1, "run": f"run-{number}", "seq": 1, "type": "start", "worker": "agent-chat"})
    recording.take({"v": 1, "run": f"run-{number}", "seq": 2, "type": "delta", "text": "word", "block": 1})
    recording.take({"v": 1, "run": f"run-{number}", "seq": 3, "type": "done", "usage": {"input_tokens": 1}})
    recording.end()
    print(number, flush=True)
"""


@pytest.mark.parametrize("lines", [1, 25, 90])
def test_what_was_acknowledged_before_kill_9_is_there_once(file: Path, env: dict[str, str], lines: int) -> None:
    command = [sys.executable, "-c", KILLED, address(file)]
    with subprocess.Popen(command, env=env, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout
        acknowledged = [int(process.stdout.readline()) for _ in range(lines)]
        process.send_signal(signal.SIGKILL)
    write_what_waits(file, env)
    write_what_waits(file, env)
    found = rows(file, "SELECT run_id, count(*) FROM agent_messages GROUP BY run_id")
    assert {f"run-{number}" for number in acknowledged} <= {run for run, _ in found}
    assert all(count == 2 for run, count in found if int(run.removeprefix("run-")) in acknowledged)
    told = rows(file, "SELECT sum(input_tokens), count(*), count(DISTINCT run_id) FROM agent_usage")[0]
    assert told[0] == told[1] == told[2] >= lines


def test_a_journal_that_was_cut_within_a_line_is_written_up_to_there(file: Path, env: dict[str, str]) -> None:
    file.mkdir()
    with Recorder(address(file), env=env) as recorder:
        recorder.begin(REQUEST, run="run-1").end()
    [path] = spooled(env)
    path.write_bytes(path.read_bytes()[:-9])
    file.rmdir()
    write_what_waits(file, env)
    assert rows(file, "SELECT content FROM agent_messages") == [('"Hello"',)]
    assert spooled(env) == []


def test_the_journal_of_a_process_that_lives_is_left_alone(file: Path, env: dict[str, str]) -> None:
    recorder = Recorder(address(file), env=env)
    recording = recorder.begin(REQUEST, run="run-1")
    assert list(Place(RecordsSettings(database=address(file)), env).spool.leftovers()) == []
    recording.end()
    recorder.close()


def test_what_waits_is_redacted_on_disk_too(file: Path, env: dict[str, str]) -> None:
    file.mkdir()
    settings = RecordsSettings(database=address(file), redact=["email"])
    with Recorder(settings=settings, env=env) as recorder:
        recorder.begin({"prompt": "I am ada@example.org"}, run="run-1").end()
    [path] = spooled(env)
    assert b"[email]" in path.read_bytes()
    assert b"ada@example.org" not in path.read_bytes()
    assert path.stat().st_mode & 0o077 == 0


def test_a_reduced_journal_keeps_the_last_of_each_row(tmp_path: Path) -> None:
    spool = Spool(tmp_path, 1 << 20)
    journal = spool.begin()
    from tests.records.golden import steps

    for step in steps("skill"):
        spool.append(journal, step)
    assert journal.reduce() > 0
    changes = spool.read(journal).changes
    assert type(changes[0]) is Dropped
    assert [change.table for change in changes[1:]] == [
        "agent_runs",
        "agent_conversations",
        "agent_usage",
        "agent_usage",
    ]
    assert changes[1].row["status"] == "done"
    journal.leave()


@pytest.fixture
def config(tmp_path: Path) -> Iterator[Path]:
    return tmp_path / "records.toml"


def test_settings_come_from_options_then_variables_then_the_file(config: Path) -> None:
    config.write_text('database = "sqlite:////a.db"\nkeep = "no-tools"\nredact = ["email"]\npatterns = ["K-[0-9]+"]\n')
    env = {"AGENT_WORKERS_RECORDS_CONFIG": str(config)}
    assert read_settings(env=env).database == "sqlite:////a.db"
    env["AGENT_WORKERS_RECORDS"] = "sqlite:////b.db"
    found = read_settings(env=env, options={"keep": "metadata", "prefix": None})
    assert (found.database, found.keep, found.redact, found.prefix) == ("sqlite:////b.db", "metadata", ["email"], "")
    assert read_settings(env=env, options={"database": "sqlite:////c.db"}).database == "sqlite:////c.db"


@pytest.mark.parametrize("switch", ["true", "False", "1", "", "off"])
def test_the_switch_of_a_laravel_application_is_no_address(switch: str) -> None:
    assert read_settings(env={"AGENT_WORKERS_RECORDS": switch}).database is None


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ('keep = "all"', "keep"),
        ('redact = ["mail"]', "redact"),
        ('patterns = ["("]', "is no regular expression"),
        ('url = "sqlite:////a.db"', "database"),
        ('prefix = "a-b"', "prefix"),
        ("spool_mb = 0", "spool_mb"),
    ],
)
def test_a_faulty_file_says_where(config: Path, text: str, words: str) -> None:
    config.write_text(text)
    with pytest.raises(Unreadable, match=words):
        read_settings(config, env={})


@pytest.mark.parametrize("address", ["nowhere", "oracle://a/b", "sqlite://", "sqlite:///:memory:", "://", "http://a"])
def test_what_is_no_database_is_refused_without_being_repeated(address: str, env: dict[str, str]) -> None:
    with pytest.raises(BadAddress):
        Recorder(address, env=env)
    assert shown(address) == "the database"


def test_an_address_is_shown_without_its_password() -> None:
    assert shown("postgres://ada:secret@db.example/records") == "postgresql+psycopg://ada:***@db.example/records"


def test_without_an_address_the_records_are_a_file_of_the_state_directory(env: dict[str, str]) -> None:
    with Recorder(env=env) as recorder:
        recorder.begin(REQUEST, run="run-1").end()
    file = Path(env["AGENT_WORKERS_STATE_DIR"], "records", "records.db")
    assert json.loads(rows(file, "SELECT content FROM agent_messages")[0][0]) == "Hello"


def test_a_spool_whose_folder_has_gone_says_so_at_once(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        Spool(tmp_path / "gone", 1 << 20).begin()
