"""An agent that waits for the next message of its conversation: only its speed tells it from a fresh one."""

import json
import os
import signal
from pathlib import Path
from typing import Any

import pytest

from agent_workers.engine.claude.keeping import says_nothing
from agent_workers.simulator import Scenario, Simulator
from agent_workers.simulator.scenario import Message, Text, ToolUse
from tests.e2e.beginning import AtOnce
from tests.e2e.conversation import NOBODY
from tests.e2e.desk import call
from tests.e2e.talk import SESSION, Said, Told, cold, live, say, talk_at
from tests.e2e.test_questions import ask, one
from tests.e2e.worker import Home, command_of
from tests.waiting import until

pytestmark = pytest.mark.usefixtures("loaded")
IMAGE = json.loads((Path(__file__).parents[2] / "examples" / "requests" / "image.json").read_bytes())["prompt"]
SCHEMA = {"type": "object", "properties": {"answer": {"type": "string"}}, "required": ["answer"]}
FIRST = {"prompt": "My name is Ada.", "session": {"id": SESSION}, "session_owner": "ada"}
NEXT = {"prompt": "What is it?", "session": {"resume": SESSION}, "session_owner": "ada"}

STAYS = [
    say(prompt="My name is Ada."),
    say("thinking", thinking=True),
    say("thinking"),
    say("unicode"),
    say("server-error-then-ok"),
    say("max-tokens-then-ok"),
    say(prompt=IMAGE),
    say(prompt=IMAGE),
    say(prompt="/compact all"),
    say(prompt="@/etc/passwd"),
    say("memory"),
]
"""All of this is answered by one agent."""
GOES = [
    say(prompt="My name is Ada."),
    say("refusal"),
    say(),
    say("bad-request-400"),
    say(),
    say("cut-then-ok"),
    say(),
    say("stall-mid-stream", limits={"timeout_s": 10}),
    say("memory"),
    say("unknown-block"),
    say("memory"),
]
"""What does not end with a plain answer ends the agent, so that each second one is a fresh one."""
CHANGES = [
    say(system_prompt="Be brief.", max_turns=1),
    say(system_prompt="Be polite.", max_turns=1),
    say(system_prompt="Be polite.", max_turns=1, model="claude-haiku-4-5"),
    say(system_prompt="Be polite.", max_turns=1),
    say("structured-output", output_schema=SCHEMA),
    say(stream={"partial": False}),
    say(stream={"partial": False}, limits={"max_budget_usd": 1}),
    say("memory"),
]
"""What a CLI is told at its start only."""
FIND = {
    "name": "find_partner",
    "description": "Finds a partner by name.",
    "input_schema": {"type": "object", "properties": {"name": {"type": "string"}}, "required": ["name"]},
}
TOOLS: dict[str, Any] = {"app_tools": [FIND]}
ALL: dict[str, Any] = {"app_tools": [FIND], "tools": ["AskUserQuestion"]}
IN_VAIN: dict[str, Any] = {**ALL, "limits": {"question_timeout_s": 1}}


def calling(*calls: ToolUse) -> Scenario:
    steps = [Message(content=(Text(text="Let me see. "), each)) for each in calls]
    return Scenario(name="calls", description="", steps=(*steps, Message(content=(Text(text="It says ${result}."),))))


ASKS = [
    say(calling(call("mcp__app__find_partner", name="Acme")), **TOOLS),
    say(calling(call("mcp__app__find_partner", name="Acme")), **TOOLS, stream={"tool_output": True}),
    say(calling(call("mcp__app__find_partner", nam="Acme"), call("mcp__app__find_partner", name="Acme")), **TOOLS),
    say("memory"),
    say("question", **ALL),
    say(calling(ask(one(header=NOBODY))), **IN_VAIN),
    say(calling(ask(one()), call("mcp__app__find_partner", name="Acme")), **ALL),
    say("memory", **ALL),
]
"""Here the agent asks its user and calls what the application runs."""
CONVERSATIONS: dict[str, list[Said]] = {"stays": STAYS, "goes": GOES, "changes": CHANGES, "asks": ASKS}
Ways = dict[str, tuple[list[Told], list[Told]]]


