"""The limit on requests, what the answers say of it, and how many of them were refused."""

from collections import Counter
from datetime import UTC, datetime, timedelta

import pytest

from agent_workers.simulator.limiter import Limiter
from agent_workers.simulator.settings import Limit
from tests.simulator.batches import hello, played

NAME = "anthropic-ratelimit-requests-"
FAILED = {"kind": "failure", "status": 500, "error": "api_error", "message": "Internal server error"}
MILLISECOND = timedelta(milliseconds=1)
OK = {"content": [{"type": "text", "text": "Fine."}]}


class Clock:
    def __init__(self):
        self.now = 1000.0

    def __call__(self):
        return self.now


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def limiter(clock):
    return Limiter(Limit(requests=2, per_s=10), clock)


def told(headers):
    return {name.removeprefix(NAME): value for name, value in headers.items() if name.startswith(NAME)}


def test_a_request_passes_as_soon_as_the_oldest_one_is_so_long_ago(limiter, clock):
    passed = []
    for now in (0, 4, 9, 10, 11, 14, 19, 20):
        clock.now = 1000 + now
        passed.append(limiter.ask().passes)

    assert passed == [True, True, False, True, False, True, False, True]


def test_a_refused_request_is_told_when_one_passes(limiter, clock):
    limiter.ask()
    clock.now += 3.5
    limiter.ask()

    assert limiter.ask().headers["retry-after"] == "7"
    clock.now += 6.5
    assert limiter.ask().passes


@pytest.mark.parametrize(
    ("asked_at", "passes", "remaining", "whole_in_s"),
    [
        ([0], True, "1", 10),
        ([0, 3], True, "0", 10),
        ([0, 3, 7], False, "0", 6),
        ([0, 3, 11], True, "0", 10),
        ([0, 3, 25], True, "1", 10),
    ],
)
def test_what_is_left_and_when_all_is_back_is_told_with_each_answer(
    limiter, clock, asked_at, *, passes, remaining, whole_in_s
):
    began = datetime.now(UTC)
    for second in asked_at:
        clock.now = 1000 + second
        verdict = limiter.ask()
    ended = datetime.now(UTC)

    assert verdict.passes == passes
    assert (told(verdict.headers)["limit"], told(verdict.headers)["remaining"]) == ("2", remaining)
    reset = datetime.fromisoformat(told(verdict.headers)["reset"])
    assert began <= reset - timedelta(seconds=whole_in_s) + MILLISECOND
    assert reset - timedelta(seconds=whole_in_s) <= ended


def test_too_many_requests_are_refused_whosever_they_are(ask, simulator):
    simulator.play(played(limit={"requests": 3, "per_s": 3600}))

    responses = [ask(session=str(number)) for number in range(5)]

    assert [response.status_code for response in responses] == [200, 200, 200, 429, 429]
    assert [told(response.headers)["remaining"] for response in responses] == ["2", "1", "0", "0", "0"]
    assert responses[-1].json()["error"]["type"] == "rate_limit_error"
    assert int(responses[-1].headers["retry-after"]) > 3500
    assert "retry-after" not in responses[0].headers


def test_a_refused_request_takes_no_step(ask, simulator):
    simulator.play(played(FAILED, OK, limit={"requests": 1, "per_s": 3600}))
    assert [ask().status_code for _ in range(3)] == [500, 429, 429]

    assert [record.call for record in simulator.requests()] == [1, None, None]


def test_failures_and_streams_tell_of_the_limit_too(ask, simulator):
    simulator.play(played(FAILED, OK, limit={"requests": 9}))

    assert told(ask().headers)["remaining"] == "8"
    assert told(ask(stream=True).headers)["remaining"] == "7"
    assert told(ask(messages=[]).headers)["remaining"] == "6"


def test_a_scenario_that_is_played_again_has_its_whole_limit_again(ask, simulator):
    scenario = played(limit={"requests": 1, "per_s": 3600})
    for _ in range(2):
        simulator.play(scenario)
        assert [ask().status_code for _ in range(2)] == [200, 429]


def test_a_named_scenario_passes_within_the_limit_of_the_one_that_is_played(ask, simulator):
    simulator.play(played(limit={"requests": 1, "per_s": 3600}))

    assert [ask("[[scenario:overloaded-529]]").status_code for _ in range(2)] == [529, 429]


def test_batches_are_made_whatever_the_limit(make, simulator):
    simulator.play(played(limit={"requests": 1, "per_s": 3600}))
    batch = make(*(hello(f"r{number}") for number in range(5)))
    simulator.end_batches()

    assert simulator.batches[0].counts["succeeded"] == batch["request_counts"]["processing"] == 5


def test_without_a_limit_nothing_is_told_of_one(ask):
    assert told(ask().headers) == {}


@pytest.mark.parametrize("stream", [True, False])
def test_a_message_can_have_headers_of_its_own(ask, simulator, *, stream):
    own = {"anthropic-ratelimit-input-tokens-remaining": "0", NAME + "Remaining": "7"}
    simulator.play(played({**OK, "headers": own}, limit={"requests": 9}))

    headers = ask(stream=stream).headers

    assert headers["anthropic-ratelimit-input-tokens-remaining"] == "0"
    assert headers.get_list(NAME + "remaining") == ["7"]
    assert told(headers)["limit"] == "9"


def test_the_shipped_scenario_lets_five_pass(ask, simulator):
    simulator.play("rate-limited-5-per-second")

    assert [ask().headers[NAME + "limit"] for _ in range(2)] == ["5", "5"]


def test_answers_are_counted_by_their_status_however_many_there_are(ask, client, simulator):
    simulator.play(played(limit={"requests": 200, "per_s": 3600}))
    for _ in range(250):
        ask()
    client.get("/nowhere")
    client.get("/_simulator/health")

    assert simulator.statuses == Counter({200: 200, 429: 50, 404: 1})
