"""A clone of the repository, and the demos in it as they are typed."""

import os
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from tests.laravel.site import PATH, REPOSITORY, environ_of, free_port, pids
from tests.waiting import PATIENCE_S, told_of, until

READY = "Ctrl-C ends it."
_START_S = 300
_LEFT_OUT = shutil.ignore_patterns("node_modules", "vendor", "app.key", "*.sqlite", "*.log", "__pycache__")


def clone(root: Path) -> Path:
    """Copies what the demos need into a directory of its own: what is installed and what is built is not made anew."""
    subprocess.run([REPOSITORY / "examples/laravel/setup.sh"], check=True, timeout=_START_S)
    for path in REPOSITORY.iterdir():
        if path.is_file():
            shutil.copy2(path, root)
    bridge = [f"php-bridge/{part}" for part in ("src", "config", "database", "lang", "resources")]
    for name in ("agent_workers", "bin", "tools", "examples", "packages", *bridge):
        shutil.copytree(REPOSITORY / name, root / name, ignore=_LEFT_OUT)
    for built in (root / "examples/laravel/public").glob("agent-*"):
        built.unlink()
    (root / ".venv").mkdir()
    # Beside its configuration, by which a Python that is started by the link's path finds what is installed.
    environment = Path(sys.executable).parents[1]
    for name in ("bin", "lib", "pyvenv.cfg"):
        (root / ".venv" / name).symlink_to(environment / name)
    (root / ".venv/.ready").touch()
    return root


class Demo:
    """``make demo-laravel``, in a session of its own.

    Args:
        clone: Where it is typed.
        home: The user's home, which tells its processes from others.
        port: Where it is to serve; a free port by default.
        variables: What else is set where it is typed.
    """

    def __init__(self, clone: Path, home: Path, port: int | None = None, **variables: str) -> None:
        self.port = port or free_port()
        self._home = home
        self._mark = f"HOME={home}".encode()
        self._output = home / f"output-{os.urandom(4).hex()}"
        environ = {"PATH": f"{os.environ['PATH']}:{PATH}", "HOME": str(home), "TMPDIR": str(home)}
        environ |= {"PORT": str(self.port), "LANG": "C.UTF-8", **variables}
        with self._output.open("wb") as out:
            self.process = subprocess.Popen(
                ["make", "demo-laravel"],
                cwd=clone,
                env=environ,
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=out,
                start_new_session=True,
            )

    @property
    def output(self) -> str:
        return self._output.read_text()

    @property
    def addresses(self) -> list[str]:
        """The pages that it names, in their order."""
        return re.findall(r"http://\S+", self.output)

    @property
    def command(self) -> str:
        """The command that it names, for the shell."""
        [command] = re.findall(r"^Commands: +(.+)$", self.output, re.MULTILINE)
        return command

    def wait_until_ready(self) -> None:
        until(lambda: self.process.poll() is not None or READY in self.output, _START_S, what=lambda: self.left)
        assert self.process.poll() is None, self.output

    @property
    def script(self) -> int:
        """The process of serve.sh."""
        [child] = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text().split()
        return int(child)

    def processes(self) -> list[int]:
        """What it has started and what these have, itself included."""
        return [pid for pid in pids() if self._mark in environ_of(pid) or self._is_in_its_home(pid)]

    def _is_in_its_home(self, pid: int) -> bool:
        """Whether it works there: a Redis overwrites its variables."""
        with suppress(OSError):
            return Path(f"/proc/{pid}/cwd").readlink().is_relative_to(self._home)
        return False

    @property
    def left(self) -> str:
        """What is left of it: each process, what it waits for in the kernel, its signals; and the output."""
        return "\n".join([f"make: {self.process.poll()}", told_of(self.processes()), self.output])

    def wait_for_the_end(self, after: str) -> None:
        """Waits until ``make`` has ended, and then all the rest."""
        told = lambda: f"after {after}, this is left:\n{self.left}"  # noqa: E731 both waits tell the same
        until(lambda: self.process.poll() is not None, what=told)
        until(lambda: not self.processes(), 15, what=told)

    def kill(self) -> None:
        for pid in self.processes():
            os.kill(pid, signal.SIGKILL)
        self.process.wait(PATIENCE_S)


@contextmanager
def running_demo(clone: Path, home: Path, port: int | None = None, **variables: str) -> Iterator[Demo]:
    """The demo as soon as it says that it is ready; whatever is left of it is killed in the end."""
    demo = Demo(clone, home, port, **variables)
    try:
        demo.wait_until_ready()
        yield demo
    finally:
        demo.kill()
