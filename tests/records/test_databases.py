"""Real servers: MariaDB and PostgreSQL get the same rows as SQLite, whatever stands in them."""

import signal
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import Engine, create_engine

from agent_workers.client import FakeRunner
from agent_workers.records import Recorder, Recording, RecordsSettings
from agent_workers.records.about import About
from agent_workers.records.database import open_engine
from agent_workers.records.keeping import Keeping
from agent_workers.records.reading import By, exported, used, used_by_day_and_model
from agent_workers.records.recorder import Place
from agent_workers.records.retention import forget, prune
from agent_workers.records.tables import Tables
from agent_workers.records.texts import LONGEST
from agent_workers.records.transcript import Transcript
from agent_workers.records.upserts import Writing
from agent_workers.records.writing import Unavailable, Writer
from tests.records.databases import DatabaseServer, MariaDb, PostgreSql, serving
from tests.records.golden import NAMES, expected, rows_in, steps
from tests.waiting import PATIENCE_S, now, until


@pytest.fixture(scope="module", params=[MariaDb, PostgreSql], ids=["MariaDB", "PostgreSQL"])
def server(request: pytest.FixtureRequest) -> Iterator[DatabaseServer]:
    with serving(request.param) as server:
        yield server


@pytest.fixture
def engine(server: DatabaseServer) -> Iterator[Engine]:
    engine = open_engine(server.url)
    Tables().metadata.drop_all(engine)
    Tables().create(engine)
    yield engine
    engine.dispose()


def test_all_transcripts_leave_their_rows_once_and_again(engine: Engine) -> None:
    tables = Tables()
    found: dict[str, dict] = {}
    for name in NAMES:
        for table in reversed(tables.metadata.sorted_tables):
            with engine.begin() as connection:
                connection.execute(table.delete())
        for _ in range(2):
            for step in steps(name):
                with engine.begin() as connection:
                    Writing(connection, tables).write(step)
        found[name] = rows_in(engine, tables)
    assert found == {name: expected(name) for name in NAMES}


def test_names_that_differ_in_case_or_accents_only_are_different(engine: Engine) -> None:
    tables = Tables()
    for run in ("run", "RUN", "rün"):
        changes = [change._replace(row={**change.row, "id": run}) for change in steps("refused")[0][:1]]
        with engine.begin() as connection:
            Writing(connection, tables).write(changes)
    assert [row["id"] for row in rows_in(engine, tables)["agent_runs"]] == ["RUN", "run", "rün"]


def test_a_database_that_is_killed_in_the_middle_of_ten_runs_has_all_of_them_once(
    server: DatabaseServer, engine: Engine, tmp_path: Path
) -> None:
    env = {"HOME": str(tmp_path), "AGENT_WORKERS_STATE_DIR": str(tmp_path / "state")}
    recorder = Recorder(server.url, env=env)
    recordings = [recorder.begin({"prompt": f"Question {n}"}, run=f"run-{n}") for n in range(10)]
    say(recordings, 1, "start", worker="agent-chat")
    say(recordings, 2, "delta", text="one", block=1)
    say(recordings, 3, "delta", text="two", block=2)
    until(lambda: len(rows_in(engine, Tables())["agent_messages"]) > 10)
    server.kill()
    say(recordings, 4, "tool_call", tool_use_id="t", name="Read", input={})
    say(recordings, 5, "done", stop_reason="end_turn", usage={"input_tokens": 1}, cost_usd=0.5)
    for recording in recordings:
        recording.end()
    server.start()
    until(lambda: not recorder._place.spool.own())
    assert recorder.close()
    found = rows_in(engine, Tables())
    assert [run["status"] for run in found["agent_runs"]] == ["done"] * 10
    kinds = [(row["seq"], row["kind"]) for row in found["agent_messages"]]
    assert kinds == [(0, "question"), (3, "text"), (4, "text"), (4, "tool_call")] * 10
    assert [row["cost_usd"] for row in found["agent_usage"]] == [0.5] * 10


def test_a_database_that_stands_still_keeps_no_run_waiting(
    server: DatabaseServer, engine: Engine, tmp_path: Path
) -> None:
    env = {"HOME": str(tmp_path), "AGENT_WORKERS_STATE_DIR": str(tmp_path / "state")}
    server.send(signal.SIGSTOP)
    try:
        with Recorder(server.url, env=env) as recorder:
            began = now()
            run = recorder.around(FakeRunner("one two three").stream({"prompt": "Hi"}), {"prompt": "Hi"})
            assert run.result().text == "one two three"
            assert now() - began < 3  # an answer of the database would be waited for longer
            recorder.close(0.1)
    finally:
        server.send(signal.SIGCONT)
    until(lambda: recorder._delivery.has_ended)
    place = Place(RecordsSettings(database=server.url), env)
    until(lambda: all(place.writer.drain(place.spool, journal) for journal in place.spool.leftovers()))
    until(lambda: [run["status"] for run in rows_in(engine, Tables())["agent_runs"]] == ["done"])
    place.engine.dispose()


