"""A forked worker does what an installed one does, so that the tests that start it say something about both."""

import signal

import pytest

from agent_workers.simulator import Simulator
from tests.e2e.engines import BOTH
from tests.e2e.loaded import LoadedWorkers
from tests.e2e.worker import Ended, Home


def without_times(ended: Ended) -> list[dict[str, object]]:
    its_own = ("run", "ts", "session_id", "duration_ms", "ttft_ms", "api_ms", "seq")
    return [
        {name: value for name, value in event.items() if name not in its_own}
        for event in ended.events
        if event["type"] not in ("delta", "ping")  # as many as the time allows
    ]


@BOTH
def test_a_forked_worker_says_and_asks_what_an_installed_one_does(
    home: Home, simulator: Simulator, loaded: LoadedWorkers
) -> None:
    asked = []
    for start in (None, loaded):
        home.loaded = start
        request = {"prompt": "x", "system_prompt": "Be brief.", "run": "1"}
        ended = home.run(request)
        asked.append((without_times(ended), ended.ending, ended.stderr, len(simulator.requests("/v1/messages"))))
    (events, ending, stderr, calls), (forked_events, forked_ending, forked_stderr, all_calls) = asked
    assert ending == forked_ending == ("done", 0)
    assert forked_events == events
    assert (forked_stderr, all_calls) == (stderr, 2 * calls)


@pytest.mark.usefixtures("loaded")
def test_a_forked_worker_is_seen_stopped_and_its_status_told(home: Home, simulator: Simulator) -> None:
    simulator.play("stall-before")
    running = home.start("--control")
    running.send({"prompt": "x"})
    running.wait_for("session")
    assert running.pid in home.processes()
    assert running.pid not in home.agents(of=running) != []
    running.signal(signal.SIGTERM)
    assert running.end().ending == ("aborted", 3)
