"""Stopping a run: at any time, at once, for good, and never twice."""

import json
import os
import shutil
import signal
import socket
import sys
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from itertools import product
from typing import Any

import pytest

from agent_workers.simulator import Scenario, Simulator
from agent_workers.simulator.scenario import Message, Text
from tests.e2e.conftest import desk_at
from tests.e2e.desk import Desk, bash, permit
from tests.e2e.engines import AGENT, BOTH, OF_AGENTS, ONCE, differs
from tests.e2e.loaded import LoadedWorkers
from tests.e2e.worker import SCRIPTS, Ended, Home, Running, blocks, catches
from tests.waiting import PATIENCE_S, now, until

pytestmark = [pytest.mark.usefixtures("loaded"), BOTH]
AT_ONCE_S = 1
"""The aim is 100 ms; a process may have to wait longer than that for its turn."""
GONE_S = 5
REQUEST = {"prompt": "Tell me.", "metadata": {"order": 4711}}
Phase = Callable[[Home, Simulator, Running], None]


def _before_the_request(home: Home, simulator: Simulator, running: Running) -> None:
    running.write(b'{"prompt": ')
    until(lambda: catches(running.pid, signal.SIGTERM))


def _just_after_the_start(home: Home, simulator: Simulator, running: Running) -> None:
    running.send(REQUEST)
    running.wait_for("start")


def _connecting(home: Home, simulator: Simulator, running: Running) -> None:
    running.send(REQUEST)
    running.wait_for("session")


def _first_byte_awaited(home: Home, simulator: Simulator, running: Running) -> None:
    simulator.play("stall-before")
    running.send(REQUEST)
    simulator.wait_for(lambda records: any(record.path == "/v1/messages" for record in records), PATIENCE_S)
    running.wait_for("session")


def _streaming(home: Home, simulator: Simulator, running: Running) -> None:
    simulator.play("slow")
    running.send(REQUEST)
    running.wait_for("delta")


def _waiting_for_a_retry(home: Home, simulator: Simulator, running: Running) -> None:
    simulator.play("server-error-500")
    running.send(REQUEST)
    running.wait_for("retry")


PHASES = [
    _before_the_request,
    _just_after_the_start,
    _connecting,
    _first_byte_awaited,
    _streaming,
    _waiting_for_a_retry,
]
STARTING = [_before_the_request, _just_after_the_start]
SILENT = [_connecting, _first_byte_awaited]
HOWS = [signal.SIGTERM, signal.SIGINT, "abort"]
STOPPED_BELOW = [
    (_just_after_the_start, signal.SIGTERM),
    *product(SILENT, [signal.SIGTERM]),
    *product([_streaming], HOWS),
]
"""Whose run is looked at once more: at what it has asked, or at what of it is remembered."""
ABORTED_WITH_THE_REQUEST = (_before_the_request, "abort")
"""In the tests of control: before its request a run reads no message, so that both come in one write."""


