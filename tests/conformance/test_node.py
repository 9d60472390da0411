"""The worker of examples/node: it keeps the contract, and its page says what it does."""

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import pytest

from agent_workers.conformance import load_cases
from agent_workers.simulator import running_simulator
from tests.laravel.site import environ_of, pids
from tests.node import EXAMPLE, ROOT, built
from tests.waiting import PATIENCE_S, until

README = (EXAMPLE / "README.md").read_text("utf-8")
BIN = Path(sys.executable).parent
BUILD, HELLO, SIMULATED, CONFORM = re.findall(r"^```sh\n(.*?)^```$", README, re.MULTILINE | re.DOTALL)
RUNS_OF_A_TASK = {"permission", "tool_output", "subagent"}
"""What an agent does that has tools of its own, which a chat has not."""
OF_A_TASK = {case.id for case in load_cases() if case.run in RUNS_OF_A_TASK}


@pytest.fixture(scope="module")
def worker(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return built(tmp_path_factory.mktemp("node"))


@pytest.fixture
def environ(tmp_path: Path) -> Iterator[dict[str, str]]:
    """Nothing of this machine's, and a simulator in the API's place."""
    with running_simulator() as simulator:
        yield {
            "PATH": f"{BIN}:{os.environ['PATH']}",
            "HOME": str(tmp_path),
            "TMPDIR": str(tmp_path),
            "ANTHROPIC_BASE_URL": simulator.base_url,
            "ANTHROPIC_API_KEY": "dummy",
        }


def shell(command: str, worker: Path, environ: dict[str, str]) -> "subprocess.CompletedProcess[str]":
    """Runs a command of the page."""
    return subprocess.run(
        ["bash", "-euo", "pipefail", "-c", command],
        cwd=worker.parents[1],
        env=environ,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=5 * PATIENCE_S,
        check=False,
    )


def run(worker: Path, environ: dict[str, str], *options: str, **request: Any) -> tuple[int, list[dict[str, Any]]]:
    return run_text(worker, environ, json.dumps({"prompt": "Hello", **request}), *options)


def run_text(worker: Path, environ: dict[str, str], request: str, *options: str) -> tuple[int, list[dict[str, Any]]]:
    ran = subprocess.run(
        [worker, *options],
        input=request,
        env=environ,
        capture_output=True,
        text=True,
        timeout=PATIENCE_S,
        check=False,
    )
    return ran.returncode, [json.loads(line) for line in ran.stdout.splitlines()]


def test_it_keeps_the_contract_and_skips_only_what_a_chat_has_not(
    worker: Path, environ: dict[str, str], tmp_path: Path
) -> None:
    junit = tmp_path / "junit.xml"
    ran = shell(CONFORM.replace(" -- ", f" --junit {junit} --patience 5 -- "), worker, environ)
    assert ran.returncode == 0, ran.stdout
    assert "Level full" in ran.stdout
    cases = ET.parse(junit).iter("testcase")
    assert {str(case.get("name")) for case in cases if case.find("skipped") is not None} == OF_A_TASK


def test_what_it_skips_has_a_reason() -> None:
    profile = json.loads((EXAMPLE / "conform.json").read_text("utf-8"))
    assert set(profile["skip"]) <= OF_A_TASK
    assert RUNS_OF_A_TASK.isdisjoint(profile["runs"])
    assert all(len(reason.split()) > 8 for reason in profile["skip"].values())


def test_the_commands_of_its_page_build_it_and_let_it_answer(worker: Path, environ: dict[str, str]) -> None:
    assert BUILD == "npm ci\nnpm run build\n"  # as `make` and the fixture do
    told = shell(HELLO, worker, environ)
    assert told.returncode == 0, told.stderr
    assert "You said: Hello" in told.stdout


def test_without_an_account_the_page_says_why_there_is_no_answer_and_how_to_get_one(
    worker: Path, environ: dict[str, str]
) -> None:
    nothing = {name: value for name, value in environ.items() if not name.startswith("ANTHROPIC_")}
    assert "You said: Hello" in shell(SIMULATED, worker, nothing).stdout
    unreachable = {**environ, "ANTHROPIC_BASE_URL": "http://127.0.0.1:9"}
    assert "connection to the model's API failed" in shell(HELLO, worker, unreachable).stdout


def test_a_conversation_goes_on_for_its_owner_alone(worker: Path, environ: dict[str, str]) -> None:
    _, first = run(worker, environ, prompt="My name is Ada. [[scenario:memory]]", session_owner="user-7")
    session = {"resume": first[-1]["session_id"]}
    again = {"prompt": "Who am I? [[scenario:memory]]", "session": session}
    status, [*_, refused] = run(worker, environ, **again, session_owner="user-8")
    assert (status, refused["code"]) == (1, "session_not_found")
    status, [*_, done] = run(worker, environ, **again, session_owner="user-7")
    assert status == 0
    assert "My name is Ada." in done["text"]
    status, [*_, refused] = run(worker, environ, session={"id": session["resume"]})
    assert (status, refused["code"]) == (1, "session_exists")


def test_of_two_who_begin_a_conversation_under_one_id_at_once_one_has_it(worker: Path, environ: dict[str, str]) -> None:
    session = {"id": "0f8fad5b-d9cb-469f-a165-70867728950e"}

    def begin(owner: str) -> str:
        status, [*_, last] = run(worker, environ, session=session, session_owner=owner)
        return str(last.get("code", status))

    with ThreadPoolExecutor(4) as threads:
        assert sorted(threads.map(begin, ("a", "b", "c", "d"))) == ["0", *["session_exists"] * 3]


def test_a_fork_remembers_and_is_another_conversation(worker: Path, environ: dict[str, str]) -> None:
    _, [*_, first] = run(worker, environ, prompt="My name is Ada. [[scenario:memory]]")
    fork = {"resume": first["session_id"], "fork": True}
    status, events = run(worker, environ, prompt="Who am I? [[scenario:memory]]", session=fork)
    assert status == 0
    assert "My name is Ada." in events[-1]["text"]
    assert events[-1]["session_id"] != first["session_id"]


def test_what_it_cannot_do_is_refused_at_its_field(worker: Path, environ: dict[str, str]) -> None:
    odd = {"engine": "messages", "max_tokens": 9, "tools": ["AskUserQuestion"], "limits": {"timeout": 9}}
    status, [refusal] = run(worker, environ, **odd)
    assert status == 2
    assert {problem["pointer"] for problem in refusal["details"]} == {
        "/engine",
        "/max_tokens",
        "/tools",
        "/limits/timeout",
    }
    [near] = [problem["did_you_mean"] for problem in refusal["details"] if "did_you_mean" in problem]
    assert near == "timeout_s"


def test_of_many_problems_it_tells_the_first_hundred_in_a_valid_line(worker: Path, environ: dict[str, str]) -> None:
    status, [refusal] = run(worker, environ, **{f"{number}{'x' * 900}": 1 for number in range(40_000)})
    assert (status, refusal["code"], len(refusal["details"])) == (2, "invalid_request", 100)
    assert "truncated_bytes" not in refusal


def test_what_not_every_reader_could_take_back_is_refused(worker: Path, environ: dict[str, str]) -> None:
    for value, words in (("[" * 200 + "]" * 200, "is nested deeper than 128 levels"), ("1e400", "is not JSON")):
        request = f'{{"prompt": "Hello", "metadata": {{"a": {value}}}}}'
        status, [refusal] = run_text(worker, environ, request)
        assert (status, refusal["details"][0]["message"]) == (2, words)


def test_a_simulator_is_never_a_model_in_disguise(worker: Path, environ: dict[str, str]) -> None:
    simulated = {**environ, "ANTHROPIC_BASE_URL": f"{environ['ANTHROPIC_BASE_URL']}/simulated"}
    assert run(worker, simulated, "--simulate")[1][0]["simulated"] is True
    elsewhere = {**environ, "ANTHROPIC_BASE_URL": "http://127.0.0.1:9"}
    status, [refusal] = run(worker, elsewhere, "--simulate")
    assert (status, refusal["code"]) == (2, "invalid_request")
    assert "agent-workers simulate" in refusal["details"][0]["message"]


def test_a_cli_that_is_not_there_and_an_api_that_is_not_are_told_apart(worker: Path, environ: dict[str, str]) -> None:
    status, events = run(worker, {**environ, "AGENT_WORKERS_CLI": "/nonexistent"})
    assert ([event["type"] for event in events], status) == (["start", "error"], 1)
    assert events[-1]["code"] == "cli_missing"
    status, events = run(worker, {**environ, "ANTHROPIC_BASE_URL": "http://127.0.0.1:9"})
    assert (events[-1]["code"], events[-1]["retryable"], status) == ("network", True, 75)
    assert [event["code"] for event in events if event["type"] == "retry"] == ["network", "network"]


def test_a_worker_that_is_killed_takes_its_agent_along(worker: Path, environ: dict[str, str]) -> None:
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.DEVNULL}
    with subprocess.Popen([worker, "--control"], env=environ, **pipes) as running:
        assert running.stdin
        assert running.stdout
        running.stdin.write(b'{"prompt": "Go on. [[scenario:slow]]"}\n')
        running.stdin.flush()
        while b'"delta"' not in running.stdout.readline():
            pass
        mark = f"HOME={environ['HOME']}".encode()
        assert [pid for pid in pids() if mark in environ_of(pid) and pid != running.pid]
        running.kill()
        running.wait(PATIENCE_S)
    until(lambda: not [pid for pid in pids() if mark in environ_of(pid)], within_s=5, what="the end of the agent")


def test_no_lock_file_names_a_registry() -> None:
    command = ["git", "ls-files", "*package-lock.json"]
    listed = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=PATIENCE_S, check=True).stdout
    assert len(listed.splitlines()) >= 3
    assert [file for file in listed.splitlines() if '"resolved": "http' in (ROOT / file).read_text("utf-8")] == []
