"""Conversations over several runs: whose they are, and one run at a time."""

import signal
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from agent_workers.engine.claude.launch.installation import find_cli
from agent_workers.simulator import Simulator
from tests.e2e.beginning import Begin
from tests.e2e.desk import Desk, bash, results
from tests.e2e.engines import BOTH, OF_AGENTS
from tests.e2e.worker import Ended, Home, Running, command_of, environ_of, script
from tests.live_files import everything
from tests.waiting import PATIENCE_S, until

pytestmark = [pytest.mark.usefixtures("loaded"), BOTH]
INSTALLED = pytest.mark.usefixtures("installed")
"""For tests of signals, and of runs that begin at once."""


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


@dataclass(frozen=True)
class Talk:
    """Runs that resume the first one, in this order."""

    elsewhere: Ended | None
    fork: Ended
    second: Ended
    third: Ended


@pytest.fixture
def talk(begin: Begin, first: Ended) -> Talk:
    return begin("a talk", lambda desk: _talk(desk, _session(first)))


def _talk(desk: Desk, begun: str) -> Talk:
    home, session = desk.home, {"resume": begun}
    desk.simulator.play("memory")
    other = {"CLAUDE_CONFIG_DIR": str(home.root / "other")}
    elsewhere = None if home.engine else home.run({"prompt": "x", "session": session}, env=other)
    fork = home.run({"prompt": "I am Bob.", "session": {**session, "fork": True}})
    second = home.run({"prompt": "What is my name?", "session": session})
    third = home.run({"prompt": "And again?", "session": {"resume": second.last["session_id"]}})
    return Talk(elsewhere, fork, second, third)


def test_a_session_goes_on_in_another_process(first: Ended, talk: Talk) -> None:
    assert talk.second.last["text"] == "You sent 2 prompts. The first was: My name is Ada."
    assert talk.third.last["text"] == "You sent 3 prompts. The first was: My name is Ada."
    runs = (first, talk.second, talk.third)
    assert {run.last["session_id"] for run in runs} == {_session(first)}
    assert [run.of("session")[0]["resumed"] for run in runs] == [False, True, True]


def test_a_fork_leaves_the_original_as_it_was(first: Ended, talk: Talk) -> None:
    assert _session(talk.fork) != _session(first)
    assert talk.fork.last["text"].startswith("You sent 2 prompts.")
    assert talk.second.last["text"].startswith("You sent 2 prompts.")


@pytest.fixture
def chosen(begin: Begin) -> list[Ended]:
    """Runs of the same request with an id of the caller, the first ones of which cannot begin; and another with it."""
    return begin("an id of the caller", lambda desk: list(_with_an_id(desk)))


CHOSEN = str(uuid.uuid4())


def _with_an_id(desk: Desk) -> Iterator[Ended]:
    home = desk.home
    request = {"prompt": "My name is Ada.", "session": {"id": CHOSEN}}
    broken = script(home.root / "broken")
    broken.write_text("#!/nonexistent\n", "utf-8")
    crashing = script(home.root / "crashing", "exit 1")
    for cli in ("/nonexistent", str(broken), str(crashing)) if not home.engine else ():
        yield home.run(request, env={"AGENT_WORKERS_CLI": cli})
    yield home.run(request)
    yield home.run({"prompt": "Me too.", "session": {"id": CHOSEN}})


def test_the_caller_may_choose_the_id_of_a_new_session_once(chosen: list[Ended]) -> None:
    first, again = chosen[-2:]
    assert first.last["session_id"] == _session(first) == CHOSEN
    assert first.of("session")[0]["resumed"] is False
    assert again.ending == ("session_exists", 1)
    assert again.last["retryable"] is False


@OF_AGENTS
def test_a_run_that_could_not_begin_does_not_take_the_id_of_its_session(chosen: list[Ended]) -> None:
    endings = [ended.ending for ended in chosen[:4]]
    assert endings == [("cli_missing", 1), ("cli_missing", 1), ("cli_crashed", 75), ("done", 0)]


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


