"""``agent-batch --economy`` as a process, against the simulator's batch API: killed, refused, cut, come again."""

import fcntl
import json
import os
import pty
import random
import re
import signal
import struct
import subprocess
import sys
import termios
import threading
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import httpx
import pytest

from agent_workers.simulator import Simulator, running_simulator
from tests.batch.between import BROKEN, LOST, Passed, Refused, between
from tests.batch.nights import Night, chat, killed
from tests.e2e.worker import SCRIPTS
from tests.simulator.batches import BATCHES, hello, played
from tests.skills.making import DEAL, make_skill
from tests.waiting import PATIENCE_S, until

DONE, OUT = 0, 75


@pytest.fixture
def simulator() -> Iterator[Simulator]:
    with running_simulator() as simulator:
        yield simulator


@pytest.fixture
def night(tmp_path: Path, simulator: Simulator) -> Iterator[Night]:
    with between(simulator.base_url) as proxy:
        yield Night(tmp_path, simulator, proxy)


def others(night: Night, count: int) -> None:
    """Somebody else makes a batch of so many requests."""
    body = {"requests": [hello(f"their-{number}") for number in range(count)]}
    httpx.post(night.simulator.base_url + BATCHES, json=body).raise_for_status()


# Start after start


def test_the_second_start_has_the_answers_and_the_third_has_nothing_to_do(night: Night) -> None:
    night.write_prompts(5)
    assert night.run() == OUT
    assert re.fullmatch(
        r"agent-batch: 5 lines are out since \d{4}-\d\d-\d\d \d\d:\d\d; run the same command again", night.said[-1]
    )
    assert night.run("--summary=json") == DONE
    assert night.lanes == dict.fromkeys(range(1, 6), "economy")
    assert {result["line"]: result["text"].endswith(f"Prompt {result['line']}") for result in night.results} == (
        dict.fromkeys(range(1, 6), True)
    )
    summary = json.loads(night.said[-1])
    assert (summary["done"], summary["out"], summary["exit_status"]) == (5, 0, 0)
    looks = len(night.between.seen)
    assert night.run() == DONE
    assert (len(night.results), len(night.between.seen), night.live) == (5, looks, 0)


def test_one_that_waits_does_all_of_it(night: Night) -> None:
    night.write_prompts(3)
    assert night.run("--wait") == DONE
    assert night.lanes == dict.fromkeys(range(1, 4), "economy")


def test_what_needs_an_agent_or_a_session_runs_at_once(night: Night) -> None:
    tool = {"name": "look", "description": "Looks.", "input_schema": {"type": "object"}}
    night.write(
        {"prompt": "An agent"},
        chat("In the lane"),
        chat("With a tool", app_tools=[tool]),
        chat("With a session", session={"id": "6c0cbd1f-9aa9-4bbb-8d4e-3ea2a1c0a3f4"}),
        chat("Without money", limits={"max_budget_usd": 0.000001}),
        chat("A typo", promt="x"),
    )
    assert night.run() == OUT
    assert night.lanes == {1: None, 3: "live", 4: "live", 5: "live"}
    assert [result["line"] for result in night.results if result["status"] == "error"] == [6]
    assert night.sent == {"2": 1}
    night.run()
    assert night.lanes[2] == "economy"


def test_a_line_need_not_name_the_engine_where_its_skill_or_the_policy_does(night: Night) -> None:
    make_skill(night.root / "skills", settings={"engine": "messages"})
    night.environ |= {"AGENT_WORKERS_SKILLS_PATH": str(night.root / "skills")}
    (night.root / "policy.toml").write_text('version = 1\nengines = ["messages", "agent"]\n', "utf-8")
    night.write({"prompt": "By the policy"}, {"skill": "score", "input": DEAL}, {"prompt": "No", "engine": "agent"})
    assert night.run(f"--policy={night.root / 'policy.toml'}") == OUT
    assert night.sent == {"1": 1, "2": 1}


def test_a_worker_that_the_operator_puts_in_the_place_of_another_gets_its_lines(night: Night) -> None:
    night.write_prompts(2)
    assert night.run("--command=agent-chat=false") == OUT
    assert {result["error"]["code"] for result in night.results} == {"worker_lost"}
    assert night.sent == {}


