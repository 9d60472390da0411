"""The economy lane on a batch API in memory: what is sent, found again, read and run, whatever fails or is killed."""

import json
import random
from pathlib import Path
from typing import Any

import pytest

from agent_workers.batch.checkpoint import CheckpointUnusable
from agent_workers.client.economy import ApiResult
from agent_workers.errors import (
    ApiError,
    AuthError,
    ModelNotFound,
    NetworkError,
    Overloaded,
    RateLimited,
    RequestRejected,
    ServerError,
)
from tests.batch.fake_api import LOST, MESSAGE, FakeApi, Start, Steps, asked, prompts, start


@pytest.fixture(autouse=True)
def hasty(monkeypatch: pytest.MonkeyPatch) -> None:
    """Has nobody wait long."""
    monkeypatch.setattr("agent_workers.batch.pace._FIRST_S", 0.001)
    monkeypatch.setattr("agent_workers.batch.answers._PAUSE_S", 0.001)
    monkeypatch.setattr("agent_workers.batch.parcels._PAUSE_S", 0.001)
    for name in ("_FIRST_POLL_S", "_LONGEST_S"):
        monkeypatch.setattr(f"agent_workers.batch.economy.{name}", 0.001)


@pytest.fixture
def api() -> FakeApi:
    return FakeApi()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "checkpoint"


def check_whole(starts: list[Start], api: FakeApi, count: int) -> None:
    """Checks that each line came to one record in the end, and was sent once at most."""
    records = [record for each in starts for record in each.records if record["status"] == "done"]
    settled = {json.dumps(record) for record in records}  # a pipe may get one twice, before and after a kill
    assert sorted(json.loads(record)["line"] for record in settled) == list(range(1, count + 1))
    assert set(api.sent.values()) <= {1}


def test_what_is_sent_is_out_until_a_later_start_has_its_answer(api: FakeApi, path: Path) -> None:
    first = start(path, api, prompts(5))
    assert (first.records, first.totals.out, first.totals.exit_status) == ([], 5, 75)
    assert first.totals.out_since
    second = start(path, api, prompts(5))
    assert second.lanes == dict.fromkeys(range(1, 6), "economy")
    assert (second.totals.out, second.totals.out_since, second.totals.exit_status) == (0, None, 0)
    check_whole([first, second], api, 5)
    third = start(path, api, prompts(5))
    assert (third.records, third.totals.done, third.totals.exit_status) == ([], 5, 0)


def test_with_wait_one_start_does_all_of_it(api: FakeApi, path: Path) -> None:
    api.ends_at = 3
    only = start(path, api, prompts(5), wait=True)
    assert only.lanes == dict.fromkeys(range(1, 6), "economy")
    assert only.totals.cost_usd == 5 * 0.5
    check_whole([only], api, 5)


def test_what_the_lane_cannot_do_runs_at_once(api: FakeApi, path: Path) -> None:
    lines = asked("a", {"prompt": "agent"}, "tools", {"prompt": 1, "worker": "none"}, "b")
    first = start(path, api, lines)
    assert {record["line"]: record["status"] for record in first.records} == {2: "done", 3: "done", 4: "error"}
    assert first.lanes == {2: None, 3: "live", 4: None}
    assert (first.totals.out, sorted(api.sent)) == (2, ["1", "5"])
    assert first.said == ["2 lines outside the economy lane: 1 of the engine agent, 1 with tools"]
    assert first.totals.notes == first.said
    assert start(path, api, lines).lanes == {1: "economy", 5: "economy"}


def test_where_no_line_is_for_the_lane_it_says_why(api: FakeApi, path: Path) -> None:
    lines = asked({"prompt": "x"}, {"prompt": "y"}, "tools")
    first = start(path, api, lines)
    assert first.said == ["no line is for the economy lane: 2 of the engine agent, 1 with tools"]
    assert (first.totals.exit_status, api.calls.total()) == (0, 0)
    assert start(path, api, lines).said == []


