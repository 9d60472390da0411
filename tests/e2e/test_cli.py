"""A CLI that is missing, crashes or writes what nobody expected; and libraries that print."""

import json
import sys
from pathlib import Path

import claude_agent_sdk
import pytest

from agent_workers.simulator import Simulator
from tests.e2e.worker import Home, encoded, script

pytestmark = pytest.mark.usefixtures("loaded")
CLI = Path(claude_agent_sdk.__file__).parent / "_bundled" / "claude"
INIT = '{"type":"system","subtype":"init","session_id":"5f0c4d1e-0000-4000-8000-000000000000","model":"m","tools":[]}'
RETRYABLE = 75

CRASHES = {
    "exits at once": ["exit 1"],
    "exits with success": ["exit 0"],
    "is killed": ["kill -9 $$"],
    "aborts": ["kill -ABRT $$"],
    "writes garbage": ["head -c 100000 /dev/urandom", "exit 0"],
    "writes half a line": [f"echo '{INIT}'", 'printf \'{"type":"stream_ev\'', "exit 1"],
    "closes its streams and stays": ["exec <&- >&- 2>&-", "sleep 60"],
    "says why on stderr": ["echo 'Segmentation fault' >&2", "exit 139"],
}


@pytest.mark.parametrize("commands", CRASHES.values(), ids=CRASHES)
@pytest.mark.parametrize("prompt", ["x", "x" * (2 << 20)], ids=["small prompt", "large prompt"])
def test_a_cli_that_crashes_is_an_error_worth_a_retry(home: Home, commands: list[str], prompt: str) -> None:
    crashing = script(home.root / "claude", *commands)
    ended = home.run({"prompt": prompt, "metadata": {"order": 4711}}, env={"AGENT_WORKERS_CLI": str(crashing)})
    assert ended.ending == ("cli_crashed", RETRYABLE)
    assert ended.last["retryable"] is True
    assert ended.last["metadata"] == {"order": 4711}
    assert "Traceback" not in ended.stderr
    if "Segmentation" in "".join(commands):
        assert "Segmentation fault" in ended.stderr
        assert "139" in ended.stderr


def test_a_cli_that_crashes_in_mid_stream_leaves_what_was_said(home: Home) -> None:
    events = [
        '{"type":"message_start","message":{"id":"m1","usage":{"input_tokens":7}}}',
        '{"type":"content_block_start","index":0,"content_block":{"type":"text"}}',
        '{"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":"Half an "}}',
    ]
    lines = [INIT, *(f'{{"type":"stream_event","event":{event}}}' for event in events)]
    crashing = script(home.root / "claude", *(f"echo '{line}'" for line in lines), "exit 1")
    ended = home.run({"prompt": "x"}, env={"AGENT_WORKERS_CLI": str(crashing)})
    assert ended.ending == ("cli_crashed", RETRYABLE)
    assert [event["text"] for event in ended.of("delta")] == ["Half an "]
    assert ended.last["session_id"] == "5f0c4d1e-0000-4000-8000-000000000000"
    assert ended.last["usage"] == {"input_tokens": 7}


def test_a_cli_that_writes_a_line_without_end_is_stopped(home: Home) -> None:
    endless = script(home.root / "claude", "tr '\\0' x < /dev/zero")
    ended = home.run({"prompt": "x"}, env={"AGENT_WORKERS_CLI": str(endless)})
    assert ended.ending == ("cli_crashed", RETRYABLE)


@pytest.mark.parametrize("kind", ["missing", "a directory", "not executable", "no program"])
def test_a_cli_that_cannot_be_run_is_missing(home: Home, kind: str) -> None:
    path = home.root / "claude"
    if kind == "a directory":
        path.mkdir()
    elif kind != "missing":
        path.write_bytes(b"\x7fno program")
        path.chmod(0o755 if kind == "no program" else 0o644)
    ended = home.run({"prompt": "x", "metadata": {"order": 4711}}, env={"AGENT_WORKERS_CLI": str(path)})
    assert ended.types == ["start", "error"]
    assert ended.ending == ("cli_missing", 1)
    assert ended.last["metadata"] == {"order": 4711}
    assert str(path) not in ended.last["message"]
    assert str(path) in ended.stderr