@pytest.fixture(scope="module")
def ways(at_once: AtOnce) -> Ways:
    """Each conversation, with an agent that stays and with fresh ones."""
    keys = [(name, way) for name in CONVERSATIONS for way in (live, cold)]
    held = at_once(keys, lambda desk, key: key[1](desk, CONVERSATIONS[key[0]]))
    return {name: (held[name, live], held[name, cold]) for name in CONVERSATIONS}


@pytest.mark.parametrize("name", CONVERSATIONS)
def test_what_a_run_tells_does_not_depend_on_whether_its_agent_is_a_fresh_one(name: str, ways: Ways) -> None:
    stayed, fresh = ways[name]
    for each, other in zip(stayed, fresh, strict=True):
        assert each.events == other.events


@pytest.mark.parametrize("name", CONVERSATIONS)
def test_what_the_model_is_asked_does_not_depend_on_it_either(name: str, ways: Ways) -> None:
    stayed, fresh = ways[name]
    for each, other in zip(stayed, fresh, strict=True):
        assert each.calls == other.calls


def test_an_agent_stays_as_long_as_it_answers_plainly(ways: Ways) -> None:
    stayed, _ = ways["stays"]
    assert [told.kept for told in stayed] == [True] * len(STAYS)
    assert [told.misfit for told in stayed] == ["none"] + [None] * (len(STAYS) - 1)


def test_an_agent_that_asks_its_user_and_calls_the_applications_tools_stays_too(ways: Ways) -> None:
    stayed, _ = ways["asks"]
    assert [told.misfit for told in stayed] == ["none", None, None, "tools", "tools", None, None, None]


def test_an_agent_ends_with_what_is_no_plain_answer(ways: Ways) -> None:
    stayed, _ = ways["goes"]
    assert [told.kept for told in stayed] == [True, False] * 5 + [True]


def test_an_agent_that_was_told_something_else_at_its_start_does_not_answer(ways: Ways) -> None:
    stayed, _ = ways["changes"]
    assert [told.misfit for told in stayed] == [
        "none",
        "system_prompt",
        "model",
        None,  # a conversation keeps its model
        "max-turns",
        "none",
        "max-budget-usd",
        "none",
    ]


LOOKS: list[tuple[dict[str, Any], str | None]] = [
    ({}, None),
    ({"thinking": True, "metadata": {"a": 1}, "limits": {"timeout_s": 5}, "prompt": IMAGE}, None),
    ({"session": {"resume": SESSION, "fork": True}}, "session"),
    ({"session": {"resume": SESSION.replace("9", "8")}}, "session"),
    ({"session": {"id": SESSION}}, "session"),
    ({"session_owner": "eve"}, "session"),
    ({"model": "claude-haiku-4-5"}, "model"),
    ({"fallback_model": "claude-haiku-4-5"}, "fallback-model"),
    ({"max_turns": 1}, "max-turns"),
    ({"limits": {"max_budget_usd": 1}}, "max-budget-usd"),
    ({"system_prompt": "Be brief."}, "system_prompt"),
    ({"output_schema": SCHEMA}, "output_schema"),
    ({"stream": {"partial": False}}, "include-partial-messages"),
    ({"tools": ["AskUserQuestion"]}, "tools"),
    ({"app_tools": [{"name": "now", "description": "The time.", "input_schema": {"type": "object"}}]}, "tools"),
    ({"engine": "messages"}, "engine"),
]


def test_an_agent_says_what_of_a_request_it_cannot_do(home: Home) -> None:
    with talk_at(home) as talk:
        talk.run(FIRST)
        found = [(fields, talk.do(look={**NEXT, **fields})["misfit"]) for fields, _ in LOOKS]
    assert found == LOOKS


def test_an_agent_answers_nobody_who_brings_another_key_or_goes_elsewhere(home: Home) -> None:
    with talk_at(home) as talk:
        talk.run(FIRST)
        names = ["ANTHROPIC_API_KEY", "ANTHROPIC_AUTH_TOKEN", "ANTHROPIC_BASE_URL"]
        found = [talk.do(look=NEXT, environ={name: "https://another"})["misfit"] for name in names]
        assert found == ["credential", "variables", "variables"]
        assert talk.do(look=NEXT) == {"misfit": None}


