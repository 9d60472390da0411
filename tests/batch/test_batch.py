"""A batch on fake workers: what runs, what runs again, and what it comes to."""

import json
import resource
from collections import Counter
from collections.abc import AsyncIterator, Callable, Mapping
from pathlib import Path
from typing import Any

import anyio
import anyio.lowlevel
import pytest

from agent_workers.batch.batch import Batch
from agent_workers.batch.checkpoint import Checkpoint, CheckpointUnusable, Progress
from agent_workers.batch.item import Line
from agent_workers.batch.limits import Limits
from agent_workers.batch.pace import Pace
from agent_workers.batch.totals import Totals
from agent_workers.client import Event, FakeRunner, RunFailed
from agent_workers.errors import OutputClosed
from tests.waiting import PATIENCE_S

Answer = Callable[[Mapping[str, Any]], Any]
FAILURE = FakeRunner.failure


class Told:
    """What a batch tells."""

    def __init__(self, most: int | None = None) -> None:
        self.events: list[Event] = []
        self.records: list[dict[str, Any]] = []
        self._most = most

    async def event(self, event: Event) -> None:
        self.events.append(event)

    async def record(self, record: dict[str, Any]) -> None:
        if self._most is not None and len(self.records) >= self._most:
            raise OutputClosed
        self.records.append(record)

    def hurry(self) -> None:
        pass


def lines(*requests: object) -> list[Line]:
    return [
        Line(number, request if isinstance(request, bytes) else json.dumps(request).encode())
        for number, request in enumerate(requests, 1)
    ]


def prompts(count: int) -> list[Line]:
    return lines(*({"worker": "agent-chat", "prompt": str(number)} for number in range(count)))


async def given(found: list[Line]) -> AsyncIterator[Line]:
    for line in found:
        yield line


def run(
    found: list[Line],
    answer: Answer = lambda request: request["prompt"],
    told: Told | None = None,
    progress: Progress | None = None,
    during: Callable[[Batch, FakeRunner], Any] | None = None,
    **limits: Any,
) -> tuple[Totals, Told, FakeRunner]:
    """Runs a batch in which a function answers."""
    told = told or Told()

    async def start() -> Totals:
        def answering(request: Mapping[str, Any]) -> Any:
            if during:
                during(batch, fake)
            return answer(request)

        fakes.append(FakeRunner(answering))
        fake = fakes[0]
        batch = Batch({"agent-chat": fake.for_async}, told, Limits(**{"concurrency": 3, **limits}), progress)
        for record in progress.settled.values() if isinstance(progress, Checkpoint) else ():
            batch.totals.add(record, earlier=True)
        with anyio.fail_after(PATIENCE_S):
            return await batch.run(given(found))

    fakes: list[FakeRunner] = []
    return anyio.run(start), told, fakes[0]


@pytest.fixture(autouse=True)
def hasty(monkeypatch: pytest.MonkeyPatch) -> None:
    """Has nobody wait long before another try."""
    monkeypatch.setattr("agent_workers.batch.pace._FIRST_S", 0.001)


def test_each_line_comes_to_one_record_and_its_run_to_one_terminal_event() -> None:
    totals, told, _ = run(prompts(20))
    assert {record["text"] for record in told.records} == set(map(str, range(20)))
    assert all(record["status"] == "done" and record["attempts"] == 1 for record in told.records)
    ends = Counter(event["run"] for event in told.events if event["type"] == "done")
    assert sorted(ends.values()) == [1] * 20
    assert (totals.done, totals.failed, totals.exit_status, totals.running) == (20, 0, 0, 0)


def test_a_record_bears_the_key_of_its_line_as_it_was_and_no_worker_sees_it() -> None:
    request = {"worker": "agent-chat", "prompt": "a"}
    _, told, fake = run(lines({**request, "key": 7}, {**request, "key": "seven"}, request, {"key": 8}, {"key": [1]}))
    assert {record["line"]: record.get("key") for record in told.records} == {1: 7, 2: "seven", 3: None, 4: 8, 5: None}
    refused = {record["line"]: record["error"] for record in told.records if record["status"] == "error"}
    assert [refused[number]["details"][0]["pointer"] for number in (4, 5)] == ["/worker", "/key"]
    assert not any("key" in request for request in fake.requests)


