"""A fake in place of the runner: what an application's own tests need."""

from collections.abc import Mapping
from typing import Any

import anyio
import pytest

from agent_workers.client import FakeRunner, RunAborted, RunFailed, Runner
from tests.e2e.stream import check_whole


def test_answers_come_in_their_order_and_requests_are_remembered() -> None:
    fake = FakeRunner("Good morning", {"score": 0.7})
    runner: Runner = fake
    assert runner.run({"prompt": "Hello"}).text == "Good morning"
    scored = runner.run({"prompt": "Score", "run": "mine"})
    assert (scored.output, scored.run) == ({"score": 0.7}, "mine")
    assert [request["prompt"] for request in fake.requests] == ["Hello", "Score"]
    with pytest.raises(AssertionError, match="no answer left"):
        runner.run({"prompt": "More"})


def test_its_events_are_those_of_the_contract() -> None:
    events = list(FakeRunner("Two words").stream({"prompt": "x"}))
    check_whole(events)
    assert "".join(event["text"] for event in events if event["type"] == "delta") == "Two words"


def test_that_a_run_had_a_key_of_its_own_is_remembered_and_the_key_is_not() -> None:
    fake = FakeRunner()
    fake.run({"prompt": "x"}, credential="sk-ant-own")
    fake.run({"prompt": "x"})
    assert fake.had_credential == [True, False]
    assert "sk-ant-own" not in repr([vars(fake), fake.requests, fake.sent])


def test_a_function_answers_every_run() -> None:
    def answer(request: Mapping[str, Any]) -> str:
        return str(request["prompt"]).upper()

    fake = FakeRunner(answer)
    assert [fake.run({"prompt": word}).text for word in ("a", "b")] == ["A", "B"]


def test_without_answers_each_is_empty() -> None:
    assert [FakeRunner().run({}).text for _ in range(2)] == ["", ""]


def test_a_failure_is_raised_as_a_real_one() -> None:
    fake = FakeRunner(FakeRunner.failure("rate_limited", retryable=True, retry_after_ms=1500))
    with pytest.raises(RunFailed) as failed:
        fake.run({"prompt": "x"})
    assert (failed.value.code, failed.value.retryable, failed.value.retry_after_s) == ("rate_limited", True, 1.5)


def test_events_may_lack_their_end_as_those_of_a_worker_that_died() -> None:
    fake = FakeRunner([{"type": "delta", "text": "half", "block": 1}])
    with pytest.raises(RunFailed) as failed:
        fake.run({"prompt": "x"})
    assert failed.value.code == "worker_lost"


def test_control_messages_are_remembered_and_a_stop_ends_it() -> None:
    fake = FakeRunner("one two three")
    run = fake.stream({"prompt": "x"})
    for event in run:
        if event["type"] == "session":
            assert run.send({"type": "steer", "id": "s1", "text": "shorter"}) == "s1"
        if event["type"] == "delta":
            run.stop()
    assert fake.sent == [{"type": "steer", "id": "s1", "text": "shorter"}]
    with pytest.raises(RunAborted):
        run.result()


def test_it_serves_an_event_loop_too() -> None:
    fake = FakeRunner("Hello", FakeRunner.failure("overloaded"))

    async def talk() -> list[str]:
        runner = fake.for_async
        async with runner.stream({"prompt": "a"}) as run:
            types = [event["type"] async for event in run]
        with pytest.raises(RunFailed):
            await runner.run({"prompt": "b"})
        return types

    assert anyio.run(talk) == ["start", "session", "delta", "done"]
    assert len(fake.requests) == 2


def test_a_script_may_begin_the_run_again() -> None:
    again = {"type": "start", "worker": "fake", "attempt": 2}
    first, second = {"type": "delta", "text": "lost", "block": 1}, {"type": "delta", "text": "kept", "block": 1}
    done = {"type": "done", "text": "kept", "stop_reason": "end_turn", "usage": {}, "duration_ms": 1, "turns": 1}
    with FakeRunner([{**again, "attempt": 1}, first, again, second, done]).stream({"prompt": "x"}) as run:
        events = list(run)
        assert [event["seq"] for event in events] == [1, 2, 1, 2, 3]
        assert run.result().text == "kept"