def test_where_no_line_is_for_the_lane_it_says_why(night: Night) -> None:
    night.write({"prompt": "An agent"}, chat("A session", session={"id": "6c0cbd1f-9aa9-4bbb-8d4e-3ea2a1c0a3f4"}))
    assert night.run() == DONE
    assert "agent-batch: no line is for the economy lane: 1 of the engine agent, 1 with a session" in night.said
    assert night.between.seen[0][1] != BATCHES


def test_a_line_whose_program_was_set_is_not_for_the_lane_and_the_summary_tells_it(night: Night) -> None:
    night.write_prompts(2)
    program = SCRIPTS / "agent-chat"
    assert night.run(f"--command=agent-chat={program}", "--summary=json") == DONE
    assert night.lanes == {1: None, 2: None}
    words = "no line is for the economy lane: 2 of a program that was set for agent-chat"
    assert json.loads(night.said[-1])["notes"] == [words]


def test_many_bytes_go_in_several_batches(night: Night) -> None:
    night.write(*(chat(f"{number} {'x' * 3_000_000}") for number in range(7)))
    assert night.run() == OUT
    assert [len(batch.requests) for batch in night.simulator.batches] == [6, 1]
    assert night.run() == DONE
    assert night.lanes == dict.fromkeys(range(1, 8), "economy")


# Killed


def test_one_that_is_killed_between_the_arrival_of_its_lines_and_the_answer_sends_nothing_twice(night: Night) -> None:
    night.write_prompts(5)
    never = threading.Event()
    night.between.next(Passed(until=never))
    with night.start() as batch:
        until(lambda: night.simulator.batches)
        killed(batch)
    never.set()
    others(night, 5)
    night.simulator.end_batches()
    assert night.run() == DONE
    assert night.lanes == dict.fromkeys(range(1, 6), "economy")
    assert (night.sent["1"], night.live) == (1, 0)


def test_one_that_is_killed_before_its_lines_arrive_sends_them_once(night: Night) -> None:
    night.write_prompts(5)
    gate = threading.Event()
    night.between.rule = lambda method, path: gate.wait(PATIENCE_S) and BROKEN if method == "POST" else None
    with night.start() as batch:
        until(lambda: ("POST", BATCHES) in night.between.seen)
        killed(batch)
    gate.set()
    night.between.rule = lambda method, path: None
    assert night.run("--wait") == DONE
    assert set(night.sent.values()) == {1}
    assert night.lanes == dict.fromkeys(range(1, 6), "economy")


def test_one_that_is_killed_while_it_waits_goes_on_waiting(night: Night) -> None:
    night.write_prompts(5)
    night.simulator.hold_batches()
    for _ in range(2):
        with night.start("--wait") as batch:
            seen = len(night.between.seen)
            until(lambda: len(night.between.seen) > seen + 2)  # noqa: B023 at once
            killed(batch)
    night.simulator.end_batches()
    assert night.run("--wait") == DONE
    assert len(night.simulator.batches) == 1
    assert night.lanes == dict.fromkeys(range(1, 6), "economy")


def test_one_that_is_killed_while_it_reads_results_tells_each_once(night: Night) -> None:
    chance, count = random.Random(3), 400
    night.write_prompts(count)
    night.run()
    night.simulator.end_batches()
    for _ in range(8):
        ends = len(night.results) + chance.randrange(60)
        with night.start("--concurrency=8") as batch:
            until(lambda: len(night.results) >= ends or batch.poll() is not None)  # noqa: B023 at once
            batch.kill()
    assert night.run() == DONE
    assert night.lanes == dict.fromkeys(range(1, count + 1), "economy")
    assert len(night.results) == count
    assert (set(night.sent.values()), night.live) == ({1}, 0)


# Refused


@pytest.mark.parametrize(
    "refusal",
    [Refused(400, "invalid_request_error"), Refused(401, "authentication_error"), Refused(404, "not_found_error")],
)
def test_lines_that_the_api_will_not_take_run_at_once(night: Night, refusal: Refused) -> None:
    night.write_prompts(3)
    night.between.always(refusal)
    assert night.run() == DONE
    assert any("does not take 3 lines, which run at once" in line for line in night.said)
    assert night.lanes == dict.fromkeys(range(1, 4), "live")
    assert night.run() == DONE
    assert (len(night.results), night.sent) == (3, {})


