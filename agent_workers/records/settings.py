"""The settings of the records: a TOML file, and what a command line or a program says before it."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal

from pydantic import AfterValidator, Field, model_validator
from pydantic_core import PydanticCustomError

from agent_workers.protocol.toml_file import read_toml
from agent_workers.protocol.v1.fields import Few, Opt, Strict
from agent_workers.records.keeping import KEPT_EVENTS, Keep, Keeping
from agent_workers.records.redaction import Redaction

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Self

DATABASE = "AGENT_WORKERS_RECORDS"
CONFIG = "AGENT_WORKERS_RECORDS_CONFIG"


_SWITCHES = frozenset({"", "0", "1", "true", "false", "on", "off", "yes", "no", "null"})


def address_of(env: Mapping[str, str]) -> str | None:
    """Returns the database that the variable names; None where it is a Laravel application's switch of that name."""
    value = env.get(DATABASE, "").strip()
    return None if value.lower() in _SWITCHES else value


def _expression(pattern: str) -> str:
    try:
        Redaction((), [pattern])
    except ValueError as error:
        raise PydanticCustomError("contract", "{found}", {"found": str(error)}) from None
    return pattern


class RecordsSettings(Strict):
    """Where records are written, and what is kept. Omitted keys keep their defaults."""

    synonyms: ClassVar = {"url": "database", "dsn": "database", "redaction": "redact", "types": "events"}

    database: Opt[str] = Field(
        default=None,
        description="Address: `sqlite:////PATH`, `postgresql://USER@HOST/NAME` or `mariadb://USER@HOST/NAME`. "
        "`--database` and `AGENT_WORKERS_RECORDS` go before it. A file of SQLite in the state directory when absent.",
    )
    prefix: Annotated[str, Field(pattern=r"^[A-Za-z0-9_]{0,32}$")] = Field(
        default="", description="What the names of the tables begin with."
    )
    keep: Keep = Field(
        default="everything",
        description="`everything`; `no-tools`: not what tools got and gave; `metadata`: no content at all.",
    )
    redact: Few[Literal["email", "iban", "phone"]] = Field(
        default_factory=list, description="What is taken out of all texts before they are written."
    )
    patterns: Few[Annotated[str, AfterValidator(_expression)]] = Field(
        default_factory=list, description="Regular expressions of your own, which are taken out too."
    )
    events: Few[str] = Field(
        default_factory=lambda: list(KEPT_EVENTS),
        description="Types of the events that are kept as they came; `*` for all.",
    )
    spool_mb: Annotated[int, Field(ge=1, le=1_000_000)] = Field(
        default=64, description="MiB that may wait on this machine's disk while the database takes nothing."
    )

    @model_validator(mode="after")
    def _has_a_database(self) -> Self:
        if self.database is not None and not self.database.strip():
            raise PydanticCustomError("contract", "must name a database, or be left out")
        return self

    def keeping(self) -> Keeping:
        """Returns what is kept."""
        return Keeping(self.keep, Redaction(self.redact, self.patterns), tuple(self.events))


def read_settings(
    file: str | Path | None = None, options: Mapping[str, Any] | None = None, env: Mapping[str, str] | None = None
) -> RecordsSettings:
    """Reads the settings.

    Args:
        file: The TOML file, instead of the one that ``AGENT_WORKERS_RECORDS_CONFIG`` names.
        options: Keys that go before those of the file; those that are None do not.
        env: The variables; this process's where it is None.

    Raises:
        Unreadable: The file cannot be read, or has a fault.
        ValidationError: An option does not fit.
    """
    env = os.environ if env is None else env
    named = file or env.get(CONFIG)
    given = read_toml(Path(named), RecordsSettings).model_dump(exclude_unset=True) if named else {}
    if database := address_of(env):
        given["database"] = database
    given |= {name: value for name, value in (options or {}).items() if value is not None}
    return RecordsSettings.model_validate(given)