def test_no_more_runs_are_under_way_at_once_than_allowed() -> None:
    most = 0

    def look(batch: Batch, fake: FakeRunner) -> None:
        nonlocal most
        most = max(most, batch.totals.running)

    run(prompts(12), during=look, concurrency=2)
    assert most == 2


BAD = {
    "no JSON": b'{"worker": "agent-chat", "prompt":',
    "no object": b"[1, 2]",
    "no UTF-8": b'{"worker": "agent-chat", "prompt": "\xff"}',
    "no worker": b'{"prompt": "x"}',
    "an unknown worker": b'{"worker": "agent-chatt", "prompt": "x"}',
    "a worker that is no name": b'{"worker": ["agent-chat"], "prompt": "x"}',
    "a path": b'{"worker": "/bin/sh", "prompt": "x"}',
}


def test_a_bad_line_is_one_refused_run_with_its_number_and_never_the_end() -> None:
    found = lines({"worker": "agent-chat", "prompt": "a"}, *BAD.values(), {"worker": "agent-chat", "prompt": "b"})
    totals, told, fake = run(found)
    assert (totals.done, totals.failed, totals.exit_status) == (2, len(BAD), 1)
    bad = {record["line"]: record["error"] for record in told.records if record["status"] == "error"}
    assert sorted(bad) == list(range(2, 2 + len(BAD)))
    assert all(f"Line {number}" in error["message"] and not error["retryable"] for number, error in bad.items())
    assert len(fake.requests) == 2


def test_two_lines_with_the_same_run_could_not_be_told_apart() -> None:
    named = {"worker": "agent-chat", "prompt": "a", "run": "mine"}
    totals, told, fake = run(lines(named, named, {**named, "run": "other"}))
    assert (totals.done, totals.failed) == (2, 1)
    [refused] = [record for record in told.records if record["status"] == "error"]
    assert refused["error"]["details"][0]["pointer"] == "/run"
    assert [request["run"] for request in fake.requests] == ["mine", "other"]


def test_a_run_has_the_same_id_each_time_that_the_batch_is_started() -> None:
    ids = [{record["run"] for record in run(prompts(3))[1].records} for _ in range(2)]
    assert ids[0] == ids[1]
    assert len(ids[0]) == 3


def failing(times: int, code: str = "overloaded", **more: Any) -> Answer:
    """Fails so often for each prompt, and then answers."""
    seen: Counter[str] = Counter()

    def answer(request: Mapping[str, Any]) -> Any:
        seen[request["prompt"]] += 1
        if seen[request["prompt"]] > times:
            return request["prompt"]
        return FAILURE(code, **{"retryable": True, **more})

    return answer


def test_what_may_succeed_is_tried_again_and_told_once() -> None:
    totals, told, fake = run(prompts(4), failing(2, "server_error"))
    assert [record["attempts"] for record in told.records] == [3] * 4
    assert Counter(event["type"] for event in told.events)["error"] == 0
    assert (totals.done, totals.attempts, len(fake.requests)) == (4, 12, 12)
    starts = [event.get("attempt") for event in told.events if event["type"] == "start"]
    assert Counter(starts) == {None: 4, 2: 4, 3: 4}  # so that a reader drops what a failed try has said
    assert not any("attempt" in request for request in fake.requests)  # which a worker of another make may not know


def test_a_worker_that_chains_its_lines_numbers_another_try_itself() -> None:
    def answer(request: Mapping[str, Any]) -> Any:
        number = request.get("attempt", 1)
        begun = {**FAILURE("overloaded")[0], **({"attempt": number} if number > 1 else {}), "prev": "0" * 64}
        return [begun, {**FAILURE("overloaded", retryable=True)[1], "prev": "1" * 64}]

    _, told, fake = run(lines({"worker": "agent-chat", "prompt": "a"}), answer, attempts=3)
    assert [request.get("attempt") for request in fake.requests] == [None, 2, 3]
    starts = [event for event in told.events if event["type"] == "start"]
    assert [list(start)[-1] for start in starts] == ["prev"] * 3  # the lines are as they were written