def test_a_run_that_two_lines_name_is_refused_before_it_is_paid_for(api: FakeApi, path: Path) -> None:
    named = {"engine": "messages", "prompt": "a", "run": "mine"}
    only = start(path, api, asked(named, named, {"prompt": "c", "run": "mine"}, {**named, "run": "other"}), wait=True)
    assert {record["line"]: record["status"] for record in only.records} == {
        1: "done",
        2: "error",
        3: "error",
        4: "done",
    }
    assert sorted(api.sent) == ["1", "4"]


def test_more_lines_than_a_batch_takes_are_sent_in_several(api: FakeApi, path: Path) -> None:
    first = start(path, api, prompts(7), most=3)
    assert [len(batch.requests) for batch in api.batches] == [3, 3, 1]
    api.batches[1].ends_at = None
    second = start(path, api, prompts(7), most=3)
    assert (sorted(second.lanes), second.totals.out) == ([1, 2, 3, 7], 3)
    api.end()
    check_whole([first, second, start(path, api, prompts(7), most=3)], api, 7)


# Killed


def _steps_of(tmp_path: Path, begin: Any) -> int:
    steps = Steps()
    begin(tmp_path / "counted", FakeApi(), steps)
    return steps.count


def test_a_start_that_is_killed_at_any_step_sends_nothing_twice_and_loses_nothing(tmp_path: Path) -> None:
    def begin(path: Path, api: FakeApi, steps: Steps | None = None) -> Start:
        return start(path, api, prompts(5), wait=True, steps=steps, most=2, concurrency=2)

    count = _steps_of(tmp_path, begin)
    assert count > 50
    for last in range(1, count + 1):
        api, path = FakeApi(), tmp_path / str(last)
        starts = [begin(path, api, Steps(last)), begin(path, api)]
        assert starts[0].totals is None
        check_whole(starts, api, 5)


@pytest.mark.parametrize("seed", range(25))
def test_starts_that_are_killed_again_and_again_come_to_the_same(tmp_path: Path, seed: int) -> None:
    chance, api, starts = random.Random(seed), FakeApi(), []
    while not starts or starts[-1].totals is None or starts[-1].totals.out:
        if chance.random() < 0.3:
            api.others(chance.choice([2, 3]), ended=chance.random() < 0.8)
        if chance.random() < 0.3:
            api.creating.append((LOST, True))
        if chance.random() < 0.1:
            api.end()
        last = chance.randrange(1, 80)
        starts.append(start(tmp_path / "c", api, prompts(8), steps=Steps(last), most=3, wait=chance.random() < 0.2))
    check_whole(starts, api, 8)


@pytest.mark.parametrize("last", range(13))
def test_a_checkpoint_that_can_no_longer_be_written_ends_a_start_and_loses_nothing(
    api: FakeApi, path: Path, last: int
) -> None:
    starts = [start(path, api, prompts(4), wait=True, most=2, writable=last)]
    assert starts[0].totals is None
    check_whole([*starts, start(path, api, prompts(4), wait=True, most=2)], api, 4)


# Lost answers


def test_lines_whose_answer_was_lost_are_found_by_the_same_start(api: FakeApi, path: Path) -> None:
    api.creating = [(LOST, True)]
    only = start(path, api, prompts(3), wait=True)
    assert only.lanes == dict.fromkeys(range(1, 4), "economy")
    check_whole([only], api, 3)


@pytest.mark.parametrize("error", [LOST, ServerError(http_status=500), ServerError(cause="504"), ApiError()])
@pytest.mark.parametrize("arrives", [True, False])
def test_lines_that_may_have_arrived_are_sent_once(api: FakeApi, path: Path, error: ApiError, arrives: bool) -> None:
    api.creating = [(error, arrives)]
    api.others(3, ended=True)
    first = start(path, api, prompts(3))
    assert first.totals.out == 3
    api.end()
    check_whole([first, start(path, api, prompts(3))], api, 3)


