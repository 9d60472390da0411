"""The example with records in a SQLite of its own, and runs that stand in them."""

import json
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

from tests.laravel.site import Site
from tests.waiting import PATIENCE_S

LONG = "Compare " + "the donaudampfschifffahrtsgesellschaftskapitänspatent of each applicant with the others' " * 9


class RunsSite(Site):
    """The example, told to record. At ``full_port`` nobody may see or operate anything."""

    def __init__(self, root: Path, base_url: str) -> None:
        super().__init__(root, base_url)
        self.database = self.app / "storage/app/records/database.sqlite"
        self.environ |= {
            "AGENT_WORKERS_RECORDS": "true",
            "APP_ENV": "local",
            "DB_DATABASE": str(self.database),
        }

    def start(self) -> None:
        self.database.parent.mkdir()
        self.database.touch()
        migrating = self.artisan("migrate", "--force", "--seed")
        told = b"".join(migrating.communicate(timeout=PATIENCE_S))
        assert migrating.returncode == 0, told
        for path in (self.database.parent, *self.database.parent.iterdir()):
            shutil.chown(path, self.user, self.user) if self.user else None
        super().start()

    def _fpm_conf(self) -> str:
        head, _, full = super()._fpm_conf().rpartition("[full]")
        strangers = full.replace('env[APP_ENV] = "local"', 'env[APP_ENV] = "production"')
        return f"{head}[full]{strangers}"

    def _nginx_conf(self) -> str:
        head, server, full = super()._nginx_conf().rpartition("server {")
        return f"{head}{server}{full.replace('web.sock', 'full.sock')}"

    @contextmanager
    def records(self) -> Iterator[sqlite3.Connection]:
        """The database, in a transaction."""
        with closing(sqlite3.connect(self.database, timeout=PATIENCE_S)) as connection, connection:
            yield connection

    def clear(self) -> None:
        with self.records() as records:
            for table in ("runs", "conversations", "messages", "usage", "events", "insights"):
                records.execute(f"delete from agent_{table}")

    def count(self, table: str, run: str) -> int:
        column = "id" if table == "agent_runs" else "run_id"
        with self.records() as records:
            found = records.execute(f"select count(*) from {table} where {column} = ?", (run,))
            return int(found.fetchone()[0])

    def status(self, run: str) -> str:
        with self.records() as records:
            found = records.execute("select status from agent_runs where id = ?", (run,)).fetchone()
            return str(found[0]) if found else ""

    def record(self, run: str, question: str = "Tell me of lighthouses.", *, days_ago: int = 0, **row: object) -> None:
        """Writes a run that ended so many days ago, with a call that a person allowed."""
        at = datetime.now(UTC) - timedelta(days=days_ago, seconds=90)
        known = {
            "id": run,
            "worker": "agent-chat",
            "model": "claude-sonnet-4-5",
            "status": "done",
            "started_at": _text(at),
            "ended_at": _text(at + timedelta(seconds=7)),
            "duration_ms": 7_100,
            "turns": 2,
            "cost_usd": 0.0123,
            "simulated": 1,
        } | row
        said = [
            (0, "user", "question", question, None, None, None),
            (4, "assistant", "tool_call", {"command": "ls -l"}, "Bash", None, None),
            (6, "user", "permission", {"by": "person"}, "Bash", "allow", "ada"),
            (8, "tool", "tool_result", "total 12\n" * 40, "Bash", "ok", None),
            (12, "assistant", "text", "A lighthouse shows one cape from the next.", None, None, None),
        ]
        with self.records() as records:
            _insert(records, "agent_runs", known)
            for number, (seq, role, kind, content, name, status, actor) in enumerate(said):
                message = {"run_id": run, "attempt": 1, "seq": seq, "role": role, "kind": kind, "name": name}
                when = _text(at + timedelta(seconds=1.3 * number))
                told = {"content": json.dumps(content), "status": status, "actor": actor, "created_at": when}
                _insert(records, "agent_messages", message | told)
            used = {"run_id": run, "turn": 0, "model": "claude-sonnet-4-5", "input_tokens": 1_204, "at": _text(at)}
            _insert(records, "agent_usage", used | {"output_tokens": 311, "cost_usd": known["cost_usd"]})


def _insert(records: sqlite3.Connection, table: str, row: dict[str, object]) -> None:
    columns, places = ", ".join(f'"{name}"' for name in row), ", ".join("?" * len(row))
    records.execute(f"insert into {table} ({columns}) values ({places})", tuple(row.values()))


def _text(time: datetime) -> str:
    return time.strftime("%Y-%m-%d %H:%M:%S.") + f"{time.microsecond // 1000:03d}"