@pytest.fixture
def unanswering() -> Iterator[str]:
    """An address where connections are taken, and nothing more."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"


@pytest.mark.parametrize(
    ("phase", "how"),
    [each for each in product(PHASES, HOWS) if each not in (*STOPPED_BELOW, ABORTED_WITH_THE_REQUEST)],
    ids=lambda each: each.__name__.strip("_") if callable(each) else str(each),
)
def test_a_run_can_be_stopped_in_each_phase(
    home: Home, simulator: Simulator, unanswering: str, phase: Phase, how: int | str
) -> None:
    if phase in STARTING or how == signal.SIGTERM:
        home.loaded = None
    _stopped(home, simulator, phase, how, unanswering)


def _stopped(home: Home, simulator: Simulator, phase: Phase, how: int | str, unanswering: str = "") -> Ended:
    """Stops a run. The end is told at once, before the agent is gone; within 5 s nothing of the run is left."""
    running = home.start("--control", env={"ANTHROPIC_BASE_URL": unanswering} if phase is _connecting else {})
    phase(home, simulator, running)
    stopped_at = _stop(running, how)
    assert running.wait_for("aborted") - stopped_at < AT_ONCE_S
    until(lambda: not home.processes(), within_s=GONE_S, what=home.left)
    ended = running.end()
    assert ended.ending == ("aborted", 3)
    assert ended.last["reason"] == {"abort": "client", "parent gone": "parent_gone"}.get(str(how), "signal")
    assert "Traceback" not in ended.stderr
    if "start" in ended.types:
        assert ended.last["metadata"] == {"order": 4711}
    if "session" in ended.types:
        assert ended.last["session_id"] == ended.of("session")[0]["session_id"]
    if phase is _streaming:
        assert ended.last["usage"]["input_tokens"] > 0
    return ended


def test_a_simulated_run_can_be_stopped(home: Home) -> None:
    running = home.start("--simulate=slow")
    running.send({"prompt": "x"})
    running.end_input()
    running.wait_for("delta")
    stopped_at = _stop(running, signal.SIGTERM)
    assert running.wait_for("aborted") - stopped_at < AT_ONCE_S
    until(lambda: not home.processes(), within_s=GONE_S, what=home.left)
    assert running.end().ending == ("aborted", 3)


@ONCE
@pytest.mark.usefixtures("installed")
def test_a_stop_while_a_refusal_is_written_changes_nothing(home: Home) -> None:
    running = home.start()
    running.write(b"x" * (33 << 20))  # stdin stays open: the worker still reads on, for a caller who still writes
    running.wait_for("error")
    running.signal(signal.SIGTERM)
    ended = running.end()
    assert ended.ending == ("invalid_request", 2)
    assert "Traceback" not in ended.stderr


@pytest.mark.usefixtures("installed")
def test_a_signal_at_any_moment_of_the_start_leaves_a_whole_stream_or_none(home: Home) -> None:
    """From the interpreter's first steps, where a signal still kills, to the answer."""

    def stop_after(delay_s: float | None) -> tuple[int, bytes]:
        running = home.start()
        running.send({"prompt": "x"})
        running.end_input()
        if delay_s is None:
            running.wait_for("start")
            running.signal(signal.SIGTERM)
        else:
            threading.Timer(delay_s, running.signal, [signal.SIGTERM]).start()
        status = running.status
        ended = running.end(whole=status >= 0)
        return (status, ended.output)

    with ThreadPoolExecutor(2) as threads:
        moments = [0.02 * step for step in range(1, 31)]
        ends = list(threads.map(stop_after, [*moments, None]))  # the last in time for a stream on any machine
    for status, output in ends:
        assert status in (-signal.SIGTERM, 3, 0)
        assert (output == b"") == (status == -signal.SIGTERM)
    assert 3 in [status for status, _ in ends]


@OF_AGENTS
def test_a_second_signal_ends_everything_at_once(home: Home, simulator: Simulator) -> None:
    """The CLI gets no time to end in order: here it would take 3 s, for it does not react at all."""
    running, agents = _with_an_agent_that_does_not_react(home, simulator)
    running.signal(signal.SIGTERM)
    running.wait_for("aborted")
    assert set(home.agents(of=running)) == agents != set()
    running.signal(signal.SIGTERM)
    until(lambda: not home.processes(), within_s=AT_ONCE_S, what=home.left)
    ended = running.end()
    assert ended.ending == ("aborted", 128 + signal.SIGTERM)


@pytest.mark.parametrize("phase", PHASES, ids=lambda phase: phase.__name__.strip("_"))
def test_two_signals_at_once_still_let_the_end_be_told(
    home: Home, simulator: Simulator, unanswering: str, phase: Phase
) -> None:
    """As on Ctrl-C, when both the terminal and the parent send one."""
    if phase in STARTING:
        home.loaded = None
    running = home.start("--control", env={"ANTHROPIC_BASE_URL": unanswering} if phase is _connecting else {})
    phase(home, simulator, running)
    running.signal(signal.SIGINT)
    running.signal(signal.SIGTERM)
    until(lambda: not home.processes(), within_s=GONE_S, what=home.left)
    ended = running.end()
    assert ended.last["type"] == "aborted"
    assert ended.status in (3, 128 + signal.SIGINT, 128 + signal.SIGTERM)
    _clean(home)


