"""A job: what it may say, what is refused, and what becomes of it."""

import json
import re
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from agent_workers.protocol.v1.job import Job, parse_job
from agent_workers.protocol.v1.job_fields import JobFields
from agent_workers.protocol.v1.problem import RequestProblems
from agent_workers.workers import WORKERS

SCHEMA = Draft202012Validator(json.loads((Path(__file__).parents[2] / "schemas/v1/job.schema.json").read_text()))
CHAT = {"worker": "agent-chat", "prompt": "Hello"}
OF_EACH_WORKER: dict[str, dict[str, Any]] = {
    "agent-chat": {"prompt": "Hello"},
    "agent-task": {"prompt": "Hello", "cwd": "/srv/work"},
    "agent-tool": {"server": {"name": "crm", "command": "/opt/crm"}, "tool": "search"},
    "agent-skill": {"skill": "partner-health", "input": {}},
}
KEY = "sk-ant-api03-not-a-real-one"


def job(**fields: Any) -> Job:
    return parse_job({**CHAT, **fields}, WORKERS)


def problems(document: Any) -> dict[str, tuple[str, str | None]]:
    with pytest.raises(RequestProblems) as refused:
        parse_job(document, WORKERS)
    return {each.pointer: (each.message, each.did_you_mean) for each in refused.value.problems}


def of(**fields: Any) -> dict[str, tuple[str, str | None]]:
    return problems({**CHAT, **fields})


@pytest.mark.parametrize("worker", WORKERS)
def test_a_job_of_each_worker_is_its_request_and_what_it_says_besides(worker: str) -> None:
    document = {"worker": worker, "queue": "mail", "priority": 3, "run": "r-1", **OF_EACH_WORKER[worker]}
    found = parse_job(document, WORKERS)
    assert found.worker == worker
    assert (found.fields.queue, found.fields.priority) == ("mail", 3)
    assert found.request == {"run": "r-1", **OF_EACH_WORKER[worker]}
    assert SCHEMA.is_valid(document)
    assert WORKERS[worker].request.model_validate(found.request)


def test_a_skill_alone_names_its_worker() -> None:
    document = OF_EACH_WORKER["agent-skill"]
    assert parse_job(document, WORKERS).worker == "agent-skill"
    assert SCHEMA.is_valid(document)


def test_no_field_of_a_job_is_one_of_a_request() -> None:
    names = {"worker", *JobFields.model_fields}
    assert [worker for worker in WORKERS if names & WORKERS[worker].request.model_fields.keys()] == []


def test_what_is_left_out_has_its_default_and_a_run_has_an_id_in_all_its_attempts() -> None:
    one, other = job(), job()
    assert one.fields == JobFields()
    assert (one.fields.queue, one.fields.priority, one.fields.attempts) == ("default", 0, 3)
    assert one.fields.retry_on == []
    assert re.fullmatch(r"[0-9a-f-]{36}", one.run)
    assert one.run != other.run
    assert job(run="mine").run == "mine"


def test_times_are_read_with_their_offset() -> None:
    fields = job(run_at="2026-11-27T10:30:00+01:00", expires_at="2026-11-27T09:30:00.5Z").fields
    assert fields.run_at == datetime(2026, 11, 27, 9, 30, tzinfo=UTC)
    assert fields.expires_at == datetime(2026, 11, 27, 9, 30, 0, 500_000, tzinfo=UTC)


@pytest.mark.parametrize(
    "time",
    ["tomorrow", "2026-11-27", "2026-11-27T09:30:00", "2026-13-01T00:00:00Z", "0001-01-01T00:00:00+01:00", 5, ""],
)
@pytest.mark.parametrize("name", ["run_at", "expires_at"])
def test_a_time_that_is_none_is_refused(name: str, time: object) -> None:
    assert list(of(**{name: time})) == [f"/{name}"]


def test_a_job_cannot_expire_before_it_may_begin() -> None:
    words = "must be after run_at, before which the job does not begin"
    assert of(run_at="2026-11-27T10:00:00Z", expires_at="2026-11-27T10:00:00Z") == {"/expires_at": (words, None)}