def test_a_line_may_be_a_later_attempt_already_and_its_tries_count_on_from_there() -> None:
    def answer(request: Mapping[str, Any]) -> Any:
        begun = {**FAILURE("overloaded")[0], "attempt": request["attempt"]}
        seen.append(request["traceparent"])
        return [begun, FAILURE("overloaded", retryable=True)[1]]

    seen: list[str] = []
    trace = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
    line = {"worker": "agent-chat", "prompt": "a", "attempt": 4, "traceparent": trace}
    _, told, _ = run(lines(line), answer, attempts=2)
    assert [event["attempt"] for event in told.events if event["type"] == "start"] == [4, 5]
    assert seen == [trace, trace]


def test_what_fails_each_time_is_worth_another_start() -> None:
    totals, told, _ = run(prompts(2), failing(9), attempts=3)
    assert [(record["status"], record["attempts"]) for record in told.records] == [("error", 3)] * 2
    assert Counter(event["type"] for event in told.events)["error"] == 2
    assert (totals.retryable, totals.exit_status) == (2, 75)


def test_what_cannot_succeed_is_not_tried_again() -> None:
    totals, told, fake = run(prompts(2), failing(9, "auth", retryable=False, details=[{"pointer": "", "message": "m"}]))
    assert (len(fake.requests), totals.exit_status) == (2, 1)
    assert told.records[0]["error"]["details"] == [{"pointer": "", "message": "m"}]


def test_a_rate_limit_slows_all_and_all_are_done_in_the_end() -> None:
    allowed = []
    calls = Counter[str]()

    def answer(request: Mapping[str, Any]) -> Any:
        calls["n"] += 1
        return FAILURE("rate_limited", retryable=True, retry_after_ms=5) if calls["n"] % 2 else request["prompt"]

    totals, _, _ = run(
        prompts(40), answer, during=lambda batch, _: allowed.append(batch.pace.allowed), concurrency=8, attempts=50
    )
    assert (totals.done, totals.failed, totals.exit_status) == (40, 0, 0)
    assert min(allowed) < 8


def test_a_rate_limit_does_not_count_as_an_attempt_while_others_get_through() -> None:
    refused = Counter[str]()

    def answer(request: Mapping[str, Any]) -> Any:
        prompt = request["prompt"]
        if prompt == "0" and refused["others"] < 30:
            refused[prompt] += 1
            return FAILURE("rate_limited", retryable=True)
        refused["others"] += prompt != "0"
        return prompt

    totals, told, _ = run(prompts(31), answer, concurrency=2, attempts=4)
    assert (totals.done, totals.failed) == (31, 0)
    assert told.records[-1]["attempts"] == refused["0"] + 1 > 4


@pytest.mark.anyio
async def test_what_the_api_asks_for_holds_however_long_it_is() -> None:
    pace = Pace(4)
    event = {"code": "rate_limited", "message": "m", "retryable": True, "retry_after_ms": 600_000}
    pace.note_failure(RunFailed(event), 1)
    assert pace.waits_s > 500
    assert pace.allowed == 2


def test_a_worker_that_dies_is_tried_again() -> None:
    totals, _, fake = run(prompts(1), failing_without_end())
    assert (totals.done, len(fake.requests)) == (1, 2)


def failing_without_end() -> Answer:
    answers: list[Any] = [[{"type": "delta", "text": "half", "block": 1}], "whole"]
    return lambda request: answers.pop(0)


COSTLY = [{"type": "done", "stop_reason": "end_turn", "text": "", "usage": {"input_tokens": 7}, "cost_usd": 0.4}]


def test_money_and_errors_have_a_limit_for_the_whole() -> None:
    totals, _, _ = run(prompts(50), lambda request: COSTLY, concurrency=1, max_cost_usd=1)
    assert (totals.done, totals.stopped, totals.exit_status) == (3, "max_cost_usd", 3)
    assert (round(totals.cost_usd, 1), totals.usage["input_tokens"]) == (1.2, 21)
    totals, _, _ = run(prompts(50), failing(9, "auth", retryable=False), concurrency=1, max_errors=2)
    assert (totals.failed, totals.stopped, totals.exit_status) == (2, "max_errors", 3)


def test_without_money_no_run_begins_and_where_nothing_is_left_to_begin_nothing_was_stopped() -> None:
    totals, _, fake = run(prompts(5), max_cost_usd=0)
    assert (fake.requests, totals.stopped, totals.exit_status) == ([], "max_cost_usd", 3)
    totals, _, _ = run(prompts(3), lambda request: COSTLY, concurrency=1, max_cost_usd=1.2)
    assert (totals.done, totals.stopped, totals.exit_status) == (3, None, 0)