@pytest.mark.parametrize(
    "refusal",
    [
        Refused(429, "rate_limit_error", {"retry-after": "1"}),
        Refused(529, "overloaded_error"),
        Refused(500),
        BROKEN,
        LOST,
    ],
)
def test_lines_that_the_api_does_not_take_at_first_are_sent_once(night: Night, refusal: Passed | Refused) -> None:
    night.write_prompts(3)
    others(night, 3)
    night.between.next(refusal)
    assert night.run("--wait") == DONE
    assert night.lanes == dict.fromkeys(range(1, 4), "economy")
    assert (night.sent, night.live) == ({"1": 1, "2": 1, "3": 1}, 0)


def test_an_api_that_cannot_be_reached_has_the_lines_wait(night: Night) -> None:
    night.write_prompts(3)
    night.between.rule = lambda method, path: BROKEN
    assert night.run("--summary=json") == OUT
    assert json.loads(night.said[-2])["out"] == 3
    assert "3 lines could not be sent to the batch API for sure: " in "".join(night.said)
    night.between.rule = lambda method, path: None
    assert night.run("--wait") == DONE
    assert (len(night.simulator.batches), night.live) == (1, 0)


def test_an_api_that_is_down_at_the_end_loses_nothing(night: Night) -> None:
    night.write_prompts(3)
    night.run()
    night.simulator.end_batches()
    for path in (BATCHES, f"{BATCHES}/{night.simulator.batches[0].id}/results"):
        night.between.always(Refused(500), "GET", path)
        assert night.run() == OUT
        assert any("cannot be read now: status 500" in line for line in night.said)
    night.between.rule = lambda method, path: None
    assert night.run() == DONE
    assert night.lanes == dict.fromkeys(range(1, 4), "economy")


# Results


def test_results_that_are_cut_are_read_on(night: Night, simulator: Simulator) -> None:
    simulator.play(played(batch={"partial": 4}))
    night.write_prompts(9)
    assert night.run("--wait") == DONE
    assert night.lanes == dict.fromkeys(range(1, 10), "economy")


@pytest.mark.parametrize("breaks", [True, False])
def test_results_that_end_early_are_read_again(night: Night, simulator: Simulator, breaks: bool) -> None:
    night.write_prompts(9)
    night.run()
    simulator.end_batches()
    cut = Passed(cut=900, breaks=breaks)
    night.between.next(cut, method="GET", path=f"{BATCHES}/{simulator.batches[0].id}/results")
    assert night.run() == DONE
    assert (night.lanes, night.live) == (dict.fromkeys(range(1, 10), "economy"), 0)


def test_a_batch_that_was_canceled_runs_at_once(night: Night, simulator: Simulator) -> None:
    night.write_prompts(3)
    night.run()
    httpx.post(f"{simulator.base_url}{BATCHES}/{simulator.batches[0].id}/cancel").raise_for_status()
    assert night.run("--wait") == DONE
    assert night.lanes == dict.fromkeys(range(1, 4), "live")


def test_a_batch_that_is_gone_runs_at_once(night: Night) -> None:
    night.write_prompts(3)
    night.run()
    night.between.always(Refused(404, "not_found_error"), "GET", f"{BATCHES}/")
    assert night.run() == DONE
    assert any("is gone; its lines run at once" in line for line in night.said)
    assert night.lanes == dict.fromkeys(range(1, 4), "live")


def test_a_batch_that_another_key_has_sent_stays_out(night: Night) -> None:
    night.write_prompts(3)
    night.run()
    night.environ["ANTHROPIC_API_KEY"] = "another"
    night.between.always(Refused(404, "not_found_error"), "GET", f"{BATCHES}/")
    assert night.run("--wait") == OUT
    assert any("was sent with another key or to another address" in line for line in night.said)
    assert night.live == 0
    night.environ["ANTHROPIC_API_KEY"] = "key-canary"
    night.between.rule = lambda method, path: None
    assert night.run("--wait") == DONE
    assert night.lanes == dict.fromkeys(range(1, 4), "economy")


def test_the_credential_is_not_in_the_checkpoint(night: Night) -> None:
    night.write_prompts(1)
    night.run()
    assert "key-canary" not in (night.root / "checkpoint").read_text("utf-8")


