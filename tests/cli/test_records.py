"""``agent-workers records`` and ``usage``: runs in a pipe, in a database, and out of it again."""

import json
import sqlite3
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.cli.conftest import Scripts
from tests.records.golden import FOLDER, expected
from tests.waiting import PATIENCE_S

pytestmark = pytest.mark.usefixtures("loaded")

TRANSCRIPTS = Path(__file__).parents[2] / "conformance/v1/transcripts"
HELLO = {"prompt": "Hello", "user": "user-7", "engine": "messages"}


def records(scripts: Scripts, *words: str | Path, given: str | bytes = b"") -> subprocess.CompletedProcess[str]:
    return scripts("agent-workers", "records", *words, given=given)


def rows(scripts: Scripts, *words: str) -> list[tuple[str, dict[str, Any]]]:
    """What ``export`` writes: tables and rows."""
    ended = records(scripts, "export", *words)
    assert (ended.returncode, ended.stderr) == (0, "")
    return [(line["table"], line["row"]) for line in map(json.loads, ended.stdout.splitlines())]


def record(scripts: Scripts, run: str, *words: str, at: str = "2026-11-20T12:00:00.000Z", **request: Any) -> None:
    """Records a run of two events."""
    file = scripts.home / f"{run}.json"
    file.write_text(json.dumps({"prompt": f"Question of {run}", **request}))
    used = {"usage": {"input_tokens": 10, "output_tokens": 5}, "cost_usd": 0.25, "session_id": f"session-{run}"}
    events = [
        {"v": 1, "seq": 1, "run": run, "ts": at, "type": "start", "worker": "agent-chat", "simulated": False},
        {"v": 1, "seq": 2, "run": run, "ts": at, "type": "session", "session_id": f"session-{run}", "model": "m"},
        {"v": 1, "seq": 3, "run": run, "ts": at, "type": "done", "stop_reason": "end_turn", "text": "", **used},
    ]
    lines = "".join(json.dumps(event) + "\n" for event in events)
    ended = records(scripts, "record", "--request", str(file), *words, given=lines)
    assert (ended.returncode, ended.stdout, ended.stderr) == (0, lines, "")


def test_what_is_recorded_from_a_file_is_passed_on_and_leaves_its_rows(scripts: Scripts) -> None:
    header = json.loads((FOLDER / "tools-permission.jsonl").read_text().splitlines()[0])
    transcript = TRANSCRIPTS / "approval.ndjson"
    request = scripts.home / "request.json"
    request.write_text(json.dumps(header["request"]))
    known = ("--worker", "agent-task", "--tenant", "tenant-1", "--conversation", "conversation-1")
    for _ in range(2):
        ended = records(scripts, "record", "--request", request, *known, transcript)
        assert (ended.returncode, ended.stderr) == (0, "")
        assert ended.stdout == transcript.read_text()
    found = rows(scripts)
    wanted = [(table, row) for table, each in expected("tools-permission").items() for row in each]
    assert [table for table, _ in found] == [table for table, _ in wanted]
    for (_, row), (_, golden) in zip(found, wanted, strict=True):
        own = {"subject", "created_at", "started_at"}  # the file brings no subject, and its own time
        assert {name: row[name] for name in golden.keys() - own} == {name: golden[name] for name in golden.keys() - own}


def test_a_worker_in_a_pipe_is_recorded(scripts: Scripts) -> None:
    request = scripts.home / "request.json"
    request.write_text(json.dumps(HELLO | {"run": "run-1"}))
    command = "agent-chat --simulate < request.json | agent-workers records record --request request.json"
    ended = subprocess.run(
        ["sh", "-c", command],
        cwd=scripts.home,
        env=scripts.environ(),
        capture_output=True,
        timeout=PATIENCE_S,
        check=True,
    )
    assert json.loads(ended.stdout.splitlines()[-1])["type"] == "done"
    found = dict(rows(scripts, "--run", "run-1"))
    assert found["agent_runs"]["status"] == "done"
    assert [row["kind"] for table, row in rows(scripts) if table == "agent_messages"] == ["question", "text"]


def test_where_the_reader_goes_away_the_run_is_aborted(scripts: Scripts) -> None:
    events = (TRANSCRIPTS / "plain.ndjson").read_text().splitlines(keepends=True)
    (scripts.home / "run.ndjson").write_text("".join(events[:-1]) + (" " * 200 + "\n") * 2000)
    command = "agent-workers records record run.ndjson | head -n 1 > /dev/null"
    subprocess.run(["sh", "-c", command], cwd=scripts.home, env=scripts.environ(), timeout=PATIENCE_S, check=True)
    assert dict(rows(scripts))["agent_runs"]["status"] == "aborted"


def test_a_run_whose_worker_was_lost_is_an_error_and_other_lines_are_passed_on(scripts: Scripts) -> None:
    events = (TRANSCRIPTS / "plain.ndjson").read_text().splitlines(keepends=True)
    given = "".join(
        ["no event\n", *events[:3], '{"run": 7}\n', "x" * 2_000_000 + "\n", "[" * 100_000 + "\n", "the end"]
    )
    ended = records(scripts, "record", given=given)
    assert ended.stdout == given
    run = dict(rows(scripts))["agent_runs"]
    assert (run["status"], run["code"], run["last_seq"]) == ("error", "worker_lost", 3)


