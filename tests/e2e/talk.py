"""A conversation whose agent stays from one message to the next, and the same one with a fresh agent each time."""

import json
import re
import subprocess
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

from agent_workers.simulator import Scenario, Simulator
from agent_workers.simulator.journal import Record
from tests.e2e.conversation import reply
from tests.e2e.desk import Desk
from tests.e2e.stream import Event, check_whole, events_of
from tests.e2e.worker import Home
from tests.waiting import PATIENCE_S

SESSION = "6f0b7c52-52c5-4f6e-9d0e-0f1f4b0f7a99"
_PROGRAM = Path(__file__).with_name("conversation.py")
_OF_ITS_MOMENT = {"v", "seq", "run", "ts", "duration_ms", "delay_ms", "expires_at"}
_OF_ITS_RUN = {"call_id", "effect_key", "question_id"}
_OF_THE_WORKER = {"worker_version", "sdk_version", "engine"}
_OF_THE_CONNECTION = {"host", "content-length"}


class Said(NamedTuple):
    """A message to the agent: what the model does then, and the fields of the request."""

    scenario: str | Scenario
    fields: dict[str, Any]


def say(scenario: str | Scenario = "hello", prompt: Any = "Tell me.", **fields: Any) -> Said:
    return Said(scenario, {"prompt": prompt, **fields})


@dataclass(frozen=True)
class Told:
    """What came of a message: the events, the calls of the API, and what the agent was found to be and became."""

    events: list[Event]
    calls: list[dict[str, Any]]
    misfit: str | None = None
    kept: bool = False


def requests(conversation: Iterable[Said]) -> Iterator[tuple[str | Scenario, dict[str, Any]]]:
    """Yields the scenario and the request of each message."""
    for number, said in enumerate(conversation):
        session = {"resume": SESSION} if number else {"id": SESSION}
        yield said.scenario, {"session": session, "session_owner": "ada", **said.fields}


class Talk:
    """The process that serves a conversation."""

    def __init__(self, home: Home) -> None:
        self._popen = subprocess.Popen(
            [sys.executable, _PROGRAM], stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=home.environ, cwd=home.root
        )
        self.pid = self._popen.pid

    def order(self, **command: Any) -> None:
        """Gives a command."""
        assert self._popen.stdin
        self._popen.stdin.write(json.dumps(command).encode() + b"\n")
        self._popen.stdin.flush()

    def result(self) -> tuple[list[Event], dict[str, Any]]:
        """The events of a run, and what came of the command."""
        assert self._popen.stdout
        lines = []
        for line in self._popen.stdout:
            if b'"v":' not in line:
                events = events_of(b"".join(lines))
                if events:
                    check_whole(events)
                return events, json.loads(line)
            lines.append(line)
        raise AssertionError(f"the process has ended; {lines}")

    def do(self, **command: Any) -> dict[str, Any]:
        """Gives a command; returns what came of it."""
        self.order(**command)
        return self.result()[1]

    def run(self, request: dict[str, Any]) -> tuple[list[Event], dict[str, Any]]:
        self.order(request=request)
        return self.result()

    def kill(self) -> None:
        self._popen.kill()

    def close(self) -> None:
        """Ends the process and the agent that waits in it."""
        assert self._popen.stdin
        assert self._popen.stdout
        self._popen.stdin.close()
        self._popen.wait(PATIENCE_S)
        self._popen.stdout.close()


@contextmanager
def talk_at(home: Home) -> Iterator[Talk]:
    talk = Talk(home)
    try:
        yield talk
    finally:
        talk.close()


def live(desk: Desk, conversation: Iterable[Said]) -> list[Told]:
    """Has the conversation with an agent that stays, as long as it may."""
    told = []
    with talk_at(desk.home) as talk:
        for scenario, request in requests(conversation):
            desk.simulator.play(scenario)
            before = len(desk.simulator.requests())
            events, end = talk.run(request)
            calls = _calls(desk.simulator, before, desk.home)
            told.append(Told(_plain(events, desk.home), calls, end["misfit"], end["kept"]))
    return told


def cold(desk: Desk, conversation: Iterable[Said]) -> list[Told]:
    """Has the conversation with a worker of its own for each message."""
    told = []
    for scenario, request in requests(conversation):
        desk.simulator.play(scenario)
        before = len(desk.simulator.requests())
        events = _answered(desk.home, request)
        told.append(Told(_plain(events, desk.home), _calls(desk.simulator, before, desk.home)))
    return told


def _answered(home: Home, request: dict[str, Any]) -> list[Event]:
    """The events of a run whose application answers each call."""
    running = home.start("--control")
    running.send(request)
    for event in running.told():
        if said := reply(event):
            running.send(said)
    return running.end().events


def _plain(events: list[Event], home: Home) -> list[Event]:
    """Events without what is of a moment, of the place, or of the worker's installation, ``ack`` and ``ping``."""
    out = _OF_ITS_MOMENT | _OF_ITS_RUN | _OF_THE_WORKER
    told = [_placeless(event, home) for event in events if event["type"] not in ("ack", "ping")]
    return [{name: value for name, value in event.items() if name not in out} for event in told]


def _calls(simulator: Simulator, before: int, home: Home) -> list[dict[str, Any]]:
    return [_call(record, home) for record in simulator.requests()[before:] if record.path == "/v1/messages"]


def _call(record: Record, home: Home) -> dict[str, Any]:
    """A request that reached the API, body and headers, without the home's own id and the ids that the model gave."""
    body = _placeless(record.body, home)
    user = json.loads(body["metadata"].pop("user_id"))
    del user["device_id"]
    headers = {name: value for name, value in record.headers.items() if name not in _OF_THE_CONNECTION}
    return {**body, "user": user, "headers": headers}


def _placeless(value: Any, home: Home) -> Any:
    text = json.dumps(value).replace(str(home.root), "HOME")
    return json.loads(re.sub(r"toolu_sim_\w+", "toolu", text))
