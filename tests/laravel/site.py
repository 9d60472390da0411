"""A web site of its own: a copy of the example, php-fpm and nginx on loopback, and workers that reach the simulator."""

import base64
import json
import os
import pwd
import re
import secrets
import shutil
import signal
import socket
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

from tests.waiting import PATIENCE_S, told_of, until

REPOSITORY = Path(__file__).parents[2]
WEB_USER = "www-data"
CANARY = "canary-of-the-database"
PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"


def free_port() -> int:
    """A port on loopback that nobody listens on, none of those that the kernel gives to whoever asks for any."""
    while True:
        port = 10_000 + secrets.randbelow(20_000)
        with socket.socket() as probe, suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port


class Site:
    """The example behind nginx and php-fpm.

    Args:
        root: An empty directory that everybody may enter.
        base_url: What the workers take for the API.
    """

    def __init__(self, root: Path, base_url: str) -> None:
        self.root = root
        self.app = root / "examples/laravel"
        self.state = root / "state"
        self.temporary = root / "tmp"
        self.log = root / "nginx.log"
        """What nginx writes: each request, and what is wrong."""
        self.user = _web_user(root)
        self.port = free_port()
        self.lasting_port = free_port()
        """Here the same runs go on when the browser goes."""
        self.full_port = free_port()
        """Here are places for two streams."""
        self._base_url = base_url
        self._nginx: subprocess.Popen[bytes] | None = None
        self._fpm: subprocess.Popen[bytes] | None = None
        self._copy()
        self.worker = _worker(root, self.user)
        self.environ = {
            "APP_KEY": "base64:" + base64.b64encode(os.urandom(32)).decode(),
            "AGENT_CHAT_BINARY": str(self.worker),
            "AGENT_TASK_BINARY": str(self.worker.with_name("agent-task")),
            "AGENT_TOOL_BINARY": str(self._tool_worker()),
            "AGENT_SKILL_BINARY": str(self._skill_worker()),
            "AGENT_BATCH_BINARY": str(self.worker.with_name("agent-batch")),
            "AGENT_MCP_PYTHON": str(self.worker.with_name("python")),
            "AGENT_WORKERS_BINARY": str(self.worker.with_name("agent-workers")),
            "AGENT_WORKERS_STATE_DIR": str(self.state),
            "ANTHROPIC_BASE_URL": base_url,
            "ANTHROPIC_API_KEY": "key-canary",
            "DB_PASSWORD": CANARY,
            "TMPDIR": str(self.temporary),
        }

    @property
    def console(self) -> dict[str, str]:
        """The environment of a command: what it writes must not be in the web user's way."""
        home = self.root / "home"
        own = {"PATH": PATH, "HOME": str(home), "AGENT_WORKERS_STATE_DIR": str(home / "state"), "LOG_CHANNEL": "null"}
        return self.environ | own

    def _copy(self) -> None:
        kept = shutil.ignore_patterns("vendor", "node_modules", "app.key", "agent-workers", "*.sqlite", "*.log")
        shutil.copytree(REPOSITORY / "examples/laravel", self.app, ignore=kept)
        shutil.copytree(REPOSITORY / "examples/laravel/public/vendor", self.app / "public/vendor")
        shutil.copytree(REPOSITORY / "examples/mcp", self.root / "examples/mcp")
        for part in ("src", "config", "database", "lang", "resources"):
            shutil.copytree(REPOSITORY / "php-bridge" / part, self.root / "php-bridge" / part)
        for path in (self.state, self.temporary, self.root / "home"):
            path.mkdir()
        owned = [self.state, self.temporary, self.root / "home", self.app / "storage", self.app / "bootstrap/cache"]
        for path in owned:
            for each in (path, *path.rglob("*")):
                shutil.chown(each, self.user, self.user) if self.user else None

    def _tool_worker(self) -> Path:
        """A program of the worker for people's tools, with a policy that allows the example's MCP server."""
        command, args = str(self.worker.with_name("python")), [str(self.root / "examples/mcp/partners.py")]
        policy = self.root / "policy.toml"
        server = f"command = {json.dumps(command)}, args = {json.dumps(args)}"
        policy.write_text(f"version = 1\n[task]\nmcp_commands = [{{ {server} }}]\n")
        return self.program("agent-tool", f'exec {self.worker.with_name("agent-tool")} --policy {policy} "$@"')

    def _skill_worker(self) -> Path:
        """A program of the worker for skills, which a test may have do something else."""
        return self.program("agent-skill", f'exec {self.worker.with_name("agent-skill")} "$@"')

    def program(self, name: str, does: str) -> Path:
        """Writes a program of this name for the shell."""
        program = self.root / name
        program.write_text(f"#!/bin/bash\n{does}\n")
        program.chmod(0o755)
        return program

    # Servers, from the files that are given as examples

    def start(self) -> None:
        """Starts both servers; until they answer."""
        fpm = self.root / "fpm.conf"
        fpm.write_text(self._fpm_conf())
        as_root = ["--allow-to-run-as-root"] if os.geteuid() == 0 else []
        command = ["php-fpm8.2", "--nodaemonize", "--fpm-config", str(fpm), *as_root]
        self._fpm = self._daemon("fpm", command)
        until(
            lambda: all((self.root / f"{name}.sock").exists() for name in ("streams", "web", "lasting", "full")),
            what="php-fpm",
        )
        (self.root / "nginx.conf").write_text(self._nginx_conf())
        self.start_nginx()

    def start_nginx(self) -> None:
        self._nginx = self._daemon("nginx", ["nginx", "-p", str(self.root), "-c", str(self.root / "nginx.conf")])
        until(lambda: all(map(_answers, (self.port, self.lasting_port, self.full_port))), what="nginx")

    def stop_nginx(self) -> None:
        """Cuts every connection."""
        assert self._nginx
        _end(self._nginx)

    def stop(self) -> None:
        for daemon in (self._nginx, self._fpm):
            if daemon:
                _end(daemon)
        for pid in self.processes():
            os.kill(pid, signal.SIGKILL)

    def _daemon(self, name: str, command: list[str]) -> "subprocess.Popen[bytes]":
        with (self.root / f"{name}.log").open("ab") as log:
            return subprocess.Popen(command, env={"PATH": PATH}, stdin=subprocess.DEVNULL, stdout=log, stderr=log)

    def _fpm_conf(self) -> str:
        text = (REPOSITORY / "examples/servers/php-fpm.conf").read_text()
        text = text.replace("/run/php/", f"{self.root}/").replace("env[ANTHROPIC_API_KEY] = $ANTHROPIC_API_KEY\n", "")
        if not self.user:
            text = re.sub(r"^(user|group|listen\.\w+) = .*\n", "", text, flags=re.MULTILINE)
        web, streams = text.split("[streams]")
        env = "".join(f'env[{name}] = "{value}"\n' for name, value in self.environ.items())
        lasting = streams.replace("streams.sock", "lasting.sock") + env + 'env[AGENT_ON_DISCONNECT] = "continue"\n'
        head = f"[global]\npid = {self.root}/fpm.pid\nerror_log = {self.root}/fpm.log\ndaemonize = no\n"
        full = streams.replace("streams.sock", "full.sock").replace("STREAMS] = 20", "STREAMS] = 2")
        full = full.replace("max_children = 24", "max_children = 4") + env
        return f"{head}{web}{env}[streams]{streams}{env}[lasting]{lasting}[full]{full}"

    def _nginx_conf(self) -> str:
        server = (REPOSITORY / "examples/servers/nginx.conf").read_text()
        server = server.replace("/srv/app", str(self.app)).replace("/run/php/", f"{self.root}/")
        lasting = server.replace("streams.sock", "lasting.sock").replace("8080", str(self.lasting_port))
        full = server.replace("streams.sock", "full.sock").replace("8080", str(self.full_port))
        places = ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
        temporary = "".join(f"{name}_temp_path {self.root}/nginx-{name};\n" for name in places)
        user = f"user {self.user};\n" if self.user else ""
        # A request that is never answered has a line, too: once its client gives up.
        told = "$time_iso8601 $request $status took $request_time php $upstream_header_time $upstream_response_time"
        access = f"log_format told '{told}';\naccess_log {self.log} told;\n"
        return (
            f"{user}daemon off;\npid {self.root}/nginx.pid;\nerror_log {self.log};\n"
            f"worker_processes 1;\nevents {{ }}\nhttp {{\ninclude /etc/nginx/mime.types;\n{access}{temporary}"
            f"{server.replace('8080', str(self.port))}\n{lasting}\n{full}\n}}\n"
        )

    # What runs

    def processes(self, kind: str = "") -> list[int]:
        """The processes of the runs, whatever became of their parents: their environment gives them away.

        Args:
            kind: A part of the command line that they all have.
        """
        mark = f"={self.root}/".encode()
        return [pid for pid in pids() if any(mark in entry for entry in environ_of(pid)) and kind in command_of(pid)]

    def left(self) -> str:
        """The processes of the runs, for a wait for their end that has failed."""
        return told_of(self.processes())

    def artisan(self, *arguments: str, **options: object) -> "subprocess.Popen[bytes]":
        """Starts ``php artisan`` as whoever runs the tests."""
        pipe = subprocess.PIPE
        settings = {
            "stdin": subprocess.DEVNULL,
            "stdout": pipe,
            "stderr": pipe,
            "cwd": self.app,
            "env": self.console,
        } | options
        return subprocess.Popen(["php", "artisan", "--no-ansi", *arguments], **settings)


