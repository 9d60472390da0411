"""Batches of messages: how they are made, how far they are, how they end."""

import pytest

from agent_workers.simulator import parse_scenario
from tests.simulator.batches import BATCHES, hello, played


def test_a_batch_is_in_progress_when_it_is_made(make, simulator):
    batch = make("a", "b")

    assert batch["id"].startswith("msgbatch_")
    assert (batch["type"], batch["processing_status"]) == ("message_batch", "in_progress")
    assert batch["request_counts"] == {"processing": 2, "succeeded": 0, "errored": 0, "canceled": 0, "expired": 0}
    assert batch["results_url"] is batch["ended_at"] is batch["cancel_initiated_at"] is None
    assert batch["created_at"] < batch["expires_at"]
    assert [(each.id, each.custom_ids, each.status) for each in simulator.batches] == [
        (batch["id"], ["a", "b"], "in_progress")
    ]


def test_a_batch_ends_at_the_second_look(make, look):
    batch = make("a")

    assert look(batch)["processing_status"] == "in_progress"
    ended = look(batch)

    assert ended["processing_status"] == "ended"
    assert ended["request_counts"] == {"processing": 0, "succeeded": 1, "errored": 0, "canceled": 0, "expired": 0}
    assert ended["ended_at"] >= ended["created_at"]
    assert look(batch) == ended


def test_a_scenario_says_at_which_look_a_batch_ends(make, look, simulator):
    simulator.play(played(batch={"polls": 2}))
    batch = make("a")

    assert [look(batch)["processing_status"] for _ in range(3)] == ["in_progress", "in_progress", "ended"]


def test_a_batch_may_never_end_by_itself(make, look, simulator):
    simulator.play(played(batch={"ends": False}))
    batch = make("a")
    assert {look(batch)["processing_status"] for _ in range(10)} == {"in_progress"}

    simulator.end_batches()

    assert look(batch)["processing_status"] == "ended"


def test_batches_are_held_until_they_are_ended(make, look, simulator):
    simulator.hold_batches()
    batch = make("a")
    assert {look(batch)["processing_status"] for _ in range(10)} == {"in_progress"}

    simulator.end_batches()

    assert simulator.batches[0].status == "ended"
    later = make("b")
    assert [look(later)["processing_status"] for _ in range(2)] == ["in_progress", "ended"]


def test_a_listing_is_no_look(make, client, simulator):
    make("a")

    for _ in range(5):
        client.get(BATCHES)

    assert (simulator.batches[0].status, simulator.batches[0].polls) == ("in_progress", 0)


def test_batches_are_listed_newest_first_page_by_page(make, client):
    made = [make("a")["id"] for _ in range(5)]

    first = client.get(BATCHES, params={"limit": 2}).json()
    second = client.get(BATCHES, params={"limit": 2, "after_id": first["last_id"]}).json()
    third = client.get(BATCHES, params={"limit": 2, "after_id": second["last_id"]}).json()

    pages = [[batch["id"] for batch in page["data"]] for page in (first, second, third)]
    assert pages == [made[:2:-1], made[2:0:-1], made[:1]]
    assert [page["has_more"] for page in (first, second, third)] == [True, True, False]
    assert (first["first_id"], first["last_id"]) == (made[4], made[3])


def test_a_page_has_twenty_batches_unless_another_number_is_asked_for(make, client):
    for _ in range(21):
        make("a")

    assert len(client.get(BATCHES).json()["data"]) == 20


def test_without_batches_the_list_is_empty(client):
    assert client.get(BATCHES).json() == {"data": [], "has_more": False, "first_id": None, "last_id": None}


@pytest.mark.parametrize("query", [{"limit": 0}, {"limit": 1001}, {"limit": "many"}, {"after_id": "msgbatch_none"}])
def test_a_page_that_cannot_be_is_refused(client, query):
    response = client.get(BATCHES, params=query)

    assert response.status_code == 400
    assert response.json()["error"]["type"] == "invalid_request_error"
    assert next(iter(query)) in response.json()["error"]["message"]


def test_a_canceled_batch_ends_at_the_next_look_with_all_its_requests_canceled(make, look, client):
    batch = make("a", "b")

    canceling = client.post(f"{BATCHES}/{batch['id']}/cancel").json()
    ended = look(batch)

    assert canceling["processing_status"] == "canceling"
    assert canceling["request_counts"]["processing"] == 2
    assert (ended["processing_status"], ended["request_counts"]["canceled"]) == ("ended", 2)
    assert ended["cancel_initiated_at"] == canceling["cancel_initiated_at"] is not None


def test_a_batch_that_has_ended_is_not_canceled(make, client, simulator):
    batch = make("a")
    simulator.end_batches()

    assert client.post(f"{BATCHES}/{batch['id']}/cancel").status_code == 400
    assert simulator.batches[0].counts["canceled"] == 0


@pytest.mark.parametrize(("method", "path"), [("GET", ""), ("POST", "/cancel"), ("GET", "/results")])
def test_an_unknown_batch_is_not_found(client, method, path):
    response = client.request(method, f"{BATCHES}/msgbatch_none{path}")

    assert response.status_code == 404
    assert response.json()["error"] == {"type": "not_found_error", "message": "Message batch msgbatch_none not found"}


@pytest.mark.parametrize(
    ("body", "problem"),
    [
        (None, "not valid JSON"),
        ({}, "requests: Input should be a valid list"),
        ({"requests": []}, "requests: List should have at least 1 item"),
        ({"requests": [hello("x")] * 100_001}, "requests: List should have at most 100000 items"),
        ({"requests": ["x"]}, "requests.0.custom_id: Input should be a valid string"),
        ({"requests": [hello("a"), {"params": {}}]}, "requests.1.custom_id: Input should be a valid string"),
        ({"requests": [hello(7)]}, "requests.0.custom_id: Input should be a valid string"),
        ({"requests": [hello("x" * 65)]}, "requests.0.custom_id: String should have at most 64 characters"),
        ({"requests": [hello("")]}, "requests.0.custom_id: String should match pattern '^[a-zA-Z0-9_-]{1,64}$'"),
        ({"requests": [hello("a b")]}, "requests.0.custom_id: String should match pattern"),
        ({"requests": [hello("a\n")]}, "requests.0.custom_id: String should match pattern"),
        ({"requests": [hello("a"), hello("b"), hello("a")]}, "requests.2.custom_id: Duplicate custom_id 'a'"),
    ],
)
def test_a_body_that_is_no_batch_is_refused_as_a_whole(client, simulator, body, problem):
    response = client.post(BATCHES, json=body)

    assert response.status_code == 400
    assert response.json()["error"]["type"] == "invalid_request_error"
    assert problem in response.json()["error"]["message"]
    assert simulator.batches == []


def test_the_journal_has_the_number_of_a_batchs_requests_and_the_batch_has_the_requests(make, simulator):
    batch = make("a", "b")

    (record,) = simulator.requests(BATCHES)
    assert (record.method, record.body) == ("POST", {"id": batch["id"], "requests": 2})
    assert simulator.batches[0].params("b") == hello("b")["params"]


def test_a_scenarios_settings_count_for_the_batches_that_are_made_while_it_is_played(make, look, simulator):
    simulator.play(played(batch={"polls": 0}))
    early = make("a")
    simulator.play(parse_scenario("test", {"description": "Later.", "steps": [{"kind": "stall"}]}))

    assert look(early)["processing_status"] == "ended"
    assert look(make("a"))["processing_status"] == "in_progress"
