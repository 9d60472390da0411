"""The real CLI, run against a simulator in a cleaned environment."""

import json
import os
import subprocess
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import claude_agent_sdk
import httpx
import pytest

from agent_workers.simulator import Simulator, running_simulator
from tests.simulator.batches import BATCHES, hello
from tests.waiting import PATIENCE_S

CLI = Path(claude_agent_sdk.__file__).parent / "_bundled" / "claude"
FLAGS = (
    "--output-format=stream-json",
    "--verbose",
    "--input-format=stream-json",
    "--include-partial-messages",
    "--setting-sources=",
    "--strict-mcp-config",
    "--system-prompt=You are simulated.",
)


@dataclass(frozen=True)
class CliRun:
    """What the CLI wrote: one JSON object per line, the last of them the result."""

    messages: list[dict[str, Any]]

    def of(self, kind: str, subtype: str | None = None) -> list[dict[str, Any]]:
        return [each for each in self.messages if each["type"] == kind and subtype in (None, each.get("subtype"))]

    @property
    def result(self) -> dict[str, Any]:
        (result,) = self.of("result")
        return result

    @property
    def api_events(self) -> list[dict[str, Any]]:
        return [each["event"] for each in self.of("stream_event")]

    def deltas(self, kind: str = "text") -> list[str]:
        found = (event["delta"] for event in self.api_events if event["type"] == "content_block_delta")
        return [delta[kind] for delta in found if kind in delta]

    def block_texts(self) -> list[str]:
        return [block["text"] for block in self.blocks if block["type"] == "text"]

    @property
    def blocks(self) -> list[dict[str, Any]]:
        return [block for each in self.of("assistant") for block in each["message"]["content"]]

    @property
    def tool_results(self) -> list[dict[str, Any]]:
        contents = (each["message"]["content"] for each in self.of("user"))
        blocks = (block for content in contents for block in content)
        return [block for block in blocks if block["type"] == "tool_result"]


RunCli = Callable[..., CliRun]


@pytest.fixture
def simulator() -> Iterator[Simulator]:
    with running_simulator() as simulator:
        yield simulator


@pytest.fixture
def client(simulator: Simulator) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=simulator.base_url, timeout=PATIENCE_S, trust_env=False) as client:
        yield client


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture
def ask(client: httpx.Client) -> Callable[..., httpx.Response]:
    """Asks for a message; keyword arguments go into the body."""

    def ask(prompt: str = "Hello there.", session: str = "one", **body: Any) -> httpx.Response:
        given = {"model": "claude-test", "messages": [{"role": "user", "content": prompt}], **body}
        return client.post("/v1/messages", json=given, headers={"x-claude-code-session-id": session})

    return ask


@pytest.fixture
def make(client: httpx.Client) -> Callable[..., dict[str, Any]]:
    """Makes a batch of these requests; a name alone is a greeting."""

    def make(*requests: str | dict[str, Any]) -> dict[str, Any]:
        asked = [hello(each) if isinstance(each, str) else each for each in requests]
        made: dict[str, Any] = client.post(BATCHES, json={"requests": asked}).json()
        return made

    return make


@pytest.fixture
def look(client: httpx.Client) -> Callable[..., dict[str, Any]]:
    """Reads how far a batch is."""
    return lambda batch: client.get(f"{BATCHES}/{batch['id']}").json()


@pytest.fixture
def run_cli(simulator: Simulator, tmp_path: Path) -> RunCli:
    """Runs the CLI with one prompt, to its end."""

    def run(prompt: str = "Hello there.", *flags: str, tools: str = "") -> CliRun:
        with running_cli(simulator, tmp_path, f"--tools={tools}", *flags) as say:
            return say(prompt)

    return run


@contextmanager
def running_cli(simulator: Simulator, home: Path, *flags: str) -> Iterator[Callable[[str], CliRun]]:
    """The CLI; what is yielded says a prompt to it and returns what it writes until that turn's result."""
    cwd = home / "cwd"
    cwd.mkdir(exist_ok=True)
    command = [str(CLI), *FLAGS, *flags]
    with subprocess.Popen(
        command,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env=_environment(simulator, home),
        cwd=cwd,
    ) as process:
        assert process.stdin
        assert process.stdout
        given, written = process.stdin, process.stdout

        def say(prompt: str) -> CliRun:
            message = {"type": "user", "message": {"role": "user", "content": prompt}, "parent_tool_use_id": None}
            given.write(json.dumps(message).encode() + b"\n")
            given.flush()
            with _ended_if_too_late(process):
                return CliRun(list(_until_result(written)))

        try:
            yield say
            given.close()
            with _ended_if_too_late(process):
                assert [line for line in written if json.loads(line)["type"] == "result"] == []
        finally:
            process.terminate()


@contextmanager
def _ended_if_too_late(process: subprocess.Popen[bytes]) -> Iterator[None]:
    """Asks a CLI to end that says nothing more; killed outright, it would leave its tools behind."""
    too_late = threading.Timer(PATIENCE_S, process.terminate)
    too_late.start()
    try:
        yield
    finally:
        too_late.cancel()


def _until_result(lines: Iterable[bytes]) -> Iterator[dict[str, Any]]:
    for line in lines:
        message = json.loads(line)
        yield message
        if message["type"] == "result":
            return
    raise AssertionError("the CLI ended before its result")


def _environment(simulator: Simulator, home: Path) -> dict[str, str]:
    return {
        "PATH": os.environ["PATH"],
        "HOME": str(home),
        "CLAUDE_CONFIG_DIR": str(home / "config"),
        "ANTHROPIC_BASE_URL": simulator.base_url,
        "ANTHROPIC_API_KEY": "dummy",
        "CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC": "1",
        "CLAUDE_CODE_DISABLE_NONSTREAMING_FALLBACK": "1",
        "CLAUDE_CODE_MAX_RETRIES": "2",
        "IS_SANDBOX": "1",
    }
