"""What only the engine messages does, and what it does otherwise than an agent."""

import json
import signal
from pathlib import Path
from typing import Any

import pytest

from agent_workers.simulator import Scenario, Simulator
from agent_workers.simulator.scenario import Failure, Interruption, Message, Raw, Text, Thinking, ToolUse
from tests.e2e.desk import SOON_IDLE, Desk, call, give
from tests.e2e.engines import DIFFERENCES, OF_MESSAGES, TESTED, instead
from tests.e2e.odd_api import STREAM, message, odd_api, raw, sse, text
from tests.e2e.stream import Event, answer
from tests.e2e.test_answers import SCHEMA
from tests.e2e.test_counting import FIELDS, booked, tokens
from tests.e2e.worker import SCRIPTS, Ended, Home, environ_of
from tests.missing import where_missing
from tests.skills.making import DEAL, GOOD, make_skill

pytestmark = [pytest.mark.usefixtures("loaded"), OF_MESSAGES]
FIND = {"name": "find", "description": "Finds.", "input_schema": {"type": "object"}}
OPUS, SONNET = "claude-opus-5-5", "claude-sonnet-5-5"
RETRYABLE = 75


def play(simulator: Simulator, *steps: Message | Failure) -> None:
    simulator.play(Scenario(name="own", description="A test's.", steps=steps))


def say(words: str, **more: Any) -> Message:
    return Message(content=(Text(text=words),), **more)


def bodies(simulator: Simulator) -> list[Any]:
    return [record.body for record in simulator.requests("/v1/messages")]


def roles(body: Any) -> list[str]:
    return [said["role"] for said in body["messages"]]


def resumed(home: Home, ended: Ended, **fields: Any) -> Ended:
    return home.run({"prompt": "Go on.", "session": {"resume": ended.last["session_id"]}, **fields})


def test_each_difference_of_the_engines_has_a_test_here() -> None:
    assert DIFFERENCES.keys() == TESTED


# What it does otherwise


@instead("an answer cut at `max_tokens`")
def test_an_answer_that_is_cut_ends_the_run_and_the_next_one_goes_on(home: Home, simulator: Simulator) -> None:
    simulator.play("max-tokens-then-ok")
    first = home.run({"prompt": "x", "max_tokens": 400})
    assert (first.last["stop_reason"], first.last["turns"]) == ("max_tokens", 1)
    assert first.last["text"] == "This is the first part of a text that "
    assert bodies(simulator)[0]["max_tokens"] == 400
    second = resumed(home, first)
    assert second.last["text"] == "comes to its end in the second."
    assert roles(bodies(simulator)[1]) == ["user", "assistant", "user"]


@instead("a refusal")
def test_a_refusal_is_not_asked_for_twice(home: Home, simulator: Simulator) -> None:
    play(simulator, say("I will not", stop_reason="refusal"), say("I will."))
    ended = home.run({"prompt": "x"})
    assert (ended.last["stop_reason"], ended.last["text"]) == ("refusal", "I will not")
    assert len(bodies(simulator)) == 1


@instead("a wrong key (401)")
def test_a_wrong_key_fails_at_once(home: Home, simulator: Simulator) -> None:
    simulator.play("unauthorized-401")
    ended = home.run({"prompt": "x"})
    assert (ended.ending, ended.of("retry")) == (("auth", 1), [])
    assert len(bodies(simulator)) == 1


@instead("a stream that breaks")
@pytest.mark.parametrize("kind", ["cut", "error"])
def test_a_stream_that_breaks_begins_once_more_and_all_of_it_is_taken_back(
    home: Home, simulator: Simulator, kind: Any
) -> None:
    content = (Text(text="This block is whole. "), Text(text="This one is not whole."))
    broken = Message(content=content, interruption=Interruption(kind=kind, after=7), delay_ms=20)
    play(simulator, broken, say("Once more."))
    ended = home.run({"prompt": "x"})
    assert (ended.ending, ended.last["text"], ended.last["turns"]) == (("done", 0), "Once more.", 1)
    [discard] = ended.of("discard")
    assert (discard["blocks"], discard["reason"]) == ([1, 2], "retry")
    [retry] = ended.of("retry")
    assert (retry["code"], retry.get("http_status")) == (("network", None) if kind == "cut" else ("overloaded", 529))
    assert answer(ended.events) == "Once more."
    assert roles(bodies(simulator)[1]) == ["user"]