def pids() -> list[int]:
    """All processes that there are."""
    return [int(entry.name) for entry in Path("/proc").iterdir() if entry.name.isdigit()]


def environ_of(pid: int) -> list[bytes]:
    """The entries of a process's environment; none if it has gone or is somebody else's."""
    try:
        return Path(f"/proc/{pid}/environ").read_bytes().split(b"\0")
    except OSError:
        return []


def parent_of(pid: int) -> int:
    return int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])


def command_of(pid: int) -> str:
    """The command line of a process; empty for one that is no more."""
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
    except OSError:
        return ""


def _answers(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def _end(daemon: "subprocess.Popen[bytes]") -> None:
    daemon.terminate()
    try:
        daemon.wait(PATIENCE_S)
    except subprocess.TimeoutExpired:
        daemon.kill()
        daemon.wait(PATIENCE_S)


def _web_user(root: Path) -> str | None:
    """The user that a web server has on Debian, where the tests may become it and it can read the repository."""
    if os.geteuid() != 0:
        return None
    try:
        pwd.getpwnam(WEB_USER)
    except KeyError:
        return None
    return WEB_USER if _can(WEB_USER, ["test", "-r", str(Path(__file__)), "-a", "-x", str(root)]) else None


def _worker(root: Path, user: str | None) -> Path:
    """Programs of the worker that the web user can run, even where the virtual environment's Python is root's own."""
    installed = Path(sys.executable).with_name("agent-chat")
    if user is None or _can(user, [str(installed), "--version"]):
        return installed
    python = f"/usr/bin/python3.{sys.version_info.minor}"
    packages = [path for path in sys.path if path.endswith("site-packages")]
    found = f"#!{python}\nimport sys\nsys.path[:0] = {[str(REPOSITORY), *packages]}\n"
    programs = {
        name: f"sys.argv[:1] = [{name!r}, {name!r}]\nfrom agent_workers.cli import start\nstart()\n"
        for name in ("agent-chat", "agent-task", "agent-tool", "agent-skill", "agent-batch", "agent-workers")
    }
    # For a script that needs what is installed, such as an MCP server.
    programs["python"] = "import runpy\nrunpy.run_path(sys.argv[1], run_name='__main__')\n"
    (root / "bin").mkdir()
    for name, does in programs.items():
        program = root / "bin" / name
        program.write_text(found + does)
        program.chmod(0o755)
    program = root / "bin/agent-chat"
    assert _can(user, [str(program), "--version"]), f"{user} can run neither {installed} nor its packages by {python}"
    return program


def _can(user: str, command: list[str]) -> bool:
    # Not by setpriv: that still has root's capabilities when it executes the command.
    ran = subprocess.run(
        ["env", *command],
        user=user,
        group=user,
        extra_groups=[],
        env={"PATH": PATH},
        capture_output=True,
        check=False,
        cwd="/",
        timeout=PATIENCE_S,
    )
    return ran.returncode == 0
