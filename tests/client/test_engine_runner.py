"""Runs of the engine messages inside this process: the events of a worker's process, and nothing shared but the API."""

import asyncio
import gc
import os
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any
from uuid import uuid4

import anyio
import pytest

from agent_workers.client import (
    AsyncEngineRunner,
    EngineRunner,
    Event,
    ProcessRunner,
    Result,
    RunAborted,
    RunFailed,
    RunRefused,
)
from agent_workers.client.conversation import Conversation
from agent_workers.client.engine_process import EngineProcess
from agent_workers.engine.messages.engine import MessagesEngine
from agent_workers.simulator import Scenario, Simulator, running_simulator
from agent_workers.simulator.scenario import Failure, Interruption, Message, Text, ToolUse
from agent_workers.simulator.settings import Limit
from tests.e2e.odd_api import odd_api, says, text
from tests.e2e.stream import check_whole
from tests.missing import where_missing
from tests.skills.making import DEAL, GOOD, make_skill
from tests.waiting import PATIENCE_S, until

Request = dict[str, Any]
ASK: Request = {"prompt": "Hello"}
FIND = {"name": "find", "description": "Finds.", "input_schema": {"type": "object"}}
ITS_OWN = ("run", "ts", "session_id", "duration_ms", "seq")


@pytest.fixture
def simulator() -> Iterator[Simulator]:
    with running_simulator() as simulator:
        yield simulator


@pytest.fixture
def env(tmp_path: Path, simulator: Simulator) -> dict[str, str]:
    return {
        "PATH": os.environ["PATH"],
        "HOME": str(tmp_path),
        "AGENT_WORKERS_STATE_DIR": str(tmp_path / "state"),
        "ANTHROPIC_BASE_URL": simulator.base_url,
        "ANTHROPIC_API_KEY": "key-canary",
    }


@pytest.fixture
def runner(env: dict[str, str]) -> Iterator[EngineRunner]:
    with EngineRunner("agent-chat", env=env) as runner:
        yield runner


def in_a_loop(run: Callable[[], Any]) -> Any:
    async def bounded() -> Any:
        with anyio.fail_after(PATIENCE_S):
            return await run()

    return anyio.run(bounded)


def play(simulator: Simulator, *steps: Message | Failure, **more: Any) -> None:
    simulator.play(Scenario(name="own", description="A test's.", steps=steps, **more))


def said(*words: str) -> Message:
    return Message(content=tuple(Text(text=each) for each in words))


def alike(events: list[Event]) -> list[Event]:
    return [{name: value for name, value in event.items() if name not in ITS_OWN} for event in events]


ALIKE: dict[str, Request] = {
    "a chat": {**ASK, "metadata": {"a": 1}, "user": "ada"},
    "thinking": {"prompt": "[[scenario:thinking]] x", "thinking": True},
    "block by block": {"prompt": "[[scenario:thinking]] x", "stream": {"partial": False}},
    "structured output": {
        "prompt": "[[scenario:structured-output]] x",
        "output_schema": {"type": "object", "properties": {"answer": {"type": "string"}}, "required": ["answer"]},
    },
    "a refusal": {"prompt": "[[scenario:refusal]] x"},
    "a failure": {"prompt": "[[scenario:billing]] x"},
    "a session that is not there": {**ASK, "session": {"resume": "3f2b8c1e-5d0a-4c77-9a51-0e6f6b1f2d34"}},
    "a faulty request": {"promt": "Hello", "limits": {"timeout_s": "long"}},
    "another version": {**ASK, "v": 2},
    "a field of a task": {**ASK, "cwd": "/"},
    "tools of an agent": {**ASK, "tools": ["AskUserQuestion"]},
    "no price": {**ASK, "model": "a-model-of-our-own", "limits": {"max_budget_usd": 1}},
}


@pytest.mark.parametrize("name", ALIKE)
def test_a_run_tells_what_a_process_tells(runner: EngineRunner, env: dict[str, str], name: str) -> None:
    def request() -> Request:
        return {"engine": "messages", "session": {"id": str(uuid4())}, **ALIKE[name]}

    told = list(runner.stream(request()))
    check_whole(told)
    assert alike(told) == alike(list(ProcessRunner("agent-chat", "--control", env=env).stream(request())))