def test_each_attempt_is_paid_for() -> None:
    bill = {"usage": {"input_tokens": 7, "output_tokens": 1}, "cost_usd": 0.4}
    answers: list[Any] = [FAILURE("overloaded", retryable=True, **bill), FAILURE("worker_lost", retryable=True), COSTLY]
    totals, told, _ = run(prompts(1), lambda request: answers.pop(0))
    assert told.records[0]["usage"] == {"input_tokens": 14, "output_tokens": 1}
    assert (told.records[0]["cost_usd"], told.records[0]["attempts"], totals.cost_usd) == (0.8, 3, 0.8)


def test_a_stop_begins_nothing_more_and_does_not_wait_for_another_try() -> None:
    def stop(batch: Batch, fake: FakeRunner) -> None:
        if len(fake.requests) == 2:
            batch.stop("signal")

    totals, told, fake = run(prompts(50), failing(9, "server_error", retry_after_ms=3_600_000), during=stop)
    assert len(fake.requests) <= 3
    assert totals.exit_status == 3
    assert all(record["status"] == "error" for record in told.records)


def test_what_a_run_has_come_to_is_told_whole_though_the_batch_is_stopped_meanwhile() -> None:
    class Slow(Told):
        async def event(self, event: Event) -> None:
            if event["type"] == "done":
                batches[0].stop("signal")
            await anyio.lowlevel.checkpoint()
            await super().event(event)

    batches: list[Batch] = []
    _, told, _ = run(prompts(20), told=Slow(), during=lambda batch, _: batches.append(batch))
    ends = {event["run"] for event in told.events if event["type"] == "done"}
    assert ends == {record["run"] for record in told.records if record["status"] == "done"} != set()


def test_nobody_who_reads_is_the_end() -> None:
    with pytest.raises(OutputClosed):
        run(prompts(50), told=Told(most=2))


# Checkpoints


def start_of(
    path: Path,
    found: list[Line],
    answer: Answer = lambda request: request["prompt"],
    taken: Path | None = None,
    **more: Any,
) -> Any:
    checkpoint = Checkpoint(path, taken)
    try:
        untold = checkpoint.untold()
        checkpoint.all_told()
        totals, told, fake = run(found, answer, progress=checkpoint, **more)
        return totals, [*untold, *told.records], fake
    finally:
        checkpoint.close()


def test_a_batch_goes_on_where_it_stopped(tmp_path: Path) -> None:
    path = tmp_path / "checkpoint"
    first, told, _ = start_of(path, prompts(30), lambda request: COSTLY, concurrency=1, max_cost_usd=2)
    again, rest, fake = start_of(path, prompts(30))
    assert (first.done, len(told), len(rest), len(fake.requests)) == (5, 5, 25, 25)
    assert {record["line"] for record in [*told, *rest]} == set(range(1, 31))
    assert again.exit_status == 0


def test_a_limit_that_an_earlier_start_has_used_up_lets_nothing_begin(tmp_path: Path) -> None:
    path = tmp_path / "checkpoint"
    start_of(path, prompts(9), lambda request: COSTLY, concurrency=2, max_cost_usd=1)
    kept = path.read_bytes()
    totals, _, fake = start_of(path, prompts(9), max_cost_usd=1)
    assert (fake.requests, totals.stopped, path.read_bytes()) == ([], "max_cost_usd", kept)


def test_what_runs_have_cost_that_came_to_nothing_is_not_forgotten(tmp_path: Path) -> None:
    path = tmp_path / "checkpoint"
    start_of(path, prompts(2), failing(9, cost_usd=0.25), attempts=2)
    checkpoint = Checkpoint(path)
    checkpoint.close()
    assert (checkpoint.settled, checkpoint.lost_usd) == ({}, 1.0)


def test_a_checkpoint_that_could_not_be_written_to_its_end_takes_nothing_more_and_serves_the_next_start(
    tmp_path: Path,
) -> None:
    path = tmp_path / "checkpoint"
    start_of(path, prompts(3), lambda request: COSTLY, concurrency=1, max_cost_usd=0.5)
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)

    def full(request: Mapping[str, Any]) -> Any:
        resource.setrlimit(resource.RLIMIT_FSIZE, (path.stat().st_size + 40, limits[1]))
        return request["prompt"]

    checkpoint = Checkpoint(path)
    try:
        with pytest.raises(CheckpointUnusable, match="cannot be written"):
            run(prompts(3), full, progress=checkpoint, concurrency=1)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    with pytest.raises(CheckpointUnusable, match="cannot be written"):
        checkpoint.told(prompts(1)[0])  # now there is room again
    checkpoint.close()
    _, told, _ = start_of(path, prompts(3))
    assert {record["line"] for record in told} == {3}


