"""What the real CLI makes of the scenarios."""

import json
from collections.abc import Sequence
from dataclasses import dataclass

import pytest

from agent_workers.simulator import load_scenario, running_simulator
from agent_workers.simulator.journal import Record
from tests.simulator.conftest import CliRun, running_cli

SCHEMA = {
    "type": "object",
    "properties": {"answer": {"type": "string"}, "confidence": {"type": "number"}},
    "required": ["answer"],
    "additionalProperties": False,
}


@dataclass(frozen=True)
class Turn(CliRun):
    """What the CLI wrote and asked of the API in one turn of a conversation."""

    requests: Sequence[Record]

    @property
    def calls(self) -> list[tuple[str | None, int | None]]:
        return [(record.scenario, record.call) for record in self.requests if record.path == "/v1/messages"]


@pytest.fixture(scope="module")
def turn(tmp_path_factory):
    """`turn(scenario)` has a CLI, which starts once for all these tests, take a turn of its conversation."""
    with running_simulator() as simulator, running_cli(simulator, tmp_path_factory.mktemp("cli"), "--tools=") as say:

        def take(scenario):
            before = len(simulator.requests())
            simulator.play(scenario)
            run = say("Hello there.")
            return Turn(run.messages, simulator.requests()[before:])

        yield take


def outcome(run):
    result = run.result
    return result["subtype"], result["is_error"], result["terminal_reason"], result["stop_reason"]


def calls(simulator):
    return [(record.scenario, record.call) for record in simulator.requests("/v1/messages")]


def joined(deltas):
    return "".join(deltas).encode("utf-16", "surrogatepass").decode("utf-16", "surrogatepass")


def retries(run):
    return [each["error_status"] for each in run.of("system", "api_retry")]


def test_hello_is_streamed_and_quotes_the_prompt(run_cli, simulator):
    run = run_cli("Who are you?")

    assert outcome(run) == ("success", False, "completed", "end_turn")
    assert run.result["result"] == "".join(run.deltas())
    assert run.result["result"].endswith("You said: Who are you?")
    assert len(run.deltas()) > 5
    assert calls(simulator) == [("hello", 1)]


def test_the_main_conversation_makes_no_calls_beside_its_own(run_cli, simulator):
    run_cli()

    assert [record.path for record in simulator.requests()] == ["/v1/messages"]


def test_what_the_cli_asks_beside_its_conversation_bears_its_session_and_takes_no_step(run_cli, simulator):
    simulator.play("server-error-then-ok")
    hooks = {"Stop": [{"hooks": [{"type": "prompt", "prompt": "Is it done?"}]}]}

    run = run_cli("Who are you?", f"--settings={json.dumps({'hooks': hooks})}")

    records = simulator.requests("/v1/messages")
    assert {record.headers["x-claude-code-session-id"] for record in records} == {run.result["session_id"]}
    assert calls(simulator) == [("server-error-then-ok", 1), ("server-error-then-ok", 2), ("side-call", 1)]
    assert "format" in records[-1].body["output_config"]


def test_thinking_comes_before_the_text(turn):
    run = turn("thinking")

    assert [block["type"] for block in run.blocks] == ["thinking", "text"]
    assert run.blocks[0]["thinking"] == "".join(run.deltas("thinking"))
    assert run.result["result"].endswith("forty-two.")


def test_unicode_arrives_whole_though_it_was_cut_everywhere(turn):
    run = turn("unicode")

    texts = [block.text for block in load_scenario("unicode").steps[0].content]
    assert run.block_texts() == texts
    assert joined(run.deltas()) == "".join(texts)
    assert "\ud83d" in run.deltas()


def test_tool_loop_runs_the_command_and_then_answers(run_cli, simulator):
    simulator.play("tool-loop")

    run = run_cli("Do it.", "--permission-mode=bypassPermissions", tools="Bash")

    assert [result["content"] for result in run.tool_results] == ["simulated"]
    assert run.result["result"].startswith("The command has run")
    assert calls(simulator) == [("tool-loop", 1), ("tool-loop", 2)]


