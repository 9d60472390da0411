"""A trace leads from whoever asked through the fleet to the agent, and has nothing of what was said."""

from collections.abc import Callable, Iterator

import pytest

from agent_workers.simulator import Simulator
from tests.fleet.otlp import Receiver, Span, receiving
from tests.fleet.served import CHAT, User, Working
from tests.waiting import until

Work = Callable[..., Working]
TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"
PARENT = "00f067aa0ba902b7"
TRACEPARENT = f"00-{TRACE}-{PARENT}-01"
SECRET = "the canary sings at noon"


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with receiving() as receiver:
        yield receiver


def variables(receiver: Receiver) -> dict[str, str]:
    return {"OTEL_EXPORTER_OTLP_ENDPOINT": receiver.url, "OTEL_BSP_SCHEDULE_DELAY": "100"}


def attempts(receiver: Receiver, count: int = 1) -> list[Span]:
    return until(lambda: (found := receiver.named("run agent-chat"))[count - 1 :] and found)


def test_an_attempt_is_a_span_in_its_jobs_trace_and_its_worker_continues_it(
    work: Work, user: User, receiver: Receiver
) -> None:
    work(env=variables(receiver))
    job = {**CHAT, "prompt": SECRET, "system_prompt": SECRET, "tenant": "acme", "traceparent": TRACEPARENT}
    run = user.submit(job).run
    events = [entry.event for entry in user.follow(run)]
    [span] = attempts(receiver)
    assert (span.trace, span.parent, span.service) == (TRACE, PARENT, "agent-workers-fleet")
    assert events[0]["traceparent"] == f"00-{TRACE}-{span.id}-01"
    told = {name.removeprefix("agent_workers."): value for name, value in span.attributes.items()}
    assert (told["run"], told["queue"], told["tenant"]) == (run, "default", "acme")
    assert (told["worker"], told["attempt"], told["outcome"]) == ("agent-chat", 1, "done")
    assert told["gen_ai.request.model"] == events[1]["model"]
    assert told["gen_ai.conversation.id"] == events[1]["session_id"]
    assert told["gen_ai.usage.output_tokens"] == events[-1]["usage"]["output_tokens"]
    assert told["cost_usd"] == pytest.approx(events[-1]["cost_usd"])
    assert span.events == ["first_delta"]
    assert not span.is_error
    assert SECRET.encode() not in b"".join(receiver.bodies)


def test_each_attempt_has_its_span_and_a_failure_says_its_code(
    work: Work, user: User, receiver: Receiver, simulator: Simulator
) -> None:
    working = work(env=variables(receiver))
    simulator.play("overloaded-529")
    run = user.submit({**CHAT, "attempts": 2, "traceparent": TRACEPARENT}).run
    assert user.follow(run)[-1].event["code"] == "overloaded"
    working.stop()  # which sends what is left
    spans = attempts(receiver, 2)
    assert [span.attributes["agent_workers.outcome"] for span in spans] == ["again", "error"]
    assert [span.attributes["agent_workers.attempt"] for span in spans] == [1, 2]
    assert {(span.attributes["error.type"], span.is_error, span.trace) for span in spans} == {
        ("overloaded", True, TRACE)
    }


def test_without_a_receiver_a_job_keeps_the_trace_that_it_came_with(work: Work, user: User) -> None:
    work()
    assert user.run({**CHAT, "traceparent": TRACEPARENT})[0]["traceparent"] == TRACEPARENT


def test_a_receiver_that_is_away_holds_up_no_run_and_no_end(work: Work, user: User) -> None:
    working = work(env={"OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:1", "OTEL_BSP_SCHEDULE_DELAY": "100"})
    assert user.run(CHAT)[-1]["type"] == "done"
    assert working.stop() == 0
    assert "Traceback" not in working.log.read_text()


def test_the_agents_own_spans_are_in_the_same_trace_where_its_telemetry_is_on(
    work: Work, user: User, receiver: Receiver
) -> None:
    names = {
        "CLAUDE_CODE_ENABLE_TELEMETRY": "1",
        "CLAUDE_CODE_ENHANCED_TELEMETRY_BETA": "1",
        "OTEL_TRACES_EXPORTER": "otlp",
        "OTEL_EXPORTER_OTLP_PROTOCOL": "http/protobuf",
        "OTEL_TRACES_EXPORT_INTERVAL": "100",
    }
    env = {**names, **variables(receiver)}
    allowed = " ".join(name for name in env if name.startswith("OTEL_"))
    work(env={**env, "AGENT_WORKERS_ENV_ALLOW": allowed})
    user.run({**CHAT, "traceparent": TRACEPARENT})
    [span] = attempts(receiver)
    of_agent = until(lambda: [each for each in list(receiver.spans) if each.name.startswith("claude_code.")])
    assert {each.trace for each in of_agent} == {TRACE}
    assert span.id in {each.parent for each in of_agent}
