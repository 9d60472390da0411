"""A chat's agent boots while what checks the request is imported: nothing else of a run differs by that."""

import re
import signal
import sys
from pathlib import Path
from typing import Any

import pytest

from agent_workers.engine.claude.launch.installation import find_cli
from agent_workers.simulator import Simulator
from tests.e2e.worker import SCRIPTS, Ended, Home, Running, catches, encoded, script
from tests.live_files import conversations
from tests.waiting import until

PLAIN = {"prompt": "Hello", "metadata": {"order": 4711}, "attempt": 2}
REFUSED = {"prompt": "Hello", "limits": {"timeout_s": -1}, "run": "mine"}
SCHEMA = {"type": "object", "properties": {"answer": {"type": "string"}}, "required": ["answer"]}
GONE_S = 5

# The installed worker. Its request is all there before its first line, and something is done at an import.
WATCHED = """
import os, runpy, select, signal, sys
from pathlib import Path

def agents():
    return Path(f"/proc/self/task/{{os.getpid()}}/children").read_text().split()

class Watch:
    def find_spec(self, name, path=None, target=None):
        if name == "{module}":
            sys.meta_path.remove(self)
            {act}

sys.meta_path.insert(0, Watch())
poll = select.poll()
poll.register(0, select.POLLIN if "--control" in sys.argv else 0)
poll.poll()
sys.argv = sys.argv[1:]
runpy.run_path(sys.argv[0], run_name="__main__")
"""
TELL = "print('agents:', len(agents()), file=sys.stderr, flush=True)"
LEAVE = f"{TELL}; os._exit(0)"


def start(
    home: Home, *arguments: str, act: str = TELL, module: str = "pydantic", reading: bool = True, **environ: str
) -> Running:
    code = WATCHED.format(module=module, act=act)
    command = [sys.executable, "-EPc", code, str(SCRIPTS / "agent-workers-entry"), "agent-chat", *arguments]
    return home.run_command(command, {**home.environ, **environ}, reading=reading)


def run(home: Home, request: object, *arguments: str, whole: bool = True, **options: str) -> Ended:
    running = start(home, *arguments, **options)
    running.write(encoded(request) + b"\n")
    if "--control" not in arguments:
        running.end_input()
    return running.end(whole=whole)


def run_late(home: Home, request: object, **environ: str) -> Ended:
    """Runs a request that comes when the worker has imported what checks it."""
    running = home.start(env=environ)
    until(lambda: catches(running.pid, signal.SIGTERM))
    running.write(encoded(request) + b"\n")
    running.end_input()
    return running.end()


def started_early(ended: Ended) -> int:
    return int(re.findall(r"^agents: (\d)$", ended.stderr, re.MULTILINE)[0])


def said(ended: Ended) -> str:
    """What a run has written to stderr, but for the line of these tests."""
    told = re.sub(r"^agents: \d\n", "", ended.stderr, flags=re.MULTILINE)
    return re.sub("agent-worker-[0-9a-f]+", "", told)


def left(home: Home) -> list[Path]:
    """The files of runs that ought not to be there."""
    folders = (home.root / "state/sessions", home.root / "state/workspaces/agent-chat", home.temporary)
    return [*(path for folder in folders if folder.exists() for path in folder.iterdir()), *conversations(home.root)]


def is_clean(home: Home) -> bool:
    return not home.processes() and not left(home)


def what_is_left(home: Home) -> str:
    return f"{home.left()} {left(home)}"


def is_stopped(pid: int) -> bool:
    return Path(f"/proc/{pid}/stat").read_text().rpartition(") ")[2][0] == "T"


def comparable(ended: Ended) -> Any:
    """The events without what is another in each run; a text's pieces are joined."""
    own = {"run", "ts", "seq", "session_id", "duration_ms"}
    events = [{name: value for name, value in event.items() if name not in own} for event in ended.events]
    words = "".join(event["text"] for event in ended.of("delta"))
    return ended.status, words, [event for event in events if event["type"] not in ("delta", "ping")]