def test_a_stream_that_always_breaks_is_a_failure_with_what_was_told_last(home: Home, simulator: Simulator) -> None:
    simulator.play("error-mid-stream")
    ended = home.run({"prompt": "x"})
    assert (ended.ending, len(ended.of("retry"))) == (("overloaded", RETRYABLE), 2)
    assert len(ended.of("discard")) == 2


@instead("an answer that is none")
def test_what_an_answer_is_that_is_none_is_told_at_each_retry_as_at_the_end(home: Home, simulator: Simulator) -> None:
    simulator.play("gateway-502")
    ended = home.run({"prompt": "x"})
    assert ended.ending == ("gateway", RETRYABLE)
    assert [(retry["code"], retry["http_status"]) for retry in ended.of("retry")] == [("gateway", 502)] * 2
    whole = message(text("Whole."))
    for events, ending in (
        (whole[:-1], ("network", RETRYABLE)),
        ([{"type": "content_block_stop"}], ("server_error", 1)),
    ):
        with odd_api(raw(STREAM + sse(*events) + b"0\r\n\r\n")) as api:
            assert home.run({"prompt": "x"}, env={"ANTHROPIC_BASE_URL": api.url}).ending == ending


@instead("structured output")
def test_structured_output_is_the_text_of_the_answer(home: Home, simulator: Simulator) -> None:
    simulator.play("structured-output")
    ended = home.run({"prompt": "x", "output_schema": SCHEMA})
    assert json.loads(ended.last["text"]) == ended.last["output"] == {"answer": "forty-two", "confidence": 0.9}
    assert answer(ended.events) == ended.last["text"]
    assert "tools" not in bodies(simulator)[0]


def test_an_answer_that_is_not_the_output_goes_back_with_what_is_wrong_up_to_five_times(
    home: Home, simulator: Simulator
) -> None:
    fenced = '```json\n{"answer": "yes"}\n```'
    play(simulator, say("I think so."), say('{"answer": 5}'), say(fenced))
    ended = home.run({"prompt": "x", "output_schema": SCHEMA})
    assert (ended.last["output"], ended.last["turns"]) == ({"answer": "yes"}, 3)
    assert [discard["reason"] for discard in ended.of("discard")] == ["correction", "correction"]
    assert ended.last["text"] == fenced
    told = [body["messages"][-1]["content"][0]["text"] for body in bodies(simulator)[1:]]
    assert "it is not one JSON object" in told[0]
    assert "$.answer: 5 is not of type 'string'" in told[1]
    play(simulator, say("I think so."))
    before = len(bodies(simulator))
    assert home.run({"prompt": "x", "output_schema": SCHEMA}).ending == ("output_schema", 1)
    assert len(bodies(simulator)) == before + 5


@instead("keywords of `output_schema`")
@pytest.mark.parametrize("keywords", [{"prefixItems": [{}]}, {"dependentRequired": {}}, {"example": 1}], ids=str)
def test_a_schema_may_have_keywords_of_any_draft(home: Home, simulator: Simulator, keywords: dict[str, Any]) -> None:
    play(simulator, say('{"answer": "forty-two"}'))
    ended = home.run({"prompt": "x", "output_schema": {**SCHEMA, **keywords}})
    assert ended.last["output"] == {"answer": "forty-two"}


def test_a_schema_that_the_api_does_not_take_is_said_in_words(home: Home, simulator: Simulator) -> None:
    no = Failure(status=400, error="invalid_request_error", message="output_config.format.schema: too complex")
    play(simulator, no, say('{"answer": "yes"}'))
    ended = home.run({"prompt": "x", "output_schema": SCHEMA})
    assert (ended.last["output"], ended.of("retry")) == ({"answer": "yes"}, [])
    first, second = bodies(simulator)
    assert "output_config" in first
    assert "output_config" not in second
    assert '"confidence"' in second["system"][0]["text"]


