"""What becomes of the answers of the economy lane: judged, corrected at once, paid for and told as any others."""

import json
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from agent_workers.client import AsyncEngineRunner
from agent_workers.client.economy import ApiResult, EconomyLane
from agent_workers.errors import RequestRejected
from agent_workers.simulator import Simulator, running_simulator
from tests.batch.between import Refused, between
from tests.batch.nights import Night, chat
from tests.e2e.stream import check_whole, events_of
from tests.e2e.worker import SCRIPTS
from tests.simulator.batches import played
from tests.skills.making import DEAL, GOOD, make_skill
from tests.waiting import PATIENCE_S

USAGE = {"input_tokens": 1_000, "output_tokens": 100}
FULL_USD = (1_000 * 2 + 100 * 10) / 1e6  # of claude-sonnet-5-5
WRONG = {**GOOD, "score": 7}


@pytest.fixture
def simulator() -> Iterator[Simulator]:
    with running_simulator() as simulator:
        yield simulator


@pytest.fixture
def night(tmp_path: Path, simulator: Simulator) -> Iterator[Night]:
    with between(simulator.base_url) as proxy:
        found = Night(tmp_path, simulator, proxy)
        found.environ["AGENT_WORKERS_SKILLS_PATH"] = str(tmp_path / "skills")
        yield found


def answers(simulator: Simulator, *texts: str, **settings: Any) -> None:
    """Has the model answer so: in the batch with the first, and again with it in the first call at once."""
    steps = [{"content": [{"type": "text", "text": text}], "usage": USAGE} for text in texts]
    simulator.play(played(*steps, **settings))


def score(**more: Any) -> dict[str, Any]:
    return {"skill": "score", "engine": "messages", "model": "claude-sonnet-5-5", "input": DEAL, **more}


def test_an_answer_of_the_lane_costs_half(night: Night, simulator: Simulator) -> None:
    answers(simulator, "Yes.")
    night.write(chat("Good?", model="claude-sonnet-5-5"), chat("Bad?", model="sonnet", session={"id": SESSION}))
    night.run("--wait", "--summary=json")
    costs = {result["lane"]: result["cost_usd"] for result in night.results}
    assert costs == {"economy": pytest.approx(FULL_USD / 2), "live": pytest.approx(FULL_USD)}
    assert json.loads(night.said[-1])["cost_usd"] == pytest.approx(1.5 * FULL_USD)


SESSION = "6c0cbd1f-9aa9-4bbb-8d4e-3ea2a1c0a3f4"


@pytest.mark.parametrize(("first", "again"), [(json.dumps(WRONG), 2), ("no JSON", 2), ('{"score": 1}', 2)])
def test_an_answer_that_does_not_stand_is_corrected_at_once_in_the_same_start(
    night: Night, simulator: Simulator, first: str, again: int
) -> None:
    make_skill(night.root / "skills", settings={"corrections": 2})
    answers(simulator, first, json.dumps(GOOD))
    night.write(score(), score(key="k"))
    assert night.run() == 75
    simulator.end_batches()
    assert night.run("--summary=json") == 0
    assert {json.dumps(result["output"]) for result in night.results} == {json.dumps(GOOD)}
    assert [(result["lane"], result["attempts"]) for result in night.results] == [("economy", 1)] * 2
    assert night.live == 2 * again
    cost_usd = FULL_USD * (0.5 + again)
    assert [result["cost_usd"] for result in night.results] == [pytest.approx(cost_usd)] * 2
    assert night.results[0]["usage"]["output_tokens"] == 100 * (1 + again)
    assert json.loads(night.said[-1])["cost_usd"] == pytest.approx(2 * cost_usd)
    assert night.run("--summary=json") == 0
    assert json.loads(night.said[-1])["cost_usd"] == pytest.approx(2 * cost_usd)


@pytest.mark.parametrize(("first", "calls"), [(json.dumps(WRONG), 1), ("no JSON", 4)])
def test_an_answer_that_never_stands_fails_once_and_is_paid_for_once(
    night: Night, simulator: Simulator, first: str, calls: int
) -> None:
    make_skill(night.root / "skills")
    answers(simulator, first)
    night.write(score())
    for _ in range(2):
        assert night.run("--wait", "--summary=json") == 1
        [result] = night.results
        assert (result["error"]["code"], result["attempts"]) == ("output_schema", 1)
        assert (result["cost_usd"], night.live) == (pytest.approx(FULL_USD * (0.5 + calls)), calls)
        assert json.loads(night.said[-1])["cost_usd"] == pytest.approx(result["cost_usd"])


