"""What becomes of the requests of a batch, and how their results are read."""

import json
import threading

import httpx
import pytest

from tests.simulator.batches import BATCHES, hello, played
from tests.waiting import PATIENCE_S

OK = {"content": [{"type": "text", "text": "It went well."}]}
FAILED = {"kind": "failure", "status": 500, "error": "api_error", "message": "Internal server error"}


@pytest.fixture
def results(client, make, simulator):
    """The results of a batch of these requests, by their ids."""

    def results(*requests):
        batch = make(*requests)
        simulator.end_batches()
        return {each["custom_id"]: each["result"] for each in lines(client, batch)}

    return results


def lines(client, batch):
    return [json.loads(line) for line in client.get(f"{BATCHES}/{batch['id']}/results").text.splitlines()]


def test_the_results_are_messages_at_the_price_of_a_batch(results):
    (result,) = results(hello("a", "Who are you?")).values()

    assert result["type"] == "succeeded"
    message = result["message"]
    assert (message["type"], message["model"], message["stop_reason"]) == ("message", "claude-test", "end_turn")
    assert message["content"][0]["text"].endswith("You said: Who are you?")
    assert message["usage"]["service_tier"] == "batch"
    assert message["usage"]["output_tokens"] > 0


def test_the_results_come_as_json_lines_in_another_order_than_the_requests(make, client, simulator):
    batch = make("a", "b", "c")
    simulator.end_batches()

    response = client.get(f"{BATCHES}/{batch['id']}/results")

    assert response.headers["content-type"] == "application/x-jsonl"
    assert response.text.endswith("}\n")
    found = [json.loads(line)["custom_id"] for line in response.text.splitlines()]
    assert sorted(found) == ["a", "b", "c"] != found


def test_a_batch_in_progress_has_no_results_yet(make, client):
    batch = make("a")

    response = client.get(f"{BATCHES}/{batch['id']}/results")

    assert response.status_code == 400
    assert response.json()["error"]["message"].endswith("is in_progress and has no results yet")


@pytest.mark.parametrize("mark", ["", "/simulated"])
def test_the_url_of_the_results_leads_to_them(client, make, simulator, mark):
    batch = make("a")
    simulator.end_batches()

    url = client.get(f"{mark}{BATCHES}/{batch['id']}").json()["results_url"]

    assert url.startswith(simulator.base_url + mark + "/v1/")
    assert client.get(url).status_code == 200


def test_one_batch_can_mix_all_outcomes(results, client, simulator):
    found = results(
        hello("fine"),
        hello("busy", "[[scenario:overloaded-529]]"),
        hello("late", "[[scenario:stall-before]]"),
        hello("torn", "[[scenario:cut-mid-stream]]"),
        hello("page", "[[scenario:gateway-502]]"),
        hello("typo", "[[scenario:helo]]"),
    )

    overloaded = {"type": "error", "error": {"type": "overloaded_error", "message": "Overloaded"}}
    lost = {"type": "error", "error": {"type": "api_error", "message": "Internal server error"}}
    assert found["fine"]["type"] == "succeeded"
    assert found["busy"] == {"type": "errored", "error": overloaded}
    assert found["late"] == {"type": "expired"}
    assert found["torn"] == found["page"] == {"type": "errored", "error": lost}
    assert "Did you mean 'hello'?" in found["typo"]["error"]["error"]["message"]
    assert simulator.batches[0].counts == {"processing": 0, "succeeded": 1, "errored": 4, "canceled": 0, "expired": 1}


@pytest.mark.parametrize(
    ("params", "problem"),
    [
        (None, "not valid JSON"),
        ("hello", "not valid JSON"),
        ({"model": "m", "max_tokens": 1}, "messages: at least one message is required"),
        ({"max_tokens": 1, "messages": [{"role": "user", "content": "Hello."}]}, "model: Field required"),
        ({"model": "m", "messages": [{"role": "user", "content": "Hello."}]}, "max_tokens: Field required"),
    ],
)
def test_a_request_that_is_none_fails_alone(results, params, problem):
    found = results({"custom_id": "bad", "params": params}, hello("good"))

    assert found["bad"]["type"] == "errored"
    assert found["bad"]["error"]["error"]["type"] == "invalid_request_error"
    assert problem in found["bad"]["error"]["error"]["message"]
    assert found["good"]["type"] == "succeeded"


