"""Readers who are slow, stuck or gone."""

import signal
import socket
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from agent_workers.simulator import Scenario, Simulator, running_simulator
from agent_workers.simulator.scenario import Interruption, Message, Text
from tests.e2e.conftest import home_at
from tests.e2e.engines import BOTH
from tests.e2e.stream import answer, check_whole, events_of
from tests.e2e.worker import Home, Running, command_of
from tests.waiting import PATIENCE_S, until

pytestmark = [pytest.mark.usefixtures("loaded"), BOTH]
GONE_S = 2
FLOOD = Scenario(
    name="own",
    description="More than the pipes and the worker's own buffers hold, and then silence.",
    steps=(Message(content=(Text(numbers=5001),), interruption=Interruption(kind="stall", after=5000)),),
)


def _stuck(home: Home, request: dict[str, object], *arguments: str) -> Running:
    """A worker whose reader takes nothing, and whose pipe is full."""
    running = home.start(*arguments, reading=False)
    running.send(request)
    if not arguments:
        running.end_input()
    seen: list[int] = []

    def is_full() -> bool:
        seen.append(running.waiting())
        return seen[-1] > 60_000 and seen[-40:] == [seen[-1]] * 40

    until(is_full)
    return running


@pytest.mark.parametrize("scenario", ["slow", "stall-before"], ids=["in mid-stream", "in silence"])
def test_a_reader_who_goes_away_stops_the_agent(home: Home, simulator: Simulator, scenario: str) -> None:
    simulator.play(scenario)
    running = home.start(reading=False)
    running.send({"prompt": "x"})
    running.end_input()
    simulator.wait_for(lambda records: any(record.path == "/v1/messages" for record in records), PATIENCE_S)
    assert home.engine or len(home.agents(of=running)) > 0
    running.close_output()
    until(lambda: not home.processes(), within_s=GONE_S, what=home.left)
    assert running.status == 4
    assert running.stderr == ""
    _await_hang_up(simulator)


def _await_hang_up(simulator: Simulator) -> None:
    """Waits until the run's only call of the API has been given up."""
    (call,) = simulator.requests("/v1/messages")
    simulator.wait_for(lambda _: call.outcome == "client_gone", PATIENCE_S)


def test_a_reader_who_goes_away_at_once_is_noticed_too(home: Home) -> None:
    running = home.start(reading=False)
    running.close_output()
    running.send({"prompt": "x"})
    running.end_input()
    assert running.status == 4
    assert running.stderr == ""


def test_a_reader_who_goes_away_after_the_end_misses_nothing(home: Home) -> None:
    running = home.start(reading=False)
    running.send({"prompt": "x"})
    running.end_input()
    output = b""
    for chunk in running.chunks(1):
        output += chunk
        if chunk == b"\n" and events_of(output)[-1]["type"] == "done":
            break
    running.close_output()
    assert running.status == 0


def test_a_signal_that_comes_twice_lets_a_slow_reader_have_the_end(home: Home, simulator: Simulator) -> None:
    simulator.play(FLOOD)
    running = _stuck(home, {"prompt": "x"})
    running.signal(signal.SIGINT)
    running.signal(signal.SIGTERM)
    _await_hang_up(simulator)  # the agent is being stopped
    running.read()
    ended = running.end()
    assert (ended.last["type"], ended.last["reason"], ended.status) == ("aborted", "signal", 3)


def test_a_full_disk_is_an_output_that_is_gone(home: Home, simulator: Simulator) -> None:
    with Path("/dev/full").open("wb") as full:
        running = home.start(stdout=full.fileno())
        running.send({"prompt": "x"})
        running.end_input()
        assert running.status == 4
    assert running.stderr == ""
    assert simulator.requests() == []


def test_a_reader_on_a_socket_who_goes_away_is_noticed_too(home: Home, simulator: Simulator) -> None:
    simulator.play("stall-before")
    ours, theirs = socket.socketpair()
    with ours, theirs:
        running = home.start(stdout=theirs.fileno())
        theirs.close()
        running.send({"prompt": "x"})
        running.end_input()
        simulator.wait_for(lambda records: any(record.path == "/v1/messages" for record in records), PATIENCE_S)
        ours.close()
        until(lambda: not home.processes(), within_s=GONE_S, what=home.left)
    assert running.status == 4


def test_without_a_stdout_nothing_is_started(home: Home, simulator: Simulator) -> None:
    running = home.start(prefix=("sh", "-c", 'exec "$@" >&-', "sh"))
    running.send({"prompt": "x"})
    running.end_input()
    assert running.status == 4
    assert simulator.requests() == []