@pytest.mark.parametrize("ended", [True, False])
@pytest.mark.parametrize("before", [True, False])
@pytest.mark.parametrize("arrives", [True, False])
def test_a_batch_of_the_same_size_is_not_taken_for_ones_own(
    api: FakeApi, path: Path, ended: bool, before: bool, arrives: bool
) -> None:
    if before:
        api.others(3, ended=ended)
    api.creating = [(LOST, arrives)]
    steps = Steps()
    first = start(path, api, prompts(3), steps=Steps(_until_created(path, 3)))
    if not before:
        api.others(3, ended=ended)
    second = start(path, api, prompts(3), steps=steps)
    if not ended and not before:  # only its end will tell whose it is
        assert (second.totals.out, second.records) == (3, [])
    api.end()
    rest = [start(path, api, prompts(3), wait=True)]
    check_whole([first, second, *rest], api, 3)


def _until_created(path: Path, count: int) -> int:
    """How many steps it takes to the answer of the call that makes the first batch."""
    steps, api = Steps(), FakeApi()
    api.creating = [(LOST, False)]
    seen: list[int] = []
    api.creating = _Noting(seen, steps)
    start(path.with_name("counted"), api, prompts(count), steps=steps)
    return seen[0] + 1


class _Noting(list[Any]):
    def __init__(self, seen: list[int], steps: Steps) -> None:
        self._seen, self._steps = seen, steps

    def __bool__(self) -> bool:
        self._seen.append(self._steps.count)
        return False


def test_a_batch_of_before_the_lines_were_sent_is_not_asked_for(api: FakeApi, path: Path) -> None:
    for _ in range(5):
        api.others(3, ended=True)
    api.creating = [(LOST, True)]
    only = start(path, api, prompts(3), wait=True)
    check_whole([only], api, 3)
    assert api.calls["results"] == 2  # to know it, and to read it


def test_two_batches_with_checkpoints_of_their_own_never_take_each_others_lines(api: FakeApi, tmp_path: Path) -> None:
    names, starts = ("one", "two"), {"one": [], "two": []}
    api.creating = [(LOST, True), (LOST, True)]
    for _ in range(3):
        for name in names:
            starts[name].append(start(tmp_path / name, api, prompts(3)))
        api.end()
    for name in names:
        records = [record for each in starts[name] for record in each.records]
        assert sorted(record["line"] for record in records) == [1, 2, 3]
    assert set(api.sent.values()) == {2}


# Refusals


@pytest.mark.parametrize(
    "error", [RequestRejected(http_status=400), AuthError(http_status=401), ModelNotFound(http_status=404), AuthError()]
)
def test_lines_that_the_api_will_never_take_run_at_once(api: FakeApi, path: Path, error: ApiError) -> None:
    api.creating = [(error, False)]
    only = start(path, api, prompts(3))
    assert only.lanes == dict.fromkeys(range(1, 4), "live")
    assert (api.sent, only.totals.exit_status) == ({}, 0)
    assert only.said[0].startswith("the batch API does not take 3 lines, which run at once")
    assert start(path, api, prompts(3)).records == []


@pytest.mark.parametrize("error", [RateLimited(http_status=429, retry_after_ms=1), Overloaded(http_status=529)])
def test_lines_that_the_api_does_not_take_now_are_sent_later_and_not_looked_for(
    api: FakeApi, path: Path, error: ApiError
) -> None:
    api.others(3, ended=False)
    api.creating = [(error, False)] * 2
    first = start(path, api, prompts(3))
    assert (first.totals.out, first.said, api.calls["recent"]) == (3, [], 0)
    check_whole([first, start(path, api, prompts(3))], api, 3)


@pytest.mark.parametrize("error", [RateLimited(http_status=429), LOST, ServerError(http_status=500)])
def test_lines_that_cannot_be_sent_wait_for_the_next_start(api: FakeApi, path: Path, error: ApiError) -> None:
    api.creating = [(error, False)] * 20
    first = start(path, api, prompts(3))
    assert (first.records, first.totals.out, first.totals.exit_status) == ([], 3, 75)
    [words] = first.said
    assert words.startswith("3 lines could not be sent")
    api.creating.clear()
    second = start(path, api, prompts(3))
    assert second.totals.out == 3
    check_whole([first, second, start(path, api, prompts(3))], api, 3)