STRANGE = [
    "plain text",
    "",
    "[1]",
    '"text"',
    "{broken",
    '{"type":"weather","temperature":21}',
    '{"type":["system"]}',
    '{"no":"type"}',
    '{"type":"system","subtype":"init"}',
    '{"type":"system","subtype":"news"}',
    '{"type":"stream_event"}',
    '{"type":"stream_event","event":{"type":"content_block_delta"}}',
    '{"type":"stream_event","event":{"type":"content_block_delta","index":9,"delta":{"type":"text_delta","text":"x"}}}',
    '{"type":"stream_event","event":null}',
    '{"type":"assistant"}',
    '{"type":"assistant","message":{"content":[{"type":"unheard_of"}],"id":"m"}}',
    '{"type":"user","message":{"content":[{"type":"tool_result"}]}}',
    '{"type":"control_response"}',
    '{"type":"control_request","request":{"subtype":"unheard_of"},"request_id":"r"}',
    '{"type":"rate_limit_event","rate_limit_info":null}',
]


def test_what_the_worker_does_not_understand_is_ignored(home: Home, tmp_path: Path) -> None:
    strange = tmp_path / "strange"
    strange.write_text("\n".join([*STRANGE, ""]), "utf-8")
    wrapped = script(home.root / "claude", f"cat {strange}", f'exec {CLI} "$@"')
    ended = home.run({"prompt": "Hello"}, env={"AGENT_WORKERS_CLI": str(wrapped)})
    assert ended.ending == ("done", 0)
    assert ended.types == ["start", "notice", "session", *["delta"] * (len(ended.events) - 4), "done"]
    assert ended.of("notice")[0]["code"] == "unknown_block"
    assert ended.last["text"].endswith("You said: Hello")
    assert ended.stderr == ""


def test_a_result_that_cannot_be_understood_is_the_workers_fault_and_is_not_quoted(home: Home) -> None:
    result = '{"type":"result","subtype":"success","session_id":"s","usage":"answer-canary"}'
    strange = script(home.root / "claude", f"echo '{INIT}'", f"echo '{result}'", "cat > /dev/null")
    ended = home.run({"prompt": "x"}, env={"AGENT_WORKERS_CLI": str(strange)})
    assert ended.ending == ("internal", 1)
    assert "answer-canary" not in ended.stderr + ended.output.decode()


def test_a_long_result_of_a_tool_is_cut_in_a_marked_way(home: Home) -> None:
    block = {"type": "tool_result", "tool_use_id": "t1", "content": "ab" * 200_000}
    message = {"type": "user", "message": {"role": "user", "content": [block]}}
    (home.root / "result").write_text(json.dumps(message) + "\n")
    ending = '{"type":"result","subtype":"success","session_id":"s","stop_reason":"end_turn","usage":{}}'
    lines = (f"echo '{INIT}'", f"cat {home.root / 'result'}", f"echo '{ending}'", "cat > /dev/null")
    scripted = script(home.root / "claude", *lines)
    ended = home.run({"prompt": "x"}, env={"AGENT_WORKERS_CLI": str(scripted)})
    [result] = ended.of("tool_result")
    assert result["content"].startswith("abab")
    assert result["truncated_bytes"] >= 400_000 - 256 * 1024
    assert ended.ending == ("done", 0)


PRINTING = """
import os, sys
print("stray words before anything else")

class Printing:
    def find_spec(self, name, path=None, target=None):
        global LATE
        LATE = LATE or name == "agent_workers.engine.claude.engine"  # by then the worker has claimed its stdout
        if name.partition(".")[0] in ("agent_workers", "anyio", "claude_agent_sdk", "asyncio"):
            print("stray words while importing", name, flush=LATE)
            if LATE:
                os.write(1, b"stray bytes")
                os.system("echo stray words of a child")

LATE = False
sys.meta_path.insert(0, Printing())

from agent_workers.cli import start
start()
"""


def test_what_libraries_print_cannot_harm_the_stream(home: Home, tmp_path: Path) -> None:
    program = tmp_path / "printing"  # the worker's own script keeps what the caller's Python would load away from it
    program.write_text(PRINTING, "utf-8")
    running = home.run_command([sys.executable, "-P", str(program), "agent-chat"])
    running.write(encoded({"prompt": "Hello"}))
    running.end_input()
    ended = running.end()
    assert ended.ending == ("done", 0)
    assert "stray words of a child" in ended.stderr
    assert "stray bytes" in ended.stderr


def test_an_answer_is_told_though_the_agent_does_not_end_after_it(home: Home, simulator: Simulator) -> None:
    staying = script(home.root / "claude", f'{CLI} "$@"', "trap '' TERM", "sleep 60 & wait")
    running = home.start(env={"AGENT_WORKERS_CLI": str(staying)})
    running.send({"prompt": "Hello"})
    running.end_input()
    running.wait_for("done")
    assert running.end().ending == ("done", 0)