def tried_by_others(begin: Begin, first: Ended, owner: dict[str, str]) -> tuple[dict[str, list[Tried]], Ended]:
    """A session of this owner: how it went with all others, who would also fork it, and with its owner after that."""

    def try_all(desk: Desk) -> tuple[dict[str, list[Tried]], Ended]:
        begun = _session(_of_ada(desk, **owner) if owner else first)
        desk.simulator.play("memory")
        tried = {
            str(other): [
                _tried(desk.home, {"prompt": "x", "session": {"resume": begun, "fork": fork}, **other})
                for fork in (False, True)
            ]
            for own, other in OTHERS
            if own == owner
        }
        return tried, desk.home.run({"prompt": "What is my name?", "session": {"resume": begun}, **owner})

    return begin(f"tried by others than {owner}", try_all)


@pytest.mark.parametrize(("owner", "other"), OTHERS, ids=str)
def test_a_session_is_found_by_its_owner_alone(
    begin: Begin, first: Ended, owner: dict[str, str], other: dict[str, str]
) -> None:
    tried, ended = tried_by_others(begin, first, owner)
    assert len(tried[str(other)]) == 2
    for each in tried[str(other)]:
        _assert_refused(each)
    assert ended.last["text"] == "You sent 2 prompts. The first was: My name is Ada."


@pytest.fixture
def task(begin: Begin) -> Ended:
    """A task that lists what its command has open."""
    return begin("a task", _listed)


def _listed(desk: Desk) -> Ended:
    desk.script(bash("ls -l /proc/self/fd"))
    return desk.run(tools=["Bash"], permissions={"allow": ["Bash"]})


@OF_AGENTS
def test_a_task_is_found_from_its_directory_and_by_its_worker_alone(desk: Desk, memory: Simulator, task: Ended) -> None:
    (inside := desk.cwd / "inside").mkdir()
    (beside := desk.home.root / "work-beside").mkdir()
    (link := desk.home.root / "link").symlink_to(desk.cwd)
    begun = _session(task)
    for session in ({"resume": begun}, {"resume": begun, "fork": True}):
        for cwd in (inside, beside, desk.home.root):
            _refused(desk.home, desk.request(cwd=str(cwd), session=session), worker="agent-task")
        _refused(desk.home, {"prompt": "x", "session": session})
        assert desk.run(cwd=str(link), session=session).last["text"].endswith("The first was: Work.")


@OF_AGENTS
def test_a_chat_is_not_found_by_a_task_in_the_chats_own_directory(desk: Desk, memory: Simulator, first: Ended) -> None:
    workspace = desk.home.root / "state" / "workspaces" / "agent-chat"
    request = desk.request(cwd=str(workspace), session={"resume": _session(first)})
    _refused(desk.home, request, worker="agent-task")


def test_a_fork_belongs_to_the_owner_of_its_original(begin: Begin, home: Home, memory: Simulator, first: Ended) -> None:
    _, begun = tried_by_others(begin, first, ADA)
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
    until(lambda: not home.processes(), what=home.left)
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


@OF_AGENTS
def test_a_session_stays_with_the_configuration_directory_that_it_began_in(talk: Talk) -> None:
    assert talk.elsewhere
    assert talk.elsewhere.ending == ("session_not_found", 1)
    assert talk.second.last["text"].startswith("You sent 2 prompts.")


@dataclass
class Busy:
    """What came of sessions while a run was at work in each of them, and after that.

    Attributes:
        seen: The ids that others saw in command lines, environments and names of files.
        held: Which files of sessions each process held, by its command line.
    """

    seen: list[str]
    held: dict[bytes, list[str]]


@dataclass
class New(Busy):
    """A new session of Ada's, in a run that she stops."""

    by_ada: list[Ended]
    by_another: Tried
    again: list[Ended]
    resumed: Ended