@instead("`limits.max_budget_usd`")
def test_the_budget_bounds_each_answer_and_is_not_passed(home: Home, simulator: Simulator) -> None:
    simulator.play("max-tokens")
    budget = 0.02
    ended = home.run({"prompt": "x", "model": OPUS, "limits": {"max_budget_usd": budget}})
    assert ended.ending == ("done", 0)
    assert (ended.last["stop_reason"], ended.last["turns"]) == ("max_budget", 1)
    assert ended.last["text"].startswith("This is the first part of a text that")
    [body] = bodies(simulator)
    assert 256 <= body["max_tokens"] < 2000
    assert 0 < ended.last["cost_usd"] < budget
    second = resumed(home, ended, limits={"max_budget_usd": 0.0001})
    assert (second.last["stop_reason"], second.last["turns"]) == ("max_budget", 0)
    assert len(bodies(simulator)) == 1


def test_the_budget_of_a_run_with_several_calls_is_what_is_left_of_it(desk: Desk) -> None:
    price = {"input_tokens": 1000, "output_tokens": 100}
    work = (Message(content=(call("mcp__app__find"),), usage=price),) * 3
    play(desk.simulator, *work, say("Done.", usage=price))
    limits = {"max_budget_usd": 0.015}
    ended = answered(desk, limits=limits, model=OPUS)
    assert (ended.ending, ended.last["stop_reason"]) == (("done", 0), "max_budget")
    bounds = [body["max_tokens"] for body in bodies(desk.simulator)]
    assert bounds == sorted(bounds, reverse=True)
    assert len(bounds) < 4
    assert ended.last["cost_usd"] <= 0.015
    assert tokens(ended.last["usage"]) == booked(desk)
    again = answered(desk, session={"resume": ended.last["session_id"]}, limits={"max_budget_usd": 1})
    assert (again.last["stop_reason"], again.last["text"]) == ("end_turn", "Done.")


@pytest.mark.parametrize(
    "fields", [{"model": "a-model-of-our-own"}, {"model": OPUS, "fallback_model": "sonnet,a-model-of-our-own"}]
)
def test_a_budget_is_refused_where_a_price_is_not_known(
    home: Home, simulator: Simulator, fields: dict[str, str]
) -> None:
    ended = home.run({"prompt": "x", "limits": {"max_budget_usd": 1}, **fields})
    assert (ended.types, ended.ending) == (["error"], ("invalid_request", 2))
    [problem] = ended.last["details"]
    assert problem["pointer"] == "/limits/max_budget_usd"
    assert "the price of a-model-of-our-own is not known" in problem["message"]
    assert simulator.requests() == []


def test_a_budget_is_refused_where_the_model_of_the_session_has_no_price(home: Home, simulator: Simulator) -> None:
    first = home.run({"prompt": "x", "model": "a-model-of-our-own"})
    assert "cost_usd" not in first.last
    ended = resumed(home, first, limits={"max_budget_usd": 1})
    assert ended.ending == ("invalid_request", 1)
    assert "Name another model" in ended.last["message"]
    assert resumed(home, first, limits={"max_budget_usd": 1}, model=OPUS).ending == ("done", 0)
    assert len(bodies(simulator)) == 2


def test_the_operator_may_say_what_a_model_costs(home: Home, simulator: Simulator) -> None:
    models = home.root / "models.toml"
    models.write_text(
        "version = 1\n[aliases]\nours = 'a-model-of-our-own'\n[[models]]\npatterns = ['a-model-of-*']\n"
        "as_of = 2026-01-01\ninput_usd = 1000\noutput_usd = 0\nmax_output_tokens = 777\nthinking = 'none'\n"
    )
    env = {"AGENT_WORKERS_MODELS": str(models)}
    play(simulator, say("Hello.", usage={"input_tokens": 1000, "output_tokens": 10}))
    ended = home.run({"prompt": "x", "model": "ours", "thinking": True}, env=env)
    assert ended.last["cost_usd"] == pytest.approx(1.0)
    [body] = bodies(simulator)
    assert (body["model"], body["max_tokens"], "thinking" in body) == ("a-model-of-our-own", 777, False)
    models.write_text("version = 1\n[[models]]\npatterns = 5\n")
    ended = home.run({"prompt": "x"}, env=env)
    assert ended.ending == ("state_unavailable", 1)
    assert str(models) in ended.stderr


