"""The files of a conversation on this machine: taken as one bundle to another machine, and put in place there.

A session's record is its lock: its files are changed only while no run writes it, and an agent of a pool that holds the
conversation in memory gives it up first.
"""

from __future__ import annotations

import hashlib
import os
import re
import socket
from contextlib import suppress
from typing import TYPE_CHECKING, NamedTuple
from uuid import UUID

from agent_workers.client.kept_sessions import kept_in
from agent_workers.client.session_bundle import Bundle, pack, unpack
from agent_workers.client.session_places import Places, read_file, write_file
from agent_workers.engine.host.environment import Environment
from agent_workers.engine.host.own_file import ForeignFile, open_own
from agent_workers.engine.host.session_lock import await_end, open_locked
from agent_workers.engine.host.session_record import Binding, read_binding, write_record
from agent_workers.engine.host.sessions import agent_id_of
from agent_workers.errors import SessionDamaged, StateUnavailable

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from pathlib import Path

    from agent_workers.client.kept_sessions import KeptSession

_SIMULATED = "simulated"
_CALL_ID = re.compile(rb'"(?:id|tool_use_id|toolUseID|toolUseId)" ?: ?"([^"\\]{1,256})"')


class Located(NamedTuple):
    """What of a session is on this machine.

    Attributes:
        engine: The engine that keeps it.
        cwd: The working directory that it belongs to.
        files: The path of each file, by the name that it has on every machine.
    """

    engine: str
    cwd: Path
    files: dict[str, Path]


