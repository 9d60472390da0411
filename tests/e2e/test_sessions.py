"""Conversations over several runs: whose they are, and one run at a time."""

import signal
import uuid
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from agent_workers.engine.claude.launch.installation import find_cli
from agent_workers.simulator import Simulator
from tests.e2e.beginning import Begin
from tests.e2e.desk import Desk, bash, results
from tests.e2e.worker import Ended, Home, Running, command_of, environ_of, script
from tests.live_files import everything
from tests.waiting import until

pytestmark = pytest.mark.usefixtures("loaded")
INSTALLED = pytest.mark.usefixtures("installed")
"""For tests of signals and of what ``/proc`` shows, and of runs that begin at once."""


def _of_ada(desk: Desk, **fields: Any) -> Ended:
    desk.simulator.play("memory")
    return desk.home.run({"prompt": "My name is Ada.", **fields})


@pytest.fixture
def first(begin: Begin) -> Ended:
    """The first run of a conversation."""
    return begin("a run", _of_ada)


@pytest.fixture
def memory(simulator: Simulator) -> Simulator:
    """The model says how much of the conversation it sees."""
    simulator.play("memory")
    return simulator


def test_a_session_goes_on_in_another_process(home: Home, memory: Simulator, first: Ended) -> None:
    second = home.run({"prompt": "What is my name?", "session": {"resume": first.last["session_id"]}})
    third = home.run({"prompt": "And again?", "session": {"resume": second.last["session_id"]}})
    assert second.last["text"] == "You sent 2 prompts. The first was: My name is Ada."
    assert third.last["text"] == "You sent 3 prompts. The first was: My name is Ada."
    assert {first.last["session_id"], second.last["session_id"], third.last["session_id"]} == {_session(first)}
    assert [run.of("session")[0]["resumed"] for run in (first, second, third)] == [False, True, True]


def test_a_fork_leaves_the_original_as_it_was(home: Home, memory: Simulator, first: Ended) -> None:
    fork = home.run({"prompt": "I am Bob.", "session": {"resume": _session(first), "fork": True}})
    again = home.run({"prompt": "Go on.", "session": {"resume": _session(first)}})
    assert _session(fork) != _session(first)
    assert fork.last["text"].startswith("You sent 2 prompts.")
    assert again.last["text"].startswith("You sent 2 prompts.")


def test_the_caller_may_choose_the_id_of_a_new_session_once(home: Home, memory: Simulator) -> None:
    chosen = str(uuid.uuid4())
    first = home.run({"prompt": "My name is Ada.", "session": {"id": chosen}})
    again = home.run({"prompt": "Me too.", "session": {"id": chosen}})
    assert first.last["session_id"] == _session(first) == chosen
    assert first.of("session")[0]["resumed"] is False
    assert again.ending == ("session_exists", 1)
    assert again.last["retryable"] is False


def test_an_unknown_session_is_not_found(home: Home, memory: Simulator) -> None:
    request = {"prompt": "x", "session": {"resume": str(uuid.uuid4())}, "metadata": {"order": 4711}}
    ended = home.run(request)
    assert ended.ending == ("session_not_found", 1)
    assert ended.last["retryable"] is False
    assert ended.last["metadata"] == {"order": 4711}
    assert memory.requests("/v1/messages") == []


def test_runs_without_a_session_know_nothing_of_each_other(home: Home, memory: Simulator, first: Ended) -> None:
    second = home.run({"prompt": "What is my name?"})
    assert _session(first) != _session(second)
    assert second.last["text"] == "You sent 1 prompts. The first was: What is my name?"


def test_a_stopped_run_can_be_resumed(home: Home, memory: Simulator) -> None:
    """What was asked is in the session, though the answer was cut off."""
    memory.play("slow")
    running = home.start("--control")
    running.send({"prompt": "My name is Ada."})
    running.wait_for("delta")
    running.send({"type": "abort", "id": "1"})
    stopped = running.end()
    memory.play("memory")
    ended = home.run({"prompt": "What is my name?", "session": {"resume": stopped.last["session_id"]}})
    assert ended.last["text"].endswith("The first was: My name is Ada.")


# Whose a session is


class Tried(NamedTuple):
    """A run in a session, and whether an agent started."""

    ended: Ended
    started: bool


ADA = {"session_owner": "ada@example.com"}
OTHERS: list[tuple[dict[str, str], dict[str, str]]] = [
    ({}, ADA),
    (ADA, {}),
    (ADA, {"session_owner": "bob@example.com"}),
    (ADA, {"session_owner": "Ada@example.com"}),
    (ADA, {"session_owner": "ada@example.com "}),
    ({}, {"session_owner": "None"}),
]