def test_a_start_that_does_not_wait_does_not_sleep_for_an_hour(api: FakeApi, path: Path) -> None:
    api.creating = [(RateLimited(http_status=429, retry_after_ms=3_600_000), False)]
    first = start(path, api, prompts(3))
    assert (first.totals.out, first.totals.exit_status) == (3, 75)


def test_lines_that_may_have_arrived_do_not_run_at_once_because_the_batches_cannot_be_listed(
    api: FakeApi, path: Path
) -> None:
    api.creating = [(LOST, True)]
    api.failing["recent"] = [AuthError(http_status=401)] * 20
    first = start(path, api, prompts(3))
    assert (first.records, first.totals.out) == ([], 3)
    api.failing.clear()
    api.end()
    check_whole([first, start(path, api, prompts(3))], api, 3)


# Answers


@pytest.mark.parametrize("name", ["get", "results"])
@pytest.mark.parametrize("error", [LOST, AuthError(http_status=401), ServerError(http_status=500)])
def test_an_api_that_is_down_at_the_end_is_told_and_asked_by_the_next_start(
    api: FakeApi, path: Path, name: str, error: ApiError
) -> None:
    first = start(path, api, prompts(3))
    api.end()
    api.failing[name] = [error] * 20
    second = start(path, api, prompts(3))
    assert (second.records, second.totals.out, second.totals.exit_status) == ([], 3, 75)
    assert "cannot be read now" in second.said[0]
    api.failing.clear()
    check_whole([first, second, start(path, api, prompts(3))], api, 3)


def test_an_api_that_does_not_know_the_key_any_more_is_not_waited_for(api: FakeApi, path: Path) -> None:
    start(path, api, prompts(3))
    api.failing["get"] = [AuthError(http_status=401)] * 20
    assert start(path, api, prompts(3), wait=True).totals.out == 3


def test_an_api_that_is_down_for_a_while_is_waited_for_and_told_once(api: FakeApi, path: Path) -> None:
    api.failing["get"] = [LOST] * 9
    only = start(path, api, prompts(3), wait=True)
    assert len(only.said) == 1
    check_whole([only], api, 3)


@pytest.mark.parametrize("wait", [True, False])
@pytest.mark.parametrize("cuts", [[2], [LOST], [2, LOST, 4], [LOST] * 9])
def test_results_that_are_cut_are_read_again_and_none_is_told_twice(
    api: FakeApi, path: Path, cuts: list[Any], wait: bool
) -> None:
    starts = [start(path, api, prompts(6))]
    api.batches[0].cut = cuts
    starts += [start(path, api, prompts(6), wait=wait) for _ in range(3)]
    assert {lane for each in starts for lane in each.lanes.values()} == {"economy"}
    check_whole(starts, api, 6)


def test_what_the_results_never_tell_runs_at_once(api: FakeApi, path: Path) -> None:
    start(path, api, prompts(4))
    api.batches[0].cut = [2] * 20
    second = start(path, api, prompts(4))
    assert sorted(second.lanes.values()) == ["economy", "economy", "live", "live"]


def test_results_of_other_requests_are_passed_over(api: FakeApi, path: Path) -> None:
    first = start(path, api, prompts(3))
    foreign = {"2": "strange", "3": f"{'0' * 16}-3"}
    api.batches[0].results = lambda name: (
        ApiResult(foreign[name[-1]]) if name[-1] in foreign else ApiResult(name, message={"content": [{"text": "1"}]})
    )
    second = start(path, api, prompts(3))
    assert second.lanes == {1: "economy", 2: "live", 3: "live"}
    check_whole([first, second], api, 3)