def test_nothing_of_a_conversation_is_lost_with_the_agent_that_waited(home: Home, simulator: Simulator) -> None:
    with talk_at(home) as talk:
        for request in (FIRST, NEXT):
            talk.run(request)
        talk.do(end=True)
        simulator.play("memory")
        assert home.run(NEXT).last["text"] == "You sent 3 prompts. The first was: My name is Ada."


def test_an_agent_that_waits_gives_its_session_up_to_another_run(home: Home, simulator: Simulator) -> None:
    with talk_at(home) as talk:
        for request in (FIRST, NEXT):
            talk.run(request)
        simulator.play("memory")
        talk.order(wait=True)
        other = home.start()
        other.send(NEXT)
        other.end_input()
        assert talk.result()[1] == {"usable": False}
        assert other.end().last["text"] == "You sent 3 prompts. The first was: My name is Ada."
        assert talk.run(NEXT)[0][-1]["text"] == "You sent 4 prompts. The first was: My name is Ada."


def test_a_copy_of_a_conversation_leaves_its_agent_where_it_is(home: Home, simulator: Simulator) -> None:
    simulator.play("memory")
    with talk_at(home) as talk:
        talk.run(FIRST)
        fork = home.run({**NEXT, "session": {"resume": SESSION, "fork": True}})
        assert fork.last["text"] == "You sent 2 prompts. The first was: My name is Ada."
        events, end = talk.run(NEXT)
        assert (events[-1]["text"], end["misfit"]) == (fork.last["text"], None)


def test_an_agent_that_was_killed_while_it_waited_does_not_answer(home: Home, simulator: Simulator) -> None:
    simulator.play("memory")
    with talk_at(home) as talk:
        talk.run(FIRST)
        for pid in clis(home):
            os.kill(pid, signal.SIGKILL)
        until(lambda: not clis(home), within_s=5, what=home.left)
        assert talk.do(wait=True) == {"usable": False}
        assert talk.run(NEXT)[0][-1]["text"] == "You sent 2 prompts. The first was: My name is Ada."


def test_an_agent_does_not_answer_in_a_conversation_that_was_deleted(home: Home) -> None:
    with talk_at(home) as talk:
        talk.run(FIRST)
        for file in home.root.rglob("projects/*/*.jsonl"):
            file.unlink()
        assert talk.do(look=NEXT) == {"misfit": "ended"}


def test_an_agent_ends_with_the_process_that_has_it(home: Home, simulator: Simulator) -> None:
    simulator.play("memory")
    with talk_at(home) as talk:
        talk.run(FIRST)
        talk.kill()
    until(lambda: not clis(home), within_s=5, what=home.left)
    assert home.run(NEXT).last["text"] == "You sent 2 prompts. The first was: My name is Ada."


@pytest.mark.parametrize("pipe", [1, 2], ids=["stdout", "stderr"])
def test_an_agent_that_says_more_than_its_pipe_holds_is_read(home: Home, pipe: int) -> None:
    with talk_at(home) as talk:
        talk.run(FIRST)
        (pid,) = clis(home)
        line = b'{"type": "keep_alive"}\n' * 1000
        written = Path(f"/proc/{pid}/fd/{pipe}").open("wb", buffering=0)  # noqa: SIM115
        with written:
            for _ in range(10):
                assert written.write(line) == len(line)
                assert talk.do(wait=True) == {"usable": True}
        assert talk.run(NEXT)[1] == {"misfit": None, "kept": True, "status": 0}


@pytest.mark.parametrize(
    ("line", "nothing"),
    [
        (b'{"type": "command_lifecycle", "state": "completed"}', True),
        (b'{"type": "keep_alive"}', True),
        (b'{"type": "system", "subtype": "status"}', True),
        (b"a word of a library", True),
        (b'{"type": "system", "subtype": "init"}', False),
        (b'{"type": "stream_event"}', False),
        (b'{"type": "control_request"}', False),
        (b'{"type": "rate_limit_event"}', False),
        (b'{"type": "something_new"}', False),
    ],
)
def test_an_agent_that_begins_to_talk_by_itself_is_of_no_use(line: bytes, nothing: bool) -> None:
    assert says_nothing(line) == nothing


def clis(home: Home) -> list[int]:
    """The processes of agents."""
    return [pid for pid in home.processes() if b"--output-format" in command_of(pid)]