def test_an_answer_comes_as_a_result_and_a_request_names_no_engine(runner: EngineRunner) -> None:
    run = runner.stream({**ASK, "run": "mine"})
    events = list(run)
    assert {event["run"] for event in events} == {"mine"} == {run.id}
    assert events[0]["engine"] == "messages"
    assert (run.exit_status, run.stderr) == (0, "")
    assert runner.run(ASK).text == run.result().text


def test_failures_are_exceptions_and_stderr_says_why(runner: EngineRunner, simulator: Simulator) -> None:
    simulator.play("unauthorized-401")
    run = runner.stream(ASK)
    with pytest.raises(RunFailed) as failed:
        run.result()
    assert (failed.value.code, run.exit_status) == ("auth", 1)
    assert "status 401" in run.stderr
    assert "key-canary" not in run.stderr
    with pytest.raises(RunRefused) as refused:
        runner.run({**ASK, "engine": "agent"})
    assert [problem["pointer"] for problem in refused.value.details] == ["/engine"]


def test_a_conversation_goes_on_whoever_runs_it(
    runner: EngineRunner, env: dict[str, str], simulator: Simulator
) -> None:
    simulator.play("memory")
    first = runner.run({"prompt": "My name is Ada."})
    session = {"resume": first.session_id}
    second = ProcessRunner("agent-chat", env=env).run({"prompt": "x", "session": session, "engine": "messages"})
    third = runner.run({"prompt": "Who am I?", "session": session})
    assert second.text.startswith("You sent 2 prompts.")
    assert third.text == "You sent 3 prompts. The first was: My name is Ada."


def test_one_run_at_a_time_writes_a_session_in_one_process_too(runner: EngineRunner, simulator: Simulator) -> None:
    simulator.play("slow")
    run = runner.stream(ASK)
    for event in run:
        if event["type"] == "session":
            session = event["session_id"]
        if event["type"] == "delta":
            break_in = {"prompt": "x", "session": {"resume": session}}
            with pytest.raises(RunFailed) as failed:
                runner.run(break_in)
            assert (failed.value.code, failed.value.retryable) == ("session_busy", True)
            simulator.play("memory")
            fork = runner.run({**break_in, "session": {"resume": session, "fork": True}})
            assert fork.text.startswith("You sent 2 prompts.")
            run.abort()
            break
    run.close()
    assert runner.run(break_in).text.startswith("You sent 2 prompts.")


def test_several_threads_run_at_once_and_the_failure_of_one_is_its_own(
    runner: EngineRunner, simulator: Simulator
) -> None:
    scenarios = ["hello", "billing", "thinking", "refusal", "overloaded-529", "hello", "not-found-404", "unicode"]

    def ran(scenario: str) -> str:
        try:
            return runner.run({"prompt": f"[[scenario:{scenario}]] x"}).stop_reason
        except RunFailed as failed:
            return failed.code

    with ThreadPoolExecutor(8) as threads:
        ends = list(threads.map(ran, scenarios))
    assert ends == [
        *("end_turn", "billing", "end_turn", "refusal"),
        *("overloaded", "end_turn", "model_not_found", "end_turn"),
    ]


def test_hundreds_at_once_share_the_connections(env: dict[str, str], simulator: Simulator) -> None:
    async def ran() -> list[Result]:
        results: list[Result] = []
        async with AsyncEngineRunner("agent-chat", env=env, connections=16) as runner:

            async def one() -> None:
                results.append(await runner.run(ASK))

            async with anyio.create_task_group() as tasks:
                for _ in range(200):
                    tasks.start_soon(one)
        return results

    results = in_a_loop(ran)
    assert len({result.run for result in results}) == len({result.session_id for result in results}) == 200
    assert simulator.statuses == {200: 200}


def test_whoever_waits_for_a_connection_is_not_idle(env: dict[str, str], simulator: Simulator) -> None:
    play(simulator, Message(content=(Text(words=4),), delay_ms=300))

    async def ran() -> list[str]:
        ends: list[str] = []
        async with AsyncEngineRunner("agent-chat", env=env, connections=1) as runner:

            async def one() -> None:
                limits = {"idle_timeout_s": 1}
                ends.append((await runner.run({**ASK, "limits": limits})).stop_reason)

            async with anyio.create_task_group() as tasks:
                for _ in range(3):
                    tasks.start_soon(one)
        return ends

    assert in_a_loop(ran) == ["end_turn"] * 3