@dataclass
class Resumed(Busy):
    """A session that a run has resumed, and what the API got of it after that run was stopped."""

    by_another: Ended
    fork: Ended
    goes_on: bool
    after: Ended
    conversation: str


@dataclass
class Forked(Busy):
    """A fork, whose run is killed."""

    at_once: Ended
    after: Ended


@dataclass(frozen=True)
class AtWork:
    """Three runs, each in a session of its own."""

    new: New
    resumed: Resumed
    forked: Forked


@pytest.fixture
def at_work(begin: Begin, first: Ended) -> AtWork:
    return begin("at work", lambda desk: _while_at_work(desk, _session(first)))


def _while_at_work(desk: Desk, begun: str) -> AtWork:
    desk.home.loaded, loaded = None, desk.home.loaded  # what /proc shows is looked at
    new = _new(desk)
    resumed = _resumed(desk, {"resume": begun})
    forked = _forked(desk, {"resume": begun, "fork": True})
    desk.home.loaded = loaded
    return AtWork(new, resumed, forked)


def _new(desk: Desk) -> New:
    home, session = desk.home, {"id": str(uuid.uuid4())}
    resume = {"resume": session["id"]}
    running = _at_work(home, desk.simulator, session, "--control", **ADA)
    seen, held = _seen(home, running, session), _held(home)
    by_ada = [home.run({"prompt": "Me too.", "session": each, **ADA}) for each in (session, resume)]
    by_another = _tried(home, {"prompt": "x", "session": resume})
    running.send({"type": "abort", "id": "1"})
    assert running.end().ending[0] == "aborted"
    desk.simulator.play("memory")
    again = [home.run({"prompt": "Me too.", "session": session, **owner}) for owner in ({}, ADA)]
    resumed = home.run({"prompt": "What is my name?", "session": resume, **ADA})
    return New(seen, held, by_ada, by_another, again, resumed)


def _resumed(desk: Desk, session: dict[str, Any]) -> Resumed:
    home = desk.home
    running = _at_work(home, desk.simulator, session)
    seen, held = _seen(home, running, session), _held(home)
    by_another = home.run({"prompt": "Me too.", "session": session, "metadata": {"order": 1}})
    desk.simulator.play("memory")
    fork = home.run({"prompt": "x", "session": {**session, "fork": True}})
    goes_on = bool(command_of(running.pid))
    running.signal(signal.SIGTERM)
    running.end()
    after = home.run({"prompt": "x", "session": session})
    conversation = str(desk.simulator.requests("/v1/messages")[-1].body["messages"])
    return Resumed(seen, held, by_another, fork, goes_on, after, conversation)


def _forked(desk: Desk, session: dict[str, Any]) -> Forked:
    home = desk.home
    running = _at_work(home, desk.simulator, session)
    seen, held = _seen(home, running, session), _held(home)
    agents = home.agents(of=running)
    again = {"prompt": "x", "session": {"resume": _session_of(running)}}
    running.signal(signal.SIGKILL)
    desk.simulator.play("memory")
    at_once = home.run(again)
    until(lambda: not any(map(command_of, agents)))
    return Forked(seen, held, at_once, home.run(again))


def _seen(home: Home, running: Running, session: dict[str, Any]) -> list[str]:
    told = [name for name in (_session_of(running), *session.values()) if isinstance(name, str)]
    assert home.agents(of=running) or home.engine
    shown = b"".join(command_of(pid) + b"".join(environ_of(pid)) for pid in home.processes())
    files = " ".join(str(path) for path in everything(home.root))
    return [name for name in told if name.encode() in shown or name in files]


def _held(home: Home) -> dict[bytes, list[str]]:
    held: dict[bytes, list[str]] = {}
    for pid in home.processes():
        links = [str(path.readlink()) for path in Path(f"/proc/{pid}/fd").iterdir() if path.is_symlink()]
        held[b"%d " % pid + command_of(pid)] = [name for name in links if "/state/sessions/" in name]
    return held