def test_tool_loop_ends_even_where_the_tool_is_not_offered(turn):
    run = turn("tool-loop")

    assert [result["is_error"] for result in run.tool_results] == [True]
    assert outcome(run) == ("success", False, "completed", "end_turn")


def test_structured_output_is_accepted(run_cli, simulator):
    simulator.play("structured-output")

    run = run_cli("Fill it in.", f"--json-schema={json.dumps(SCHEMA)}")

    assert outcome(run)[:3] == ("success", False, "completed")
    assert run.result["structured_output"] == {"answer": "forty-two", "confidence": 0.9}


def test_structured_output_fits_a_schema_that_the_scenario_never_saw(run_cli, simulator):
    simulator.play("structured-output")
    schema = {"type": "object", "properties": {"n": {"type": "integer", "minimum": 3}}, "required": ["n"]}
    schema["additionalProperties"] = False

    run = run_cli("Fill it in.", f"--json-schema={json.dumps(schema)}")

    assert run.result["structured_output"] == {"n": 3}


def test_invalid_structured_output_makes_the_cli_give_up(run_cli):
    run = run_cli("[[scenario:structured-output-invalid]] Fill it in.", f"--json-schema={json.dumps(SCHEMA)}")

    assert run.result["subtype"] == "error_max_structured_output_retries"
    assert all(result["is_error"] for result in run.tool_results)


def test_ignored_structured_output_is_none(run_cli, simulator):
    simulator.play("structured-output-ignored")

    run = run_cli("Fill it in.", f"--json-schema={json.dumps(SCHEMA)}")

    assert outcome(run) == ("success", False, "completed", "end_turn")
    assert run.result.get("structured_output") is None


def test_a_server_error_is_retried_and_then_answered(turn):
    run = turn("server-error-then-ok")

    assert retries(run) == [500]
    assert run.result["result"] == "The second attempt went through."
    assert run.calls == [("server-error-then-ok", 1), ("server-error-then-ok", 2)]


def test_a_cut_stream_is_retried_with_a_message_of_its_own(turn):
    run = turn("cut-then-ok")

    starts = [event for event in run.api_events if event["type"] == "message_start"]
    assert len(starts) == 2
    assert retries(run) == [None]
    assert "".join(run.deltas()).startswith("This text is cut and Here is the answer")
    assert run.result["result"] == "Here is the answer of the second attempt, in full."


def test_max_tokens_is_continued_until_the_cli_gives_up(turn):
    run = turn("max-tokens")

    assert run.calls == [("max-tokens", call) for call in (1, 2, 3, 4)]
    assert len(set(run.block_texts())) == 5
    assert run.of("assistant")[-1]["error"] == "max_output_tokens"
    assert run.result["is_error"]


def test_max_tokens_once_is_continued_to_the_end(turn):
    run = turn("max-tokens-then-ok")

    assert outcome(run) == ("success", False, "completed", "end_turn")
    assert "".join(run.deltas()).endswith("a text that comes to its end in the second.")


def test_a_refusal_is_tried_once_more_and_then_final(turn):
    run = turn("refusal")

    assert len(run.calls) == 2
    assert run.result["stop_reason"] == "refusal"


def test_memory_shows_that_a_session_was_resumed(run_cli, simulator):
    simulator.play("memory")
    first = run_cli("The first prompt.").result

    second = run_cli("The second prompt.", f"--resume={first['session_id']}").result

    assert first["result"] == "You sent 1 prompts. The first was: The first prompt."
    assert second["result"] == "You sent 2 prompts. The first was: The first prompt."


@pytest.mark.parametrize(
    ("scenario", "status", "error"),
    [
        ("bad-request-400", 400, "unknown"),
        ("forbidden-403", 403, "authentication_failed"),
        ("not-found-404", 404, "model_not_found"),
        ("rate-limited-429-long", 429, "rate_limit"),
        ("context-overflow", 400, "invalid_request"),
        ("billing", 400, "billing_error"),
    ],
)
def test_a_final_failure_is_reported_at_once(turn, scenario, status, error):
    run = turn(scenario)

    assert run.result["is_error"]
    assert run.result["api_error_status"] == status
    assert run.of("assistant")[-1]["error"] == error
    assert retries(run) == []
