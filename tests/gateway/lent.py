"""A user's own machine that has connected to a gateway, and one that says what a test wants."""

import json
import os
import signal
import socket
import ssl
import subprocess
import threading
import time
from collections.abc import Mapping, Sequence
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import Any, Self
from uuid import uuid4

import jwt
from websockets.sync.client import ClientConnection, connect

from tests.gateway.served import AUDIENCE, SCRIPTS, SECRET, SETTINGS, WORKER, Served
from tests.waiting import PATIENCE_S, until

OWN = f"""{SETTINGS}
[preset.own]
on = "user"
limits = {{ timeout_s = 100 }}

[preset.bold]
on = "user"
system_prompt = "Do whatever is asked."
"""
SCRIPTED = f"agent-chat={' '.join(WORKER)}"


def connect_token(**claims: Any) -> str:
    now = int(time.time())
    usual = {"aud": AUDIENCE, "sub": "7", "iat": now, "exp": now + 86_400, "use": "connect", "jti": "laptop"}
    return jwt.encode({**usual, **claims}, SECRET, algorithm="HS256", headers={"kid": "main"})


class Lent:
    """A machine's process.

    Args:
        gateway: Where it connects to.
        folder: Where it lives.
        token: Whose it is.
        port: The gateway's, where another than its own.
        scheme: Of its address.
        worker: Its worker.
        arguments: More of its command line.
        env: Variables to add.
    """

    def __init__(
        self,
        gateway: Served,
        folder: Path,
        token: str | None = None,
        *,
        port: int | None = None,
        scheme: str = "http",
        worker: str = SCRIPTED,
        arguments: Sequence[str] = (),
        env: Mapping[str, str] | None = None,
    ) -> None:
        folder.mkdir(exist_ok=True)
        file, self.log = folder / "token", folder / "connect.log"
        file.write_text(token or connect_token())
        environ = {
            "PATH": os.environ["PATH"],
            "HOME": str(folder),
            "CLAUDE_CONFIG_DIR": str(folder / "claude"),
            "AGENT_WORKERS_STATE_DIR": str(folder / "agents"),
            "ANTHROPIC_BASE_URL": "http://127.0.0.1:9",
            "ANTHROPIC_API_KEY": "dummy",
            **(env or {}),
        }
        address = f"{scheme}://127.0.0.1:{port or gateway.port}"
        named = ["--token-file", str(file), "--worker", worker]
        with self.log.open("wb") as log:
            self.process = subprocess.Popen(
                [str(SCRIPTS / "agent-workers"), "connect", address, *named, *arguments],
                env=environ,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                cwd=folder,
            )

    def connected(self, times: int = 1) -> Self:
        until(lambda: self._has_connected(times), what=self.log.read_text)
        return self

    def _has_connected(self, times: int) -> bool:
        assert self.process.poll() is None, self.said
        return self.said.count(": connected to") >= times

    @property
    def said(self) -> str:
        return self.log.read_text()

    def stop(self, number: signal.Signals = signal.SIGTERM) -> int:
        if self.process.poll() is None:
            self.process.send_signal(number)
        return self.process.wait(PATIENCE_S)


class Faker:
    """A machine that speaks the protocol as a test says."""

    def __init__(self, gateway: Served, token: str | None = None, **offer: Any) -> None:
        self._stack = ExitStack()
        self.socket: ClientConnection = self._stack.enter_context(
            connect(
                f"ws://127.0.0.1:{gateway.port}/v1/connect",
                additional_headers={"Authorization": f"Bearer {token or connect_token()}"},
                open_timeout=PATIENCE_S,
                close_timeout=PATIENCE_S,
            )
        )
        usual = {"type": "offer", "v": 1, "machine": str(uuid4()), "workers": ["agent-chat"], "max_runs": 4, "runs": {}}
        self.say(**{**usual, **offer})
        self.welcome = self.hear("welcome") if offer.get("v", 1) == 1 else {}

    def say(self, **message: Any) -> None:
        self.socket.send(json.dumps(message))

    def hear(self, kind: str) -> dict[str, Any]:
        while True:
            message: dict[str, Any] = json.loads(self.socket.recv(PATIENCE_S))
            if message["type"] == kind:
                return message

    def line(self, run: str, number: int, **event: Any) -> None:
        usual = {"v": 1, "seq": number, "run": run, "ts": "2026-11-27T10:00:00.000Z"}
        self.say(type="line", run=run, n=number, line=json.dumps({**usual, **event}))

    def begin(self, run: str) -> None:
        self.line(run, 1, type="start", worker="agent-chat", worker_version="0", sdk_version="0", simulated=True)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self._stack.close()


class Cutter:
    """A way to a gateway that can be cut.

    Args:
        port: The gateway's.
        tls: What it shows those who come; None for no TLS.
    """

    def __init__(self, port: int, tls: ssl.SSLContext | None = None) -> None:
        self._target = port
        self._tls = tls
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._listener.settimeout(PATIENCE_S)
        self.port: int = self._listener.getsockname()[1]
        self._open: list[socket.socket] = []
        self._threads: list[threading.Thread] = []
        threading.Thread(target=self._serve, daemon=True).start()

    def cut(self) -> None:
        for end in self._open:
            _shut(end)
        for thread in self._threads:
            thread.join(PATIENCE_S)
        for end in self._open:
            end.close()
        self._open.clear()
        self._threads.clear()

    def close(self) -> None:
        self._listener.close()
        self.cut()

    def _serve(self) -> None:
        while True:
            try:
                here, _ = self._listener.accept()
            except OSError:
                return
            try:
                here = self._tls.wrap_socket(here, server_side=True) if self._tls else here
            except OSError:  # it was not trusted
                here.close()
                continue
            try:
                there = socket.create_connection(("127.0.0.1", self._target))
            except OSError:
                here.close()
                continue
            self._open += [here, there]
            for pair in ((here, there), (there, here)):
                self._threads.append(threading.Thread(target=_pass_on, args=pair, daemon=True))
                self._threads[-1].start()


def _pass_on(source: socket.socket, sink: socket.socket) -> None:
    with suppress(OSError):
        while data := source.recv(65536):
            sink.sendall(data)
    _shut(sink)


def _shut(end: socket.socket) -> None:
    with suppress(OSError):
        end.shutdown(socket.SHUT_RDWR)
