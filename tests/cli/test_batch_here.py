"""``agent-batch`` with requests of the engine messages, which it runs in its own process."""

import json
import os
import signal
import subprocess
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest

from agent_workers.simulator import Simulator, running_simulator
from tests.bench.hard_batch import HardBatch, scenario
from tests.e2e.stream import check_whole
from tests.e2e.worker import SCRIPTS
from tests.skills.making import DEAL, make_skill
from tests.waiting import PATIENCE_S, until

CHAT = {"worker": "agent-chat", "engine": "messages"}
SLOW = """
description = "Falls silent after a word."
limit = { requests = %d, per_s = 600 }

[[steps]]
interruption = { kind = "stall", after = 1 }
content = [{ type = "text", text = "One two three." }]
"""


class Place:
    """Where batches run."""

    def __init__(self, root: Path, simulator: Simulator) -> None:
        self.root = root
        self.simulator = simulator
        self.environ = {
            "PATH": os.environ["PATH"],
            "HOME": str(root),
            "ANTHROPIC_BASE_URL": simulator.marked_url,
            "ANTHROPIC_API_KEY": "simulated",
            "AGENT_WORKERS_SKILLS_PATH": str(root),
        }

    def start(self, requests: list[Any], *arguments: str, stdout: Any = subprocess.PIPE) -> "subprocess.Popen[bytes]":
        lines = [each if isinstance(each, str) else json.dumps(each) for each in requests]
        (self.root / "in").write_text("".join(line + "\n" for line in lines))
        command = [str(SCRIPTS / "agent-batch"), *arguments]
        with (self.root / "in").open("rb") as given, (self.root / "err").open("ab") as errors:
            return subprocess.Popen(command, stdin=given, stdout=stdout, stderr=errors, env=self.environ, cwd=self.root)

    def run(self, requests: list[Any], *arguments: str) -> tuple[int, list[dict[str, Any]]]:
        with self.start(requests, *arguments) as batch:
            output, _ = batch.communicate(timeout=PATIENCE_S)
        return batch.returncode, [json.loads(line) for line in output.splitlines()]

    @property
    def errors(self) -> str:
        return (self.root / "err").read_text("utf-8")

    @property
    def waiting(self) -> int:
        return sum(request.outcome == "in_progress" for request in self.simulator.requests())


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    with running_simulator() as simulator:
        yield Place(tmp_path, simulator)


@contextmanager
def slow_place(root: Path, most: int = 1000) -> Iterator[Place]:
    """One where no answer ends, and no more than so many begin."""
    (root / "slow.toml").write_text(SLOW % most)
    with running_simulator(root / "slow.toml") as simulator:
        yield Place(root, simulator)


@pytest.fixture
def slow(tmp_path: Path) -> Iterator[Place]:
    with slow_place(tmp_path) as place:
        yield place


def chats(count: int, **more: Any) -> list[dict[str, Any]]:
    return [{**CHAT, "prompt": f"Hello {number}", "key": number, **more} for number in range(count)]


def test_many_skill_runs_come_to_one_result_each_whatever_the_api_does_and_though_the_batch_is_killed(
    tmp_path: Path,
) -> None:
    with running_simulator(scenario(tmp_path, 150)) as simulator:
        batch = HardBatch(tmp_path, 240, simulator)
        killed = batch.start(kill_after=100)
        before = len(batch.results)
        ended = batch.start()
        batch.check()
    assert (killed.status, ended.status) == (-signal.SIGKILL, 0)
    assert 100 <= before < 240
    asked = simulator.statuses
    assert 480 <= asked[200] <= 480 + 2 * 128  # only what was under way at the kill was asked for again
    assert asked[429] < asked[200] / 4


def test_memory_does_not_grow_with_the_lines(tmp_path: Path) -> None:
    with running_simulator("structured-output") as simulator:
        peaks = []
        for count in (60, 300):
            root = tmp_path / str(count)
            root.mkdir()
            peaks.append(HardBatch(root, count, simulator).start("--concurrency=40").peak_mib)
    assert peaks[1] < peaks[0] + 10


def test_each_line_is_run_where_it_can_be_and_a_broken_one_is_refused(place: Place) -> None:
    make_skill(place.root, settings={"engine": "messages"})
    requests = [
        *chats(20),
        {"worker": "agent-chat", "prompt": "Hello", "engine": "agent"},
        "no JSON",
        {**CHAT, "prompt": "Hello", "promt": "x"},
        {"worker": "agent-task", "prompt": "Hello", "cwd": str(place.root), "engine": "messages"},
        {"worker": "agent-tool", "engine": "messages"},
        {"skill": "score", "input": {"deal": {"nam": "x"}}},
        {"skill": "scores", "input": DEAL, "engine": "messages"},
        {**CHAT, "prompt": "Hello", "tools": ["AskUserQuestion"]},
        {**CHAT, "prompt": "Hello", "app_tools": []},
        *chats(20),
    ]
    status, events = place.run(requests, "--concurrency=3")
    runs: dict[str, list[dict[str, Any]]] = {}
    for event in events:
        runs.setdefault(event["run"], []).append(event)
    for run in runs.values():
        check_whole(run)
    ends = Counter(run[-1]["type"] for run in runs.values())
    engines = Counter(run[0].get("engine") for run in runs.values() if run[0]["type"] == "start")
    assert (status, ends, engines) == (1, {"done": 42, "error": 6}, {"messages": 41, "agent": 1})
    codes = {run[-1]["code"] for run in runs.values() if run[-1]["type"] == "error"}
    assert codes == {"invalid_request"}


