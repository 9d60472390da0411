"""What the agent sees of its host, and what it leaves there."""

import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from uuid import uuid4

import pytest

from agent_workers.simulator import Scenario, Simulator
from agent_workers.simulator.scenario import Message, Text
from tests.e2e.conftest import desk_at
from tests.e2e.desk import bash
from tests.e2e.stream import check_whole, events_of
from tests.e2e.worker import SCRIPTS, Home, command_of, encoded, environ_of, script
from tests.waiting import PATIENCE_S

forked = pytest.mark.usefixtures("loaded")
SECRETS = (
    "DB_PASSWORD",
    "APP_KEY",
    "HTTP_COOKIE",
    "HTTP_AUTHORIZATION",
    "AWS_SECRET_ACCESS_KEY",
    "PYTHONPATH",
    "SESSION_SECRET",
)
NEEDED = {
    "LANG": "de_AT.UTF-8",
    "TZ": "Europe/Vienna",
    "https_proxy": "http://127.0.0.1:9",
    "no_proxy": "127.0.0.1",
    "SSL_CERT_FILE": "/etc/ssl/certs/ca-certificates.crt",
}
NOBODY = 65534


@dataclass(frozen=True)
class AtWork:
    """What the host showed of a chat at work, whose prompts and variables hold secrets.

    Attributes:
        environs: Of the agent's processes.
        command_lines: Of the worker's too.
        modes: What others than the user may do with its temporary files.
        mark: In what is a secret of the run, on the whole host.
        everyone: How many processes there were, the worker and its agent.
        found: What a command of another run found of them.
    """

    environs: list[dict[str, str]]
    command_lines: list[bytes]
    modes: list[int]
    temporary: Path
    mark: str
    everyone: int
    found: str


@pytest.fixture(scope="module")
def at_work(tmp_path_factory: pytest.TempPathFactory) -> AtWork:
    mark = uuid4().hex
    secrets = {
        **dict.fromkeys(SECRETS, "canary"),
        "DB_PASSWORD": f"password-{mark}",
        "ANTHROPIC_API_KEY": f"key-{mark}",
        "DATABASE_URL": f"db://u:{mark}@h/",
    }
    allowed = {"EXTRA_ONE": "1", "AGENT_WORKERS_ENV_ALLOW": "EXTRA_ONE, EXTRA_TWO"}
    with desk_at(tmp_path_factory.mktemp("at-work")) as desk:
        home = desk.home
        desk.simulator.play("slow")
        chat = home.start(env={**secrets, **NEEDED, **allowed})
        chat.send(
            {
                "prompt": f"prompt-{mark}",
                "system_prompt": f"system-{mark}",
                "metadata": {"a": f"metadata-{mark}"},
                "output_schema": {"type": "object", "description": f"schema-{mark}"},
            }
        )
        chat.end_input()
        chat.wait_for("delta")
        agents = home.agents(of=chat)
        everyone = [chat.pid, *agents]
        assert len(everyone) > 1
        environs = [_variables(pid) for pid in agents]
        command_lines = [command_of(pid) for pid in home.processes()]
        modes = [path.stat().st_mode & 0o077 for path in home.temporary.iterdir()]
        sought = f"'[{mark[0]}]{mark[1:]}'"  # or the command would find itself
        command = (
            f"cat /proc/[0-9]*/environ /proc/[0-9]*/cmdline 2>/dev/null | tr '\\0' '\\n' | grep -a {sought};"
            f" for pid in {' '.join(map(str, everyone))}; do readlink /proc/$pid/fd/0; kill -0 $pid 2>&1; done; true"
        )
        desk.script(bash(command))
        ended = desk.run(tools=["Bash"], permissions={"allow": ["Bash"]})
        [result] = ended.of("tool_result")
        chat.signal(15)
        assert chat.end().ending == ("aborted", 3)
        return AtWork(environs, command_lines, modes, home.temporary, mark, len(everyone), result["content"])


def _variables(pid: int) -> dict[str, str]:
    return dict(entry.decode().split("=", 1) for entry in environ_of(pid) if b"=" in entry)