@instead("`cost_usd` of a stopped run")
def test_a_run_that_was_stopped_tells_its_own_tokens_and_what_they_cost(home: Home, simulator: Simulator) -> None:
    first = home.run({"prompt": "x", "model": OPUS})
    usage = {"input_tokens": 100_000, "output_tokens": 10}
    play(simulator, say("Slow and slower.", delay_ms=5000, cut="character", usage=usage))
    running = home.start("--control")
    running.send({"prompt": "x", "session": {"resume": first.last["session_id"]}})
    running.wait_for("delta")
    running.send({"type": "abort", "id": "1"})
    stopped = running.end().last
    assert (stopped["type"], stopped["session_id"]) == ("aborted", first.last["session_id"])
    assert stopped["usage"]["input_tokens"] == 100_000
    assert stopped["cost_usd"] > 0.1


@instead("a prompt too long for the model")
def test_the_api_says_whether_a_prompt_is_too_long(home: Home, simulator: Simulator) -> None:
    simulator.play("context-overflow")
    ended = home.run({"prompt": "x" * (5 << 20)})
    assert ended.ending == ("context_overflow", 1)
    assert len(bodies(simulator)) == 1


@instead("calls beside the answer")
def test_nothing_is_asked_but_what_is_asked_for(home: Home, simulator: Simulator) -> None:
    ended = home.run({"prompt": "Hello", "model": OPUS})
    assert [record.path for record in simulator.requests()] == ["/v1/messages"]
    assert list(ended.last["models"]) == [OPUS]
    assert ended.last["usage_scope"] == "all"


@instead("`session.cli_version`")
def test_there_is_no_cli_and_no_process_but_the_worker(home: Home, simulator: Simulator) -> None:
    simulator.play("stall-before")
    running = home.start("--control", env={"AGENT_WORKERS_CLI": "/nonexistent"})
    running.send({"prompt": "x"})
    running.wait_for("session")
    assert home.processes() == [running.pid]
    running.end_input()
    assert running.end().of("session")[0]["cli_version"] == "none"


# What it can do


def answered(desk: Desk, **fields: Any) -> Ended:
    """A run whose calls are answered."""

    def reply(event: Event) -> Event | None:
        return give(event, "Berlin") if event["type"] == "app_tool_call" else None

    return desk.converse(reply, worker="agent-chat", app_tools=[FIND], **fields)


def test_the_tokens_and_the_price_agree_with_what_the_api_has_told(desk: Desk) -> None:
    cached = {"cache_read_input_tokens": 700, "ephemeral_5m_input_tokens": 20, "ephemeral_1h_input_tokens": 50}
    play(
        desk.simulator,
        Message(content=(call("mcp__app__find"),), usage=cached),
        say("Done.", usage={"input_tokens": 5000, "output_tokens": 6000}),
    )
    done = answered(desk, model=OPUS).last
    assert tokens(done["usage"]) == tokens(done["models"][OPUS]) == booked(desk)
    assert done["cost_usd"] == pytest.approx(done["models"][OPUS]["cost_usd"])
    assert done["cost_usd"] > 0.1
    assert set(FIELDS) <= done["usage"].keys()


def test_models_answer_for_an_overloaded_one_in_a_row_by_their_short_names(home: Home, simulator: Simulator) -> None:
    overloaded = Failure(status=529, error="overloaded_error", message="Overloaded")
    play(simulator, *[overloaded] * 2, say("Here I am."))
    request = {"prompt": "x", "model": "opus", "fallback_model": "sonnet,haiku"}
    ended = home.run(request, env={"CLAUDE_CODE_MAX_RETRIES": "0"})
    assert [body["model"] for body in bodies(simulator)] == [OPUS, SONNET, "claude-haiku-5-5"]
    assert [notice["code"] for notice in ended.of("notice")] == ["model_fallback"] * 2
    assert ended.of("session")[0]["model"] == OPUS
    assert list(ended.last["models"]) == ["claude-haiku-5-5"]


