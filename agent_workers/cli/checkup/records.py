"""The database of the records, where one is named."""

from __future__ import annotations

from typing import TYPE_CHECKING

from agent_workers.cli.checkup.finding import Finding

if TYPE_CHECKING:
    from agent_workers.engine.claude import Environment

VARIABLES = ("AGENT_WORKERS_RECORDS", "AGENT_WORKERS_RECORDS_CONFIG")
_NAME = "records"


def check_records(host: Environment) -> Finding | None:
    """Checks whether the database of the records answers and has its tables; nothing where none is named."""
    if not any(host.environ.get(name) for name in VARIABLES):
        return None
    try:
        from agent_workers.records import database  # noqa: F401 what is missing is told
    except ModuleNotFoundError as missing:
        cure = "Install it: pip install 'claude-agent-workers[records]'; in a clone of this project: '.[records]'."
        return Finding(_NAME, "fail", f"the extra records is missing ({missing.name})", cure)
    return _looked_at(host)


def _looked_at(host: Environment) -> Finding | None:
    from agent_workers.protocol.toml_file import Unreadable
    from agent_workers.records.database import BadAddress
    from agent_workers.records.settings import read_settings
    from agent_workers.records.writing import Unavailable

    try:
        settings = read_settings(env=host.environ)
        # Without an address it is a file of the state directory, which is made when it is needed.
        return _asked(settings.database, settings.prefix) if settings.database else None
    except Unreadable as error:
        return Finding(_NAME, "fail", f"the settings of the records: {error}", "Correct the file.")
    except BadAddress as error:
        return Finding(_NAME, "fail", str(error), f"Set {VARIABLES[0]} to the address of a database.")
    except Unavailable as error:
        cure = "Start it, or correct the address. Until then records wait on this machine's disk."
        return Finding(_NAME, "warn", f"the database of the records does not answer: {error}", cure)


def _asked(address: str, prefix: str) -> Finding:
    from agent_workers.records.database import shown
    from agent_workers.records.probe import missing_tables

    facts = {"address": shown(address)}
    if lacks := missing_tables(address, prefix):
        cure = "Run agent-workers records init, or the migrations of your application."
        return Finding(_NAME, "warn", f"{facts['address']} lacks {', '.join(lacks)}", cure, facts)
    return Finding(_NAME, "ok", f"{facts['address']} has its tables", facts=facts)