@pytest.fixture(scope="module")
def without_stderr(tmp_path_factory: pytest.TempPathFactory, engine: str) -> tuple[bytes, int]:
    """What a run without a stderr writes for a reader of one byte at a time, and its exit status."""
    folder = tmp_path_factory.mktemp("home")
    with running_simulator() as simulator, home_at(folder, simulator, engine=engine) as home:
        simulator.play("unicode")
        running = home.start(prefix=("sh", "-c", 'exec "$@" 2>&-', "sh"), reading=False)
        running.send({"prompt": "x"})
        running.end_input()
        return b"".join(running.chunks(1)), running.status


def test_without_a_stderr_the_run_goes_on_as_usual(without_stderr: tuple[bytes, int]) -> None:
    output, status = without_stderr
    events = events_of(output)
    check_whole(events)
    assert (events[-1]["type"], status) == ("done", 0)


def test_a_reader_of_one_byte_at_a_time_gets_whole_lines(without_stderr: tuple[bytes, int]) -> None:
    output, status = without_stderr
    assert events_of(output)[-1]["type"] == "done"
    assert status == 0


def test_a_reader_who_pauses_loses_nothing(home: Home, simulator: Simulator) -> None:
    simulator.play(Scenario(name="own", description="", steps=(Message(content=(Text(numbers=5000),)),)))
    running = _stuck(home, {"prompt": "x"})
    running.read()
    ended = running.end()
    assert ended.ending == ("done", 0)
    assert answer(ended.events).split() == [str(number) for number in range(1, 5001)]


def test_a_run_with_a_stuck_reader_can_be_stopped(tmp_path: Path, simulator: Simulator, engine: str) -> None:
    """The agent goes at once; the worker waits 5 s for its reader, who would like to know, and no longer."""
    simulator.play(FLOOD)

    def stop(how: str) -> int:
        (tmp_path / how).mkdir()
        home = Home(tmp_path / how, simulator.base_url, engine)
        try:
            running = _stuck(home, {"prompt": "x"}, "--control")
            if how == "signal":
                running.signal(signal.SIGTERM)
            elif how == "abort":
                running.send({"type": "pause", "id": "1"})
                running.send({"type": "abort", "id": "2"})
            else:
                running.end_input()
            until(lambda: not home.agents(of=running), within_s=5, what=home.left)
            until(lambda: not home.processes(), within_s=8, what=home.left)
            return running.status
        finally:
            home.kill_all()

    with ThreadPoolExecutor(3) as threads:
        assert list(threads.map(stop, ["signal", "abort", "end of stdin"])) == [4, 4, 4]


def test_a_stuck_reader_who_wakes_up_is_told_how_the_run_ended(home: Home, simulator: Simulator) -> None:
    simulator.play(FLOOD)
    running = _stuck(home, {"prompt": "x"}, "--control")
    running.send({"type": "pause", "id": "1"})
    running.send({"type": "abort", "id": "2"})
    until(lambda: not home.agents(of=running), within_s=3, what=home.left)
    running.read()
    ended = running.end()
    assert ended.ending == ("aborted", 3)
    assert [(ack["id"], ack["ok"]) for ack in ended.of("ack")] == [("1", False), ("2", True)]


def test_the_deadline_ends_a_run_whose_reader_is_stuck(home: Home, simulator: Simulator) -> None:
    """Not the idle timeout, which is about the agent's silence."""
    simulator.play(FLOOD)
    running = _stuck(home, {"prompt": "x", "limits": {"timeout_s": 14, "idle_timeout_s": 8}})
    agents = home.agents(of=running)
    until(lambda: not any(map(command_of, agents)), within_s=25)
    assert home.agents(of=running) == []
    _await_hang_up(simulator)
    running.read()
    ended = running.end()
    assert ended.ending == ("timeout", 1)


def test_a_second_signal_ends_a_worker_whose_reader_is_stuck_at_once(home: Home, simulator: Simulator) -> None:
    simulator.play(FLOOD)
    running = _stuck(home, {"prompt": "x"})
    running.signal(signal.SIGTERM)
    until(lambda: home.processes() == [running.pid], within_s=3, what=home.left)
    _await_hang_up(simulator)

    def is_gone() -> bool:
        running.signal(signal.SIGTERM)  # one that comes with the first is none
        return not home.processes()

    until(is_gone, within_s=1, what=home.left)
    assert running.status == 128 + signal.SIGTERM
