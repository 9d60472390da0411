"""Where the records are: an address in an operator's words, and the engine for it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import create_engine, event
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError

if TYPE_CHECKING:
    from sqlalchemy import URL, Engine

_DRIVERS = {
    **dict.fromkeys(("mysql", "mariadb", "mysql+pymysql", "mariadb+pymysql"), "mysql+pymysql"),
    **dict.fromkeys(("postgres", "postgresql", "pgsql", "postgresql+psycopg"), "postgresql+psycopg"),
    **dict.fromkeys(("sqlite", "sqlite+pysqlite"), "sqlite"),
}
_CONNECT_S = 5
_ANSWER_S = 30
_BUSY_S = 10
# One connection writes, and one may ask meanwhile.
_POOL: dict[str, Any] = {"pool_size": 2, "max_overflow": 8, "pool_pre_ping": True, "pool_recycle": 1800}


class BadAddress(ValueError):
    """Raised where an address names no database that records can be written to. Its text does not repeat it."""


def url_of(address: str) -> URL:
    """Reads an address.

    Raises:
        BadAddress: It is none, or of a database that is not supported.
    """
    cure = "use sqlite:////PATH, postgresql://USER@HOST/NAME or mariadb://USER@HOST/NAME"
    try:
        url = make_url(address)
    except (ArgumentError, ValueError):
        raise BadAddress(f"this is not the address of a database: {cure}") from None
    driver = _DRIVERS.get(url.drivername)
    if driver is None:
        raise BadAddress(f"{url.drivername} is no database that records can be written to: {cure}")
    if driver == "sqlite" and url.database in (None, "", ":memory:"):
        raise BadAddress("a database in memory is gone with its process: name a file, as in sqlite:////PATH")
    return url.set(drivername=driver)


def shown(address: str) -> str:
    """Returns an address without its password."""
    try:
        return url_of(address).render_as_string(hide_password=True)
    except BadAddress:
        return "the database"


def open_engine(address: str) -> Engine:
    """Returns the engine of a database, which connects when it is first used.

    Raises:
        BadAddress: See ``url_of``.
    """
    url = url_of(address)
    if url.drivername == "sqlite":
        engine = create_engine(url, connect_args={"timeout": _BUSY_S})
        event.listen(engine, "connect", _share)
        return engine
    return _mariadb(url) if url.drivername.startswith("mysql") else _postgresql(url)


def _mariadb(url: URL) -> Engine:
    import pymysql  # of the drivers only the one that is needed

    arguments: dict[str, Any] = {"connect_timeout": _CONNECT_S, "read_timeout": _ANSWER_S, "write_timeout": _ANSWER_S}
    arguments |= {"charset": "utf8mb4", "init_command": "SET time_zone = '+00:00'"}
    return create_engine(url, module=pymysql, connect_args=arguments, **_POOL)


def _postgresql(url: URL) -> Engine:
    import psycopg  # likewise

    # Nothing that a PgBouncer refuses: no options at the start, and no statements that stay prepared.
    arguments: dict[str, Any] = {"connect_timeout": _CONNECT_S, "tcp_user_timeout": _ANSWER_S * 1000}
    arguments["prepare_threshold"] = None
    return create_engine(url, module=psycopg, connect_args=arguments, **_POOL)


def _share(connection: Any, _: object) -> None:
    """Lets others read a file of SQLite while it is written."""
    connection.execute("PRAGMA journal_mode=WAL")
    connection.execute("PRAGMA synchronous=NORMAL")