def test_the_number_of_calls_is_bounded_and_the_session_goes_on(desk: Desk) -> None:
    desk.simulator.play("tool-loop")
    desk.script(*[call("mcp__app__find")] * 5)
    ended = answered(desk, max_turns=2)
    assert (ended.last["stop_reason"], ended.last["turns"]) == ("max_turns", 2)
    assert len(ended.of("tool_result")) == 2
    desk.script(end="Done.")
    assert answered(desk, session={"resume": ended.last["session_id"]}).last["text"] == "Done."
    assert roles(bodies(desk.simulator)[-1]) == ["user", "assistant"] * 2 + ["user", "user"]


def test_thoughts_go_back_within_a_run_and_not_into_the_next_one(desk: Desk) -> None:
    thinks = Message(content=(Thinking(text="I should look."), call("mcp__app__find")))
    play(desk.simulator, thinks, say("Done."))
    ended = answered(desk, thinking=True)
    kinds = [block["type"] for block in bodies(desk.simulator)[1]["messages"][1]["content"]]
    assert kinds == ["thinking", "tool_use"]
    desk.script(end="Yes.")
    answered(desk, session={"resume": ended.last["session_id"]})
    said = bodies(desk.simulator)[-1]["messages"]
    assert [block["type"] for block in said[1]["content"]] == ["tool_use"]


def test_a_blank_text_beside_a_call_is_not_sent_back(desk: Desk) -> None:
    """The API does not take it."""
    play(desk.simulator, Message(content=(Text(text=" \n"), call("mcp__app__find"))), say("Done."))
    assert answered(desk).ending == ("done", 0)
    assert [block["type"] for block in bodies(desk.simulator)[1]["messages"][1]["content"]] == ["tool_use"]


def test_a_call_that_is_cut_does_not_run_and_the_session_goes_on(desk: Desk) -> None:
    block = {"type": "tool_use", "id": "toolu_1", "name": "mcp__app__find", "input": "cut"}
    play(desk.simulator, Message(content=(Text(text="I look."), Raw(block=block)), stop_reason="max_tokens"))
    ended = answered(desk)
    assert (ended.last["stop_reason"], ended.last["text"]) == ("max_tokens", "I look.")
    assert ended.of("app_tool_call") == ended.of("tool_call") == []
    desk.script(end="Done.")
    assert answered(desk, session={"resume": ended.last["session_id"]}).ending == ("done", 0)
    [result] = [block for block in bodies(desk.simulator)[-1]["messages"][2]["content"] if "tool_use_id" in block]
    assert result["is_error"]


def test_the_model_learns_that_a_call_could_not_be_read(desk: Desk) -> None:
    odd = {"type": "tool_use", "id": "toolu_1", "name": "mcp__app__find", "input": "text"}
    play(desk.simulator, Message(content=(Raw(block=odd), call("mcp__app__find"))), say("Done."))
    ended = answered(desk)
    assert len(ended.of("app_tool_call")) == len(ended.of("tool_result")) == 1
    results = bodies(desk.simulator)[1]["messages"][-1]["content"]
    assert ["no JSON object" in str(each["content"]) for each in results] == [True, False]


def test_a_word_said_during_a_call_is_read_with_its_result(desk: Desk) -> None:
    play(desk.simulator, Message(content=(call("mcp__app__find"),)), Message(content=(Text(words=30),), delay_ms=100))
    running = desk.home.start("--control")
    running.send({"prompt": "x", "app_tools": [FIND]})
    for event in running.told():
        if event["type"] == "app_tool_call":
            for name, words in (("a", "In Graz."), ("blank", " "), ("b", "Please.")):
                running.send({"type": "steer", "id": name, "text": words, "actor": "ada"})
            running.send(give(event, "Berlin"))
        if event["type"] == "steered" and event["id"] == "b":
            running.send({"type": "steer", "id": "late", "text": "Wait!"})
    ended = running.end()
    acks = {event["id"]: event.get("code") for event in ended.of("ack") if not event["id"].startswith("answer")}
    assert acks == {"a": None, "b": None, "blank": "invalid_message", "late": "too_late"}
    assert [(event["id"], event["actor"]) for event in ended.of("steered")] == [("a", "ada"), ("b", "ada")]
    last = bodies(desk.simulator)[1]["messages"][-1]["content"]
    assert [block.get("text") for block in last] == [None, "In Graz.", "Please."]
    assert len(bodies(desk.simulator)) == 2