@OF_AGENTS
def test_an_agent_that_does_not_react_is_gone_within_five_seconds(home: Home, simulator: Simulator) -> None:
    running, _ = _with_an_agent_that_does_not_react(home, simulator)
    running.signal(signal.SIGTERM)
    running.wait_for("aborted")
    until(lambda: not home.processes(), within_s=GONE_S + 1, what=home.left)
    assert running.end().ending == ("aborted", 3)


@pytest.mark.parametrize("phase", [_just_after_the_start, *SILENT, _streaming])
def test_a_worker_that_is_killed_takes_its_agent_along(
    home: Home, simulator: Simulator, unanswering: str, phase: Phase
) -> None:
    if phase in STARTING:
        home.loaded = None
    running = home.start("--control", env={"ANTHROPIC_BASE_URL": unanswering} if phase is _connecting else {})
    phase(home, simulator, running)
    running.signal(signal.SIGKILL)
    until(lambda: not home.processes(), within_s=3, what=home.left)
    assert running.end(whole=False).status == -signal.SIGKILL
    _clean(home)


@differs("an answer cut at `max_tokens`")
def test_a_stopped_run_of_several_calls_counts_the_tokens_of_all(home: Home, simulator: Simulator) -> None:
    steps = (
        Message(content=(Text(text="One. "),), stop_reason="max_tokens", usage={"input_tokens": 1000}),
        Message(content=(Text(words=1000),), delay_ms=50, usage={"input_tokens": 500}),
    )
    simulator.play(Scenario(name="own", description="", steps=steps))
    running = home.start()
    running.send({"prompt": "x"})
    running.end_input()
    running.wait_for("delta", count=3)
    running.signal(signal.SIGTERM)
    assert running.end().last["usage"]["input_tokens"] == 1500


@pytest.mark.usefixtures("installed")
def test_a_large_prompt_that_the_agent_has_not_taken_yet_does_not_hold_up_a_stop(home: Home) -> None:
    running = home.start()
    running.send({"prompt": "x" * (8 << 20)})
    running.end_input()
    running.wait_for("start")
    stopped_at = _stop(running, signal.SIGTERM)
    assert running.wait_for("aborted") - stopped_at < AT_ONCE_S
    assert running.end().ending == ("aborted", 3)


def _with_an_agent_that_does_not_react(home: Home, simulator: Simulator) -> tuple[Running, set[int]]:
    """A run at work, and the processes of its agent, all of them stopped."""
    simulator.play("slow")
    running = home.start()
    running.send({"prompt": "x"})
    running.end_input()
    running.wait_for("delta")
    stopped: set[int] = set()
    while moving := set(home.agents(of=running)) - stopped:  # one may have started another before it was stopped
        for pid in moving:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGSTOP)
        stopped |= moving
    return running, set(home.agents(of=running))


def _clean(home: Home) -> None:
    """Removes what a killed worker leaves."""
    shutil.rmtree(home.temporary)
    home.temporary.mkdir()


def _stop(running: Running, how: int | str) -> float:
    at = now()
    if isinstance(how, int):
        running.signal(how)
    elif how == "parent gone":
        running.end_input()
    else:
        running.send({"type": "abort", "id": "1"})
    return at


@pytest.mark.usefixtures("installed")
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_run_that_is_stopped_before_all_is_imported_tells_so_too(home: Home, number: int) -> None:
    running = home.start()
    until(lambda: blocks(running.pid, signal.SIGTERM) or catches(running.pid, signal.SIGTERM), what=home.left)
    running.signal(number)
    ended = running.end()
    assert (ended.last["type"], ended.last["reason"], ended.status) == ("aborted", "signal", 3)


# What the reader has seen is in the session


@dataclass(frozen=True)
class Resumed:
    """A run that was stopped in the midst of its answer, and the next one of its session.

    Attributes:
        ended: The next run, which was stopped too, but after its end.
        conversation: What it told the model.
    """

    stopped: Ended
    ended: Ended
    conversation: list[dict[str, Any]]