def test_each_result_goes_its_way(night: Night, simulator: Simulator) -> None:
    night.write(
        chat("Fine"),
        chat("[[scenario:server-error-then-ok]] then fine"),
        chat("[[scenario:bad-request-400]]"),
        chat("[[scenario:refusal]]"),
        chat("[[scenario:max-tokens]]"),
        chat("[[scenario:thinking]]", thinking=True),
        chat("[[scenario:stall-before]]", limits={"timeout_s": 1}),
    )
    assert night.run() == OUT
    simulator.end_batches()
    assert night.run() == 1
    found = {result["line"]: result for result in night.results}
    assert {line: result.get("lane") for line, result in found.items()} == {
        1: "economy", 2: "live", 3: None, 4: "economy", 5: "economy", 6: "economy", 7: None
    }  # fmt: skip
    assert found[3]["error"]["code"] == "invalid_request"
    assert found[7]["error"]["code"] == "timeout"
    calls = [record.body["messages"][0]["content"][0]["text"] for record in simulator.requests("/v1/messages")]
    assert {call.split("]]")[0] for call in calls} == {"[[scenario:server-error-then-ok", "[[scenario:stall-before"}
    assert night.run() == 1
    assert len(night.results) == 7


# Others


def test_batches_with_checkpoints_of_their_own_do_not_meet(night: Night, simulator: Simulator) -> None:
    night.write_prompts(4)
    night.between.next(LOST, LOST)
    names = ("one", "two", "three")
    running = [night.start("--wait", checkpoint=name) for name in names]
    assert [batch.wait(PATIENCE_S) for batch in running] == [DONE] * 3
    assert [len(batch.requests) for batch in simulator.batches] == [4, 4, 4]
    assert sorted(result["line"] for result in night.results) == sorted([1, 2, 3, 4] * 3)
    assert night.live == 0


def test_a_line_that_has_changed_is_refused_and_nothing_is_lost(night: Night) -> None:
    night.write_prompts(3)
    night.run()
    night.write(chat("Prompt 1"), chat("Another"), chat("Prompt 3"))
    assert night.run("--wait") == 2
    assert "line 2 was another one when it was sent" in night.said[-1]
    night.write_prompts(3)
    assert night.run("--wait") == DONE
    assert night.lanes == dict.fromkeys(range(1, 4), "economy")


# Stopped


def test_ctrl_c_ends_one_that_waits_and_another_start_has_the_answers(night: Night) -> None:
    night.write_prompts(3)
    night.simulator.hold_batches()
    with night.start("--wait", "--summary=json") as batch:
        until(lambda: night.simulator.batches and night.simulator.batches[0].polls)
        batch.send_signal(signal.SIGINT)
        assert batch.wait(PATIENCE_S) == 3
    assert night.said[-1].endswith("; run the same command again")
    summary = json.loads(night.said[-2])
    assert (summary["out"], summary["stopped"]) == (3, "signal")
    night.simulator.end_batches()
    assert night.run() == DONE
    assert night.lanes == dict.fromkeys(range(1, 4), "economy")


def test_ctrl_c_ends_one_whose_lines_the_api_does_not_take_now(night: Night) -> None:
    night.write_prompts(3)
    night.between.always(Refused(429, "rate_limit_error", {"retry-after": "600"}))
    with night.start("--wait") as batch:
        until(lambda: ("POST", BATCHES) in night.between.seen)
        batch.send_signal(signal.SIGINT)
        assert batch.wait(PATIENCE_S) == 3


def test_a_second_ctrl_c_does_not_wait_for_the_answer_to_what_is_being_sent(night: Night) -> None:
    night.write_prompts(3)
    never = threading.Event()
    night.between.next(Passed(until=never))
    with night.start() as batch:
        until(lambda: night.simulator.batches)
        batch.send_signal(signal.SIGINT)
        until(lambda: any("begins no more runs" in line for line in night.said))
        assert batch.poll() is None
        batch.send_signal(signal.SIGINT)
        assert batch.wait(PATIENCE_S) == 3
    never.set()
    night.simulator.end_batches()
    assert night.run() == DONE
    assert (len(night.simulator.batches), night.lanes) == (1, dict.fromkeys(range(1, 4), "economy"))