def test_while_the_database_is_away_all_is_passed_on_and_flush_writes_it_later(scripts: Scripts) -> None:
    file = scripts.home / "away" / "records.db"
    database = ("--database", f"sqlite:///{file}")
    transcript = TRANSCRIPTS / "plain.ndjson"
    ended = records(scripts, "record", *database, transcript)
    assert (ended.returncode, ended.stdout) == (0, transcript.read_text())
    assert "they wait on disk: unable to open database file" in ended.stderr
    away = records(scripts, "flush", *database)
    assert (away.returncode, away.stdout) == (75, "")
    assert "unable to open database file" in away.stderr
    file.parent.mkdir()
    assert records(scripts, "flush", *database).stdout == "written: 1 run\n"
    assert records(scripts, "flush", *database).stdout == "written: 0 runs\n"
    with sqlite3.connect(file) as connection:
        assert connection.execute("SELECT status FROM agent_runs").fetchall() == [("done",)]
    connection.close()


def test_init_makes_the_tables_and_says_where_without_a_password(scripts: Scripts) -> None:
    ended = records(scripts, "init", "--database", f"sqlite:///{scripts.home}/records.db")
    assert ended.stdout == f"The tables are there: sqlite:///{scripts.home}/records.db\n"
    refused = records(scripts, "init", "--database", "postgresql://ada:secret@127.0.0.1:1/records")
    assert refused.returncode == 75
    assert "Connection refused" in refused.stderr
    assert "secret" not in refused.stderr


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("--database", "oracle://ada:secret@host/x"), "oracle is no database that records can be written to"),
        (("--keep", "all"), "'all' is not one of"),
        (("--request", "request.json"), "No such file"),
    ],
)
def test_what_does_not_fit_is_told_before_anything_is_read(scripts: Scripts, words: tuple[str, ...], told: str) -> None:
    refused = records(scripts, "record", *words, given="{}\n")
    assert refused.returncode != 0
    assert refused.stdout == ""
    assert told in refused.stderr
    assert "secret" not in refused.stderr


def test_a_faulty_settings_file_is_told_with_its_line(scripts: Scripts) -> None:
    config = scripts.home / "records.toml"
    config.write_text('keep = "everything"\nredact = ["mail"]\n')
    refused = records(scripts, "record", "--config", config, given="{}\n")
    assert (refused.returncode, refused.stdout) == (1, "")
    assert "line 2" in refused.stderr


def test_prune_removes_what_is_old_and_the_session_files_along(scripts: Scripts) -> None:
    request = scripts.home / "request.json"
    request.write_text(json.dumps(HELLO))
    said = scripts("agent-chat", "--simulate", given=json.dumps(HELLO)).stdout
    session = json.loads(said.splitlines()[-1])["session_id"]
    records(scripts, "record", "--request", request, given=said.replace("2026-", "2020-"))
    record(scripts, "young")
    assert session_names(scripts) != []
    pruned = records(scripts, "prune", "--older-than", "90d")
    assert pruned.stdout == "removed: 1 run, and the files of 1 session here\n"
    assert session_names(scripts) == []
    assert {row["id"] for table, row in rows(scripts) if table == "agent_runs"} == {"young"}
    assert all(row.get("session_id") != session for _, row in rows(scripts))


def test_forget_removes_all_that_is_a_users_and_nobody_elses(scripts: Scripts) -> None:
    record(scripts, "theirs", user="user-7")
    record(scripts, "in-their-conversation", "--conversation", "session-theirs")
    record(scripts, "another", user="user-8")
    assert records(scripts, "forget", "--user", "user-7").stdout.startswith("removed: 2 runs,")
    assert "user-7" not in str(rows(scripts))
    assert {row["id"] for table, row in rows(scripts) if table == "agent_runs"} == {"another"}
    assert [row["owner"] for table, row in rows(scripts) if table == "agent_conversations"] == ["user-8"]


def test_what_was_used_may_stay_without_whose_it_was(scripts: Scripts) -> None:
    record(scripts, "theirs", user="user-7")
    records(scripts, "forget", "--user", "user-7", "--keep-usage")
    assert [(table, row["user"], row["cost_usd"]) for table, row in rows(scripts)] == [("agent_usage", None, 0.25)]


def test_export_writes_what_is_asked_for(scripts: Scripts) -> None:
    record(scripts, "one", user="user-7")
    record(scripts, "two", user="user-8")
    assert {row.get("run_id", row["id"]) for _, row in rows(scripts, "--run", "two")} == {"two", "session-two"}
    assert {row.get("run_id", row["id"]) for _, row in rows(scripts, "--user", "user-7")} == {"one", "session-one"}
    assert rows(scripts, "--user", "nobody") == []


def used(scripts: Scripts, *words: str) -> list[dict[str, Any]]:
    ended = scripts("agent-workers", "usage", *words, "--json")
    assert (ended.returncode, ended.stderr) == (0, "")
    return [json.loads(line) for line in ended.stdout.splitlines()]