def tried_by_others(desk: Desk, owner: dict[str, str]) -> tuple[dict[str, list[Tried]], Ended]:
    """A session of this owner: how it went with all others, who would also fork it, and with its owner after that."""
    begun = _session(_of_ada(desk, **owner))
    tried = {
        str(other): [
            _tried(desk.home, {"prompt": "x", "session": {"resume": begun, "fork": fork}, **other})
            for fork in (False, True)
        ]
        for first, other in OTHERS
        if first == owner
    }
    return tried, desk.home.run({"prompt": "What is my name?", "session": {"resume": begun}, **owner})


@pytest.mark.parametrize(("first", "other"), OTHERS, ids=str)
def test_a_session_is_found_by_its_owner_alone(begin: Begin, first: dict[str, str], other: dict[str, str]) -> None:
    tried, ended = begin(f"tried by others than {first}", lambda desk: tried_by_others(desk, first))
    assert len(tried[str(other)]) == 2
    for each in tried[str(other)]:
        _assert_refused(each)
    assert ended.last["text"] == "You sent 2 prompts. The first was: My name is Ada."


def test_a_task_is_found_from_its_directory_and_by_its_worker_alone(desk: Desk, memory: Simulator) -> None:
    (inside := desk.cwd / "inside").mkdir()
    (beside := desk.home.root / "work-beside").mkdir()
    (link := desk.home.root / "link").symlink_to(desk.cwd)
    begun = _session(desk.run())
    for session in ({"resume": begun}, {"resume": begun, "fork": True}):
        for cwd in (inside, beside, desk.home.root):
            _refused(desk.home, desk.request(cwd=str(cwd), session=session), worker="agent-task")
        _refused(desk.home, {"prompt": "x", "session": session})
        assert desk.run(cwd=str(link), session=session).last["text"].endswith("The first was: Work.")


def test_a_chat_is_not_found_by_a_task_in_the_chats_own_directory(desk: Desk, memory: Simulator, first: Ended) -> None:
    workspace = desk.home.root / "state" / "workspaces" / "agent-chat"
    request = desk.request(cwd=str(workspace), session={"resume": _session(first)})
    _refused(desk.home, request, worker="agent-task")


def test_a_fork_belongs_to_the_owner_of_its_original(home: Home, memory: Simulator) -> None:
    begun = home.run({"prompt": "My name is Ada.", **ADA})
    fork = home.run({"prompt": "x", "session": {"resume": _session(begun), "fork": True}, **ADA})
    _refused(home, {"prompt": "x", "session": {"resume": _session(fork)}})
    assert home.run({"prompt": "x", "session": {"resume": _session(fork)}, **ADA}).ending == ("done", 0)


@INSTALLED
@pytest.mark.parametrize("named", [False, True], ids=["its own id", "an id of the caller"])
def test_a_session_whose_first_run_was_killed_is_its_owners(home: Home, memory: Simulator, named: bool) -> None:
    memory.play("slow")
    running = home.start()
    chosen = {"session": {"id": str(uuid.uuid4())}} if named else {}
    running.send({"prompt": "My name is Ada.", **ADA, **chosen})
    running.end_input()
    running.wait_for("delta")
    running.signal(signal.SIGKILL)
    session = {"resume": _session(running.end(whole=False))}
    until(lambda: not home.processes())
    memory.play("memory")
    _refused(home, {"prompt": "x", "session": session})
    ended = home.run({"prompt": "x", "session": session, **ADA})
    assert ended.last["text"].endswith("The first was: My name is Ada.")


def test_a_session_that_no_worker_has_begun_is_not_found(home: Home, memory: Simulator, first: Ended) -> None:
    """As one that a person has begun with the CLI itself."""
    for record in (home.root / "state" / "sessions").iterdir():
        record.unlink()
    _refused(home, {"prompt": "x", "session": {"resume": _session(first)}})


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b'{"worker": "agent-chat"}', b"\xff" * 100])
def test_a_record_that_is_damaged_opens_its_session_to_nobody(
    home: Home, memory: Simulator, first: Ended, content: bytes
) -> None:
    for record in (home.root / "state" / "sessions").iterdir():
        record.write_bytes(content)
    _refused(home, {"prompt": "x", "session": {"resume": _session(first)}})