def test_what_the_api_says_of_its_limits_slows_all_runs(env: dict[str, str], simulator: Simulator) -> None:
    play(simulator, said("Hello."), limit=Limit(requests=10, per_s=0.5))

    async def ran() -> None:
        async with AsyncEngineRunner("agent-chat", env=env) as runner:
            await runner.run(ASK)  # what it learns holds for the others
            async with anyio.create_task_group() as tasks:
                for _ in range(29):
                    tasks.start_soon(runner.run, ASK)

    in_a_loop(ran)
    assert simulator.statuses[200] == 30
    assert simulator.statuses[429] < 15  # of runs that know nothing of each other, it would be twenty at first


def test_a_run_can_be_aborted_and_its_session_goes_on(runner: EngineRunner, simulator: Simulator) -> None:
    simulator.play("slow")
    events = []
    run = runner.stream(ASK)
    for event in run:
        events.append(event)
        if event["type"] == "delta" and len(events) == 4:
            assert run.abort()
    check_whole(events)
    assert [event["type"] for event in events[-2:]] == ["ack", "aborted"]
    assert events[-1]["reason"] == "client"
    with pytest.raises(RunAborted):
        run.result()
    assert (run.exit_status, run.abort()) == (3, None)
    simulator.play("hello")
    runner.run({"prompt": "Go on.", "session": {"resume": events[-1]["session_id"]}})
    seen = simulator.requests("/v1/messages")[-1].body["messages"]
    assert [message["role"] for message in seen] == ["user", "assistant", "user"]


@pytest.mark.parametrize("at", ["start", "session"])
def test_what_is_said_early_is_not_lost(runner: EngineRunner, simulator: Simulator, at: str) -> None:
    simulator.play("memory")
    begun = runner.run(ASK)
    simulator.play("stall-before")
    run = runner.stream({**ASK, "session": {"resume": begun.session_id}})
    told = []
    for event in run:
        told.append(event)
        if event["type"] == at:
            run.send({"type": "pause", "id": "odd"})
            run.abort()
    assert [event["type"] for event in told[-3:]] == ["ack", "ack", "aborted"]
    assert [event["ok"] for event in told[-3:-1]] == [False, True]


def test_another_thread_stops_a_silent_run(runner: EngineRunner, simulator: Simulator) -> None:
    simulator.play("stall-before")
    run = runner.stream(ASK)
    stopper = threading.Thread(target=lambda: (simulator.wait_for(bool, PATIENCE_S), run.stop()), daemon=True)
    stopper.start()
    events = list(run)
    stopper.join()
    assert (events[-1]["type"], events[-1]["reason"]) == ("aborted", "signal")
    assert run.exit_status == 3


def test_a_run_that_was_stopped_before_it_began_asks_nothing(runner: EngineRunner, simulator: Simulator) -> None:
    run = runner.stream(ASK)
    run.stop()
    assert [event["type"] for event in run] == ["aborted"]
    assert simulator.requests() == []


def test_a_loop_that_is_left_hangs_up_and_lets_go_of_the_session(runner: EngineRunner, simulator: Simulator) -> None:
    simulator.play("slow")
    run = runner.stream(ASK)
    for event in run:
        if event["type"] == "session":
            session = {"resume": event["session_id"]}
        if event["type"] == "delta":
            break
    run.close()
    (call,) = simulator.requests("/v1/messages")
    simulator.wait_for(lambda _: call.outcome == "client_gone", PATIENCE_S)
    simulator.play("memory")
    assert runner.run({"prompt": "x", "session": session}).text.startswith("You sent 2 prompts.")


def test_runs_that_are_cancelled_leave_nothing_and_the_others_go_on(env: dict[str, str], simulator: Simulator) -> None:
    simulator.play("slow")

    async def ran() -> None:
        async with AsyncEngineRunner("agent-chat", env=env) as runner:
            before = len(asyncio.all_tasks())
            sessions: list[str] = []

            async def cancelled() -> None:
                with anyio.CancelScope() as scope:
                    async with runner.stream(ASK) as run:
                        async for event in run:
                            if event["type"] == "session":
                                sessions.append(event["session_id"])
                            if event["type"] == "delta":
                                scope.cancel()

            async with anyio.create_task_group() as tasks:
                for _ in range(3):
                    tasks.start_soon(cancelled)
            simulator.wait_for(lambda calls: {call.outcome for call in calls} == {"client_gone"}, PATIENCE_S)
            assert len(asyncio.all_tasks()) == before
            simulator.play("hello")
            for session in sessions:
                await runner.run({**ASK, "session": {"resume": session}})

    in_a_loop(ran)


