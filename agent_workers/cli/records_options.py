"""What the commands on records have in common."""

from __future__ import annotations

import re
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, TypeVar

import click

from agent_workers.cli.harmless import harmless
from agent_workers.errors import EXIT_RETRYABLE

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from agent_workers.records.recorder import Place
    from agent_workers.records.settings import RecordsSettings

F = TypeVar("F", bound="Callable[..., Any]")

_AGE = re.compile(r"([0-9]{1,6})([hdwy])")
_HOURS = {"h": 1, "d": 24, "w": 168, "y": 8766}
_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")


class Unreachable(click.ClickException):
    """Raised where the database takes nothing now: the same may succeed later."""

    exit_code = EXIT_RETRYABLE


class Age(click.ParamType[timedelta]):
    """How long ago, such as 90d."""

    name = "AGE"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> timedelta:
        """Reads it."""
        if isinstance(value, timedelta):
            return value
        found = _AGE.fullmatch(value)
        if not found:
            self.fail(f"{value!r} is no age: write hours, days, weeks or years, such as 12h, 90d, 8w or 2y", param, ctx)
        return timedelta(hours=int(found[1]) * _HOURS[found[2]])


class Day(click.ParamType[str]):
    """A day of UTC, as the first moment of it in a row."""

    name = "DAY"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """Reads it."""
        day = value[:10]
        try:
            is_day = _DAY.fullmatch(day) and datetime.fromisoformat(day)
        except ValueError:
            is_day = None
        if not is_day:
            self.fail(f"{value!r} is no day, such as 2026-11-27", param, ctx)
        return f"{day} 00:00:00.000"


def database_options(command: F) -> F:
    """Adds the options that say where the records are."""
    command = click.option(
        "--config",
        type=click.Path(exists=True, dir_okay=False),
        help="Settings in TOML; AGENT_WORKERS_RECORDS_CONFIG when absent.",
    )(command)
    return click.option(
        "--database",
        metavar="ADDRESS",
        help="sqlite:////PATH, postgresql://USER@HOST/NAME or mariadb://USER@HOST/NAME; AGENT_WORKERS_RECORDS when "
        "absent, where a password belongs; a file of the state directory when neither is there.",
    )(command)


def before(age: timedelta) -> str:
    """Returns the moment so long ago, as in a row."""
    from agent_workers.records.about import moment
    from agent_workers.wire import timestamp

    return moment(timestamp(datetime.now(UTC) - age)) or ""


def settings_of(database: str | None, config: str | None, **options: Any) -> RecordsSettings:
    """Reads the settings.

    Raises:
        ClickException: The extra is missing, the file has a fault, or an option does not fit.
    """
    from pydantic import ValidationError

    from agent_workers.protocol.toml_file import Unreadable
    from agent_workers.protocol.v1.explain import explain
    from agent_workers.records.settings import RecordsSettings, read_settings

    given = {name: list(value) if isinstance(value, tuple) else value for name, value in options.items() if value != ()}
    try:
        return read_settings(config, {"database": database, **given})
    except Unreadable as error:
        raise click.ClickException(harmless(str(error))) from None
    except ValidationError as error:
        told = "; ".join(f"{problem.pointer} {problem.message}" for problem in explain(error, RecordsSettings))
        raise click.UsageError(harmless(told)) from None


@contextmanager
def opened(database: str | None, config: str | None) -> Iterator[Place]:
    """Opens the records of some settings for as long as the block, which may ask the database.

    Raises:
        ClickException: The extra is missing, the address is none, or the settings have a fault.
        Unreachable: The database does not answer, or refuses.
    """
    with telling():
        from agent_workers.records.recorder import Place

        place = Place(settings_of(database, config))
        try:
            yield place
        finally:
            place.leave()


@contextmanager
def telling() -> Iterator[None]:
    """Tells what goes wrong with the records within a block, in the words of the terminal."""
    try:
        from agent_workers.records.database import BadAddress
        from agent_workers.records.writing import DatabaseError, Unavailable, reason
    except ModuleNotFoundError:
        raise click.ClickException("records need their extra: pip install 'claude-agent-workers[records]'") from None
    from agent_workers.errors import WorkerError

    try:
        yield
    except (BadAddress, WorkerError) as error:
        raise click.ClickException(harmless(str(error))) from error
    except (DatabaseError, Unavailable) as error:
        cure = "Check the address, and that agent-workers records init was run there."
        raise Unreachable(harmless(f"the database does not do it: {reason(error).rstrip('.')}. {cure}")) from error
