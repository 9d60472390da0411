"""What the doctor says of the database of the records."""

from pathlib import Path

from agent_workers.cli.checkup.records import check_records
from agent_workers.engine.claude import Environment
from agent_workers.records.database import open_engine
from agent_workers.records.tables import Tables


def found(**variables: str) -> tuple[str, str] | None:
    finding = check_records(Environment(variables))
    assert finding is None or finding.status == "ok" or finding.cure
    return finding and (finding.status, finding.found)


def test_where_no_database_is_named_there_is_nothing_to_tell() -> None:
    assert found() is None
    assert found(AGENT_WORKERS_RECORDS="true") is None


def test_a_database_with_its_tables_is_ok_and_one_without_is_warned_of(tmp_path: Path) -> None:
    address = f"sqlite:///{tmp_path}/records.db"
    assert found(AGENT_WORKERS_RECORDS=address) == ("ok", f"{address} has its tables")  # they are made with the file
    assert list(tmp_path.iterdir()) == []
    (tmp_path / "records.db").touch()
    status, told = found(AGENT_WORKERS_RECORDS=address) or ("", "")
    assert (status, "lacks agent_conversations, agent_events" in told) == ("warn", True)
    engine = open_engine(address)
    Tables().create(engine)
    engine.dispose()
    assert found(AGENT_WORKERS_RECORDS=address) == ("ok", f"{address} has its tables")


def test_what_cannot_be_reached_or_read_is_told_without_a_password(tmp_path: Path) -> None:
    status, told = found(AGENT_WORKERS_RECORDS="postgresql://ada:s3cret@127.0.0.1:1/x") or ("", "")
    assert (status, "Connection refused" in told, "s3cret" in told) == ("warn", True, False)
    assert (found(AGENT_WORKERS_RECORDS="oracle://ada:s3cret@host/x") or ("",))[0] == "fail"
    (tmp_path / "records.toml").write_text('keep = "all"')
    assert (found(AGENT_WORKERS_RECORDS_CONFIG=str(tmp_path / "records.toml")) or ("",))[0] == "fail"
