"""Golden transcripts: what is recorded, and the rows that any writer must leave. ``golden/README.md`` has their form.

``python -m tests.records.golden`` writes the rows anew, as this writer leaves them in SQLite.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from sqlalchemy import Engine, create_engine, select

from agent_workers.records.about import About, moment
from agent_workers.records.changes import TABLES, Change, from_line, settled, to_line
from agent_workers.records.keeping import KEPT_EVENTS, Keeping
from agent_workers.records.redaction import Redaction
from agent_workers.records.tables import Tables
from agent_workers.records.transcript import Transcript
from agent_workers.records.upserts import Writing

FOLDER = Path(__file__).parent / "golden"
NAMES = sorted(path.stem for path in FOLDER.glob("*.jsonl"))
_ABOUT = ("request", "worker", "user", "tenant", "subject", "conversation_id")
_COUNTED = ("agent_messages", "agent_usage", "agent_events", "agent_insights")


def read(name: str) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """Returns a transcript's header, and the lines that follow it."""
    header, *lines = (json.loads(line) for line in (FOLDER / f"{name}.jsonl").read_text("utf-8").splitlines())
    return header, lines


def about_of(header: dict[str, Any]) -> About:
    at = moment(header["at"])
    assert at
    return About(run=header["run"], at=at, **{name: header[name] for name in _ABOUT if name in header})


def keeping_of(header: dict[str, Any]) -> Keeping:
    redaction = Redaction(header.get("redact", ()), header.get("patterns", ()))
    return Keeping(header.get("keep", "everything"), redaction, tuple(header.get("events", KEPT_EVENTS)))


def steps(name: str) -> list[list[Change]]:
    """Returns the changes of a transcript, those of each step together, as they come from disk."""
    header, lines = read(name)
    transcript = Transcript(about_of(header), keeping_of(header))
    found = [transcript.begin()]
    for line in lines:
        if "control" in line:
            transcript.told(line["control"])
        else:
            found.append(transcript.take(line, json.dumps(line, separators=(",", ":")).encode()))
    return [[change for each in step if (change := from_line(to_line(each)))] for step in found]


def at_once(name: str) -> list[Change]:
    """Returns the changes of a transcript as a writer takes them that comes late."""
    return settled([change for step in steps(name) for change in step])


def expected(name: str) -> dict[str, list[dict[str, Any]]]:
    rows: dict[str, list[dict[str, Any]]] = json.loads((FOLDER / f"{name}.rows.json").read_text("utf-8"))
    return rows


def rows_in(engine: Engine, tables: Tables) -> dict[str, list[dict[str, Any]]]:
    """Returns what stands in all tables, without the ids that the database gave, in the order of the golden files."""
    found = {}
    with engine.connect() as connection:
        for name in TABLES:
            rows = [dict(row) for row in connection.execute(select(tables[name])).mappings()]
            for row in rows if name in _COUNTED else ():
                del row["id"]
            found[name] = sorted(rows, key=_place)
    return found


def _place(row: dict[str, Any]) -> list[Any]:
    return [str(row.get("run_id") or row.get("id")), row.get("attempt") or 0, row.get("seq") or 0, *_names(row)]


def _names(row: dict[str, Any]) -> list[str]:
    return [str(row.get("kind")), str(row.get("model"))]


def main() -> None:
    for name in NAMES:
        engine, tables = create_engine("sqlite://"), Tables()
        tables.create(engine)
        for step in steps(name):
            with engine.begin() as connection:
                Writing(connection, tables).write(step)
        text = json.dumps(rows_in(engine, tables), indent=2, ensure_ascii=False)
        (FOLDER / f"{name}.rows.json").write_text(f"{text}\n", "utf-8")
        engine.dispose()


if __name__ == "__main__":
    main()