def test_a_session_stays_with_the_configuration_directory_that_it_began_in(
    home: Home, memory: Simulator, first: Ended
) -> None:
    request = {"prompt": "x", "session": {"resume": _session(first)}}
    elsewhere = {"CLAUDE_CONFIG_DIR": str(home.root / "other")}
    assert home.run(request, env=elsewhere).ending == ("session_not_found", 1)
    assert home.run(request).last["text"].startswith("You sent 2 prompts.")


@INSTALLED
def test_what_others_can_see_of_a_session_does_not_resume_it(home: Home, memory: Simulator, first: Ended) -> None:
    """Command lines, environments and names of files, while a run is at work in it."""
    for session in ({"id": str(uuid.uuid4())}, {"resume": _session(first)}, {"resume": _session(first), "fork": True}):
        running = _at_work(home, memory, session)
        told = [_session_of(running), *session.values()]
        assert home.agents(of=running)
        for pid in home.processes():
            seen = command_of(pid) + b"".join(environ_of(pid))
            assert [name for name in told if isinstance(name, str) and name.encode() in seen] == []
        files = [str(path) for path in everything(home.root)]
        assert [name for name in told if isinstance(name, str) and name in " ".join(files)] == []
        running.signal(signal.SIGTERM)
        running.end()
    memory.play("memory")
    names = {path.stem for path in (home.root / "state" / "claude" / "projects").rglob("*.jsonl")}
    assert len(names) == 3
    for name in names:
        _refused(home, {"prompt": "x", "session": {"resume": name}})


# One run at a time


def test_a_second_run_at_once_in_a_session_is_told_to_wait_and_nothing_is_lost(
    home: Home, memory: Simulator, first: Ended
) -> None:
    session = {"resume": _session(first)}
    running = _at_work(home, memory, session)
    ended = home.run({"prompt": "Me too.", "session": session, "metadata": {"order": 1}})
    assert (ended.ending, ended.last["retryable"]) == (("session_busy", 75), True)
    assert ended.last["metadata"] == {"order": 1}
    running.signal(signal.SIGTERM)
    running.end()
    memory.play("memory")
    assert home.run({"prompt": "x", "session": session}).ending == ("done", 0)
    seen = str(memory.requests("/v1/messages")[-1].body["messages"])
    assert ["My name is Ada." in seen, "I am at work." in seen, "Me too." in seen] == [True, True, False]


@INSTALLED
def test_of_many_runs_at_once_in_a_session_each_that_is_done_has_all_before_it(
    home: Home, memory: Simulator, first: Ended
) -> None:
    session = {"resume": _session(first)}
    runs = [home.start() for _ in range(4)]
    for running in runs:
        running.send({"prompt": "x", "session": session})
        running.end_input()
    endings = [running.end() for running in runs]
    assert {ended.ending for ended in endings} <= {("done", 0), ("session_busy", 75)}
    said = sorted(ended.last["text"].split(".")[0] for ended in endings if ended.status == 0)
    assert said == [f"You sent {number} prompts" for number in range(2, 2 + len(said))]
    assert said


def test_a_new_session_is_begun_once_also_at_once(home: Home, memory: Simulator) -> None:
    session = {"id": str(uuid.uuid4())}
    running = _at_work(home, memory, session)
    assert home.run({"prompt": "Me too.", "session": session}).ending == ("session_busy", 75)
    assert home.run({"prompt": "Me too.", "session": {"resume": session["id"]}}).ending == ("session_busy", 75)
    running.signal(signal.SIGTERM)
    running.end()
    assert home.run({"prompt": "Me too.", "session": session}).ending == ("session_exists", 1)
    assert home.run({"prompt": "Me too.", "session": session, **ADA}).ending == ("session_exists", 1)


def test_to_others_a_busy_session_does_not_exist_either(home: Home, memory: Simulator) -> None:
    running = _at_work(home, memory, {"id": str(uuid.uuid4())}, **ADA)
    _refused(home, {"prompt": "x", "session": {"resume": _session_of(running)}})
    running.signal(signal.SIGTERM)
    running.end()


def test_a_fork_reads_a_session_in_which_another_run_is_at_work(home: Home, memory: Simulator, first: Ended) -> None:
    session = {"resume": _session(first)}
    running = _at_work(home, memory, session)
    memory.play("memory")
    fork = home.run({"prompt": "x", "session": {**session, "fork": True}})
    assert fork.last["text"].endswith("The first was: My name is Ada.")
    assert command_of(running.pid)
    running.signal(signal.SIGTERM)
    running.end()