def test_a_deadline_ends_one_that_waits(night: Night) -> None:
    night.write_prompts(3)
    night.simulator.hold_batches()
    assert night.run("--wait", "--deadline=5") == 3
    assert "3 lines are out since" in night.said[-1]
    night.simulator.end_batches()
    assert night.run() == DONE


def test_a_terminal_shows_what_is_out_and_what_is_said_stands_on_lines_of_their_own(night: Night) -> None:
    night.write_prompts(3)
    night.simulator.hold_batches()
    night.environ["TERM"] = "xterm"
    ours, its = pty.openpty()
    fcntl.ioctl(its, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 80, 0, 0))
    told = b""
    with night.start("--wait", stderr=its) as batch, open(ours, "rb", buffering=0) as terminal:  # noqa: PTH123 no path
        os.close(its)
        while b"3 out since" not in told:
            told += terminal.read(4096)
        batch.send_signal(signal.SIGINT)
        with suppress(OSError):  # which is how a terminal tells its end
            while more := terminal.read(4096):
                told += more
    plain = re.sub(rb"\x1b\[[0-9;?]*[A-Za-z]", b"", told).decode()
    shown = [line for line in re.split(r"[\r\n]+", plain) if line]
    assert any(re.fullmatch(r"0/3 done, 0 failed, 0 running, 3 out since \d\d:\d\d", line) for line in shown), shown
    assert any(line.startswith("agent-batch: SIGINT: ") for line in shown), shown
    assert shown[-1].startswith("agent-batch: 3 lines are out since")


def test_ctrl_c_while_results_are_read_loses_none(night: Night) -> None:
    count = 400
    night.write_prompts(count)
    night.run()
    night.simulator.end_batches()
    with night.start("--concurrency=4", "--summary=json") as batch:
        until(lambda: len(night.results) > 5)
        batch.send_signal(signal.SIGINT)
        assert batch.wait(PATIENCE_S) == 3
    told = json.loads(night.said[-2])
    assert told["done"] == len(night.results)
    assert told["done"] + told["out"] == count
    assert night.run() == DONE
    assert night.lanes == dict.fromkeys(range(1, count + 1), "economy")


# The command line


def test_without_the_extra_it_says_what_to_install(night: Night) -> None:
    night.write_prompts(1)
    hidden = "import sys; sys.modules['httpx2'] = None; sys.argv = ['x', 'agent-batch', *sys.argv[1:]]"
    code = f"{hidden}; from agent_workers.cli import start; start()"
    command = [sys.executable, "-c", code, "--worker=agent-chat", "--economy", f"--checkpoint={night.root / 'c'}"]
    with (night.root / "in").open("rb") as lines:
        done = subprocess.run(
            command, stdin=lines, capture_output=True, env=night.environ, timeout=PATIENCE_S, check=False
        )
    assert (done.returncode, done.stdout) == (2, b"")
    assert b"pip install '.[messages]'" in done.stderr
    assert b"Traceback" not in done.stderr


def test_it_needs_a_checkpoint(night: Night) -> None:
    command = [str(SCRIPTS / "agent-batch"), "--economy"]
    done = subprocess.run(command, input=b"", capture_output=True, env=night.environ, timeout=PATIENCE_S, check=False)
    assert (done.returncode, b"needs --checkpoint" in done.stderr) == (2, True)
    command = [str(SCRIPTS / "agent-batch"), "--wait"]
    done = subprocess.run(command, input=b"", capture_output=True, env=night.environ, timeout=PATIENCE_S, check=False)
    assert (done.returncode, b"needs --economy" in done.stderr) == (2, True)


def test_a_start_that_forgets_the_lane_is_refused_before_it_pays_twice(night: Night) -> None:
    night.write_prompts(3)
    assert night.run() == OUT
    assert night.run(economy=False) == 2
    assert "3 lines out at the batch API" in night.said[-1]
    assert "--economy" in night.said[-1]
    assert night.live == 0
    assert night.run() == DONE
    assert night.run(economy=False) == DONE  # nothing is out any more


def test_answers_that_are_paid_are_taken_whatever_the_limit_is(night: Night) -> None:
    night.write_prompts(4)
    assert night.run() == OUT
    assert night.run("--max-cost-usd=0.000001", "--summary=json") == DONE
    assert len(night.results) == 4
    assert json.loads(night.said[-1])["stopped"] is None
