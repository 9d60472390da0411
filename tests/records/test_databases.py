"""Real servers: MariaDB and PostgreSQL get the same rows as SQLite, whatever stands in them."""

from collections.abc import Iterator

import pytest
from sqlalchemy import Engine

from agent_workers.records.database import open_engine
from agent_workers.records.tables import Tables
from agent_workers.records.upserts import Writing
from tests.records.databases import DatabaseServer, MariaDb, PostgreSql, serving
from tests.records.golden import NAMES, expected, rows_in, steps


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