@pytest.fixture(scope="module", params=[*HOWS, "parent gone"], ids=["SIGTERM", "SIGINT", "abort", "parent gone"])
def resumed(
    request: pytest.FixtureRequest, loaded: LoadedWorkers, tmp_path_factory: pytest.TempPathFactory, engine: str
) -> Resumed:
    """Of a run for each way to stop it; the signals reach the installed program, so also in the steps of its end."""
    how: int | str = request.param
    with desk_at(tmp_path_factory.mktemp("resumed"), None if isinstance(how, int) else loaded, engine) as desk:
        stopped = _stopped(desk.home, desk.simulator, _streaming, how)
        desk.simulator.play("hello")
        running = desk.home.start("--control")
        running.send({"prompt": "Go on.", "session": {"resume": stopped.last["session_id"]}})
        running.wait_for("done")
        _stop(running, how)
        return Resumed(stopped, running.end(), desk.simulator.requests("/v1/messages")[-1].body["messages"])


def test_the_first_word_is_remembered_after_a_stop(resumed: Resumed) -> None:
    seen = "".join(event["text"] for event in resumed.stopped.of("delta"))
    assert "Tell me." in json.dumps(resumed.conversation[0])
    answered = next(message for message in resumed.conversation if message["role"] == "assistant")
    assert answered["content"][0]["text"].startswith(seen.rstrip())


def test_a_stop_after_the_end_changes_nothing(resumed: Resumed) -> None:
    assert resumed.ended.ending == ("done", 0)


@pytest.mark.parametrize("phase", SILENT)
def test_a_prompt_is_remembered_that_was_stopped_before_its_answer(
    home: Home, simulator: Simulator, unanswering: str, phase: Phase, engine: str
) -> None:
    home.loaded, loaded = None, home.loaded
    stopped = _stopped(home, simulator, phase, signal.SIGTERM, unanswering)
    home.loaded = loaded
    simulator.play("hello")
    assert home.run({"prompt": "Go on.", "session": {"resume": stopped.last["session_id"]}}).ending == ("done", 0)
    prompts = json.dumps(simulator.requests("/v1/messages")[-1].body["messages"])
    assert ('"Tell me.\\n"' if engine == AGENT else '"Tell me."') in prompts
    assert ("interrupted by user" in prompts) == (engine == AGENT)


@pytest.mark.usefixtures("installed")
def test_a_run_that_is_stopped_while_its_agent_starts_asks_the_model_nothing(home: Home, simulator: Simulator) -> None:
    policy = home.root / "policy.toml"
    policy.write_text("version = 1\n", "utf-8")
    home.environ["AGENT_WORKERS_POLICY"] = str(policy)  # without one the agent may be up by the start
    _stopped(home, simulator, _just_after_the_start, signal.SIGTERM)
    assert simulator.requests("/v1/messages") == []


@OF_AGENTS
def test_a_tool_that_was_stopped_is_remembered(desk: Desk) -> None:
    desk.script(bash("touch begun; sleep 100"))
    running = desk.start("--control")
    running.send(desk.request(tools=["Bash"], permissions={"allow": ["Bash"]}))
    until((desk.cwd / "begun").exists)
    running.wait_for("session")
    running.signal(signal.SIGTERM)
    stopped = running.end()
    desk.simulator.play("hello")
    assert desk.run(session={"resume": stopped.last["session_id"]}).ending == ("done", 0)
    conversation = json.dumps(desk.simulator.requests("/v1/messages")[-1].body["messages"])
    assert "touch begun; sleep 100" in conversation
    assert len(desk.told_to_the_model()) == 1


@OF_AGENTS
@pytest.mark.parametrize("asking", [True, False])
def test_the_sdk_is_loaded_only_where_something_asks_for_it(desk: Desk, asking: bool) -> None:
    """The import costs as much time of the processor as all the rest of the worker."""
    desk.script(bash("touch made"))
    command = [sys.executable, "-X", "importtime", str(SCRIPTS / "agent-workers-entry"), "agent-task", "--control"]
    running = desk.home.run_command(command)
    mode = {"mode": "ask"} if asking else {"allow": ["Bash"]}
    running.send(desk.request(tools=["Bash"], permissions=mode))
    for event in running.told():
        if event["type"] == "permission_request":
            running.send(permit(event))
    ended = running.end()
    assert ended.ending == ("done", 0)
    assert "anyio" in ended.stderr
    assert ("claude_agent_sdk" in ended.stderr) == asking