@INSTALLED
def test_the_next_run_may_start_as_soon_as_the_end_was_told(home: Home, memory: Simulator) -> None:
    """Though the CLI takes its time to end: the run waits for it, for the conversation to be whole."""
    slow = script(home.root / "claude", f'{find_cli({})} "$@"', "status=$?", "sleep 1", "exit $status")
    running = home.start(env={"AGENT_WORKERS_CLI": str(slow)})
    running.send({"prompt": "My name is Ada."})
    running.end_input()
    running.wait_for("done")
    ended = home.run({"prompt": "What is my name?", "session": {"resume": _session_of(running)}})
    assert ended.last["text"] == "You sent 2 prompts. The first was: My name is Ada."
    running.end()


@INSTALLED
def test_a_session_is_free_when_its_run_was_killed_and_its_agent_has_gone(
    home: Home, memory: Simulator, first: Ended
) -> None:
    session = {"resume": _session(first)}
    running = _at_work(home, memory, session)
    agents = home.agents(of=running)
    running.signal(signal.SIGKILL)
    memory.play("memory")
    assert home.run({"prompt": "x", "session": session}).ending in (("session_busy", 75), ("done", 0))
    until(lambda: not any(map(command_of, agents)))
    assert home.run({"prompt": "x", "session": session}).ending == ("done", 0)


@INSTALLED
def test_worker_agent_and_watcher_hold_the_session_each(home: Home, memory: Simulator) -> None:
    """So that it is busy as long as one of them is left, whichever is killed."""
    running = _at_work(home, memory, {"id": str(uuid.uuid4())})
    for pid in home.processes():
        held = [str(path.readlink()) for path in Path(f"/proc/{pid}/fd").iterdir() if path.is_symlink()]
        assert [name for name in held if "/state/sessions/" in name], (command_of(pid), held)
    running.signal(signal.SIGTERM)
    running.end()


def test_commands_of_an_agent_do_not_hold_its_session(desk: Desk) -> None:
    desk.script(bash("ls -l /proc/self/fd"))
    ended = desk.run(tools=["Bash"], permissions={"allow": ["Bash"]})
    [listed] = results(ended).values()
    assert listed["status"] == "ok"
    assert "/sessions/" not in listed["content"]


def test_a_run_that_could_not_begin_does_not_take_the_id_of_its_session(home: Home, memory: Simulator) -> None:
    request = {"prompt": "My name is Ada.", "session": {"id": str(uuid.uuid4())}}
    assert home.run(request, env={"AGENT_WORKERS_CLI": "/nonexistent"}).ending == ("cli_missing", 1)
    broken = script(home.root / "claude")
    broken.write_text("#!/nonexistent\n", "utf-8")
    assert home.run(request, env={"AGENT_WORKERS_CLI": str(broken)}).ending == ("cli_missing", 1)
    crashing = script(home.root / "claude", "exit 1")
    assert home.run(request, env={"AGENT_WORKERS_CLI": str(crashing)}).ending == ("cli_crashed", 75)
    assert home.run(request).ending == ("done", 0)


def _refused(home: Home, request: dict[str, Any], *, worker: str = "agent-chat") -> None:
    """Runs a request whose session is not its own: no agent starts."""
    _assert_refused(_tried(home, request, worker=worker))


def _tried(home: Home, request: dict[str, Any], *, worker: str = "agent-chat") -> Tried:
    started = home.root / f"started-{uuid.uuid4()}"
    telltale = script(home.root / f"telltale-{uuid.uuid4()}", f"touch {started}", "exit 1")
    ended = home.run(request, worker=worker, env={"AGENT_WORKERS_CLI": str(telltale)})
    return Tried(ended, started.exists())


def _assert_refused(tried: Tried) -> None:
    assert tried.ended.ending == ("session_not_found", 1)
    assert tried.ended.types == ["start", "error"]
    assert "session_id" not in tried.ended.last
    assert not tried.started


def _at_work(home: Home, simulator: Simulator, session: dict[str, Any], **fields: Any) -> Running:
    """A run that has begun to answer and goes on until it is stopped."""
    simulator.play("slow")
    running = home.start()
    running.send({"prompt": "I am at work.", "session": session, **fields})
    running.end_input()
    running.wait_for("delta")
    return running


def _session_of(running: Running) -> str:
    return str(next(event["session_id"] for event in running.told() if event["type"] == "session"))


def _session(ended: Ended) -> str:
    return str(ended.of("session")[0]["session_id"])
