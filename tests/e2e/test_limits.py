"""Limits on time, and signs of life in silence."""

import json
import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import pairwise

import pytest

from agent_workers.simulator import Scenario, Simulator
from agent_workers.simulator.scenario import Message, Text, Thinking
from tests.e2e.beginning import AtOnce
from tests.e2e.conftest import desk_at
from tests.e2e.desk import Desk, bash, call, give, permit
from tests.e2e.engines import AGENT, BOTH, MESSAGES, OF_AGENTS, ONCE
from tests.e2e.loaded import LoadedWorkers
from tests.e2e.worker import Ended, Home

pytestmark = [pytest.mark.usefixtures("loaded"), BOTH]
UP_S = {AGENT: 8, MESSAGES: 2}
"""Time enough for an engine to be up, on a busy machine too: no shorter limit may end a run before what it is about."""


LASTING = ("stall-before", "slow", "server-error-500")


@pytest.fixture(scope="module")
def past_the_deadline(at_once: AtOnce, engine: str) -> dict[str, Ended]:
    def run(desk: Desk, scenario: str) -> Ended:
        desk.simulator.play(scenario)
        limits, stream = {"timeout_s": UP_S[engine]}, {"ping_s": 0.25}
        request = {"prompt": "x", "limits": limits, "stream": stream, "metadata": {"order": 4711}, "user": "ada"}
        return desk.home.run(request, env={"CLAUDE_CODE_MAX_RETRIES": "10"})

    return at_once(LASTING, run)


@pytest.mark.parametrize("scenario", LASTING)
def test_the_deadline_is_a_timeout_whatever_the_agent_does(past_the_deadline: dict[str, Ended], scenario: str) -> None:
    ended = past_the_deadline[scenario]
    assert ended.ending == ("timeout", 1)
    assert ended.last["retryable"] is False
    assert ended.last.items() >= {"metadata": {"order": 4711}, "user": "ada"}.items()
    assert ended.last["session_id"] == ended.of("session")[0]["session_id"]


def test_a_deadline_that_passes_before_the_agent_is_up_is_a_timeout_too(home: Home, simulator: Simulator) -> None:
    simulator.play("stall-before")
    ended = home.run({"prompt": "x", "limits": {"timeout_s": 0.01}})
    assert ended.ending == ("timeout", 1)
    assert ended.of("delta") == []


@pytest.fixture(scope="module")
def thoughtful(at_once: AtOnce, engine: str) -> dict[bool, Ended]:
    up_s = UP_S[engine]
    words = 6 * up_s + 2

    def run(desk: Desk, shown: bool) -> Ended:
        said = Text(words=words) if shown else Text(text="Done.")
        thinking = Message(content=(Thinking(words=words), said), delay_ms=200)
        desk.simulator.play(Scenario(name="own", description="", steps=(thinking,)))
        request = {"prompt": "x", "thinking": shown, "limits": {"idle_timeout_s": up_s}, "stream": {"ping_s": up_s}}
        return desk.home.run(request)

    return at_once((True, False), run)


@pytest.mark.parametrize("shown", [True, False], ids=["shown", "not shown"])
def test_thinking_is_progress(thoughtful: dict[bool, Ended], shown: bool, engine: str) -> None:
    ended = thoughtful[shown]
    assert (ended.of("thinking") != []) == shown
    assert ended.ending == ("done", 0)
    assert ended.last["duration_ms"] > 1000 * UP_S[engine]


class _OnlyPings(BaseHTTPRequestHandler):
    """An API whose stream begins and then brings nothing but pings."""

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["content-length"]))
        self.send_response(200)
        self.send_header("content-type", "text/event-stream")
        self.end_headers()
        message = {"id": "m", "type": "message", "role": "assistant", "model": "claude-x", "content": [], "usage": {}}
        try:
            self._send({"type": "message_start", "message": message})
            for _ in range(200):
                self._send({"type": "ping"})
                time.sleep(0.1)
        except OSError:
            self.close_connection = True

    def _send(self, event: dict[str, object]) -> None:
        self.wfile.write(f"event: {event['type']}\ndata: {json.dumps(event)}\n\n".encode())
        self.wfile.flush()

    def log_message(self, *_: object) -> None:
        """Says nothing."""


@pytest.fixture
def pinging() -> Iterator[str]:
    with ThreadingHTTPServer(("127.0.0.1", 0), _OnlyPings) as server:
        server.daemon_threads = True
        server.block_on_close = False
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_address[1]}"
        server.shutdown()


def test_the_apis_pings_are_no_progress(home: Home, pinging: str) -> None:
    ended = home.run({"prompt": "x", "limits": {"idle_timeout_s": 1}}, env={"ANTHROPIC_BASE_URL": pinging})
    assert ended.ending == ("idle_timeout", 75)


def test_in_silence_the_worker_gives_signs_of_life(past_the_deadline: dict[str, Ended]) -> None:
    ended = past_the_deadline["stall-before"]
    silent = max(event["seq"] for event in ended.events[:-1] if event["type"] != "ping")
    idle = [ping["idle_ms"] for ping in ended.of("ping") if ping["seq"] > silent][:4]
    assert len(idle) >= 3
    assert idle[0] >= 250
    assert all(later - earlier >= 200 for earlier, later in pairwise(idle))