def asked(simulator: Simulator) -> Any:
    """What the model was asked, but for what is another in each run."""
    body = simulator.requests("/v1/messages")[-1].body
    return {name: value for name, value in body.items() if name != "metadata"}


@pytest.mark.parametrize("arguments", [(), ("--control",)], ids=["all of stdin", "its first line"])
def test_the_agent_of_a_plain_chat_is_started_before_what_checks_requests_is_loaded(
    home: Home, arguments: tuple[str, ...]
) -> None:
    ended = run(home, PLAIN, *arguments)
    assert started_early(ended) == 1
    assert ended.ending == ("done", 0)


@pytest.mark.parametrize(
    "more",
    [
        {"system_prompt": "Be brief.", "session_owner": "ada", "user": "ada", "thinking": True},
        {"model": "claude-haiku-4-5", "max_turns": 2, "stream": {"partial": False}, "limits": {"timeout_s": 60}},
        {"output_schema": SCHEMA},
        {"prompt": [{"type": "text", "text": "Hello"}]},
    ],
)
def test_events_and_what_the_model_is_asked_are_the_same(home: Home, simulator: Simulator, more: Any) -> None:
    early = run(home, {**PLAIN, **more})
    by_early = asked(simulator)
    late = run_late(home, {**PLAIN, **more})
    assert (started_early(early), early.ending) == (1, ("done", 0))
    assert comparable(early) == comparable(late)
    assert by_early == asked(simulator)
    assert said(early) == said(late) == ""


def test_a_session_that_began_with_an_early_agent_goes_on_with_its_owner_alone(home: Home) -> None:
    session = {"resume": run(home, {**PLAIN, "session_owner": "ada"}).last["session_id"]}
    assert home.run({"prompt": "Go on.", "session": session}).ending == ("session_not_found", 1)
    assert home.run({"prompt": "Go on.", "session": session, "session_owner": "ada"}).ending == ("done", 0)


@pytest.mark.parametrize(
    ("request_", "arguments"),
    [
        ({**PLAIN, "session": {"id": "0b0f5a44-3b0f-4a0e-8d0b-0f1a2b3c4d5e"}}, ()),
        ({**PLAIN, "tools": ["AskUserQuestion"]}, ("--control",)),
        ({**PLAIN, "app_tools": []}, ("--control",)),
        ({**PLAIN, "engine": "messages"}, ()),
        ({**PLAIN, "limits": {"max_budget_usd": 1}}, ()),
        ({**PLAIN, "promt": "x"}, ()),
        ({**PLAIN, "model": 7}, ()),
        ({**PLAIN, "max_turns": True}, ()),
        ({"prompt": " \n"}, ()),
        (b"[]", ()),
        (b'{"prompt": ', ()),
        (b"\xff", ()),
        (b'{"prompt": "x", "metadata": {"a": NaN}}', ()),
        ({"prompt": [{"type": "text", "text": " "}]}, ()),
        (PLAIN, ("--credential-fd=7",)),
        (PLAIN, ("--pretty",)),
    ],
)
def test_no_other_request_starts_an_agent_early(home: Home, request_: object, arguments: tuple[str, ...]) -> None:
    assert started_early(run(home, request_, *arguments, act=LEAVE, whole=False)) == 0


def test_a_policy_is_asked_before_an_agent_is_started(home: Home, tmp_path: Path) -> None:
    policy = tmp_path / "policy.toml"
    policy.write_text('[models]\nallow = ["claude-haiku-4-5"]\n')
    by_variable = run(home, PLAIN, act=LEAVE, whole=False, AGENT_WORKERS_POLICY=str(policy))
    assert started_early(by_variable) == 0
    assert started_early(run(home, PLAIN, "--policy", str(policy), act=LEAVE, whole=False)) == 0