@pytest.mark.parametrize(
    ("fields", "place"),
    [
        ({"queue": "Mail"}, "/queue"),
        ({"queue": ""}, "/queue"),
        ({"queue": "a" * 65}, "/queue"),
        ({"queue": None}, "/queue"),
        ({"tenant": "a\nb"}, "/tenant"),
        ({"tenant": "a\x85b"}, "/tenant"),
        ({"tenant": "a" * 129}, "/tenant"),
        ({"priority": 10}, "/priority"),
        ({"priority": 0.5}, "/priority"),
        ({"priority": "1"}, "/priority"),
        ({"attempts": 0}, "/attempts"),
        ({"attempts": 11}, "/attempts"),
        ({"attempts": True}, "/attempts"),
        ({"retry_on": "timeout"}, "/retry_on"),
        ({"retry_on": [1]}, "/retry_on/0"),
        ({"credential": "a b"}, "/credential"),
        ({"credential": "-a"}, "/credential"),
        ({"on_failure": {}}, "/on_failure"),
        ({"on_failure": "ada"}, "/on_failure"),
        ({"on_failure": {"queue": "A"}}, "/on_failure/queue"),
        ({"on_failure": {"person": ""}}, "/on_failure/person"),
        ({"traceparent": f"00-{'0' * 32}-{'1' * 16}-01"}, "/traceparent"),
    ],
)
def test_what_a_field_may_not_be_is_refused_by_the_model_and_by_the_schema(fields: dict[str, Any], place: str) -> None:
    assert list(of(**fields)) == [place]
    assert not SCHEMA.is_valid({**CHAT, **fields})


@pytest.mark.parametrize(
    "fields",
    [
        {"queue": "mail-2_b.c", "tenant": "Zoë & Söhne", "priority": -9.0, "attempts": 10},
        {"retry_on": ["rate_limited", "timeout"], "credential": "customer-7.eu"},
        {"on_failure": {"queue": "failed"}},
        {"on_failure": {"person": "ada@example.com"}},
        {"expires_at": "2026-11-27T10:00:00-08:00", "limits": {"timeout_s": 5}, "metadata": {"a": 1}},
    ],
)
def test_what_a_field_may_be_is_taken_by_the_model_and_by_the_schema(fields: dict[str, Any]) -> None:
    assert job(**fields)
    assert SCHEMA.is_valid({**CHAT, **fields})


@pytest.mark.parametrize(
    "key", [KEY, KEY.upper(), "AKIA0000000000000000", "0a" * 25, f"Bearer {KEY}", "ghp_0000000000"]
)
def test_a_key_is_refused_in_words_that_do_not_repeat_it(key: str) -> None:
    found = of(credential=key)
    assert "a job only names one" in found["/credential"][0]
    assert key not in repr(found)


def test_a_key_under_a_wrong_name_is_not_repeated_either() -> None:
    found = of(api_key=KEY)
    assert found == {"/api_key": ("is not a known field", "credential")}


def test_every_fault_of_the_job_and_of_its_request_is_told_at_once() -> None:
    document = {
        "worker": "agent-task",
        "promt": "x",
        "queu": "a",
        "limits": {"timeout": 1},
        "priority": 99,
        "attempt": 2,
    }
    found = problems(
        {**document, "maxAttempts": 3, "retry_on": ["ratelimited"], "on_failure": {"queue": "a", "person": "b"}}
    )
    assert found == {
        "/attempt": (
            "is not a field of a job: what runs it counts its attempts; how many there may be is attempts",
            None,
        ),
        "/priority": ("must be at most 9", None),
        "/retry_on/0": ("must be a code of an error event, such as rate_limited or timeout", "rate_limited"),
        "/on_failure/person": ("cannot be combined with queue; send one of the two", None),
        "/prompt": ("is required", None),
        "/cwd": ("is required", None),
        "/limits/timeout": ("is not a known field", "timeout_s"),
        "/promt": ("is not a known field", "prompt"),
        "/queu": ("is not a known field", "queue"),
        "/maxAttempts": ("is not a known field", "attempts"),
    }


def test_a_worker_that_there_is_not_is_told_with_the_faults_of_the_jobs_own_fields() -> None:
    found = problems({"worker": "agent-chta", "prompt": "x", "priority": 99})
    assert found["/worker"][0].startswith("names no worker; one of: agent-chat, ")
    assert found["/priority"] == ("must be at most 9", None)
    assert problems({"prompt": "x"})["/worker"][0].startswith("is missing; one of: ")
    with pytest.raises(RequestProblems, match=r"one of: agent-chat$"):
        parse_job({"skill": "x", "input": {}}, {"agent-chat": WORKERS["agent-chat"]})


@pytest.mark.parametrize("document", [[], "x", None, 5])
def test_what_is_no_object_is_no_job(document: object) -> None:
    assert list(problems(document)) == [""]


def test_another_version_of_the_contract_is_refused_as_such() -> None:
    with pytest.raises(RequestProblems) as refused:
        parse_job({**CHAT, "v": 2, "run": "r-1"}, WORKERS)
    assert (refused.value.code, refused.value.run) == ("unsupported_version", "r-1")


def test_a_refusal_bears_the_run_that_it_is_about() -> None:
    with pytest.raises(RequestProblems) as refused:
        parse_job({**CHAT, "run": "r-1", "priority": 99}, WORKERS)
    assert refused.value.run == "r-1"
