"""A pool that serves a web site's runs: Laravel under php-fpm and nginx, and what becomes of a run there."""

import json
import os
import signal
import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from agent_workers.simulator import Simulator
from tests.laravel.browser import Browser
from tests.laravel.site import PATH, Site, command_of, pids
from tests.laravel.sites import started
from tests.laravel.visitor import Visitor
from tests.waiting import PATIENCE_S, until

CONVERSATION = "4b6f1c0a-53f1-4d0c-9c57-1c9f0d1b2a3c"


class PooledSite(Site):
    """The example, told of a pool that runs as the web server's user."""

    def __init__(self, root: Path, base_url: str) -> None:
        super().__init__(root, base_url)
        self.socket = self.temporary / "pool.sock"
        self.environ |= {"AGENT_WORKERS_POOL": str(self.socket), "LOG_LEVEL": "info"}
        self.common = {"AGENT_WORKERS_STATE_DIR": str(self.state)}
        """What the pool and the workers that are started elsewhere have alike."""
        self._pool: subprocess.Popen[bytes] | None = None

    def start_pool(self) -> None:
        """Starts the pool; until an agent is ready."""
        told = ("AGENT_WORKERS_STATE_DIR", "ANTHROPIC_BASE_URL", "ANTHROPIC_API_KEY", "TMPDIR")
        environ = {"PATH": PATH, "HOME": str(self.root / "home")} | {name: self.environ[name] for name in told}
        program = str(self.worker.with_name("agent-workers"))
        identity: dict[str, Any] = {"user": self.user, "group": self.user, "extra_groups": []} if self.user else {}
        with (self.root / "pool.log").open("ab") as log:
            self._pool = subprocess.Popen(
                [program, "pool", "--socket", str(self.socket), "--min-idle", "1"],
                env=environ,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                cwd="/",
                **identity,
            )
        until(lambda: self.number("idle") == 1, what=(self.root / "pool.log").read_text)

    def stop_pool(self) -> None:
        if self._pool:
            self._pool.terminate()
            self._pool.wait(PATIENCE_S)

    def served(self, way: str) -> int:
        """How many runs were served this way."""
        return int(self._status()["served"].get(way, 0))

    def number(self, state: str) -> int:
        """How many of the pool's processes are in a state; -1 where there is no pool."""
        try:
            return int(self._status()[state])
        except (FileNotFoundError, ConnectionRefusedError):
            return -1

    def _status(self) -> dict[str, Any]:
        with socket.socket(socket.AF_UNIX) as asking:
            asking.settimeout(PATIENCE_S)
            asking.connect(str(self.socket))
            asking.sendall(b'{"pool": 1, "status": true}\n')
            return dict(json.loads(asking.makefile("rb").readline())["pools"]["default"])

    def left(self) -> str:
        return (self.root / "pool.log").read_text("utf-8", "replace")


@pytest.fixture(scope="module")
def running(simulator: Simulator) -> Iterator[PooledSite]:
    with started(PooledSite, simulator.base_url, "pooled") as site:
        try:
            yield site
        finally:
            site.stop_pool()


@pytest.fixture
def pooled(running: PooledSite) -> Iterator[PooledSite]:
    """The site with its pool; after each test no run is left."""
    if running.number("idle") < 0:
        running.start_pool()
    yield running
    until(lambda: running.number("busy") <= 0, what=running.left)


@pytest.fixture
def visitor(pooled: PooledSite) -> Iterator[Visitor]:
    visitor = Visitor(pooled.port)
    yield visitor
    visitor.http.close()


def test_a_chat_and_its_next_message_are_served_by_the_pool(visitor: Visitor) -> None:
    for words, ways in (("My name is Ada.", {"warm"}), ("Who am I? [[scenario:memory]]", {"live", "cold"})):
        with visitor.ask(words, conversation=CONVERSATION) as stream:
            assert stream.wait_for("start")["warm"] in ways
            answer = stream.wait_for("done")["text"]
    assert "The first was: My name is Ada." in answer