def test_usage_is_told_by_what_is_asked_for(scripts: Scripts) -> None:
    record(scripts, "one", "--tenant", "acme", user="user-7")
    record(scripts, "two", user="user-7", at="2026-11-21T00:00:00.000Z")
    record(scripts, "three", skill="classify", at="2026-11-21T23:59:59.999Z")
    assert [(row["day"], row["runs"], row["cost_usd"]) for row in used(scripts)] == [
        ("2026-11-20", 1, 0.25),
        ("2026-11-21", 2, 0.5),
    ]
    assert [(row["user"], row["input_tokens"]) for row in used(scripts, "--by", "user")] == [
        (None, 10),
        ("user-7", 20),
    ]
    assert [row["tenant"] for row in used(scripts, "--by=tenant")] == [None, "acme"]
    assert [row["skill"] for row in used(scripts, "--by=skill")] == [None, "classify"]
    assert [row["runs"] for row in used(scripts, "--since", "2026-11-21")] == [2]
    assert [row["runs"] for row in used(scripts, "--until", "2026-11-20")] == [1]
    table = scripts("agent-workers", "usage").stdout
    assert "together" in table
    assert "0.7500" in table


def test_reconcile_tells_where_the_provider_counts_differently(scripts: Scripts) -> None:
    record(scripts, "one")
    record(scripts, "two", at="2026-11-21T10:00:00.000Z")
    export = scripts.home / "export.csv"
    export.write_text(
        "usage_date_utc,model_version,usage_output_tokens,cost\n2026-11-20,m,5,$0.25\n2026-11-21,m,6,0.25\n"
    )
    ended = scripts("agent-workers", "usage", "reconcile", export, "--json")
    assert [json.loads(line) for line in ended.stdout.splitlines()] == [
        {"day": "2026-11-21", "model": "m", "name": "output_tokens", "recorded": 5, "provider": 6.0}
    ]
    assert ended.returncode == 1
    assert scripts("agent-workers", "usage", "reconcile", export, "--tolerance", "20").stdout == "No difference.\n"
    assert "output_tokens" in scripts("agent-workers", "usage", "reconcile", export).stdout
    export.write_text("a,b\n1,2\n")
    refused = scripts("agent-workers", "usage", "reconcile", export)
    assert refused.returncode == 2
    assert "row 1 names no day" in refused.stderr


def session_names(scripts: Scripts, *words: str) -> list[str]:
    listed = scripts("agent-workers", "sessions", "list", "--json", "--simulated", *words)
    return [json.loads(line)["name"] for line in listed.stdout.splitlines()]


def test_sessions_are_listed_shown_exported_and_pruned(scripts: Scripts) -> None:
    said = scripts("agent-chat", "--simulate", given=json.dumps(HELLO | {"session_owner": "user-7"})).stdout
    session = json.loads(said.splitlines()[-1])["session_id"]
    [name] = session_names(scripts)
    assert name in scripts("agent-workers", "sessions", "list", "--simulated").stdout
    for called in (name, session):
        shown = scripts("agent-workers", "sessions", "show", called, "--simulated").stdout
        assert "user-7" in shown
        assert "user: Hello" in shown
        assert "assistant: " in shown
    exported = scripts("agent-workers", "sessions", "export", session, "--simulated").stdout
    assert json.loads(exported.splitlines()[0])["session"] == name
    assert "No session" in scripts("agent-workers", "sessions", "list").stdout
    assert session_names(scripts) == [name]
    assert scripts("agent-workers", "sessions", "prune", "--older-than", "1d", "--simulated").stdout.startswith(
        "removed: 0 of 0"
    )
    told = scripts("agent-workers", "sessions", "prune", "--older-than", "0h", "--simulated", "--dry-run")
    assert told.stdout == f"{name}\n"
    pruned = scripts("agent-workers", "sessions", "prune", "--older-than", "0h", "--simulated")
    assert pruned.stdout.startswith("removed: 1 of 1 old sessions")
    assert session_names(scripts) == []


def test_sessions_are_removed_by_their_ids_and_none_that_is_not_here(scripts: Scripts) -> None:
    said = [scripts("agent-chat", "--simulate", given=json.dumps(HELLO)).stdout for _ in range(2)]
    gone, stays = (json.loads(lines.splitlines()[-1])["session_id"] for lines in said)
    removed = scripts("agent-workers", "sessions", "remove", "--simulated", "--", gone, "nobody", "../../etc")
    assert removed.stdout == "removed: 1 of 3 sessions\n"
    assert removed.returncode == 0
    assert scripts("agent-workers", "sessions", "show", gone, "--simulated").returncode == 1
    assert scripts("agent-workers", "sessions", "show", stays, "--simulated").returncode == 0


@pytest.mark.parametrize("name", ["../../etc/passwd", "nobody", "3f2b8c1e-5d0a-4c77-9a51-0e6f6b1f2d34"])
def test_a_session_that_is_not_here_is_told(scripts: Scripts, name: str) -> None:
    refused = scripts("agent-workers", "sessions", "show", name)
    assert refused.returncode == 1
    assert "no such session is kept here" in refused.stderr