def test_an_answer_that_is_unsure_is_marked_for_a_person(night: Night, simulator: Simulator) -> None:
    make_skill(night.root / "skills", settings={"review_below": 0.5})
    answers(simulator, json.dumps({**GOOD, "confidence": 0.2}))
    night.write(score())
    assert night.run("--wait") == 0
    assert (night.results[0]["needs_review"], night.results[0]["lane"]) == (True, "economy")


def test_a_correction_that_fails_for_a_moment_has_the_line_run_at_once(night: Night, simulator: Simulator) -> None:
    make_skill(night.root / "skills", settings={"corrections": 1})
    night.environ["CLAUDE_CODE_MAX_RETRIES"] = "0"
    answers(simulator, json.dumps(WRONG), json.dumps(GOOD))
    night.write(score())
    night.between.next(Refused(500), path="/v1/messages")
    assert night.run("--wait") == 0
    [result] = night.results
    assert (result["lane"], result["output"], result["attempts"]) == ("live", GOOD, 2)
    assert result["cost_usd"] == pytest.approx(2.5 * FULL_USD)


def test_a_correction_that_cannot_be_made_now_is_made_by_the_next_start(night: Night, simulator: Simulator) -> None:
    make_skill(night.root / "skills", settings={"corrections": 2})
    night.environ["CLAUDE_CODE_MAX_RETRIES"] = "0"
    answers(simulator, json.dumps(WRONG), json.dumps(GOOD))
    night.write(score())
    night.between.rule = lambda method, path: Refused(529, "overloaded_error") if path == "/v1/messages" else None
    assert night.run("--wait", "--attempts=1", "--summary=json") == 75
    night.between.rule = lambda method, path: None
    assert night.run("--wait", "--summary=json") == 0
    assert [(result["status"], result.get("lane")) for result in night.results] == [
        ("error", None),
        ("done", "economy"),
    ]
    assert (len(simulator.batches), night.live) == (1, 2)
    assert json.loads(night.said[-1])["cost_usd"] == pytest.approx(2.5 * FULL_USD)


def test_an_answer_that_this_host_cannot_take_now_is_taken_by_the_next_start(
    night: Night, simulator: Simulator
) -> None:
    night.write_prompts(2)
    night.run()
    simulator.end_batches()
    there, night.environ["AGENT_WORKERS_STATE_DIR"] = night.environ["AGENT_WORKERS_STATE_DIR"], str(night.root / "in")
    assert night.run() == 75
    found = [(result["error"]["code"], result["error"]["retryable"]) for result in night.results]
    assert found == [("state_unavailable", True)] * 2
    night.environ["AGENT_WORKERS_STATE_DIR"] = there
    assert night.run("--summary=json") == 0
    assert night.lanes == {1: "economy", 2: "economy"}
    assert json.loads(night.said[-1])["cost_usd"] > 0
    assert (len(simulator.batches), night.live) == (1, 0)