@pytest.mark.parametrize("stop", ["abort", "SIGTERM", "SIGKILL"])
def test_a_call_that_was_stopped_is_remembered_as_one_of_which_nothing_is_known(desk: Desk, stop: str) -> None:
    play(desk.simulator, Message(content=(Text(text="I look."), call("mcp__app__find"))), say("Done."))
    running = desk.home.start("--control")
    running.send({"prompt": "x", "app_tools": [FIND]})
    running.wait_for("app_tool_call")
    if stop == "abort":
        running.send({"type": "abort", "id": "1"})
    else:
        running.signal(getattr(signal, stop))
    stopped = running.end(whole=stop != "SIGKILL")
    session = {"resume": stopped.of("session")[0]["session_id"]}
    desk.script(end="Done.")
    assert answered(desk, session=session).ending == ("done", 0)
    body = bodies(desk.simulator)[-1]
    assert roles(body) == ["user", "assistant", "user", "user"]
    [result], [prompt] = (said["content"] for said in body["messages"][2:])
    assert "interrupted" in result["content"]
    assert prompt["text"] == "Work."


def test_a_session_that_an_end_names_goes_on_however_early_that_came(home: Home, simulator: Simulator) -> None:
    simulator.play("memory")
    abort = {"type": "abort", "id": "1"}
    stopped = home.run(b"\n".join(json.dumps(each).encode() for each in ({"prompt": "One."}, abort, "")), "--control")
    assert stopped.last["type"] == "aborted"
    failed = home.run({"prompt": "One."}, env={"ANTHROPIC_BASE_URL": "http://127.0.0.1:9"})
    assert failed.last["type"] == "error"
    for ended in (stopped, failed):
        assert resumed(home, ended).last["text"].startswith("You sent 2 prompts.")


def test_a_damaged_session_is_refused_with_the_place_and_loses_nothing(home: Home) -> None:
    first = home.run({"prompt": "My name is Ada."})
    [file] = (home.root / "state" / "conversations").iterdir()
    lines = file.read_bytes().splitlines(keepends=True)
    file.write_bytes(lines[0] + b"{oops}\n" + lines[1])
    before = file.read_bytes()
    refused = resumed(home, first)
    assert refused.ending == ("session_not_found", 1)
    assert f"{file}: line 2" in refused.stderr
    assert file.read_bytes() == before


def test_a_line_that_a_killed_run_has_cut_off_is_mended(home: Home, simulator: Simulator) -> None:
    simulator.play("memory")
    first = home.run({"prompt": "My name is Ada."})
    [file] = (home.root / "state" / "conversations").iterdir()
    with file.open("ab") as end:
        end.write(b'{"role": "user", "content": [{"type": "te')
    fork = home.run({"prompt": "x", "session": {"resume": first.last["session_id"], "fork": True}})
    second = resumed(home, first)
    for ended in (fork, second):
        assert ended.last["text"].startswith("You sent 2 prompts.")
    assert file.stat().st_mode & 0o077 == 0


def test_a_conversation_is_kept_in_the_cache_as_far_as_it_has_come(home: Home, simulator: Simulator) -> None:
    first = home.run({"prompt": "One.", "system_prompt": "Be brief."})
    resumed(home, first, system_prompt="Be brief.")
    for body in bodies(simulator):
        marked = [block["text"] for said in body["messages"] for block in said["content"] if "cache_control" in block]
        assert marked == [body["messages"][-1]["content"][-1]["text"]]
        assert body["system"][0]["cache_control"] == {"type": "ephemeral"}


# Which engine


