"""The journal, the simulator's own paths, and the paths beside the messages."""

import pytest

from agent_workers.simulator import scenario_names


def test_the_journal_holds_what_was_asked_and_what_became_of_it(ask, simulator):
    ask("Remember me.")

    (record,) = simulator.requests("/v1/messages")
    assert (record.method, record.path, record.status) == ("POST", "/v1/messages", 200)
    assert record.body["messages"][0]["content"] == "Remember me."
    assert record.headers["x-claude-code-session-id"] == "one"
    assert (record.scenario, record.call, record.outcome) == ("hello", 1, "answered")


@pytest.mark.parametrize("header", ["X-Api-Key", "Authorization", "Cookie"])
def test_the_journal_holds_no_secrets(client, simulator, header):
    client.get("/", headers={header: "top-secret"})

    assert simulator.requests()[-1].headers[header.lower()] == "[redacted]"
    assert "top-secret" not in client.get("/_simulator/requests").text


def test_the_journal_can_be_read_over_http(client):
    body = r'{"messages": [{"role": "user", "content": "Remember \ud83d."}], "stream": true}'
    client.post("/v1/messages", content=body)

    (record,) = client.get("/_simulator/requests").json()
    assert record["body"]["messages"][0]["content"] == "Remember \ud83d."
    assert record["outcome"] == "answered"
    assert record["deltas"] > 5


def test_the_journal_keeps_the_latest_requests_only(client, simulator):
    for number in range(205):
        client.get(f"/{number}")

    assert [record.path for record in simulator.requests()] == [f"/{number}" for number in range(5, 205)]
    assert client.get("/_simulator/health").json()["requests"] == 205


def test_waiting_for_what_never_comes_ends_in_a_timeout(simulator):
    with pytest.raises(TimeoutError):
        simulator.wait_for(bool, timeout_s=0.01)


def test_health_names_the_scenario(client):
    assert client.get("/_simulator/health").json() == {"status": "ok", "scenario": "hello", "requests": 0}


def test_the_scenarios_are_listed_with_their_descriptions(client):
    listed = client.get("/_simulator/scenarios").json()

    assert sorted(listed) == scenario_names()
    assert all(listed.values())


def test_the_scenario_can_be_switched_over_http(client, ask, simulator):
    response = client.post("/_simulator/scenario", json={"name": "overloaded-529"})

    assert response.json()["scenario"] == simulator.scenario.name == "overloaded-529"
    assert ask().status_code == 529


def test_a_switch_to_an_unknown_scenario_is_refused(client):
    response = client.post("/_simulator/scenario", json={"name": "helo"})

    assert response.status_code == 404
    assert "Did you mean 'hello'?" in response.json()["error"]["message"]


@pytest.mark.parametrize("body", [b"", b"[]", b"{}", b"hello"])
def test_a_switch_without_a_name_is_refused(client, body):
    assert client.post("/_simulator/scenario", content=body).status_code == 400


def test_tokens_are_counted(client):
    body = {"model": "m", "messages": [{"role": "user", "content": "word " * 100}]}

    assert client.post("/v1/messages/count_tokens", json=body).json()["input_tokens"] > 100


@pytest.mark.parametrize("path", ["/", "/api/hello"])
def test_a_look_whether_anybody_is_there_succeeds(client, path):
    assert client.head(path).status_code == 200
    assert client.get(path).status_code == 200


@pytest.mark.parametrize(("method", "path", "status"), [("GET", "/v1/models", 404), ("GET", "/v1/messages", 405)])
def test_anything_else_is_an_error_in_the_shape_of_the_api(client, method, path, status):
    response = client.request(method, path)

    assert response.status_code == status
    assert response.json()["type"] == "error"
    assert response.json()["error"]["type"] == "not_found_error"