def test_while_the_agent_talks_there_is_no_ping(thoughtful: dict[bool, Ended], engine: str) -> None:
    ended = thoughtful[True]
    assert ended.last["duration_ms"] > 2 * 1000 * UP_S[engine]  # it has thought for longer than UP_S, and so it talks
    begun = ended.of("thinking")[0]["seq"]  # before that the agent boots
    assert [ping for ping in ended.of("ping") if ping["seq"] > begun] == []


# A pause of the process is not silence of the agent


def _pause(pids: list[int], seconds: float, meanwhile: Callable[[], None] = lambda: None) -> None:
    """Stops processes for a while, as Ctrl-Z does it to a worker and ``docker pause`` to all."""
    for pid in pids:
        os.kill(pid, signal.SIGSTOP)
    meanwhile()
    time.sleep(seconds)
    for pid in pids:
        os.kill(pid, signal.SIGCONT)


@pytest.mark.usefixtures("installed")
def test_a_pause_longer_than_each_limit_ends_no_run(home: Home, simulator: Simulator, engine: str) -> None:
    simulator.play("slow")
    running = home.start()
    idle_s, most_s = (11, 20) if engine == AGENT else (4, 10)
    running.send({"prompt": "x", "limits": {"idle_timeout_s": idle_s, "timeout_s": most_s}})
    running.end_input()
    running.wait_for("delta", count=2)
    all_of_it = [*home.agents(of=running), running.pid]
    for paused in ([running.pid], all_of_it) if engine == AGENT else (all_of_it,):
        _pause(paused, most_s + 1)
        running.wait_for("delta", count=running.output.count(b"delta") + 5)
    running.signal(signal.SIGTERM)
    assert running.end().ending == ("aborted", 3)


@pytest.mark.usefixtures("installed")
def test_after_a_pause_the_limits_count_on(home: Home, simulator: Simulator, engine: str) -> None:
    simulator.play("stall-before")
    running = home.start()
    running.send({"prompt": "x", "limits": {"idle_timeout_s": UP_S[engine]}})
    running.end_input()
    running.wait_for("session")
    _pause([running.pid], UP_S[engine] + 1)
    assert running.end().ending == ("idle_timeout", 75)


FOUND = {"name": "find", "description": "d", "input_schema": {"type": "object"}, "timeout_s": 3}


@pytest.fixture(scope="module")
def asked_and_paused(
    tmp_path_factory: pytest.TempPathFactory, loaded: LoadedWorkers
) -> tuple[Ended, list[str], list[str]]:
    """A run that is paused whenever it has asked, and answered meanwhile but for its last question.

    Beside it what files the calls have made that it asked about, and what the model was told of all calls.
    """
    with desk_at(tmp_path_factory.mktemp("desk"), loaded) as desk:
        desk.script(bash("touch answered"), call("mcp__app__find"), bash("touch unanswered"))
        running = desk.start("--control")
        ask = {"mode": "ask", "timeout_s": 3}
        running.send(desk.request(tools=["Bash"], permissions=ask, app_tools=[FOUND]))
        for event in running.told():
            if event["type"] == "app_tool_call":
                answer = give(event, "found")
            elif event["type"] == "permission_request":
                answer = permit(event) if event["input"]["command"] == "touch answered" else None
            else:
                continue
            _pause([running.pid], 4, lambda: running.send(answer) if answer else None)  # noqa: B023 called at once
        return running.end(), sorted(path.name for path in desk.cwd.iterdir()), desk.told_to_the_model()


@OF_AGENTS
def test_an_answer_given_during_a_pause_counts_and_none_is_still_a_denial(
    asked_and_paused: tuple[Ended, list[str], list[str]],
) -> None:
    ended, made, _ = asked_and_paused
    decisions = [(resolved["behavior"], resolved["by"]) for resolved in ended.of("permission_resolved")]
    assert decisions == [("allow", "client"), ("deny", "timeout")]
    assert made == ["answered"]


@OF_AGENTS
def test_a_result_given_during_a_pause_reaches_the_model(asked_and_paused: tuple[Ended, list[str], list[str]]) -> None:
    ended, _, told = asked_and_paused
    assert ended.ending == ("done", 0)
    assert told[1] == "found"


@ONCE
def test_a_policy_says_how_large_a_request_may_be(home: Home) -> None:
    policy = home.root / "policy.toml"
    policy.write_text("version = 1\n[limits]\nmax_request_bytes = 1000\n")
    for arguments in ([], ["--control"]):
        large = home.run(b'{"prompt": "' + b"x" * 1000 + b'"}\n', *arguments, env={"AGENT_WORKERS_POLICY": str(policy)})
        assert (large.types, large.ending) == (["error"], ("invalid_request", 2))
        assert "1000 bytes" in large.last["details"][0]["message"]


@ONCE
def test_a_request_of_very_many_fields_is_refused_without_being_decoded(home: Home) -> None:
    fields = b",".join(b'"unknown_%d":1' % number for number in range(1_000_000))
    ended = home.run(b'{"prompt":"x",' + fields + b"}")
    assert (ended.types, ended.ending) == (["error"], ("invalid_request", 2))
    assert len(ended.last["details"]) == 1


@ONCE
def test_a_controlled_run_does_not_wait_for_its_request_for_ever(home: Home) -> None:
    running = home.start("--control")
    running.write(b'{"prompt":')
    running.wait_for("error")
    ended = running.end()
    assert (ended.types, ended.ending) == (["error"], ("invalid_request", 2))
    assert "30 seconds" in ended.last["details"][0]["message"]