class SessionFiles:
    """The sessions of the workers that run with these variables.

    Args:
        env: The variables by which the workers find their directories; this process's where it is None.
        simulated: Whether the workers run with ``--simulate``, which keeps their sessions apart.
        by_name: Whether sessions are called by the names of their records, as ``kept`` tells them.
    """

    def __init__(self, env: Mapping[str, str] | None = None, *, simulated: bool = False, by_name: bool = False) -> None:
        self._environment = Environment(os.environ if env is None else env, _SIMULATED if simulated else None)
        self._agent_id_of = _name if by_name else agent_id_of

    @property
    def place(self) -> str:
        """Names this machine and the state directory, among the places where a run may have been."""
        return f"{socket.gethostname()}:{self._environment.state_dir()}"

    def folder(self, *names: str) -> Path:
        """Returns a directory below the state directory; creates it where it is missing.

        Raises:
            StateUnavailable: It cannot be created or written.
        """
        return self._environment.common_dir(*names)

    def name_of(self, session_id: str) -> str:
        """Returns what the record of a session is called."""
        return self._agent_id_of(session_id)

    def kept(self) -> Iterator[KeptSession]:
        """Yields each session of this machine, by the order of their names.

        Raises:
            StateUnavailable: The state directory cannot be read.
        """
        return kept_in(self._environment)

    def locate(self, session_id: str) -> Located | None:
        """Returns what is here of a session; None where nothing was said in it here.

        Raises:
            StateUnavailable: The state directory cannot be read.
        """
        if (binding := self._binding(session_id)) is None:
            return None
        places = Places(self._environment, self._agent_id_of(session_id), binding)
        files = dict(places.files())
        return Located(binding.engine, places.cwd, files) if files else None

    def mark(self, session_id: str) -> tuple[object, ...] | None:
        """Returns what changes with the session's files; None where there are none."""
        with suppress(OSError, StateUnavailable):
            if located := self.locate(session_id):
                return tuple((name, *_status(path)) for name, path in sorted(located.files.items()))
        return None

    def export(self, session_id: str, *, settled: bool = False) -> bytes | None:
        """Returns the session as a bundle; None where nothing was said in it here.

        Args:
            session_id: The session as the application knows it.
            settled: Whether to wait, for 6 s at most, until a run that has announced its end has ended: it may still
                take a turn back.

        Raises:
            StateUnavailable: A file cannot be read.
        """
        binding = self._binding(session_id, settled=settled)
        if binding is None:
            return None
        agent_id = self._agent_id_of(session_id)
        files: dict[str, bytes] = {}
        for name, path in Places(self._environment, agent_id, binding).files():
            try:
                files[name] = read_file(path)
            except (FileNotFoundError, ForeignFile):
                continue  # it has gone meanwhile, or is none of the session's
            except OSError as error:
                raise StateUnavailable(cause=f"{path}: {error.strerror}") from error
        if not files:
            return None
        calls = tuple(call for call in self._calls_of(files.values()) if self._pending(call).exists())
        return pack(Bundle(agent_id, binding._asdict(), files, calls))

    def install(self, session_id: str, bundle: bytes) -> None:
        """Puts a session's files in place, instead of those that are here.

        Raises:
            SessionBusy: A run on this machine is writing the session.
            SessionDamaged: The bundle is cut, changed, or not this session's.
            StateUnavailable: A file cannot be written.
        """
        agent_id = self._agent_id_of(session_id)
        found = unpack(bundle, agent_id)
        try:
            binding = Binding(**found.binding)
        except TypeError:
            raise SessionDamaged(cause="the bundle of a session is bound to what this version does not know") from None
        places = Places(self._environment, agent_id, binding)
        wanted = {places.path_of(name): content for name, content in found.files.items()}
        record = self._record(session_id)
        descriptor = open_locked(record)
        try:
            self._clear(agent_id, descriptor, keep=wanted)
            for path, content in wanted.items():
                write_file(path, content, places.root)
            self._note_calls(found, os.path.realpath(places.cwd))
            if read_binding(descriptor) != binding:
                os.ftruncate(descriptor, 0)
                again = os.dup(descriptor)  # which is closed where it cannot be written
                write_record(again, binding, record)
                os.close(again)
        except OSError as error:
            raise StateUnavailable(cause=f"a session cannot be put in place: {error}") from error
        finally:
            os.close(descriptor)

    def remove(self, session_id: str) -> None:
        """Removes what is here of a session.

        Raises:
            SessionBusy: A run on this machine is writing the session.
            StateUnavailable: A file cannot be removed.
        """
        record = self._record(session_id)
        try:
            descriptor = open_locked(record, create=False)
        except FileNotFoundError:
            return
        try:
            self._clear(self._agent_id_of(session_id), descriptor)
            record.unlink(missing_ok=True)
        except OSError as error:
            raise StateUnavailable(cause=f"a session cannot be removed: {error}") from error
        finally:
            os.close(descriptor)

    def _record(self, session_id: str) -> Path:
        return self._environment.common_dir("sessions") / self._agent_id_of(session_id)

    def _binding(self, session_id: str, *, settled: bool = False) -> Binding | None:
        record = self._record(session_id)
        try:
            descriptor = open_own(record, os.O_RDONLY)
        except (FileNotFoundError, ForeignFile):
            return None
        except OSError as error:
            raise StateUnavailable(cause=f"{record}: {error.strerror}") from error
        try:
            if settled:
                await_end(descriptor)
            return read_binding(descriptor)
        finally:
            os.close(descriptor)

    def _clear(self, agent_id: str, descriptor: int, keep: Mapping[Path, bytes] | None = None) -> None:
        """Removes the session's files that are here, but for those that will be written anew, and its open calls."""
        if (binding := read_binding(descriptor)) is None:
            return
        for _, path in list(Places(self._environment, agent_id, binding).files()):
            with suppress(OSError):
                for call in self._calls_of([read_file(path)]):
                    self._pending(call).unlink(missing_ok=True)
            if path not in (keep or {}):
                path.unlink(missing_ok=True)

    def _pending(self, call: str) -> Path:
        return self._environment.common_dir("pending") / call

    def _calls_of(self, contents: Iterable[bytes]) -> set[str]:
        """Returns the names of the calls in a conversation, as far as any wait here."""
        with os.scandir(self._environment.common_dir("pending")) as entries:
            waiting = {entry.name for entry in entries}
        if not waiting:
            return set()
        named = {hashlib.sha256(call).hexdigest() for data in contents for call in _CALL_ID.findall(data)}
        return named & waiting

    def _note_calls(self, bundle: Bundle, cwd: str) -> None:
        for call in bundle.calls:
            path = self._pending(call)
            write_file(path, cwd.encode(), path.parent)


def _name(session: str) -> str:
    """Returns the name of a record, which is a UUID, so it names no file elsewhere."""
    try:
        return str(UUID(session))
    except ValueError:
        raise ValueError(
            f"{session!r} is not the name of a session, such as agent-workers sessions list shows"
        ) from None


def _status(path: Path) -> tuple[int, int, int]:
    found = path.stat()
    return found.st_ino, found.st_size, found.st_mtime_ns
