"""Database servers of the tests' own: Debian's MariaDB and PostgreSQL, each on a free port of the loopback."""

import os
import shutil
import signal
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import mkdtemp

from sqlalchemy import create_engine, text
from sqlalchemy.exc import OperationalError

from tests.waiting import PATIENCE_S, until


class DatabaseServer:
    """A server that can be stopped, killed and started again with what it has written."""

    user: str
    program: Path

    def __init__(self) -> None:
        self.folder = Path(mkdtemp(prefix="agent-workers-"))
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        self._process: subprocess.Popen[bytes] | None = None
        if os.getuid() == 0:
            shutil.chown(self.folder, self.user)
        self._install()
        self.start()
        self._prepare()

    @property
    def url(self) -> str:
        """Its address, in the words of an operator."""
        raise NotImplementedError

    def start(self) -> None:
        """Starts it, and waits until it answers."""
        with (self.folder / "log").open("ab") as log:
            self._process = subprocess.Popen(self._as_user(self._command()), stdout=log, stderr=log, cwd="/")
        until(self._answers, what=lambda: (self.folder / "log").read_text("utf-8", "replace")[-2000:])

    def send(self, number: signal.Signals) -> None:
        """Has it stand still, go on, or end."""
        assert self._process
        self._process.send_signal(number)

    def kill(self) -> None:
        """Kills it, as a machine does that loses its power."""
        self.send(signal.SIGKILL)
        self._wait()

    def close(self) -> None:
        """Stops it and removes what it has written."""
        if self._process and self._process.poll() is None:
            self.send(signal.SIGINT if self.user == "postgres" else signal.SIGTERM)
            self._wait()
        shutil.rmtree(self.folder)

    def _wait(self) -> None:
        assert self._process
        self._process.wait(timeout=PATIENCE_S)

    def _answers(self) -> bool:
        assert self._process
        assert self._process.poll() is None, (self.folder / "log").read_text("utf-8", "replace")[-2000:]
        if not self._listens():  # PyMySQL would leave its socket open
            return False
        engine = create_engine(self._first_url())
        try:
            with engine.connect():
                return True
        except OperationalError:
            return False
        finally:
            engine.dispose()

    def _listens(self) -> bool:
        with socket.socket() as asking:
            return asking.connect_ex(("127.0.0.1", self.port)) == 0

    def _first_url(self) -> str:
        raise NotImplementedError

    def _install(self) -> None:
        raise NotImplementedError

    def _prepare(self) -> None:
        """Makes the database, where the server comes without one."""

    def _command(self) -> list[str]:
        raise NotImplementedError

    def _as_user(self, command: list[str]) -> list[str]:
        own = ["setpriv", f"--reuid={self.user}", f"--regid={self.user}", "--clear-groups", "--"]
        return [*own, *command] if os.getuid() == 0 else command

    def _run(self, *command: str) -> None:
        subprocess.run(self._as_user(list(command)), check=True, capture_output=True, cwd="/", timeout=PATIENCE_S)


class MariaDb(DatabaseServer):
    user = "mysql"
    program = Path("/usr/sbin/mariadbd")

    @property
    def url(self) -> str:
        return f"mariadb://root@127.0.0.1:{self.port}/test"

    def _first_url(self) -> str:
        return f"mysql+pymysql://root@localhost/mysql?unix_socket={self.folder}/socket"

    def _install(self) -> None:
        data = f"--datadir={self.folder}/data"
        normal = "--auth-root-authentication-method=normal"
        self._run("mariadb-install-db", "--no-defaults", data, normal, "--skip-test-db")

    def _prepare(self) -> None:
        engine = create_engine(self._first_url())
        with engine.begin() as connection:
            connection.execute(text("CREATE DATABASE test"))
            connection.execute(text("CREATE USER IF NOT EXISTS root@'127.0.0.1'"))
            connection.execute(text("GRANT ALL ON *.* TO root@'127.0.0.1'"))
        engine.dispose()

    def _command(self) -> list[str]:
        places = [f"--datadir={self.folder}/data", f"--socket={self.folder}/socket", f"--pid-file={self.folder}/pid"]
        listening = [f"--port={self.port}", "--bind-address=127.0.0.1", "--innodb-flush-log-at-trx-commit=2"]
        return [str(self.program), "--no-defaults", *places, *listening]


class PostgreSql(DatabaseServer):
    user = "postgres"
    program = next(iter(sorted(Path("/usr/lib/postgresql").glob("*/bin/postgres"))), Path("/usr/lib/postgresql"))

    @property
    def url(self) -> str:
        return f"postgresql://test@127.0.0.1:{self.port}/postgres"

    def _first_url(self) -> str:
        return f"postgresql+psycopg://test@127.0.0.1:{self.port}/postgres"

    def _install(self) -> None:
        forms = ["--auth=trust", "--username=test", "--no-sync", "--encoding=UTF8", "--locale=C"]
        self._run(str(self.program.with_name("initdb")), *forms, f"--pgdata={self.folder}/data")

    def _command(self) -> list[str]:
        place = ["-D", f"{self.folder}/data", "-k", str(self.folder)]
        return [str(self.program), *place, "-p", str(self.port), "-h", "127.0.0.1"]


@contextmanager
def serving(kind: type[DatabaseServer]) -> Iterator[DatabaseServer]:
    """Runs a server for as long as the block."""
    server = kind()
    try:
        yield server
    finally:
        server.close()
