"""Each way the model's API can fail: which code, whether to retry, which exit status, what stderr says of it."""

import socket
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
from _pytest.mark.structures import ParameterSet

from agent_workers.simulator import Scenario, Simulator, running_simulator
from agent_workers.simulator.scenario import Failure, Interruption, Message, Page, Text, Thinking
from tests.e2e.conftest import home_at
from tests.e2e.engines import BOTH, OF_AGENTS, differs
from tests.e2e.loaded import LoadedWorkers
from tests.e2e.stream import answer
from tests.e2e.worker import Ended, Home

pytestmark = [pytest.mark.usefixtures("loaded"), BOTH]
PROMPT = "prompt-canary"
RETRYABLE = 75
# scenario: code, http_status, exit status, retries seen
FAILURES = {
    "bad-request-400": ("invalid_request", 400, 1, 0),
    "unauthorized-401": ("auth", 401, 1, 2),
    "forbidden-403": ("auth", 403, 1, 0),
    "not-found-404": ("model_not_found", 404, 1, 0),
    "too-large-413": ("context_overflow", 413, 1, 0),
    "context-overflow": ("context_overflow", 400, 1, 0),
    "billing": ("billing", 400, 1, 0),
    "rate-limited-429": ("rate_limited", 429, RETRYABLE, 2),
    "rate-limited-429-long": ("rate_limited", 429, RETRYABLE, 0),
    "server-error-500": ("server_error", 500, RETRYABLE, 2),
    "overloaded-529": ("overloaded", 529, RETRYABLE, 2),
    "cut-mid-stream": ("network", None, RETRYABLE, 2),
    "error-mid-stream": ("overloaded", 529, RETRYABLE, 0),
    "error-mid-stream-then-ok": ("overloaded", 529, RETRYABLE, 0),
}
OTHERWISE = {
    "unauthorized-401": "a wrong key (401)",
    "error-mid-stream": "a stream that breaks",
    "error-mid-stream-then-ok": "a stream that breaks",
}


def each(names: Iterable[str]) -> list[ParameterSet]:
    """Failures as parameters."""
    return [pytest.param(name, marks=differs(OTHERWISE[name]) if name in OTHERWISE else ()) for name in names]


@pytest.fixture(scope="module")
def failures(
    tmp_path_factory: pytest.TempPathFactory, loaded: LoadedWorkers, engine: str
) -> Iterator[dict[str, Ended]]:
    """All of them at once, with default limits: they mostly wait between two attempts."""
    folder = tmp_path_factory.mktemp("failures")
    with (
        running_simulator() as simulator,
        home_at(folder, simulator, loaded, engine) as home,
        ThreadPoolExecutor(4) as threads,
    ):

        def run(name: str) -> Ended:
            return home.run({"prompt": f"[[scenario:{name}]] {PROMPT}", "metadata": {"order": 4711}})

        yield dict(zip(FAILURES, threads.map(run, FAILURES), strict=True))


@pytest.mark.parametrize("name", each(FAILURES))
def test_a_failure_of_the_api_ends_the_run_with_its_code(failures: dict[str, Ended], name: str) -> None:
    code, http_status, exit_status, retries = FAILURES[name]
    ended = failures[name]
    assert ended.ending == (code, exit_status)
    assert ended.last.get("http_status") == http_status
    assert ended.last["retryable"] is (exit_status == RETRYABLE)
    assert ended.last["session_id"] == ended.of("session")[0]["session_id"]
    assert ended.last["metadata"] == {"order": 4711}
    assert "details" not in ended.last
    assert len(ended.of("retry")) == retries


@pytest.mark.parametrize("name", each(name for name, (_, _, _, retries) in FAILURES.items() if retries))
def test_a_retry_says_why_and_when(failures: dict[str, Ended], name: str) -> None:
    code, http_status, _, _ = FAILURES[name]
    for attempt, retry in enumerate(failures[name].of("retry"), start=1):
        assert (retry["attempt"], retry["max_attempts"], retry["code"]) == (attempt, 2, code)
        assert retry.get("http_status") == http_status
        assert retry["delay_ms"] > 0


