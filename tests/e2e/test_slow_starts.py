"""A worker that gets no processor time while its agent comes up: what waits for it then is not late."""

import signal
import sys

import pytest

from agent_workers.simulator import Simulator
from tests.e2e.loaded import LoadedWorkers
from tests.e2e.worker import SCRIPTS, Home, Running, encoded
from tests.live_files import conversations
from tests.waiting import told_of, until

REQUEST = {"prompt": "x", "metadata": {"order": 4711}}
ABORT = encoded({"type": "abort", "id": "stop-1"}) + b"\n"


def has_answered(home: Home) -> bool:
    return any(b'"assistant"' in file.read_bytes() for file in conversations(home.root))


def freeze_until_the_agent_is_up(running: Running, simulator: Simulator) -> None:
    """Keeps the worker from its event loop until the agent has asked the model."""

    def has_asked() -> bool:
        running.signal(signal.SIGCONT)  # for as long as it takes to hand the prompt over
        running.signal(signal.SIGSTOP)
        return bool(simulator.requests("/v1/messages"))

    running.wait_for("start")
    until(has_asked, what=lambda: told_of([running.pid]))


@pytest.mark.parametrize("how", ["abort", "end of stdin"])
def test_a_stop_names_the_session_that_the_worker_had_no_time_to_read_of(
    home: Home, simulator: Simulator, loaded: LoadedWorkers, how: str
) -> None:
    home.loaded = None
    simulator.play("stall-before")
    running = home.start("--control")
    running.send(REQUEST)
    freeze_until_the_agent_is_up(running, simulator)
    if how == "abort":
        running.write(ABORT)
    else:
        running.end_input()
    running.signal(signal.SIGCONT)
    stopped = running.end()
    assert stopped.ending == ("aborted", 3)
    home.loaded = loaded
    simulator.play("hello")
    resumed = home.run({"prompt": "Go on.", "session": {"resume": stopped.last["session_id"]}})
    assert resumed.ending == ("done", 0)


@pytest.mark.parametrize(
    "after",
    [ABORT, b"\n\n" + b'{"type": "permission"}\n' * 20 + ABORT, b""],
    ids=["an abort", "empty lines and twenty faults", "the end of stdin"],
)
def test_what_came_with_the_request_is_obeyed_before_an_answer_that_is_there_already(
    home: Home, simulator: Simulator, after: bytes
) -> None:
    running = home.start("--control")
    running.write(encoded(REQUEST) + b"\n" + after)
    if not after:
        running.end_input()
    freeze_until_the_agent_is_up(running, simulator)
    until(lambda: has_answered(home), what=home.left)
    running.signal(signal.SIGCONT)
    ended = running.end()
    assert ended.ending == ("aborted", 3)
    assert ended.last["reason"] == ("client" if after else "parent_gone")


STOPPED_IN_AN_IMPORT = """
import os, runpy, signal, sys, time
from pathlib import Path

class Slow:
    def find_spec(self, name, path=None, target=None):
        if name == "agent_workers.engine.claude.engine":
            sys.meta_path.remove(self)
            os.kill(os.getpid(), signal.SIGTERM)
            guardian = Path(f"/proc/self/task/{os.getpid()}/children").read_text().split()[0]
            last = time.monotonic() + 60
            while Path(f"/proc/{guardian}/task/{guardian}/children").read_text() and time.monotonic() < last:
                time.sleep(0.01)

sys.meta_path.insert(0, Slow())
sys.argv = sys.argv[1:]
runpy.run_path(sys.argv[0], run_name="__main__")
"""


def test_a_stop_in_the_midst_of_the_imports_ends_an_agent_that_is_up_already(home: Home) -> None:
    entry = str(SCRIPTS / "agent-workers-entry")
    running = home.run_command([sys.executable, "-c", STOPPED_IN_AN_IMPORT, entry, "agent-chat", "--control"])
    about = {"subject": {"type": "deal", "id": "7"}, "user": "ada", "goal": "Win."}
    running.send({**REQUEST, **about})
    ended = running.end()
    assert ended.ending == ("aborted", 3)
    assert ended.last.items() >= about.items()
