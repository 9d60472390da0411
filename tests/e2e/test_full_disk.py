"""A conversation that the disk is too full for: the end of the run says so. The disk is real, and small."""

import json
import shutil
import subprocess
import uuid
from typing import Any

import pytest

from agent_workers.simulator import Scenario, Simulator
from agent_workers.simulator.scenario import Message, Text
from tests.e2e.beginning import Begin
from tests.e2e.desk import Desk
from tests.e2e.engines import AGENT, BOTH
from tests.e2e.stream import Event, check_whole, events_of
from tests.e2e.worker import Ended, Home, Running
from tests.waiting import PATIENCE_S

_ON_A_SMALL_DISK = 'mount -t tmpfs -o size=600k tmpfs "$0" && exec "$@"'
_LARGE = "My name is Ada. " * 50_000  # larger than that disk
_HELLO = Message(content=(Text(text="Hello."),))
_LONG = Message(content=(Text(text=_LARGE),), cut=5000)
_LONG_ANSWER = Scenario(name="own", description="A test's.", steps=(_LONG,))


def _can_mount() -> bool:
    unshare = shutil.which("unshare")
    command = [unshare, "--map-root-user", "--mount", "mount", "-t", "tmpfs", "tmpfs", "/mnt"]
    return (
        unshare is not None
        and subprocess.run(command, check=False, capture_output=True, timeout=PATIENCE_S).returncode == 0
    )


pytestmark = [
    pytest.mark.skipif(not _can_mount(), reason="needs unshare(1) and leave to mount a file system"),
    BOTH,
]


def _start(home: Home, *arguments: str, first: str = "") -> Running:
    script = _ON_A_SMALL_DISK.replace("&& exec", f"&& {first} exec")
    return home.start(
        *arguments, prefix=("unshare", "--map-root-user", "--mount", "sh", "-c", script, str(home.root / "state"))
    )


def _run(home: Home, **request: Any) -> Ended:
    running = _start(home)
    running.write(json.dumps(request).encode())
    running.end_input()
    return running.end()


def _check_unsaved(ended: Ended) -> None:
    assert [notice["code"] for notice in ended.of("notice")] == ["session_not_saved"]
    assert ended.types[-2:] == ["notice", ended.last["type"]]
    assert ended.of("session")[0]["session_id"]
    assert "session_id" not in ended.last


def test_an_answer_that_could_not_be_saved_is_done_without_a_session(home: Home, simulator: Simulator) -> None:
    simulator.play(_LONG_ANSWER)
    ended = _run(home, prompt="x")
    assert ended.ending == ("done", 0)
    assert ended.last["text"] != ""
    _check_unsaved(ended)


def resumed(desk: Desk) -> tuple[list[Event], Ended]:
    """A run on the small disk that has room for it, and one that resumes it and has none."""
    desk.simulator.play(Scenario(name="own", description="A test's.", steps=(_HELLO, _LONG)))
    chosen = str(uuid.uuid4())
    earlier = desk.home.root / "earlier.json"
    begins = {"prompt": "My name is Ada.", "session": {"id": chosen}, "engine": desk.home.engine or AGENT}
    earlier.write_text(json.dumps(begins))
    told = desk.home.root / "earlier.ndjson"
    running = _start(desk.home, first=f'"$@" < {earlier} > {told} &&')
    running.write(json.dumps({"prompt": "Go on.", "session": {"resume": chosen}}).encode())
    running.end_input()
    ended = running.end()
    events = events_of(told.read_bytes())
    check_whole(events)
    assert events[-1]["session_id"] == chosen
    return events, ended


def test_a_resumed_conversation_whose_answer_could_not_be_saved_is_done_without_a_session(begin: Begin) -> None:
    _, ended = begin("resumed", resumed)
    assert ended.ending == ("done", 0)
    assert ended.of("session")[0]["resumed"] is True
    _check_unsaved(ended)


def test_a_failure_names_no_session_that_could_not_be_saved(home: Home, simulator: Simulator) -> None:
    simulator.play("overloaded-529")
    ended = _run(home, prompt=_LARGE)
    assert ended.ending == ("overloaded", 75)
    _check_unsaved(ended)


def test_a_stopped_run_names_no_session_that_could_not_be_saved(home: Home, simulator: Simulator) -> None:
    simulator.play("slow")
    running = _start(home, "--control")
    running.send({"prompt": _LARGE})
    running.wait_for("delta")
    running.send({"type": "abort", "id": "1"})
    ended = running.end()
    assert ended.ending == ("aborted", 3)
    _check_unsaved(ended)


def test_on_a_disk_with_room_nothing_is_said(begin: Begin) -> None:
    events, _ = begin("resumed", resumed)
    [session] = [event for event in events if event["type"] == "session"]
    assert [event for event in events if event["type"] == "notice"] == []
    assert events[-1]["session_id"] == session["session_id"]