def test_a_session_is_resumed_by_the_engine_that_began_it(home: Home, simulator: Simulator) -> None:
    simulator.play("memory")
    for engine, other in (("messages", "agent"), ("agent", "messages")):
        begun = home.run({"prompt": "My name is Ada.", "engine": engine})
        assert begun.events[0]["engine"] == engine
        for fork in (False, True):
            session = {"resume": begun.last["session_id"], "fork": fork}
            refused = home.run({"prompt": "x", "engine": other, "session": session})
            assert refused.ending == ("session_not_found", 1)
            assert f"Continue it with engine: {engine}." in refused.last["message"]
        again = home.run({"prompt": "x", "engine": engine, "session": {"resume": begun.last["session_id"]}})
        assert again.last["text"].startswith("You sent 2 prompts.")


def test_a_request_that_names_no_engine_gets_that_of_its_session(
    home: Home, simulator: Simulator, tmp_path: Path
) -> None:
    simulator.play("memory")
    home.engine = None
    begun = {engine: home.run({"prompt": "My name is Ada.", "engine": engine}) for engine in ("messages", "agent")}
    policy = tmp_path / "policy.toml"
    for engines in ('["messages", "agent"]', '["agent", "messages"]', None):
        policy.write_text(f"version = 1\n{f'engines = {engines}' if engines else ''}\n")
        for engine, first in begun.items():
            fork = {"resume": first.last["session_id"], "fork": True}
            again = home.run({"prompt": "x", "session": fork}, f"--policy={policy}")
            assert again.events[0]["engine"] == engine
            assert again.last["text"].startswith("You sent 2 prompts.")


def test_a_session_of_an_engine_that_the_policy_has_not_is_refused(home: Home, tmp_path: Path) -> None:
    home.engine = None
    begun = home.run({"prompt": "Hello", "engine": "messages"})
    policy = tmp_path / "policy.toml"
    policy.write_text('version = 1\nengines = ["agent"]\n')
    request = {"prompt": "x", "session": {"resume": begun.last["session_id"]}}
    refused = home.run(request, f"--policy={policy}")
    assert refused.ending == ("policy_denied", 2)
    assert [each["pointer"] for each in refused.last["details"]] == ["/engine"]


NEEDS_AN_AGENT: dict[str, tuple[dict[str, Any], list[str]]] = {
    "a question to the user": ({"tools": ["AskUserQuestion"]}, ["/tools"]),
    "a directory": ({"cwd": "/"}, ["/engine"]),
    "tools": ({"cwd": "/", "tools": ["Read"]}, ["/engine", "/tools"]),
    "servers": ({"cwd": "/", "mcp_servers": {"crm": {"command": "crm"}}}, ["/engine", "/mcp_servers"]),
}


@pytest.mark.parametrize("what", NEEDS_AN_AGENT)
def test_what_needs_an_agent_is_refused_at_its_place(home: Home, simulator: Simulator, what: str) -> None:
    fields, pointers = NEEDS_AN_AGENT[what]
    worker = "agent-task" if "cwd" in fields else "agent-chat"
    ended = home.run(json.dumps({"prompt": "x", **fields}).encode() + b"\n", "--control", worker=worker)
    assert (ended.types, ended.ending) == (["error"], ("invalid_request", 2))
    told = {problem["pointer"]: problem["message"] for problem in ended.last["details"]}
    assert list(told) == pointers
    for pointer, words in told.items():
        assert ("agent-chat is what takes messages" if pointer == "/engine" else "needs engine agent") in words
    assert simulator.requests() == []


def test_the_policy_says_which_engine_a_request_gets_and_may_have(home: Home, simulator: Simulator) -> None:
    policy = home.root / "policy.toml"
    env = {"AGENT_WORKERS_POLICY": str(policy), "AGENT_WORKERS_CLI": "/nonexistent"}
    home.engine = None
    policy.write_text('version = 1\nengines = ["messages", "agent"]\n')
    chat = home.run({"prompt": "x"}, env=env)
    assert (chat.events[0]["engine"], chat.ending) == ("messages", ("done", 0))
    task = home.run({"prompt": "x", "cwd": str(home.root), "tools": ["Read"]}, worker="agent-task", env=env)
    assert (task.events[0]["engine"], task.ending) == ("agent", ("cli_missing", 1))
    policy.write_text('version = 1\nengines = ["agent"]\n')
    assert home.run({"prompt": "x", "engine": "messages"}, env=env).ending == ("policy_denied", 2)
    policy.write_text('version = 1\nengines = ["messages"]\n')
    for fields in ({"engine": "agent"}, {"tools": ["AskUserQuestion"]}):
        assert home.run({"prompt": "x", **fields}, "--control", env=env, after=b"\n").ending == ("policy_denied", 2)