def test_a_runner_that_is_left_ends_its_runs_and_lets_go_of_their_sessions(
    env: dict[str, str], simulator: Simulator
) -> None:
    simulator.play("slow")
    ends: list[Event] = []
    session = {"id": "3f2b8c1e-5d0a-4c77-9a51-0e6f6b1f2d34"}

    async def leave() -> None:
        async with anyio.create_task_group() as tasks, AsyncEngineRunner("agent-chat", env=env) as runner:
            begun = anyio.Event()

            async def one() -> None:
                async with runner.stream({**ASK, "session": session}) as run:
                    async for event in run:
                        if event["type"] == "delta":
                            begun.set()
                    ends.append(event)

            tasks.start_soon(one)
            await begun.wait()

    in_a_loop(leave)
    [end] = ends
    assert (end["type"], end["reason"], end["session_id"]) == ("aborted", "parent_gone", session["id"])
    simulator.play("memory")
    with EngineRunner("agent-chat", env=env) as runner:
        assert runner.run({"prompt": "x", "session": {"resume": session["id"]}}).text.startswith("You sent 2 prompts.")


def test_an_error_of_the_callers_is_its_own(env: dict[str, str]) -> None:
    async def fail() -> None:
        async with AsyncEngineRunner("agent-chat", env=env) as runner:
            await runner.run(ASK)
            raise LookupError

    with pytest.raises(LookupError):
        in_a_loop(fail)
    with pytest.raises(LookupError), EngineRunner("agent-chat", env=env):
        raise LookupError


def test_a_runner_that_is_not_entered_or_was_left_says_so(env: dict[str, str]) -> None:
    runner = EngineRunner("agent-chat", env=env)
    for _ in range(2):
        with pytest.raises(RuntimeError, match="not entered"):
            runner.run(ASK)
        with runner:
            runner.run(ASK)


def test_a_reader_who_pauses_holds_up_its_run_and_loses_nothing(runner: EngineRunner, simulator: Simulator) -> None:
    play(simulator, Message(content=(Text(numbers=20_000),)))
    run = runner.stream(ASK)
    events = iter(run)
    told = [next(events)]
    process = run._conversation._process
    assert process
    until(lambda: process._unread > 1 << 18)
    (call,) = simulator.requests("/v1/messages")
    held = process._unread
    told += [next(events) for _ in range(5)]
    assert held < 1 << 19
    told += events
    check_whole(told)
    assert told[-1]["text"].split() == [str(number) for number in range(1, 20_001)]
    assert call.outcome