def test_each_result_goes_its_way(api: FakeApi, path: Path) -> None:
    first = start(path, api, prompts(4))
    own = api.batches[0].requests
    told = dict(
        zip(
            own,
            [
                ApiResult(own[0], message={"content": [{"text": "fine"}]}),
                ApiResult(own[1], error=Overloaded()),
                ApiResult(own[2], error=RequestRejected()),
                ApiResult(own[3]),  # expired, or canceled
            ],
            strict=True,
        )
    )
    api.batches[0].results = told.__getitem__
    second = start(path, api, prompts(4))
    assert second.lanes == {1: "economy", 2: "live", 3: None, 4: "live"}
    assert {record["line"]: record.get("cost_usd") for record in second.records} == {1: 0.5, 2: 1.0, 3: None, 4: 1.0}
    assert (second.totals.done, second.totals.failed, second.totals.exit_status) == (3, 1, 1)
    third = start(path, api, prompts(4))
    assert (third.records, third.totals.exit_status) == ([], 1)
    assert first.totals.out == 4


def test_a_run_that_did_not_take_its_answer_has_it_again(api: FakeApi, path: Path) -> None:
    api.busy = 2
    only = start(path, api, prompts(3), wait=True)
    assert (only.lanes, only.lane.live) == (dict.fromkeys(range(1, 4), "economy"), [])
    assert sorted(record["attempts"] for record in only.records) in ([1, 1, 3], [1, 2, 2])


@pytest.mark.parametrize("name", ["get", "results"])
def test_a_batch_that_is_gone_runs_at_once(api: FakeApi, path: Path, name: str) -> None:
    start(path, api, prompts(3))
    api.end()
    api.failing[name] = [ModelNotFound(http_status=404)]
    second = start(path, api, prompts(3))
    assert second.lanes == dict.fromkeys(range(1, 4), "live")
    assert "is gone; its lines run at once" in second.said[0]
    assert start(path, api, prompts(3)).records == []


def test_a_batch_that_another_key_has_sent_is_neither_gone_nor_sent_again(api: FakeApi, path: Path) -> None:
    first = start(path, api, prompts(3))
    there, api.batches = api.batches, []
    second = start(path, api, prompts(3), account="another", wait=True)
    assert (second.records, second.totals.out, second.totals.exit_status, api.sent) == ([], 3, 75, {})
    assert "with another key or to another address" in second.said[0]
    api.batches = there
    api.end()
    check_whole([first, second, start(path, api, prompts(3))], api, 3)


def test_lines_that_may_have_arrived_are_not_sent_again_with_another_key(api: FakeApi, path: Path) -> None:
    api.creating = [(LOST, True)]
    api.ends_at = None
    first = start(path, api, prompts(3))
    there, api.batches = api.batches, []
    second = start(path, api, prompts(3), account="another", wait=True)
    assert (second.records, second.totals.out, api.sent) == ([], 3, {})
    assert "another key or address" in second.said[0]
    api.batches = there
    api.end()
    check_whole([first, second, start(path, api, prompts(3))], api, 3)


# Other lines


@pytest.mark.parametrize("wait", [True, False])
@pytest.mark.parametrize("lost", [True, False])
def test_lines_that_are_not_given_again_are_not_waited_for_nor_lost(
    api: FakeApi, path: Path, wait: bool, lost: bool
) -> None:
    api.creating = [(LOST, True)] if lost else []
    api.ends_at = None
    first = start(path, api, prompts(5))
    assert start(path, api, prompts(5)[:0], wait=wait).totals.out == 5
    api.end()
    second = start(path, api, prompts(5)[:2], wait=wait)
    assert sorted(second.lanes) == [1, 2]
    check_whole([first, second, start(path, api, prompts(5))], api, 5)


def test_lines_that_never_arrived_and_are_not_all_given_again_are_sent_as_they_come(api: FakeApi, path: Path) -> None:
    api.creating = [(LOST, False)] * 20
    first = start(path, api, prompts(5))
    api.creating.clear()
    second = start(path, api, prompts(5)[:2], wait=True)
    assert sorted(second.lanes) == [1, 2]
    check_whole([first, second, start(path, api, prompts(5), wait=True)], api, 5)


def test_lines_may_be_added(api: FakeApi, path: Path) -> None:
    starts = [start(path, api, prompts(3)), start(path, api, prompts(6)), start(path, api, prompts(6))]
    check_whole(starts, api, 6)
    assert [len(batch.requests) for batch in api.batches] == [3, 3]