def test_the_first_signal_lets_hundreds_end_and_the_second_one_aborts_them(slow: Place) -> None:
    checkpoint = f"--checkpoint={slow.root / 'checkpoint'}"
    with slow.start(chats(300), "--results", "--concurrency=150", checkpoint) as batch:
        until(lambda: slow.waiting == 150)
        batch.send_signal(signal.SIGINT)
        until(lambda: "begins no more runs" in slow.errors)
        assert batch.poll() is None
        batch.send_signal(signal.SIGINT)
        output, _ = batch.communicate(timeout=PATIENCE_S)
    assert Counter(json.loads(line)["status"] for line in output.splitlines()) == {"aborted": 150}
    assert batch.returncode == 3
    slow.simulator.play("hello")
    status, results = slow.run(chats(300), "--results", checkpoint)
    assert (status, Counter(result["status"] for result in results)) == (0, {"done": 300})


def test_what_waits_for_the_limits_of_the_account_never_begins_once_the_batch_is_stopped(tmp_path: Path) -> None:
    with slow_place(tmp_path, 7) as slow, slow.start(chats(50), "--results", "--concurrency=50") as batch:
        until(lambda: slow.waiting == 7)
        batch.send_signal(signal.SIGTERM)
        until(lambda: "begins no more runs" in slow.errors)
        batch.send_signal(signal.SIGTERM)
        output, _ = batch.communicate(timeout=PATIENCE_S)
        assert slow.simulator.statuses == {200: 7}
    assert [json.loads(line)["status"] for line in output.splitlines()] == ["aborted"] * 7


def test_after_the_deadline_and_the_grace_what_is_under_way_is_aborted(slow: Place) -> None:
    status, results = slow.run(chats(4), "--results", "--deadline=4", "--grace=0")
    assert (status, {result["status"] for result in results}) == (3, {"aborted"})


def test_money_and_errors_have_a_limit(place: Place) -> None:
    status, results = place.run(chats(200), "--results", "--concurrency=4", "--max-cost-usd=0.000001")
    assert (status, len(results)) == (3, 4)
    status, results = place.run(chats(200, promt="x"), "--results", "--concurrency=4", "--max-errors=3")
    assert status == 3
    assert 3 <= len(results) <= 3 + 4


def test_a_reader_that_goes_ends_hundreds_at_once(slow: Place) -> None:
    with slow.start(chats(300), "--results", "--concurrency=150", "--grace=600") as batch:
        until(lambda: slow.waiting >= 4)
        assert batch.stdout
        batch.stdout.close()
        assert batch.wait(PATIENCE_S) == 4


def test_with_a_simulator_of_its_own_no_other_process_is_begun(place: Place) -> None:
    make_skill(place.root)
    requests = [{"skill": "score", "input": DEAL, "engine": "messages"}, *chats(1)] * 20
    children = set()
    with place.start(requests, "--results", "--simulate") as batch:
        tasks = Path(f"/proc/{batch.pid}/task")

        def look() -> bool:
            with suppress(OSError):  # the batch has ended
                for task in tasks.glob("*/children"):
                    children.update(task.read_text().split())
            return batch.poll() is not None

        until(look)
        results = [json.loads(line) for line in batch.stdout or ()]
    assert not children
    assert not place.simulator.requests()
    assert Counter(result["status"] for result in results) == {"done": 40}
    assert {result["output"]["score"] for result in results if "output" in result} == {0.7}


def test_a_session_that_a_line_begins_is_resumed_by_a_later_batch(place: Place) -> None:
    _, [first] = place.run(chats(1), "--results")
    again = [{**CHAT, "prompt": "And?", "session": {"resume": first["session_id"]}}]
    status, [second] = place.run(again, "--results")
    assert (status, second["status"], second["session_id"]) == (0, "done", first["session_id"])


def test_the_policy_holds_for_what_is_run_here_also_on_the_size_of_a_request(place: Place) -> None:
    policy = place.root / "policy.toml"
    policy.write_text('version = 1\nengines = ["messages", "agent"]\n[limits]\nmax_request_bytes = 300\n')
    requests = [{"worker": "agent-chat", "prompt": prompt} for prompt in ("Hello", "x" * 300)]
    requests.append({**CHAT, "prompt": "Hello", "engine": "agent", "max_tokens": 9})
    status, results = place.run(requests, "--results", f"--policy={policy}")
    found = {result["line"]: result for result in results}
    assert (status, found[1]["status"]) == (1, "done")
    assert "larger than 300 bytes" in json.dumps(found[2]["error"])
    assert found[3]["error"]["details"][0]["pointer"] == "/max_tokens"
    [asked] = place.simulator.requests("/v1/messages")
    assert "x-agent-workers-session" in asked.headers


def test_input_that_a_process_checks_keeps_the_others_waiting_no_longer_than_it_must(place: Place) -> None:
    text = {"type": "string", "pattern": "^(a+)+$"}
    skill_input = {"type": "object", "properties": {"text": text}, "required": ["text"]}
    settings = {"engine": "messages", "checks": []}
    make_skill(place.root, text="Give a score.", settings=settings, skill_input=skill_input)
    hard = {"skill": "score", "input": {"text": f"{'a' * 40}!"}}
    status, results = place.run([hard, {**hard, "input": {"text": "aaa"}}, *chats(20)], "--results")
    lines = [result["line"] for result in results]
    assert (status, lines[-1], len(lines)) == (1, 1, 22)
    assert "in time" in json.dumps(results[-1]["error"])