def test_a_request_that_is_refused_after_all_leaves_nothing(home: Home, simulator: Simulator) -> None:
    early = run(home, REFUSED)
    assert started_early(early) == 1
    assert is_clean(home), what_is_left(home)
    late = run_late(home, REFUSED)
    assert comparable(early) == comparable(late)
    assert said(early) == said(late) != ""
    assert simulator.requests() == []


@pytest.mark.parametrize("module", ["pydantic", "agent_workers.stdio.serve", "agent_workers.protocol.v1.explain"])
def test_a_stop_during_the_imports_ends_the_agent_too(home: Home, simulator: Simulator, module: str) -> None:
    act = f"{TELL}; os.kill(os.getpid(), signal.SIGTERM)"
    ended = run(home, REFUSED, act=act, module=module)
    assert started_early(ended) == 1
    assert (ended.types, ended.status) == (["aborted"], 3)
    until(lambda: is_clean(home), within_s=GONE_S, what=lambda: what_is_left(home))
    assert simulator.requests() == []


def test_a_worker_that_is_killed_during_the_imports_leaves_no_process_and_no_file(home: Home) -> None:
    ended = run(home, PLAIN, act=f"{TELL}; os.kill(os.getpid(), signal.SIGKILL)", whole=False)
    assert (started_early(ended), ended.status) == (1, -signal.SIGKILL)
    until(lambda: not home.processes(), within_s=GONE_S, what=home.left)
    until(lambda: not list(home.temporary.iterdir()), within_s=GONE_S)


def test_a_reader_that_goes_during_the_imports_ends_the_agent_too(home: Home, simulator: Simulator) -> None:
    running = start(home, act=f"{TELL}; os.kill(os.getpid(), signal.SIGSTOP)", reading=False)
    running.write(encoded(PLAIN))
    running.end_input()
    until(lambda: "agents: 1" in running.stderr and is_stopped(running.pid))
    running.close_output()
    running.signal(signal.SIGCONT)
    assert running.status == 4
    until(lambda: is_clean(home), within_s=GONE_S, what=lambda: what_is_left(home))
    assert simulator.requests("/v1/messages") == []


@pytest.mark.parametrize(
    "broken",
    [
        {"AGENT_WORKERS_CLI": "/nowhere/claude"},
        {"AGENT_WORKERS_STATE_DIR": "/dev/null/state"},
        {"TMPDIR": "/dev/null/tmp"},
    ],
)
def test_what_keeps_an_agent_from_starting_is_told_once_and_in_its_place(home: Home, broken: dict[str, str]) -> None:
    early = run(home, PLAIN, **broken)
    late = run_late(home, PLAIN, **broken)
    assert started_early(early) == 0
    assert early.types == ["start", "error"]
    assert comparable(early) == comparable(late)
    assert said(early) == said(late)


def test_an_agent_that_has_ended_before_its_request_is_replaced(home: Home, tmp_path: Path) -> None:
    mark = tmp_path / "mark"
    cli = script(tmp_path / "cli", f'[ -e {mark} ] || {{ touch {mark}; exit 1; }}; exec {find_cli({})} "$@"')
    wait = "import time; [time.sleep(0.01) for _ in range(500) if not ended()]"
    gone = "ended = lambda: not Path(f'/proc/{agents()[0]}/task/{agents()[0]}/children').read_text()"
    ended = run(home, PLAIN, act=f"{TELL}; {gone}; {wait}", AGENT_WORKERS_CLI=str(cli))
    assert (started_early(ended), ended.ending) == (1, ("done", 0))
    assert mark.exists()


def test_the_secrets_of_the_process_are_forgotten_when_its_agent_starts(home: Home) -> None:
    act = "print(b'canary' in Path('/proc/self/environ').read_bytes(), 'canary' in str(os.environ), file=sys.stderr)"
    ended = run(home, PLAIN, act=act)
    assert (ended.stderr, ended.ending) == ("False False\n", ("done", 0))