def test_a_line_that_was_another_when_it_was_sent_is_refused_and_nothing_is_lost(api: FakeApi, path: Path) -> None:
    first = start(path, api, prompts(3))
    changed = [*prompts(3)[:1], *asked("x", "another", "x")[1:2], *prompts(3)[2:]]
    with pytest.raises(CheckpointUnusable, match="line 2 was another one when it was sent"):
        start(path, api, changed)
    check_whole([first, start(path, api, prompts(3))], api, 3)


@pytest.mark.parametrize("cut", [5, 40, 120])
@pytest.mark.parametrize("torn", ["sending", "sent"])
def test_torn_lines_of_the_checkpoint_are_mended(api: FakeApi, path: Path, cut: int, torn: str) -> None:
    start(path, api, prompts(3))
    whole = path.read_bytes().splitlines(keepends=True)
    assert [b'"sending"' in line for line in whole] == [False, True, True]
    kept = 1 if torn == "sending" else 2
    path.write_bytes(b"".join(whole[:kept]) + whole[kept][: min(cut, len(whole[kept]) - 1)])
    if torn == "sending":
        api.batches.clear()
    check_whole([start(path, api, prompts(3), wait=True)], api, 3)


# Ends


def test_what_was_not_sent_when_the_batch_was_stopped_is_not_out(api: FakeApi, path: Path) -> None:
    first = start(path, api, prompts(3), on_create=lambda batch: batch.stop("signal"), most=2)
    assert (first.totals.out, first.totals.exit_status) == (2, 3)
    check_whole([first, start(path, api, prompts(3), wait=True)], api, 3)


def test_failures_end_a_start_while_lines_are_out(api: FakeApi, path: Path) -> None:
    first = start(path, api, prompts(9))
    api.batches[0].results = lambda name: ApiResult(name, error=RequestRejected())
    second = start(path, api, prompts(9), concurrency=1, max_errors=1)
    assert 1 <= len(second.records) < 9
    assert (second.totals.stopped, second.totals.exit_status) == ("max_errors", 3)
    assert second.totals.out == 9 - len(second.records)
    third = start(path, api, prompts(9))
    assert sorted([*second.lanes, *third.lanes]) == list(range(1, 10))
    assert first.totals.out == 9


@pytest.mark.parametrize("wait", [True, False])
def test_where_an_earlier_start_has_spent_the_money_answers_are_taken_and_nothing_else_begins(
    api: FakeApi, path: Path, wait: bool
) -> None:
    lines = [*prompts(6), *asked(*["x"] * 6, {"prompt": "by an agent"}, "new", "tools")[6:]]
    start(path, api, [*lines[:6], *asked(*["x"] * 9, "tools")[9:]])  # the last of which costs 1
    own = api.batches[0].requests
    api.end()
    api.batches[0].results = lambda name: ApiResult(name, message=MESSAGE if name not in own[:2] else None)
    second = start(path, api, lines, max_cost_usd=1.0, wait=wait)
    assert second.lanes == dict.fromkeys(range(3, 7), "economy")
    assert (second.totals.stopped, second.totals.out, second.totals.exit_status) == ("max_cost_usd", 2, 3)
    assert len(api.batches) == 1
    third = start(path, api, lines, max_cost_usd=100.0, wait=True)
    assert third.lanes == {1: "live", 2: "live", 7: None, 8: "economy", 9: "live"}


def test_a_deadline_ends_a_start_that_waits(api: FakeApi, path: Path) -> None:
    api.ends_at = None
    first = start(path, api, prompts(3), wait=True, deadline_s=0.1)
    assert (first.totals.out, first.totals.stopped, first.totals.exit_status) == (3, "deadline", 3)
    api.end()
    check_whole([first, start(path, api, prompts(3))], api, 3)


def test_lines_that_run_again_run_at_once(api: FakeApi, path: Path) -> None:
    start(path, api, prompts(1))
    path.with_name("x").touch()
    failed = NetworkError()
    api.batches[0].results = lambda name: ApiResult(name, error=failed)
    assert start(path, api, prompts(1)).lanes == {1: "live"}