def test_a_device_is_no_checkpoint() -> None:
    with pytest.raises(CheckpointUnusable, match="is no file"):
        Checkpoint(Path("/dev/full"))


def test_what_failed_for_good_is_not_run_again_and_what_may_succeed_is(tmp_path: Path) -> None:
    path = tmp_path / "checkpoint"
    answers = {"0": FAILURE("auth"), "1": FAILURE("overloaded", retryable=True), "2": "two"}
    start_of(path, prompts(3), lambda request: answers[request["prompt"]], attempts=1)
    _, told, fake = start_of(path, prompts(3))
    assert [request["prompt"] for request in fake.requests] == ["1"]
    assert [(record["line"], record["status"]) for record in told] == [(2, "done")]


def test_what_was_kept_and_not_told_is_told_by_the_next_start(tmp_path: Path) -> None:
    path = tmp_path / "checkpoint"
    with pytest.raises(OutputClosed):
        start_of(path, prompts(5), told=Told(most=2), concurrency=1)
    _, told, fake = start_of(path, prompts(5))
    assert {record["line"] for record in told} == {3, 4, 5}
    assert {request["prompt"] for request in fake.requests} == {"3", "4"}


def test_what_its_reader_has_not_noted_as_taken_is_told_again(tmp_path: Path) -> None:
    path, taken = tmp_path / "checkpoint", tmp_path / "taken"
    taken.write_text("1\n2\n3\n")  # of an earlier batch
    start_of(path, prompts(5), taken=taken)
    taken.write_text(taken.read_text() + "2\n4\n5")  # killed while it noted 5
    _, told, fake = start_of(path, prompts(5), taken=taken)
    assert [record["line"] for record in told] == [1, 3, 5]
    assert fake.requests == []
    taken.write_text("1\n2\n3\n4\n5\n")
    assert start_of(path, prompts(5), taken=taken)[1] == []


@pytest.mark.parametrize("cut", [1, 20, 60])
def test_a_torn_last_line_is_mended(tmp_path: Path, cut: int) -> None:
    path = tmp_path / "checkpoint"
    start_of(path, prompts(3), concurrency=1)
    whole = path.read_bytes()
    kept = whole.splitlines(keepends=True)
    path.write_bytes(b"".join(kept[:5]) + kept[5][:cut])
    _, told, _ = start_of(path, prompts(3))
    assert {record["line"] for record in told} == {3}
    assert all(map(json.loads, path.read_bytes().splitlines()))


def test_a_checkpoint_of_another_batch_is_refused_before_anything_runs(tmp_path: Path) -> None:
    path = tmp_path / "checkpoint"
    start_of(path, prompts(3))
    kept = path.read_bytes()
    for other in (lines({"worker": "agent-chat", "prompt": "other"}), [*prompts(1), *lines({}, {}, {})[1:]]):
        with pytest.raises(CheckpointUnusable, match="of another batch"):
            start_of(path, other)
    assert path.read_bytes() == kept


@pytest.mark.parametrize(
    "content",
    [
        b"some notes\n",
        b"some notes",
        b'{"checkpoint": 1}\n{"told"}\n',
        b'{"a": 1}\n',
        b'{"checkpoint": 2, "first": ""}\n',
    ],
)
def test_a_file_that_is_no_checkpoint_is_left_alone(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "notes"
    path.write_bytes(content)
    with pytest.raises(CheckpointUnusable, match="is no checkpoint"):
        Checkpoint(path)
    assert path.read_bytes() == content


def test_two_batches_do_not_share_a_checkpoint(tmp_path: Path) -> None:
    checkpoint = Checkpoint(tmp_path / "c")
    with pytest.raises(CheckpointUnusable, match="in use"):
        Checkpoint(tmp_path / "c")
    checkpoint.close()
    with pytest.raises(CheckpointUnusable, match="cannot be written"):
        Checkpoint(tmp_path / "no" / "such")
