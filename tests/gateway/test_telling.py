"""What people tell runs: decisions, answers, words, and to stop; in the bodies and answers of the bridge's routes."""

import json
from typing import Any

import pytest

from tests.gateway.served import Served


def test_a_decision_counts_once_and_says_who_has_made_it(gateway: Served) -> None:
    with gateway.streaming("ask") as stream:
        stream.wait_for("permission_request")
        address = f"/v1/runs/{stream.run}/permissions/p-1"
        assert gateway.post(address, {"behavior": "deny", "message": "Not that."}).status == 204
        told = json.loads(stream.wait_for("delta").json["text"])
        del told["id"]
        expected = {
            "type": "permission",
            "permission_id": "p-1",
            "behavior": "deny",
            "message": "Not that.",
            "actor": "7",
        }
        assert told == expected
        again = gateway.post(address, {"behavior": "allow"})
        assert (again.status, again.json["code"]) == (410, "question_over")


def test_an_answer_has_the_words_that_were_asked_for(gateway: Served) -> None:
    with gateway.streaming("question") as stream:
        stream.wait_for("question")
        address = f"/v1/runs/{stream.run}/answers/q-1"
        for answers in ({}, {"Which city?": ""}, {"Which city?": 7}, {"Which city?": ["Graz"]}, {"Who?": "I"}):
            refused = gateway.post(address, {"answers": answers})
            assert (refused.status, list(refused.json["errors"])) == (422, ["answers"]), answers
        assert gateway.post(address, {"answers": {"Which city?": "Graz"}}).status == 204
        told = json.loads(stream.wait_for("delta").json["text"])
        assert (told["question_id"], told["answers"], told["actor"]) == ("q-1", {"Which city?": "Graz"}, "7")


def test_a_word_is_said_to_the_agent(gateway: Served) -> None:
    with gateway.streaming("hold") as stream:
        stream.wait_for("delta")
        said = gateway.post(f"/v1/runs/{stream.run}/steer", {"text": "Be brief."})
        assert said.status == 202
        assert stream.wait_for("steered").json["id"] == said.json["id"]
        for text in ("", "  ", "\u200b", 7, None):
            assert gateway.post(f"/v1/runs/{stream.run}/steer", {"text": text}).status == 422


def test_nothing_is_told_to_a_run_that_has_ended(gateway: Served) -> None:
    run = gateway.run("echo").headers["x-agent-run"]
    assert gateway.post(f"/v1/runs/{run}/abort", {}).json["code"] == "run_over"
    assert gateway.post(f"/v1/runs/{run}/steer", {"text": "Hello?"}).status == 410
    assert gateway.post(f"/v1/runs/{run}/permissions/p-1", {"behavior": "allow"}).status == 410


def test_what_nobody_has_asked_is_not_answered(gateway: Served) -> None:
    with gateway.streaming("hold") as stream:
        stream.wait_for("delta")
        answer = gateway.post(f"/v1/runs/{stream.run}/permissions/p-9", {"behavior": "allow"})
        assert (answer.status, answer.json["code"]) == (404, "no_question")
        assert gateway.post(f"/v1/runs/{stream.run}/answers/q-9", {"answers": {}}).json["code"] == "no_question"


@pytest.mark.parametrize(
    "body", [{}, {"behavior": "yes"}, {"behavior": "allow", "updated_input": {}}, {"behavior": "allow", "actor": "1"}]
)
def test_a_decision_has_no_other_fields(body: dict[str, Any], gateway: Served) -> None:
    with gateway.streaming("ask") as stream:
        stream.wait_for("permission_request")
        assert gateway.post(f"/v1/runs/{stream.run}/permissions/p-1", body).json["code"] == "invalid_request"


@pytest.mark.parametrize(
    "other", [{"sub": "8"}, {"tenant": "b"}, {"runs": ["another"]}, {"sub": "7 "}, {"sub": "7", "tenant": "null"}]
)
def test_somebody_elses_run_is_as_one_that_there_is_not(other: dict[str, Any], gateway: Served) -> None:
    with gateway.streaming("ask") as stream:
        stream.wait_for("permission_request")
        theirs = gateway.token(**other)
        for method, path, body in (
            ("GET", "", None),
            ("GET", "/events", None),
            ("POST", "/abort", {}),
            ("POST", "/steer", {"text": "Hi"}),
            ("POST", "/permissions/p-1", {"behavior": "allow"}),
            ("POST", "/answers/q-1", {"answers": {}}),
        ):
            answer = gateway.ask(method, f"/v1/runs/{stream.run}{path}", body, theirs)
            assert (answer.status, answer.json["code"]) == (404, "no_run"), path
        unknown = gateway.get("/v1/runs/5f0c9d3e-1111-4222-8333-444455556666", theirs)
        assert gateway.get(f"/v1/runs/{stream.run}", theirs).json == unknown.json
        assert gateway.post(f"/v1/runs/{stream.run}/permissions/p-1", {"behavior": "deny"}).status == 204
