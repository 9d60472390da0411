"""Records runs, whoever starts them."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any

from agent_workers.client.session_files import SessionFiles
from agent_workers.records.about import NAME, About
from agent_workers.records.changes import Lost
from agent_workers.records.database import open_engine, url_of
from agent_workers.records.delivery import Delivery
from agent_workers.records.recorded import AsyncRecordedRun, RecordedRun
from agent_workers.records.recording import Recording, now, write_alone
from agent_workers.records.settings import RecordsSettings, read_settings
from agent_workers.records.spool import Spool
from agent_workers.records.tables import Tables
from agent_workers.records.transcript import Transcript
from agent_workers.records.writing import Writer

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path
    from types import TracebackType
    from typing import Self

    from sqlalchemy import Engine

    from agent_workers.client import AsyncRun, Run

_PATIENCE_S = 10.0


class Place:
    """Where the records of some settings are: the database, and this machine's spool for it.

    Args:
        settings: The settings.
        env: The variables by which the state directory is found; this process's where it is None.

    Raises:
        BadAddress: The database's address is none.
        StateUnavailable: There is no state directory for what waits.
    """

    def __init__(self, settings: RecordsSettings, env: Mapping[str, str] | None = None) -> None:
        files = SessionFiles(env)
        self.address = settings.database or f"sqlite:///{files.folder('records') / 'records.db'}"
        url = url_of(self.address)
        self.is_file = url.drivername == "sqlite"
        named = url.set(password=None).render_as_string() + f" {settings.prefix}"
        self.folder: Path = files.folder("records", "spool", hashlib.sha256(named.encode()).hexdigest()[:16])
        self.spool = Spool(self.folder, settings.spool_mb << 20)
        self.engine: Engine = open_engine(self.address)
        self.tables = Tables(settings.prefix)
        # Whoever owns a server makes its tables: by ``records init``, or by the migrations of an application.
        self.writer = Writer(self.engine, self.tables, creates=self.is_file)

    def leave(self) -> None:
        """Closes what is open; what waits is whoever's who comes next."""
        self.spool.leave()
        self.engine.dispose()


class Recorder:
    """Writes what runs say into a database, without ever making them wait for it.

    What is recorded stands on this machine's disk when the call returns, and is written into the database by a thread
    of its own; where the database takes nothing, later, by this process or another one.

    Args:
        database: The database's address; that of the settings where it is None.
        settings: What is kept, and where; as ``read_settings`` finds them where it is None.
        env: The variables; this process's where it is None.

    Raises:
        BadAddress: The database's address is none.
        Unreadable: The settings' file cannot be read, or has a fault.
        StateUnavailable: There is no state directory for what waits.
    """

    def __init__(
        self,
        database: str | None = None,
        *,
        settings: RecordsSettings | None = None,
        env: Mapping[str, str] | None = None,
    ) -> None:
        settings = settings or read_settings(env=env)
        if database is not None:
            settings = settings.model_copy(update={"database": database})
        self._keeping = settings.keeping()
        self._place = Place(settings, env)
        self._delivery = Delivery(self._place.spool, self._place.writer, self._place.leave)

    @property
    def dropped(self) -> int:
        """How many contents were dropped, for want of room or because the database refused them."""
        return self._place.spool.dropped + self._place.writer.dropped

    def begin(self, request: Mapping[str, Any], *, run: str, **known: Any) -> Recording:
        """Writes the question down; returns what takes the run's events. It raises nothing.

        Args:
            request: The request.
            run: The run's id.
            known: What else is known: ``worker``, ``user``, ``tenant``, ``subject``, ``conversation_id``, ``at``.
        """
        about = About(run=run, request=request, **{"at": now(), **known})
        return Recording(Transcript(about, self._keeping), self._place.spool, self._delivery)

    def lose(self, run: str, code: str = "worker_lost") -> None:
        """Notes that a run has ended without a word, on whatever machine it was; where its end is known, that stays.

        Args:
            run: The run's id.
            code: The error's code; empty where it was aborted.
        """
        status = ("error", code) if code else ("aborted", "client")
        write_alone(Lost(run[:NAME], *status, now()), self._place.spool, self._delivery)

    def around(self, run: Run, request: Mapping[str, Any], **known: Any) -> RecordedRun:
        """Returns a run that is recorded while it is read; it is used in its place.

        Args:
            run: The run, not yet begun.
            request: Its request.
            known: See ``begin``.
        """
        return RecordedRun(run, self.begin(request, run=run.id, **known))

    def around_async(self, run: AsyncRun, request: Mapping[str, Any], **known: Any) -> AsyncRecordedRun:
        """Returns the same for a run of an event loop."""
        return AsyncRecordedRun(run, self.begin(request, run=run.id, **known))

    def close(self, patience_s: float = _PATIENCE_S) -> bool:
        """Waits until all is in the database; says whether it is. The rest stays on disk, for whoever comes next.

        Args:
            patience_s: Seconds to wait at most, where the database answers.
        """
        return self._delivery.close(patience_s)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