@pytest.mark.parametrize("name", each(FAILURES))
def test_a_failure_tells_users_no_technical_words_and_the_log_no_secrets(failures: dict[str, Ended], name: str) -> None:
    ended = failures[name]
    assert not {"API Error", "simulator", "/", "127.0.0.1"} & set(ended.last["message"].split())
    assert ended.last["code"] in ended.stderr
    for secret in (PROMPT, "key-canary", "One two three", "This text is cut"):
        assert secret not in ended.stderr


@differs("a prompt too long for the model")
def test_a_prompt_too_long_for_the_model_is_a_context_overflow_though_the_cli_itself_says_so(
    home: Home, simulator: Simulator
) -> None:
    ended = home.run({"prompt": "x" * (5 << 20)})
    assert ended.ending == ("context_overflow", 1)
    assert simulator.requests("/v1/messages") == []


def test_an_api_that_cannot_be_reached_is_a_network_error(home: Home) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    ended = home.run({"prompt": PROMPT}, env={"ANTHROPIC_BASE_URL": f"http://127.0.0.1:{port}"})
    assert ended.ending == ("network", RETRYABLE)
    assert [retry["code"] for retry in ended.of("retry")] == ["network", "network"]
    assert PROMPT not in ended.stderr


@pytest.mark.parametrize("name", ["stall-before", "stall-mid-stream"])
def test_an_api_that_falls_silent_is_an_idle_timeout(home: Home, simulator: Simulator, name: str) -> None:
    simulator.play(name)
    ended = home.run({"prompt": PROMPT, "limits": {"idle_timeout_s": 1}, "metadata": {"order": 4711}})
    assert ended.ending == ("idle_timeout", RETRYABLE)
    assert ended.last["metadata"] == {"order": 4711}
    assert PROMPT not in ended.stderr


@pytest.mark.parametrize(
    ("error", "ending"),
    [
        ("api_error", ("server_error", RETRYABLE)),
        ("rate_limit_error", ("rate_limited", RETRYABLE)),
        ("timeout_error", ("network", RETRYABLE)),
        ("invalid_request_error", ("invalid_request", 1)),
        ("authentication_error", ("auth", 1)),
    ],
)
def test_an_error_in_mid_stream_has_its_own_code(
    home: Home, simulator: Simulator, error: str, ending: tuple[str, int]
) -> None:
    interruption = Interruption(kind="error", after=2, error=error, message="It is broken.")
    simulator.play(
        _scenario(Message(content=(Text(text="One two three four."),), interruption=interruption, delay_ms=20))
    )
    ended = home.run({"prompt": PROMPT})
    assert ended.ending == ending
    assert answer(ended.events) == "One two "


@pytest.mark.parametrize(
    ("page", "exit_status"),
    [
        (Page(status=403, body="<html><head><title>Log in first</title></head></html>"), 1),
        (Page(status=404, body="<html><head><title>Not found</title></head></html>"), 1),
        (Page(status=401), 1),
        (Page(status=405, body="Method not allowed", content_type="text/plain"), 1),
        (Page(status=407, body="<html><head><title>Proxy</title></head></html>"), 1),
        (Page(status=451, body='{"message": "Not in this country"}', content_type="application/json"), 1),
        (Page(status=400, body="<html><head><title>Bad request</title></head></html>"), 1),
        (Page(status=502, body="<html><head><title>Bad Gateway</title></head></html>"), RETRYABLE),
        (Page(status=200, body="<html><head><title>Welcome</title></head></html>"), 1),
        (Page(status=302, headers={"location": "/"}), 1),
        (Page(status=307, headers={"location": "/v1/messages"}), 1),
    ],
    ids=lambda value: f"{value.status} {value.content_type}" if isinstance(value, Page) else "",
)
def test_what_is_not_the_apis_answer_is_a_gateways(
    home: Home, simulator: Simulator, page: Page, exit_status: int
) -> None:
    simulator.play(Scenario(name="own", description="", steps=(page,)))
    ended = home.run({"prompt": PROMPT})
    assert ended.ending == ("gateway", exit_status)
    assert ended.last.get("http_status") == (page.status if page.status > 399 else None)
    assert "<" not in ended.last["message"]


@pytest.mark.parametrize("status", [405, 410, 422, 451])
def test_a_refusal_without_a_code_of_its_own_is_not_tried_again(home: Home, simulator: Simulator, status: int) -> None:
    simulator.play(_scenario(Failure(status=status, error="invalid_request_error", message="No.")))
    ended = home.run({"prompt": PROMPT})
    assert ended.ending == ("invalid_request", 1)
    assert (ended.last["http_status"], ended.of("retry")) == (status, [])