def test_the_engines_events_are_told_of_runs_of_the_lane_as_of_any_others(night: Night, simulator: Simulator) -> None:
    make_skill(night.root / "skills", settings={"corrections": 2})
    night.write(
        chat("[[scenario:thinking]]", thinking=True),
        chat("[[scenario:unicode]]"),
        chat("Whole blocks", stream={"partial": False}),
        chat("[[scenario:unknown-block]]"),
        chat("[[scenario:bad-request-400]]"),
        chat("[[scenario:refusal]]"),
        chat("An own name", run="mine"),
        score(goal="[[scenario:structured-output]]"),
    )
    night.environ["ANTHROPIC_BASE_URL"] += "/simulated"  # where a skill's example answers
    command = [str(SCRIPTS / "agent-batch"), "--worker=agent-chat", "--economy", "--wait"]
    command.append(f"--checkpoint={night.root / 'checkpoint'}")
    with (night.root / "in").open("rb") as lines:
        done = subprocess.run(
            command, stdin=lines, capture_output=True, env=night.environ, timeout=PATIENCE_S, check=False
        )
    runs: dict[str, list[bytes]] = {}
    for line in done.stdout.splitlines(keepends=True):
        runs.setdefault(json.loads(line)["run"], []).append(line)
    assert len(runs) == 8
    for told in runs.values():
        check_whole(events_of(b"".join(told)))
    valid = [str(SCRIPTS / "agent-workers"), "validate", "-"]
    corrected = b"".join(next(told for told in runs.values() if b'"skill"' in told[0]))
    found = subprocess.run(valid, input=corrected, capture_output=True, timeout=PATIENCE_S, check=False)
    assert found.returncode == 0, found.stdout
    events = [json.loads(line) for line in done.stdout.splitlines()]
    assert {event["lane"] for event in events if event["type"] == "done"} == {"economy"}
    assert {event["engine"] for event in events if event["type"] == "start"} == {"messages"}
    kinds = {kind: sum(event["type"] == kind for event in events) for kind in ("done", "error", "thinking")}
    assert (kinds["done"], kinds["error"]) == (7, 1)
    assert kinds["thinking"] >= 1


@pytest.mark.anyio
async def test_an_answer_that_comes_at_once_after_a_refusal_in_the_batch_is_not_of_the_lane(
    night: Night, simulator: Simulator
) -> None:
    simulator.play(played({"content": [{"type": "text", "text": '{"a": "x"}'}]}))
    schema = {"type": "object", "properties": {"a": {"type": "string"}}, "required": ["a"]}
    request = {"engine": "messages", "prompt": "Say x.", "output_schema": schema}
    cause = "in the batch: invalid_request_error: Schema is too complex for compilation"
    refused = ApiResult("x-1", error=RequestRejected(cause=cause))
    runner = AsyncEngineRunner("agent-chat", env=night.environ)
    async with runner, EconomyLane(runner).run("agent-chat", request, refused) as run:
        result = await run.result()
    assert (result.output, result.event["lane"], night.live) == ({"a": "x"}, "live", 1)


def test_simulated_it_needs_no_account(night: Night) -> None:
    example = json.loads((Path(__file__).parents[2] / "examples/requests/partner-health.json").read_text("utf-8"))
    health = {"skill": "partner-health", "engine": "messages", **example}
    night.write(chat("Hello"), health, {**health, "key": 2}, {"prompt": "By an agent"})
    for name in ("ANTHROPIC_BASE_URL", "ANTHROPIC_API_KEY"):
        del night.environ[name]
    assert night.run("--simulate", "--wait") == 0
    assert night.lanes == {1: "economy", 2: "economy", 3: "economy", 4: None}
    assert {result["output"]["status"] for result in night.results if result.get("skill")} == {"watch"}
    assert "SIMULATED" in night.said[0]


def test_simulated_what_is_out_is_gone_at_the_next_start_and_runs_at_once(night: Night) -> None:
    night.write(chat("Hello"))
    del night.environ["ANTHROPIC_BASE_URL"]
    assert night.run("--simulate") == 75
    assert night.run("--simulate") == 0
    assert night.lanes == {1: "live"}


def test_a_simulated_start_takes_nothing_from_what_is_out(night: Night, simulator: Simulator) -> None:
    night.write_prompts(2)
    night.run()
    simulator.end_batches()
    assert night.run("--simulate") == 75
    assert night.results == []
    assert night.run() == 0
    assert night.lanes == {1: "economy", 2: "economy"}


def test_memory_stays_the_same_however_many_lines_there_are(night: Night) -> None:
    peaks = []
    for count in (50, 600):
        night.write_prompts(count, system_prompt="Say little. " * 200)
        for _ in range(2):
            with night.start("--wait", checkpoint=f"{count}") as batch:
                peak = _peak_mb(batch)
            assert batch.returncode == 0
        peaks.append(peak)
    assert len(night.results) == 650
    assert peaks[1] < peaks[0] + 40, peaks


def _peak_mb(batch: "subprocess.Popen[bytes]") -> float:
    """Waits for its end; returns its peak of memory."""
    _, status, usage = os.wait4(batch.pid, 0)
    batch.returncode = os.waitstatus_to_exitcode(status)
    return usage.ru_maxrss / 1024
