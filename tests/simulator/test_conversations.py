"""Which step answers which call."""

import pytest

CUT = "Here is the answer"


def text(response):
    return response.json()["content"][0]["text"]


def user(content):
    return {"role": "user", "content": content}


def assistant(content):
    return {"role": "assistant", "content": content}


def test_a_retry_gets_the_next_step_and_the_last_one_repeats(ask, simulator):
    simulator.play("server-error-then-ok")

    assert [ask().status_code for _ in range(4)] == [500, 200, 200, 200]


def test_each_session_goes_through_the_steps_on_its_own(ask, simulator):
    simulator.play("server-error-then-ok")

    assert ask(session="one").status_code == 500
    assert ask(session="two").status_code == 500
    assert ask(session="one").status_code == 200


def test_a_subagent_of_the_session_goes_through_the_steps_on_its_own(client, simulator):
    simulator.play("server-error-then-ok")
    body = {"messages": [user("Hello.")]}

    for agent in ("", "agent-1", "agent-2"):
        headers = {"x-claude-code-session-id": "one", "x-claude-code-agent-id": agent}
        assert client.post("/v1/messages", json=body, headers=headers).status_code == 500


def test_sessions_of_a_client_other_than_the_cli_are_told_apart(client, simulator):
    simulator.play("server-error-then-ok")

    def status(session):
        headers = {"x-agent-workers-session": session}
        return client.post("/v1/messages", json={"messages": [user("Hello.")]}, headers=headers).status_code

    assert [status(session) for session in ("one", "two", "one", "two")] == [500, 500, 200, 200]


def test_a_client_without_a_session_has_a_conversation_for_each_first_prompt(client, simulator):
    simulator.play("server-error-then-ok")

    def status(prompt):
        return client.post("/v1/messages", json={"messages": [user(prompt)]}).status_code

    assert [status(prompt) for prompt in ("Hello.", "Good day.", "Hello.")] == [500, 500, 200]


def test_a_side_call_gets_json_and_consumes_no_step(ask, simulator):
    simulator.play("server-error-then-ok")
    schema = {"type": "object", "properties": {"title": {"type": "string"}}, "required": ["title"]}

    side = ask("Name it.", output_config={"format": {"type": "json_schema", "schema": schema}})

    assert text(side) == '{"title": "simulated"}'
    assert ask().status_code == 500


def test_a_prompt_can_name_the_scenario(ask):
    assert ask("Please [[scenario:overloaded-529]]").status_code == 529


def test_a_named_scenario_counts_its_own_steps(ask):
    prompt = "[[scenario:server-error-then-ok]]"

    assert [ask(prompt).status_code for _ in range(3)] == [500, 200, 200]


def test_a_named_scenario_lasts_for_the_conversation(ask):
    conversation = [user("[[scenario:memory]] first"), assistant("Yes."), user("second")]

    assert text(ask(messages=conversation)).startswith("You sent 2 prompts.")


def test_the_latest_named_scenario_counts(ask):
    conversation = [user("[[scenario:overloaded-529]]"), assistant("No."), user("[[scenario:memory]] second")]

    assert text(ask(messages=conversation)).startswith("You sent 2 prompts.")


def test_a_scenario_that_is_named_again_starts_again(ask):
    named = user("[[scenario:server-error-then-ok]]")
    first = [named]
    second = [named, assistant("Done."), named]

    assert [ask(messages=first).status_code for _ in range(2)] == [500, 200]
    assert [ask(messages=second).status_code for _ in range(2)] == [500, 200]


def test_a_scenario_that_only_a_tool_or_the_model_names_is_not_played(ask):
    result = {"type": "tool_result", "tool_use_id": "1", "content": "[[scenario:overloaded-529]]"}
    conversation = [user("Hello."), assistant("[[scenario:billing]]"), user([result])]

    assert ask(messages=conversation).status_code == 200


def test_an_unknown_named_scenario_is_refused_with_the_nearest_name(ask):
    response = ask("[[scenario:memry]]")

    assert response.status_code == 400
    assert "Did you mean 'memory'?" in response.json()["error"]["message"]


@pytest.mark.parametrize("path", ["/etc/passwd", "../scenarios/hello.toml", "hello.toml"])
def test_a_prompt_cannot_name_a_file(ask, path):
    assert ask(f"[[scenario:{path}]]").status_code == 400


def test_a_switch_starts_every_conversation_again(ask, simulator):
    simulator.play("server-error-then-ok")
    assert [ask().status_code for _ in range(2)] == [500, 200]

    simulator.play("server-error-then-ok")

    assert ask().status_code == 500


def test_memory_counts_prompts_and_not_tool_results(ask, simulator):
    simulator.play("memory")
    call = {"type": "tool_use", "id": "1", "name": "Bash", "input": {}}
    result = {"type": "tool_result", "tool_use_id": "1", "content": "hi"}
    conversation = [
        user("The first."),
        assistant([call]),
        user([result]),
        assistant("Yes."),
        user("The second."),
    ]

    assert text(ask(messages=conversation)) == "You sent 2 prompts. The first was: The first."


def test_cut_then_ok_says_something_else_the_second_time(client, ask, simulator):
    simulator.play("cut-then-ok")
    body = {"messages": [user("Hello there.")], "stream": True}
    with client.stream("POST", "/v1/messages", json=body, headers={"x-claude-code-session-id": "one"}) as cut:
        assert cut.status_code == 200

    assert text(ask()).startswith(CUT)