def test_what_others_can_see_of_a_session_does_not_resume_it(home: Home, memory: Simulator, at_work: AtWork) -> None:
    """Command lines, environments and names of files, while a run is at work in it."""
    for busy in (at_work.new, at_work.resumed, at_work.forked):
        assert busy.seen == []
    names = {path.stem for path in (home.root / "state").rglob("*.jsonl")}
    assert len(names) == 4  # with the fork that was made of a session at work
    for name in names:
        _refused(home, {"prompt": "x", "session": {"resume": name}})


# One run at a time


def test_a_second_run_at_once_in_a_session_is_told_to_wait_and_nothing_is_lost(at_work: AtWork) -> None:
    ended = at_work.resumed.by_another
    assert (ended.ending, ended.last["retryable"]) == (("session_busy", 75), True)
    assert ended.last["metadata"] == {"order": 1}
    assert_told_for_how_long(ended)
    assert at_work.resumed.after.ending == ("done", 0)
    seen = at_work.resumed.conversation
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


def test_a_new_session_is_begun_once_also_at_once(at_work: AtWork) -> None:
    assert [ended.ending for ended in at_work.new.by_ada] == [("session_busy", 75)] * 2
    for ended in at_work.new.by_ada:
        assert_told_for_how_long(ended)
    assert [ended.ending for ended in at_work.new.again] == [("session_exists", 1)] * 2


def test_to_others_a_busy_session_does_not_exist_either(at_work: AtWork) -> None:
    _assert_refused(at_work.new.by_another)


def test_a_stopped_run_can_be_resumed(at_work: AtWork) -> None:
    """What was asked is in the session, though the answer was cut off."""
    assert at_work.new.resumed.last["text"].endswith("The first was: I am at work.")


def test_a_fork_reads_a_session_in_which_another_run_is_at_work(at_work: AtWork) -> None:
    assert at_work.resumed.fork.last["text"].endswith("The first was: My name is Ada.")
    assert at_work.resumed.goes_on


@OF_AGENTS
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


def test_a_session_is_free_when_its_run_was_killed_and_its_agent_has_gone(at_work: AtWork) -> None:
    assert at_work.forked.at_once.ending in (("session_busy", 75), ("done", 0))
    assert at_work.forked.after.ending == ("done", 0)


@OF_AGENTS
def test_worker_agent_and_watcher_hold_the_session_each(at_work: AtWork) -> None:
    """So that it is busy as long as one of them is left, whichever is killed."""
    for busy in (at_work.new, at_work.resumed, at_work.forked):
        assert len(busy.held) >= 3
        assert all(busy.held.values()), busy.held


@OF_AGENTS
def test_commands_of_an_agent_do_not_hold_its_session(task: Ended) -> None:
    [listed] = results(task).values()
    assert listed["status"] == "ok"
    assert "/sessions/" not in listed["content"]


def assert_told_for_how_long(ended: Ended) -> None:
    assert 0 < ended.last["busy_ms"] < 4 * PATIENCE_S * 1000
    assert f"another run has been at work in the session for {ended.last['busy_ms'] / 1000:.1f} s" in ended.stderr


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


def _at_work(home: Home, simulator: Simulator, session: dict[str, Any], *arguments: str, **fields: Any) -> Running:
    """A run that has begun to answer and goes on until it is stopped."""
    simulator.play("slow")
    running = home.start(*arguments)
    running.send({"prompt": "I am at work.", "session": session, **fields})
    if "--control" not in arguments:
        running.end_input()
    running.wait_for("delta")
    return running


def _session_of(running: Running) -> str:
    return str(next(event["session_id"] for event in running.told() if event["type"] == "session"))


def _session(ended: Ended) -> str:
    return str(ended.of("session")[0]["session_id"])