def test_a_reader_who_is_slow_again_and_again_is_never_forgotten(
    runner: EngineRunner, simulator: Simulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With room for one line, so that the run waits for its reader behind each."""
    monkeypatch.setattr("agent_workers.client.engine_process._MOST_UNREAD", 1)
    play(simulator, Message(content=(Text(numbers=1000),)))
    with ThreadPoolExecutor(3) as threads:
        ends = list(threads.map(lambda _: list(runner.stream(ASK))[-1], range(3)))
    assert {end["type"] for end in ends} == {"done"}


def test_tools_of_the_application_run_in_this_process_too(runner: EngineRunner, simulator: Simulator) -> None:
    call = ToolUse(name="mcp__app__find", input={"name": "Acme"})
    play(simulator, Message(content=(call, call)), said("${result}."))
    with runner.stream({**ASK, "app_tools": [FIND]}) as run:
        for event in run:
            if event["type"] == "app_tool_call":
                run.send({"type": "app_tool_result", "call_id": event["call_id"], "content": "Berlin"})
    assert run.result().text == "Berlin."


def test_the_policy_rules_on_runs_in_this_process_too(env: dict[str, str], tmp_path: Path) -> None:
    policy = tmp_path / "policy.toml"
    policy.write_text('version = 1\nmodels = ["claude-haiku-*"]\n')
    for options in ({"policy": str(policy), "env": env}, {"env": {**env, "AGENT_WORKERS_POLICY": str(policy)}}):
        with EngineRunner("agent-chat", **options) as runner:
            with pytest.raises(RunRefused) as refused:
                runner.run({**ASK, "model": "claude-opus-5-5"})
            assert refused.value.code == "policy_denied"
            runner.run({**ASK, "model": "claude-haiku-5-5"})
    policy.write_text('version = 1\nengines = ["agent"]\n')
    with EngineRunner("agent-chat", policy=str(policy), env=env) as runner, pytest.raises(RunRefused) as refused:
        runner.run(ASK)
    assert refused.value.code == "policy_denied"


def test_the_variables_are_those_that_are_given_and_not_this_processes(
    env: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CLAUDE_CODE_USE_BEDROCK", "1")
    monkeypatch.setenv("ANTHROPIC_MODEL", "claude-opus-5-5")
    monkeypatch.setenv("ANTHROPIC_API_KEY", "another")
    before = dict(os.environ)
    with EngineRunner("agent-chat", env={**env, "ANTHROPIC_MODEL": "claude-haiku-5-5"}) as runner:
        events = list(runner.stream(ASK))
    assert events[1]["model"] == "claude-haiku-5-5"
    assert events[-1]["type"] == "done"
    assert dict(os.environ) == before
    without = {name: value for name, value in env.items() if name != "ANTHROPIC_API_KEY"}
    with EngineRunner("agent-chat", env=without) as runner, pytest.raises(RunFailed) as failed:
        runner.run(ASK)
    assert failed.value.code == "auth"
    clouded = EngineRunner("agent-chat", env={**env, "CLAUDE_CODE_USE_VERTEX": "1"})
    with clouded as runner, pytest.raises(RunRefused) as refused:
        runner.run(ASK)
    assert "Google Vertex AI" in refused.value.details[0]["message"]


def test_the_way_to_the_api_is_the_given_one_and_not_this_processes(
    env: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    env["CLAUDE_CODE_MAX_RETRIES"] = "0"
    with odd_api(says(text("Hello."))) as api:
        with EngineRunner("agent-chat", env={**env, "ANTHROPIC_BASE_URL": api.url}) as runner:
            assert runner.run(ASK).text == "Hello."
        monkeypatch.setenv("no_proxy", "*")
        given = {"ANTHROPIC_BASE_URL": "http://api.invalid", "http_proxy": api.url.replace("//", "//me:canary@")}
        with EngineRunner("agent-chat", env={**env, **given}) as runner:
            assert runner.run(ASK).text == "Hello."
    assert api.heads[1][""].startswith("POST http://api.invalid/v1/messages")


def test_a_skill_is_found_where_the_given_variables_say(
    env: dict[str, str], tmp_path: Path, simulator: Simulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_skill(tmp_path / "skills")
    make_skill(tmp_path / "others", name="other")
    monkeypatch.setenv("AGENT_WORKERS_SKILLS_PATH", str(tmp_path / "others"))
    play(simulator, Message(content=(ToolUse(name="StructuredOutput", input=GOOD),)))
    with EngineRunner("agent-skill", env={**env, "AGENT_WORKERS_SKILLS_PATH": str(tmp_path / "skills")}) as runner:
        assert runner.run({"skill": "score", "input": DEAL}).output == GOOD
        with pytest.raises(RunRefused):
            runner.run({"skill": "other", "input": DEAL})


def test_workers_share_a_runner(env: dict[str, str], tmp_path: Path, simulator: Simulator) -> None:
    make_skill(tmp_path / "skills")
    env["AGENT_WORKERS_SKILLS_PATH"] = str(tmp_path / "skills")
    answer = Message(content=(ToolUse(name="StructuredOutput", input=GOOD),))

    async def ran() -> tuple[Result, Result]:
        async with AsyncEngineRunner("agent-chat", env=env) as chats:
            skills = chats.for_worker("agent-skill")
            play(simulator, answer)
            scored = await skills.run({"skill": "score", "input": DEAL})
            simulator.play("hello")
            return scored, await chats.run(ASK)

    scored, chat = in_a_loop(ran)
    assert (scored.output, chat.output) == (GOOD, None)
    assert scored.event["skill"] == "score"
    assert chat.text.endswith("Hello")


@pytest.mark.parametrize(("scenario", "text"), [("", "You said: Hello"), ("refusal", "I am afraid that I")])
def test_a_simulator_may_answer_without_an_account(tmp_path: Path, scenario: str, text: str) -> None:
    with EngineRunner("agent-chat", env={"HOME": str(tmp_path)}, simulate=scenario) as runner:
        events = list(runner.stream(ASK))
    assert events[0]["simulated"] is True
    assert events[-1]["text"].endswith(text)


def test_a_message_that_was_answered_before_is_not_asked_for(env: dict[str, str], simulator: Simulator) -> None:
    async def given() -> Any:
        usage = {"input_tokens": 1_000_000, "output_tokens": 0}
        yield {"type": "message_start", "message": {"id": "m", "model": "claude-opus-5-5", "usage": usage}}
        yield {"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": "Given."}}
        yield {"type": "content_block_stop", "index": 0}
        yield {"type": "message_delta", "delta": {"stop_reason": "end_turn"}, "usage": {"output_tokens": 0}}
        yield {"type": "message_stop"}

    async def ran() -> Result:
        request = {**ASK, "model": "claude-opus-5-5"}
        async with (
            AsyncEngineRunner("agent-chat", env=env) as runner,
            runner.stream(request, given=given(), lane="economy") as run,
        ):
            return await run.result()

    result = in_a_loop(ran)
    assert (result.text, result.event["lane"]) == ("Given.", "economy")
    assert simulator.requests() == []
    assert result.cost_usd == pytest.approx(2.0)  # half of the price


def test_what_breaks_in_mid_stream_is_made_good_for_each_run_alone(runner: EngineRunner, simulator: Simulator) -> None:
    cut = Message(content=(Text(text="It breaks here."),), interruption=Interruption(kind="cut", after=1), delay_ms=50)
    play(simulator, cut, said("Whole."))
    with ThreadPoolExecutor(3) as threads:
        texts = list(threads.map(lambda _: runner.run(ASK).text, range(3)))
    assert texts == ["Whole."] * 3


def test_runs_that_have_ended_leave_nothing_in_memory(runner: EngineRunner) -> None:
    for _ in range(10):
        runner.run(ASK)

    def left() -> list[object]:
        gc.collect()
        return [each for each in gc.get_objects() if isinstance(each, EngineProcess | MessagesEngine | Conversation)]

    until(lambda: left() == [], what=left)


def test_the_time_limit_of_a_request_holds(runner: EngineRunner, simulator: Simulator) -> None:
    simulator.play("stall-before")
    began = time.monotonic()
    with pytest.raises(RunFailed) as failed:
        runner.run({**ASK, "limits": {"timeout_s": 0.3}})
    assert failed.value.code == "timeout"
    assert time.monotonic() - began < 30


# What it is made with


@pytest.mark.parametrize("runner", [EngineRunner, AsyncEngineRunner])
@pytest.mark.parametrize(
    ("arguments", "cure"),
    [
        (["--simulate"], 'simulate=""'),
        (["--simulate=hello"], 'simulate="hello"'),
        (["--policy=/etc/p.toml"], 'policy="/etc/p.toml"'),
        (["--policy", "/etc/p.toml"], 'policy="/etc/p.toml"'),
        (["--control"], "policy, env, simulate, connections"),
    ],
)
def test_options_of_a_command_line_are_refused_with_what_to_write(
    runner: type[Any], arguments: list[str], cure: str
) -> None:
    with pytest.raises(TypeError, match="takes no options of a command line") as refused:
        runner("agent-chat", *arguments)
    assert cure in str(refused.value)


def test_a_worker_and_a_scenario_that_do_not_exist_are_refused_at_once() -> None:
    with pytest.raises(ValueError, match=r"no worker is called 'agent-chta'; one of: agent-chat, "):
        EngineRunner("agent-chta")
    with pytest.raises(ValueError, match=r"no scenario 'helo'. Did you mean 'hello'\?"):
        EngineRunner("agent-chat", simulate="helo")


@pytest.mark.parametrize(("package", "extra"), [("httpx2", "messages"), ("uvicorn", "simulator")])
def test_without_its_extra_it_says_how_to_install_it(package: str, extra: str, tmp_path: Path) -> None:
    program = tmp_path / "program.py"
    program.write_text("from agent_workers.client import EngineRunner\nEngineRunner('agent-chat', simulate='')\n")
    ran = subprocess.run(
        where_missing(package, str(program)), capture_output=True, text=True, timeout=PATIENCE_S, check=False
    )
    last = ran.stderr.splitlines()[-1]
    assert last == f"ModuleNotFoundError: {package} is missing. In a clone of this project: pip install '.[{extra}]'"