def test_the_page_finds_the_agent_of_its_conversation(pooled: PooledSite, running_browser: Browser) -> None:
    running_browser.server_log = pooled.log
    running_browser.open(f"http://127.0.0.1:{pooled.port}/")
    try:
        before = pooled.served("live")
        for number in (1, 2, 3):
            running_browser.say(f"This is message {number}. [[scenario:memory]]")
            told = f"You sent {number} prompts. The first was: This is message 1."
            until(lambda told=told: told in running_browser.answer, what=lambda: running_browser.told, within_s=20)
            running_browser.wait_for("done")
            until(lambda: pooled.number("busy") == 0, what=pooled.left)  # its agent waits, or has ended
        assert pooled.served("live") == before + 2
    finally:
        running_browser.leave()


def test_a_run_is_stopped_by_another_request(visitor: Visitor) -> None:
    with visitor.ask("Stop me. [[scenario:slow]]") as stream:
        stream.wait_for("delta")
        assert visitor.post(f"/agent/runs/{stream.run}/abort", {}).status_code == 204
        assert stream.wait_for("aborted")["reason"] == "client"


@pytest.mark.parametrize("scenario", ["slow", "stall-before"])
def test_a_visitor_who_leaves_ends_the_run(pooled: PooledSite, visitor: Visitor, scenario: str) -> None:
    with visitor.ask(f"I leave. [[scenario:{scenario}]]") as stream:
        stream.wait_for("session")
        assert pooled.number("busy") == 1
    until(lambda: pooled.number("busy") == 0, what=pooled.left)
    with visitor.resume(stream.run, after=1) as again:
        assert [event["type"] for event in again.events()][-1] == "aborted"


def test_a_php_that_is_killed_ends_the_run(pooled: PooledSite, visitor: Visitor) -> None:
    with visitor.ask("Kill PHP. [[scenario:slow]]") as stream:
        stream.wait_for("delta")
        for pid in pids():
            if "php-fpm: pool streams" in command_of(pid) and _is_of(pooled, pid):
                os.kill(pid, signal.SIGKILL)
        until(lambda: pooled.number("busy") == 0, what=pooled.left)


def test_an_agent_with_tools_asks_its_visitor(visitor: Visitor) -> None:
    with visitor.ask("Prepare the fair. [[scenario:task-demo]]", address="/task") as task:
        assert task.wait_for("start")["warm"] == "cold"
        question = task.wait_for("permission_request")
        answer = f"/task/{task.run}/permissions/{question['permission_id']}"
        assert visitor.post(answer, {"behavior": "deny"}).status_code == 204
        assert task.wait_for("permission_resolved")["behavior"] == "deny"
        task.wait_for("done")


def test_a_conversation_goes_on_without_its_pool_and_with_it_again(pooled: PooledSite, visitor: Visitor) -> None:
    ways = []
    for words in ("My name is Ada.", "Go on.", "Who am I? [[scenario:memory]]"):
        with visitor.ask(words, conversation="0d8f1c0a-53f1-4d0c-9c57-1c9f0d1b2a3c") as stream:
            ways.append(stream.wait_for("start").get("warm"))
            answer = stream.wait_for("done")["text"]
        pooled.start_pool() if len(ways) == 2 else pooled.stop_pool()
    assert (ways[:2], ways[2] in {"live", "cold"}) == (["warm", None], True)
    assert "The first was: My name is Ada." in answer


def test_doctor_looks_at_the_pool_as_the_web_user_too(pooled: PooledSite) -> None:
    artisan = pooled.artisan("agent:doctor", "--json", env=pooled.console | pooled.common)
    output, errors = artisan.communicate(timeout=PATIENCE_S)
    reports = json.loads(output)
    assert reports, errors
    for report in reports.values():
        found = {check["check"]: check for check in report["checks"]}
        assert found["pool"]["status"] == "ok", found["pool"]
        assert "default: agent-chat, 1 ready" in found["pool"]["found"]
        assert "not run by the pool" in found["worker skill"]["found"]  # a script of the site's own


def _is_of(site: PooledSite, pid: int) -> bool:
    """Whether a process of php-fpm is of this site's: others may run beside it."""
    status = Path(f"/proc/{pid}/status").read_text()
    parent = next(line for line in status.splitlines() if line.startswith("PPid:")).split()[1]
    return parent == (site.root / "fpm.pid").read_text().strip()
