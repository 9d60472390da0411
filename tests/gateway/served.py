"""A gateway as an operator starts it, an application that signs tokens, and browsers."""

import http.client
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import jwt

from tests.waiting import PATIENCE_S, until

SCRIPTS = Path(sys.executable).parent
SCRIPTED = Path(__file__).with_name("scripted.py")
CONFORMANCE = Path(__file__).parents[2] / "conformance" / "v1"
SECRET = "0123456789abcdef0123456789abcdef"
AUDIENCE = "https://gateway.test"
WORKER = [sys.executable, "-S", str(SCRIPTED), str(CONFORMANCE / "transcripts")]
SETTINGS = f"""
audience = "{AUDIENCE}"
origins = ["https://app.test"]
trusted_proxies = ["127.0.0.1"]

[workers]
agent-chat = {json.dumps(WORKER)}
agent-skill = {json.dumps(WORKER)}

[key.main]
algorithm = "HS256"
variable = "TOKEN_KEY"

[preset.chat]
model = "claude-opus-5-5"
max_turns = 5
tools = ["AskUserQuestion"]
limits = {{ timeout_s = 100, max_budget_usd = 2 }}

[preset.skills]
any_skill = true
"""


@dataclass(frozen=True)
class Frame:
    """A server-sent event."""

    event: str
    data: str
    id: str

    @property
    def json(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(self.data)
        return found


@dataclass
class Answer:
    """A response that was read to its end."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def frames(self) -> list[Frame]:
        return frames_of(self.body.decode())

    @property
    def events(self) -> list[dict[str, Any]]:
        """The events of the run, without heartbeats."""
        return [frame.json for frame in self.frames if frame.id]


class Stream:
    """A response that is read as it comes."""

    def __init__(self, connection: http.client.HTTPConnection, response: http.client.HTTPResponse) -> None:
        self.response = response
        self.run = response.headers["x-agent-run"]
        self._connection = connection
        self._text = ""

    def frames(self) -> Iterator[Frame]:
        """Yields each event of the run as it comes, to the end."""
        for frame in self.all():
            if frame.id:
                yield frame

    def all(self) -> Iterator[Frame]:
        while data := self.response.read1(65536):
            self._text += data.decode()
            *whole, self._text = self._text.split("\n\n")
            yield from frames_of("\n\n".join([*whole, ""]))

    def wait_for(self, kind: str) -> Frame:
        for frame in self.frames():
            if frame.event == kind:
                return frame
        raise AssertionError(f"no {kind}")

    def close(self) -> None:
        self.response.close()
        self._connection.close()


class Served:
    """A gateway's process.

    Args:
        folder: Where it lives.
        settings: Its file, without where it listens.
        env: Variables to add.
    """

    def __init__(self, folder: Path, settings: str = SETTINGS, env: Mapping[str, str] | None = None) -> None:
        self.folder = folder
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        self.file = folder / "gateway.toml"
        self.file.write_text(f'listen = "127.0.0.1:{self.port}"\n{settings}')
        self.log = folder / "gateway.log"
        self.environ = {
            "PATH": os.environ["PATH"],
            "HOME": str(folder),
            "CLAUDE_CONFIG_DIR": str(folder / "claude"),
            "AGENT_WORKERS_STATE_DIR": str(folder / "agents"),
            "ANTHROPIC_BASE_URL": "http://127.0.0.1:9",
            "ANTHROPIC_API_KEY": "dummy",
            "TOKEN_KEY": SECRET,
            **(env or {}),
        }
        self.start()

    def start(self) -> None:
        command = [str(SCRIPTS / "agent-workers"), "gateway", "--config", str(self.file)]
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                command, env=self.environ, stdin=subprocess.DEVNULL, stdout=log, stderr=log, cwd=self.folder
            )
        until(self._is_up, what=self.log.read_text)

    def _is_up(self) -> bool:
        assert self.process.poll() is None, self.log.read_text()
        try:
            return self.ask("GET", "/readyz").status == 200
        except OSError:
            return False

    def token(self, key: Any = SECRET, algorithm: str = "HS256", kid: str | None = "main", **claims: Any) -> str:
        now = int(time.time())
        usual = {"aud": AUDIENCE, "sub": "7", "iat": now, "exp": now + 110, "preset": "chat"}
        said = {name: value for name, value in {**usual, **claims}.items() if value is not None}
        return jwt.encode(said, key, algorithm=algorithm, headers={"kid": kid} if kid else {})

    def open(
        self, method: str, path: str, body: Any = None, token: str | None = None, **headers: str
    ) -> tuple[http.client.HTTPConnection, http.client.HTTPResponse]:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=PATIENCE_S)
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        if token is not None:
            named["Authorization"] = f"Bearer {token}"
        data = body if isinstance(body, bytes | None) else json.dumps(body).encode()
        connection.request(method, path, data, named)
        return connection, connection.getresponse()

    def ask(self, method: str, path: str, body: Any = None, token: str | None = None, **headers: str) -> Answer:
        connection, response = self.open(method, path, body, token, **headers)
        try:
            return Answer(response.status, response.headers, response.read())
        finally:
            connection.close()

    def post(self, path: str, body: Any = None, token: str | None = None, **headers: str) -> Answer:
        return self.ask("POST", path, body, self.token() if token is None else token, **headers)

    def get(self, path: str, token: str | None = None, **headers: str) -> Answer:
        return self.ask("GET", path, None, self.token() if token is None else token, **headers)

    def run(self, prompt: str, token: str | None = None, query: str = "", **body: Any) -> Answer:
        return self.post(f"/v1/runs{query}", {"prompt": prompt, **body}, token)

    @contextmanager
    def streaming(self, prompt: str, token: str | None = None, **headers: str) -> Iterator[Stream]:
        """Starts a run, and stops it at the end if it goes on."""
        token = token or self.token()
        stream = Stream(*self.open("POST", "/v1/runs", {"prompt": prompt}, token, **headers))
        assert stream.response.status == 200, stream.response.read()
        try:
            yield stream
        finally:
            stream.close()
            self.post(f"/v1/runs/{stream.run}/abort", {}, token)

    @contextmanager
    def following(self, run: str, token: str | None = None, after: str = "", query: str = "") -> Iterator[Stream]:
        path = f"/v1/runs/{run}/events{query}"
        stream = Stream(*self.open("GET", path, None, token or self.token(), Last_Event_ID=after))
        try:
            yield stream
        finally:
            stream.close()

    def stop(self, number: signal.Signals = signal.SIGTERM) -> int:
        if self.process.poll() is None:
            self.process.send_signal(number)
        return self.process.wait(PATIENCE_S)


def frames_of(text: str) -> list[Frame]:
    """Reads whole frames."""
    found = []
    for block in text.split("\n\n")[:-1]:
        fields = dict(line.split(": ", 1) for line in block.split("\n") if not line.startswith(":"))
        if "data" in fields:
            found.append(Frame(fields.get("event", "message"), fields["data"], fields.get("id", "")))
    return found