def test_a_wish_for_a_stream_is_ignored(results):
    assert results(hello("a", stream=True))["a"]["message"]["type"] == "message"


def test_structured_output_comes_as_text(results, simulator):
    simulator.play("structured-output")
    schema = {
        "type": "object",
        "properties": {"n": {"type": "integer"}},
        "required": ["n"],
        "additionalProperties": False,
    }

    found = results(hello("a", output_config={"format": {"type": "json_schema", "schema": schema}}))

    assert json.loads(found["a"]["message"]["content"][0]["text"]) == {"n": 1}


def test_a_canceled_batch_has_a_result_for_each_request(client, make, simulator):
    batch = make("a", "b")
    client.post(f"{BATCHES}/{batch['id']}/cancel")
    simulator.end_batches()

    assert [each["result"] for each in lines(client, batch)] == [{"type": "canceled"}] * 2


def test_a_request_goes_through_the_steps_from_batch_to_batch(results, simulator):
    simulator.play(played(FAILED, OK))

    assert [results(hello("a"))["a"]["type"] for _ in range(2)] == ["errored", "succeeded"]


def test_requests_with_the_same_prompt_go_through_the_steps_on_their_own(results, simulator):
    simulator.play(played(FAILED, OK))

    assert {each["type"] for each in results(hello("a"), hello("b")).values()} == {"errored"}


def test_what_is_played_later_changes_no_result(client, make, simulator):
    batch = make("a")
    simulator.play("overloaded-529")
    simulator.end_batches()

    assert lines(client, batch)[0]["result"]["type"] == "succeeded"


def test_the_results_are_the_same_each_time_they_are_read(client, make, simulator):
    simulator.play("parallel-tools")
    batch = make("a", "b")
    simulator.end_batches()

    first = lines(client, batch)

    assert lines(client, batch) == first
    messages = [each["result"]["message"] for each in first]
    ids = [block["id"] for message in messages for block in message["content"] if block["type"] == "tool_use"]
    assert len({*ids, *(message["id"] for message in messages)}) == 8
    assert simulator.batches[0].reads == 2


def test_the_first_reading_can_be_cut_after_some_lines(client, make, simulator):
    simulator.play(played(batch={"partial": 2}))
    batch = make("a", "b", "c")
    simulator.end_batches()

    got = []
    with (
        pytest.raises(httpx.RemoteProtocolError),
        client.stream("GET", f"{BATCHES}/{batch['id']}/results") as response,
    ):
        got.extend(response.iter_lines())
    assert [json.loads(line)["custom_id"] for line in got] == ["c", "b"]
    assert simulator.requests()[-1].outcome == "cut"

    assert [each["custom_id"] for each in lines(client, batch)] == ["c", "b", "a"]


def test_the_server_answers_others_while_a_great_batch_is_made_and_read(client, make, simulator):
    answered = []

    def ask():
        with httpx.Client(base_url=simulator.base_url, timeout=PATIENCE_S, trust_env=False) as other:
            while not done.is_set():
                answered.append(other.get("/api/hello").elapsed.total_seconds())

    done = threading.Event()
    asking = threading.Thread(target=ask)
    asking.start()
    try:
        batch = make(*(hello(f"r{number}", f"Score partner {number}.") for number in range(10_000)))
        simulator.end_batches()
        with client.stream("GET", f"{BATCHES}/{batch['id']}/results") as response:
            ids = {json.loads(line)["custom_id"] for line in response.iter_lines()}
    finally:
        done.set()
        asking.join(PATIENCE_S)

    assert len(ids) == 10_000
    assert len(answered) > 20


def test_a_client_that_leaves_while_it_reads_is_noticed(client, make, simulator):
    batch = make(*(hello(f"r{number}", "[[scenario:huge-delta]]") for number in range(30)))
    simulator.end_batches()

    with client.stream("GET", f"{BATCHES}/{batch['id']}/results") as response:
        next(response.iter_raw())

    simulator.wait_for(lambda records: records[-1].outcome == "client_gone", PATIENCE_S)
    assert simulator.requests()[-1].deltas < 30
    assert simulator.batches[0].reads == 0