def test_the_agent_sees_what_it_needs_and_no_secret_of_the_application(at_work: AtWork) -> None:
    assert len(at_work.environs) > 0
    for environ in at_work.environs:
        assert not {*SECRETS, "DATABASE_URL"} & set(environ)
        values = " ".join(environ.values()).replace(f"key-{at_work.mark}", "")
        assert "canary" not in values
        assert at_work.mark not in values
        assert NEEDED.items() <= environ.items()
        assert environ["EXTRA_ONE"] == "1"
        assert environ["TMPDIR"].startswith(str(at_work.temporary / "agent-worker-"))


def test_prompts_are_not_shown_to_the_other_users_of_the_host(at_work: AtWork) -> None:
    """A command line is: ``ps`` shows it."""
    assert len(at_work.command_lines) > 1
    assert [line for line in at_work.command_lines if at_work.mark.encode() in line] == []
    assert at_work.modes == [0]


def test_a_command_finds_no_secret_of_a_chat_at_work(at_work: AtWork) -> None:
    """The command may be root's, whom nothing keeps from reading environments."""
    assert at_work.mark not in at_work.found
    if _can_confine():
        assert "pipe:" not in at_work.found
        assert at_work.found.count("not permitted") == at_work.everyone


def _can_confine() -> bool:
    release = tuple(int(part) for part in re.findall(r"\d+", os.uname().release)[:2])
    return release >= (6, 12)


@forked
@pytest.mark.parametrize("switch", ["1", "true", "0", ""])
def test_the_credentials_of_a_provider_pass_only_while_it_is_switched_on(home: Home, switch: str) -> None:
    spy = script(home.root / "spy", f"env > {home.root}/environ")
    env = {"CLAUDE_CODE_USE_BEDROCK": switch, "AWS_SECRET_ACCESS_KEY": "canary", "AGENT_WORKERS_CLI": str(spy)}
    home.run({"prompt": "x"}, env=env)
    passed = "AWS_SECRET_ACCESS_KEY=canary" in (home.root / "environ").read_text("utf-8")
    assert passed is (switch in {"1", "true"})


@forked
@pytest.mark.parametrize("inherited", ["CLAUDECODE", "CLAUDE_CODE_SSE_PORT"])
def test_a_claude_session_around_the_worker_is_not_the_agents(home: Home, inherited: str) -> None:
    spy = script(home.root / "spy", f"env > {home.root}/environ")
    home.run({"prompt": "x"}, env={inherited: "canary", "AGENT_WORKERS_CLI": str(spy)})
    assert "canary" not in (home.root / "environ").read_text("utf-8").replace("key-canary", "")


@forked
def test_a_simulated_run_cannot_reach_the_account(home: Home) -> None:
    spy = script(home.root / "spy", f"env > {home.root}/environ")
    env = {"ANTHROPIC_AUTH_TOKEN": "canary", "CLAUDE_CODE_OAUTH_TOKEN": "canary", "AGENT_WORKERS_CLI": str(spy)}
    home.run({"prompt": "x"}, "--simulate", env=env)
    assert "canary" not in (home.root / "environ").read_text("utf-8")


@forked
@pytest.mark.parametrize(
    ("level", "relative"),
    [("debug", "TMPDIR"), ("WARNING", "AGENT_WORKERS_STATE_DIR"), ("nonsense", None), ("", None)],
)
def test_no_log_level_harms_a_run_and_directories_may_be_relative(home: Home, level: str, relative: str | None) -> None:
    """The agent has a working directory of its own, the worker that of its caller."""
    env = {relative: Path(home.environ[relative]).name} if relative else {}
    assert home.run({"prompt": "x"}, env={"AGENT_WORKERS_LOG": level, **env}).ending == ("done", 0)


@forked
def test_the_state_directory_is_made_for_this_user_alone(home: Home) -> None:
    state = home.root / "new" / "state"
    assert home.run({"prompt": "x"}, env={"AGENT_WORKERS_STATE_DIR": str(state)}).ending == ("done", 0)
    assert state.stat().st_mode & 0o077 == 0
    assert [path.name for path in (home.root / "home").iterdir()] == []


@forked
def test_a_temporary_directory_that_cannot_be_written_is_named_as_the_fault(home: Home) -> None:
    ended = home.run({"prompt": "x", "metadata": {"order": 4711}}, env={"TMPDIR": "/proc/nowhere"})
    assert ended.ending == ("state_unavailable", 1)
    assert "TMPDIR" in ended.last["message"]
    assert ended.last["metadata"] == {"order": 4711}


