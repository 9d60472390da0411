"""Whether a database can take records, looked at without changing anything."""

from __future__ import annotations

from pathlib import Path

from sqlalchemy import inspect
from sqlalchemy.exc import SQLAlchemyError

from agent_workers.records.database import open_engine, url_of
from agent_workers.records.tables import Tables
from agent_workers.records.writing import Unavailable, reason


def missing_tables(address: str, prefix: str = "") -> list[str]:
    """Returns the tables that a database lacks; none where it is a file that will be made.

    Args:
        address: The database.
        prefix: What the names of the tables begin with.

    Raises:
        BadAddress: The address is none.
        Unavailable: The database does not answer, or refuses.
    """
    url = url_of(address)
    if url.drivername == "sqlite" and not Path(url.database or "").exists():
        return []
    engine = open_engine(address)
    try:
        there = set(inspect(engine).get_table_names())
    except SQLAlchemyError as error:
        raise Unavailable(reason(error)) from error
    finally:
        engine.dispose()
    return sorted(set(Tables(prefix).metadata.tables) - there)