def test_two_processes_that_record_the_same_run_leave_it_once(engine: Engine, server: DatabaseServer) -> None:
    tables = Tables()

    def record() -> None:
        for step in steps("tools-permission"):
            until(lambda step=step: written(engine, step))

    threads = [threading.Thread(target=record) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=PATIENCE_S)
    assert rows_in(engine, tables) == expected("tools-permission")


def written(engine: Engine, changes: list) -> bool:
    """Writes changes, unless others are in the way, as a writer that tries again does."""
    try:
        Writer(engine, Tables(), creates=False).write(changes)
    except Unavailable:
        return False
    return True


def test_contents_of_the_longest_are_taken(engine: Engine) -> None:
    longest = ["\x01" * LONGEST, "\U0001f98a" * LONGEST, "'\\" * (LONGEST // 2)]
    for number, text in enumerate(longest):
        transcript = Transcript(About(f"run-{number}", "2026-11-20 12:00:00.000", {"prompt": text}), Keeping())
        Writer(engine, Tables(), creates=False).write(transcript.begin())
    assert [row["content"] for row in rows_in(engine, Tables())["agent_messages"]] == longest


def test_a_value_that_does_not_fit_costs_its_own_row_alone(engine: Engine) -> None:
    writer = Writer(engine, Tables(), creates=False)
    changes = steps("refused")[0]
    bad = changes[0]._replace(row={**changes[0].row, "id": "x" * 300}, run_id="x" * 300)
    writer.write([bad, *changes])
    assert writer.dropped == 1
    assert [row["id"] for row in rows_in(engine, Tables())["agent_runs"]] == ["run-refused"]


def test_missing_tables_and_a_wrong_password_are_waited_for(engine: Engine, server: DatabaseServer) -> None:
    Tables().metadata.drop_all(engine)
    with pytest.raises(Unavailable, match=r"agent_runs"):
        Writer(engine, Tables(), creates=False).write(steps("refused")[0])
    Tables().create(engine)


def say(recordings: list[Recording], seq: int, kind: str, **fields: object) -> None:
    for number, recording in enumerate(recordings):
        event = {"v": 1, "seq": seq, "run": f"run-{number}", "ts": "2026-11-20T12:00:00.010Z", "type": kind, **fields}
        recording.take(event)


def what_is_asked(engine: Engine) -> list[object]:
    """What is told of all transcripts, and what is left of them when something is removed."""
    tables = Tables()
    for name in NAMES:
        for step in steps(name):
            Writer(engine, tables, creates=False).write(step)
    kinds: tuple[By, ...] = ("day", "model", "user", "skill", "tenant")
    told: list[object] = [used(engine, tables, by) for by in kinds]
    told.append(used(engine, tables, "day", "2026-11-20 00:00:00.000", "2026-11-20 00:00:00.001"))
    told.append(used_by_day_and_model(engine, tables, "2026-11-20 00:00:00.000", "2026-11-21 00:00:00.000"))
    for asked in ({"user": "user-7"}, {"run": "run-skill"}, {}):
        rows = list(exported(engine, tables, **asked))
        told.append(sorted((table, str(row.get("run_id") or row["id"])) for table, row in rows))
    told += list(forget(engine, tables, "user-7", keep_usage=True))
    told.append(rows_in(engine, tables))
    told += list(prune(engine, tables, "2026-11-20 12:00:00.000"))  # none is older
    told += list(prune(engine, tables, "2026-11-20 12:00:00.001"))
    told.append(rows_in(engine, tables))
    return told


def test_what_is_told_and_what_is_removed_is_as_with_sqlite(engine: Engine) -> None:
    here = create_engine("sqlite://")
    Tables().create(here)
    told = what_is_asked(engine)
    assert told == what_is_asked(here)
    here.dispose()
    assert not any(rows for name, rows in told[-1].items() if name != "agent_usage")  # type: ignore[attr-defined]
    assert "user-7" not in str(told[-1])


def test_who_is_forgotten_is_not_named_in_what_they_decided_for_others(engine: Engine) -> None:
    tables = Tables()
    about = About("run-1", "2026-11-20 12:00:00.000", {"prompt": "Hi"}, user="another")
    transcript = Transcript(about, Keeping())
    changes = transcript.begin()
    for seq, actor in enumerate(("user-7", "user-77"), 1):
        event = {"type": "permission_resolved", "permission_id": f"p{seq}", "behavior": "allow", "actor": actor}
        changes += transcript.take({"v": 1, "run": "run-1", "seq": seq, "ts": "2026-11-20T12:00:00.010Z", **event})
    Writer(engine, tables, creates=False).write(changes)
    assert list(forget(engine, tables, "user-7")) == []
    found = rows_in(engine, tables)
    assert [row["actor"] for row in found["agent_messages"]] == [None, None, "user-77"]
    assert [row["payload"].get("actor") for row in found["agent_events"]] == [None, "user-77"]