@pytest.mark.parametrize("variable", ["CLAUDE_CODE_USE_BEDROCK", "CLAUDE_CODE_USE_VERTEX", "CLAUDE_CODE_USE_FOUNDRY"])
def test_a_host_that_reaches_the_model_another_way_needs_an_agent(
    home: Home, simulator: Simulator, variable: str
) -> None:
    ended = home.run({"prompt": "x"}, env={variable: "1"})
    assert (ended.types, ended.ending) == (["error"], ("invalid_request", 2))
    [problem] = ended.last["details"]
    assert (problem["pointer"], variable in problem["message"]) == ("/engine", True)
    assert home.run({"prompt": "x"}, env={variable: "0"}).ending == ("done", 0)


def test_without_the_extra_a_request_is_refused_with_the_cure(home: Home) -> None:
    entry = str(SCRIPTS / "agent-workers-entry")
    running = home.run_command([*where_missing("httpx2", entry), "agent-chat"])
    running.send({"prompt": "x"})
    running.end_input()
    ended = running.end()
    assert (ended.types, ended.ending) == (["error"], ("invalid_request", 2))
    [problem] = ended.last["details"]
    assert problem["pointer"] == "/engine"
    assert "pip install '.[messages]'" in problem["message"]


def test_a_skill_may_say_which_engine_runs_it_and_how_long_its_answer_may_be(home: Home, simulator: Simulator) -> None:
    home.engine = None
    home.environ["AGENT_WORKERS_SKILLS_PATH"] = str(home.root / "skills")
    make_skill(home.root / "skills", settings={"engine": "messages", "max_tokens": 700})
    play(simulator, Message(content=(ToolUse(name="StructuredOutput", input=GOOD),)))
    for fields, most in (({}, 700), ({"max_tokens": 900}, 900)):
        ended = home.run({"skill": "score", "input": DEAL, **fields}, worker="agent-skill")
        assert (ended.events[0]["engine"], ended.last["output"]) == ("messages", GOOD)
        assert bodies(simulator)[-1]["max_tokens"] == most


def test_the_key_is_out_of_reach_of_other_processes(home: Home, simulator: Simulator) -> None:
    home.loaded = None
    simulator.play("stall-before")
    running = home.start("--control")
    running.send({"prompt": "x"})
    running.wait_for("session")
    environ = environ_of(running.pid)
    running.end_input()
    running.end()
    assert b"ANTHROPIC_BASE_URL=" + simulator.base_url.encode() in environ
    assert b"key-canary" not in b"".join(environ)


def test_a_run_that_waits_for_its_application_hears_pings_and_is_not_idle(desk: Desk) -> None:
    desk.script(call("mcp__app__find"), end="Done.")
    waiting: list[Event] = []

    def late(event: Event) -> Event | None:
        if event["type"] == "app_tool_call":
            waiting.append(event)
        is_late = event["type"] == "ping" and event["idle_ms"] > 1200
        return give(waiting.pop(), "at last") if waiting and is_late else None

    ended = desk.converse(late, worker="agent-chat", app_tools=[FIND], **SOON_IDLE)
    assert ended.last["text"] == "Done."


def test_a_tool_that_was_not_offered_does_not_exist(home: Home, simulator: Simulator) -> None:
    play(simulator, Message(content=(ToolUse(name="Bash", input={"command": "touch made"}),)), say("Done."))
    ended = home.run({"prompt": "x"})
    [result] = ended.of("tool_result")
    assert (result["status"], result["content"]) == ("error", "There is no tool Bash.")
    assert ended.last["text"] == "Done."
    assert not (home.root / "made").exists()