RETRIED = ["server-error-then-ok", "cut-then-ok"]


@pytest.fixture(scope="module")
def retried(tmp_path_factory: pytest.TempPathFactory, loaded: LoadedWorkers, engine: str) -> Iterator[dict[str, Ended]]:
    folder = tmp_path_factory.mktemp("retried")
    with running_simulator() as simulator, home_at(folder, simulator, loaded, engine) as home:
        yield {name: home.run({"prompt": f"[[scenario:{name}]] {PROMPT}"}) for name in RETRIED}


@pytest.mark.parametrize("name", RETRIED)
def test_a_retry_that_works_ends_in_an_answer(retried: dict[str, Ended], name: str) -> None:
    ended = retried[name]
    assert ended.ending == ("done", 0)
    assert len(ended.of("retry")) == 1
    assert ended.stderr == ""


def test_text_of_a_stream_that_broke_is_discarded_when_the_next_attempt_begins(retried: dict[str, Ended]) -> None:
    ended = retried["cut-then-ok"]
    (discard,) = ended.of("discard")
    assert discard["blocks"] == sorted({event["block"] for event in ended.of("delta") if event["seq"] < discard["seq"]})
    assert ended.last["text"] == "Here is the answer of the second attempt, in full."


@differs("a stream that breaks")
def test_only_what_broke_is_discarded_where_the_model_goes_on_behind_a_whole_block(
    home: Home, simulator: Simulator
) -> None:
    first, second = Text(text="This block is whole. "), Text(text="This one never gets to its end.")
    simulator.play(_scenario(_cut(first, second, after=7), Message(content=(Text(text="And that was all."),))))
    ended = home.run({"prompt": PROMPT})
    assert len(ended.of("discard")) == 1
    assert ended.last["text"] == "This block is whole. And that was all."


@OF_AGENTS
def test_an_operator_may_allow_the_clis_second_request_whose_text_then_replaces_the_first(
    home: Home, simulator: Simulator
) -> None:
    simulator.play("error-mid-stream-then-ok")
    ended = home.run({"prompt": PROMPT}, env={"CLAUDE_CODE_DISABLE_NONSTREAMING_FALLBACK": "0"})
    assert ended.ending == ("done", 0)
    assert [discard["reason"] for discard in ended.of("discard")] == ["fallback"]
    assert ended.last["text"] == "Here is the answer of the second attempt, in full."


def test_the_fallback_model_answers_for_an_overloaded_one(home: Home, simulator: Simulator) -> None:
    overloaded = Failure(status=529, error="overloaded_error", message="Overloaded")
    simulator.play(_scenario(*[overloaded] * 3, Message(content=(Text(text="Here I am."),))))
    ended = home.run({"prompt": PROMPT, "model": "claude-opus-5-5", "fallback_model": "claude-sonnet-5"})
    assert ended.ending == ("done", 0)
    assert [notice["code"] for notice in ended.of("notice")] == ["model_fallback"]
    assert list(ended.last["models"]) == ["claude-sonnet-5"]


def test_thinking_that_was_told_is_discarded_and_thinking_that_was_not_is_never_mentioned(
    home: Home, simulator: Simulator
) -> None:
    cut = _cut(Thinking(text="I am about to break"), after=3)
    simulator.play(_scenario(cut, Message(content=(Thinking(text="Again."), Text(text="Answer.")))))
    shown = home.run({"prompt": PROMPT, "thinking": True})
    simulator.play(simulator.scenario)
    hidden = home.run({"prompt": PROMPT})
    (discard,) = shown.of("discard")
    assert discard["blocks"] == [shown.of("thinking")[0]["block"]]
    assert hidden.of("discard") == []
    assert shown.last["text"] == hidden.last["text"] == "Answer."


def _scenario(*steps: Message | Failure) -> Scenario:
    return Scenario(name="own", description="", steps=steps)


def _cut(*content: Text | Thinking, after: int) -> Message:
    """A message whose stream breaks, slow enough that the CLI has read what came before: a cut takes the rest along."""
    return Message(content=content, interruption=Interruption(kind="cut", after=after), delay_ms=200)