@pytest.fixture
def open_dir() -> Iterator[Path]:
    """A directory that every user of the host can enter."""
    with tempfile.TemporaryDirectory() as name:
        path = Path(name)
        path.chmod(0o755)
        yield path


AS_NOBODY = ["setpriv", f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups", "--"]


@cache
def _nobody_can_start() -> bool:
    command = [*AS_NOBODY, str(SCRIPTS / "agent-chat"), "--version"]
    return subprocess.run(command, capture_output=True, check=False, timeout=PATIENCE_S).returncode == 0


def _as_nobody(
    directory: Path,
    environ: dict[str, str],
    simulator: Simulator,
    *,
    worker: str = "agent-chat",
    request: bytes = b'{"prompt": "x"}',
) -> subprocess.CompletedProcess[bytes]:
    if os.getuid() != 0 or shutil.which("setpriv") is None:
        pytest.skip("only root can become another user")
    if not _nobody_can_start():
        pytest.skip("the installation is not readable for other users")
    environ |= {"ANTHROPIC_BASE_URL": simulator.base_url, "ANTHROPIC_API_KEY": "key-canary", "PATH": os.environ["PATH"]}
    return subprocess.run(
        [*AS_NOBODY, "env", str(SCRIPTS / worker)],  # env: what root may do ends with an exec
        input=request,
        env=environ,
        cwd=directory,
        capture_output=True,
        timeout=PATIENCE_S,
        check=False,
    )


@pytest.mark.parametrize("home_variable", [None, "/nonexistent", "/", "/root"], ids=str)
def test_a_user_without_a_home_needs_a_state_directory(
    open_dir: Path, simulator: Simulator, home_variable: str | None
) -> None:
    """As under PHP-FPM: no HOME, or one that cannot be written."""
    state = open_dir / "state"
    state.mkdir()
    os.chown(state, NOBODY, NOBODY)
    environ = {"AGENT_WORKERS_STATE_DIR": str(state)} | ({"HOME": home_variable} if home_variable else {})
    ended = _as_nobody(open_dir, environ, simulator)
    events = events_of(ended.stdout)
    check_whole(events)
    assert (events[-1]["type"], ended.returncode) == ("done", 0)


@pytest.mark.parametrize("state", [None, "state", "not/there"], ids=str)
def test_a_user_without_any_directory_is_told_which_variable_is_missing(
    open_dir: Path, simulator: Simulator, state: str | None
) -> None:
    (open_dir / "state").mkdir(mode=0o755)
    environ = {"AGENT_WORKERS_STATE_DIR": str(open_dir / state)} if state else {}
    ended = _as_nobody(open_dir, environ, simulator)
    events = events_of(ended.stdout)
    check_whole(events)
    assert (events[-1]["code"], ended.returncode) == ("state_unavailable", 1)
    assert "AGENT_WORKERS_STATE_DIR" in events[-1]["message"]
    assert str(open_dir) not in events[-1]["message"]
    assert simulator.requests() == []


def test_a_command_cannot_read_the_environment_of_the_worker(open_dir: Path, simulator: Simulator) -> None:
    state = open_dir / "state"
    state.mkdir()
    os.chown(state, NOBODY, NOBODY)
    # $PPID is the CLI; the fourth field of its stat is the worker.
    command = "W=$(cut -d' ' -f4 /proc/$PPID/stat); cat /proc/$W/cmdline; cat /proc/$W/environ; cat /proc/$W/mem"
    turns = [Message(content=(bash(command),)), Message(content=(Text(text="end"),))]
    simulator.play(Scenario(name="look", description="A test's.", steps=tuple(turns)))
    request = {"prompt": "x", "cwd": str(state), "tools": ["Bash"], "permissions": {"allow": ["Bash"]}}
    environ = {"AGENT_WORKERS_STATE_DIR": str(state), "DB_PASSWORD": "canary"}
    ended = _as_nobody(open_dir, environ, simulator, worker="agent-task", request=encoded(request))
    [result] = [event for event in events_of(ended.stdout) if event["type"] == "tool_result"]
    assert "agent-task" in result["content"]
    assert "environ: Permission denied" in result["content"]
    assert "mem: Permission denied" in result["content"]
    assert b"canary" not in ended.stdout
