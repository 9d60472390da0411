"""A run that brings its own key for the API: that key is used, no other, and nobody sees it."""

import json
from typing import Any

import pytest

from agent_workers.simulator import Scenario, Simulator, journal
from agent_workers.simulator.scenario import Message, Text
from tests.e2e.desk import bash
from tests.e2e.engines import BOTH, OF_AGENTS, ONCE
from tests.e2e.worker import Ended, Home, command_of, encoded, environ_of
from tests.live_files import everything
from tests.skills.making import DEAL, make_skill

pytestmark = BOTH

KEY = "sk-ant-api03-own-key"
TOKEN = "sk-ant-oat01-own-token"
FROM_STDIN = "--credential-fd=0"
OTHERS = {
    "ANTHROPIC_API_KEY": "other-canary",
    "ANTHROPIC_AUTH_TOKEN": "other-canary",
    "ANTHROPIC_CUSTOM_HEADERS": "x-gateway-key: other-canary",
    "ANTHROPIC_PROFILE": "other-canary",
    "CLAUDE_CODE_OAUTH_TOKEN": "other-canary",
    "CLAUDE_CODE_OAUTH_REFRESH_TOKEN": "other-canary",
    "CLAUDE_CODE_USE_BEDROCK": "1",
    "AWS_BEARER_TOKEN_BEDROCK": "other-canary",
    "AWS_SECRET_ACCESS_KEY": "other-canary",
}


@pytest.fixture
def shown(simulator: Simulator, monkeypatch: pytest.MonkeyPatch) -> Simulator:
    """A model whose journal shows the keys."""
    monkeypatch.setattr(journal, "_SECRETS", frozenset())
    return simulator


def credentials(simulator: Simulator) -> set[str]:
    """What came with the calls that might be a credential."""
    calls = [record.headers for record in simulator.requests()]
    names = ("x-api-key", "authorization", "x-gateway-key", "proxy-authorization", "cookie")
    return {call[name] for call in calls for name in names if name in call}


def with_key(home: Home, request: dict[str, Any], *arguments: str, key: str = KEY, **options: Any) -> Ended:
    """Runs a request whose key is the first line of stdin."""
    running = home.start(FROM_STDIN, *arguments, **options)
    if home.engine:
        request = {"engine": home.engine, **request}
    running.write(key.encode() + b"\n")
    running.send(request)
    if "--control" not in arguments:
        running.end_input()
    return running.end()


@pytest.fixture
def others(home: Home) -> dict[str, str]:
    """Every other credential that a host may have: variables, a login and a helper."""
    config = home.root / "config"
    config.mkdir(exist_ok=True)
    login = {"accessToken": "other-canary", "refreshToken": "other-canary", "expiresAt": 4102444800000}
    login |= {"scopes": ["user:inference", "user:profile"], "subscriptionType": "max"}
    (config / ".credentials.json").write_text(json.dumps({"claudeAiOauth": login}), "utf-8")
    (config / ".claude.json").write_text(json.dumps({"primaryApiKey": "other-canary"}), "utf-8")
    (config / "settings.json").write_text(json.dumps({"apiKeyHelper": "echo other-canary"}), "utf-8")
    return {**OTHERS, "CLAUDE_CONFIG_DIR": str(config)}


@pytest.mark.parametrize("arguments", [(), ("--control",)], ids=["plain", "control"])
def test_the_key_of_the_run_is_used_and_no_other_that_the_host_has(
    home: Home, shown: Simulator, others: dict[str, str], arguments: tuple[str, ...]
) -> None:
    ended = with_key(home, {"prompt": "Hello"}, *arguments, env=others)
    assert ended.ending == ("done", 0)
    assert credentials(shown) == {KEY}
    assert "canary" not in ended.stderr


@OF_AGENTS
def test_a_token_of_a_login_is_used_as_one(home: Home, shown: Simulator, others: dict[str, str]) -> None:
    assert with_key(home, {"prompt": "Hello"}, key=TOKEN, env=others).ending == ("done", 0)
    assert credentials(shown) == {f"Bearer {TOKEN}"}


@ONCE
def test_a_token_of_a_login_is_not_for_the_messages(home: Home, shown: Simulator) -> None:
    ended = with_key(home, {"prompt": "Hello", "engine": "messages"}, key=TOKEN)
    assert ended.ending == ("invalid_request", 2)
    [problem] = ended.last["details"]
    assert (problem["pointer"], "agent" in problem["message"]) == ("/engine", True)
    assert shown.requests() == []


@pytest.mark.parametrize("worker", ["agent-chat", "agent-skill"])
def test_the_key_comes_by_any_descriptor_too(home: Home, shown: Simulator, worker: str) -> None:
    assert _by_descriptor(home, worker, "exec 7<key").types[0] == "start"
    assert credentials(shown) == {KEY}


@OF_AGENTS
def test_the_key_of_a_task_comes_by_a_pipe(home: Home, shown: Simulator) -> None:
    assert _by_descriptor(home, "agent-task", "exec 7< <(cat key)", shell="bash").ending == ("done", 0)
    assert credentials(shown) == {KEY}


def _by_descriptor(home: Home, worker: str, opened: str, *words: str, shell: str = "sh") -> Ended:
    (home.root / "key").write_text(KEY + "\n", "utf-8")
    make_skill(home.root / "skills")
    (home.root / "work").mkdir()
    requests = {
        "agent-chat": {"prompt": "Hello"},
        "agent-skill": {"skill": "score", "input": DEAL},
        "agent-task": {"prompt": "Hello", "cwd": str(home.root / "work")},
    }
    home.environ["AGENT_WORKERS_SKILLS_PATH"] = str(home.root / "skills")
    prefix = (shell, "-c", f'{opened}; exec "$@"', shell)
    words = words or ("--credential-fd=7", "--control")
    return home.run(requests[worker], *words, worker=worker, prefix=prefix, after=b"\n")


def test_nobody_sees_the_key_while_the_run_is_at_work(home: Home, shown: Simulator) -> None:
    shown.play("slow")
    running = home.start(FROM_STDIN, "--control", env={"AGENT_WORKERS_LOG": "debug"})
    running.write(KEY.encode() + b"\n")
    running.send({"prompt": "Hello", "engine": home.engine or "agent"})
    running.wait_for("delta")
    seen = [command_of(pid) + b"\0".join(environ_of(pid)) for pid in home.processes()]
    assert len(seen) > 0
    assert KEY.encode() not in b"".join(seen)
    files = [path.read_bytes() for path in everything(home.root) if path.is_file()]
    assert not any(KEY.encode() in content for content in files)
    running.send({"type": "abort", "id": "1"})
    ended = running.end()
    assert ended.ending == ("aborted", 3)
    assert KEY not in ended.output.decode() + ended.stderr


@OF_AGENTS
def test_commands_of_the_agent_see_neither_the_key_nor_the_hosts(
    home: Home, shown: Simulator, others: dict[str, str]
) -> None:
    look = "env; cat /proc/self/cmdline; ls -l /proc/self/fd; cat $CLAUDE_CONFIG_DIR/.* 2>/dev/null; true"
    _script(shown, look)
    (home.root / "work").mkdir()
    request = {"prompt": "x", "cwd": str(home.root / "work"), "tools": ["Bash"], "permissions": {"allow": ["Bash"]}}
    ended = with_key(home, request, worker="agent-task", env=others)
    [result] = ended.of("tool_result")
    assert "CLAUDE_CONFIG_DIR" in result["content"]
    assert "canary" not in result["content"]
    assert KEY not in result["content"]
    assert credentials(shown) == {KEY}


def _script(simulator: Simulator, command: str) -> None:
    steps = (Message(content=(bash(command),)), Message(content=(Text(text="end"),)))
    simulator.play(Scenario(name="look", description="A test's.", steps=steps))


def test_a_conversation_goes_on_with_another_key_and_with_none(home: Home, shown: Simulator) -> None:
    shown.play("memory")
    first = with_key(home, {"prompt": "My name is Ada."})
    session = {"session": {"resume": first.last["session_id"]}}
    second = with_key(home, {"prompt": "x", **session}, key=KEY + "-2")
    third = home.run({"prompt": "y", **session})
    assert [ended.ending for ended in (first, second, third)] == [("done", 0)] * 3
    assert third.last["text"] == "You sent 3 prompts. The first was: My name is Ada."
    assert credentials(shown) == {KEY, KEY + "-2", "key-canary"}


@ONCE
def test_a_simulated_run_reads_the_key_and_does_without(home: Home, shown: Simulator) -> None:
    ended = with_key(home, {"prompt": "Hello"}, "--simulate")
    assert ended.ending == ("done", 0)
    assert shown.requests() == []


FAULTS = {
    "empty": (b"\n", "is empty"),
    "blank": (b" \t\r\n", "is empty"),
    "the request in its place": (b"", "JSON object"),
    "two words": (b"sk-ant own\n", "white space"),
    "no text": (b"\xff\xfe\n", "white space"),
    "too long": (b"k" * (65 << 10) + b"\n", "64 KiB"),
}


@ONCE
@pytest.mark.parametrize("fault", FAULTS)
def test_a_key_that_is_none_is_refused_with_the_cure(home: Home, shown: Simulator, fault: str) -> None:
    line, words = FAULTS[fault]
    running = home.start(FROM_STDIN)
    running.write(line + encoded({"prompt": "Hello"}))
    running.end_input()
    ended = running.end()
    _assert_refused(ended, words)
    assert shown.requests() == []


@ONCE
@pytest.mark.parametrize(
    ("opened", "words", "told"),
    [
        ("exec 7<&-", ("--credential-fd=7",), "nothing is open as descriptor 7"),
        ("exec 7<&-", ("--credential-fd", "7"), "nothing is open as descriptor 7"),
        ("exec 7>out", ("--credential-fd=7",), "cannot be read"),
        ("exec 7</dev/null", ("--credential-fd=7",), "is empty"),
        ("printf 'a\\nb\\n' >two; exec 7<two", ("--credential-fd=7",), "several lines"),
        ("true", ("--credential-fd=1",), "an output of the worker"),
        ("true", ("--credential-fd=999999999",), "nothing is open"),
    ],
)
def test_a_descriptor_that_holds_no_key_is_refused_with_the_cure(
    home: Home, opened: str, words: tuple[str, ...], told: str
) -> None:
    _assert_refused(_by_descriptor(home, "agent-chat", opened, *words), told)


@ONCE
def test_a_key_that_does_not_come_is_not_waited_for_for_ever(home: Home) -> None:
    running = home.start(FROM_STDIN)
    _assert_refused(running.end(), "within 10 seconds")


@ONCE
def test_a_worker_without_a_model_takes_no_key(home: Home) -> None:
    ended = home.run({}, FROM_STDIN, worker="agent-tool")
    assert ended.ending == ("invalid_request", 2)
    assert "--credential-fd" in ended.last["message"]


def _assert_refused(ended: Ended, words: str) -> None:
    assert ended.ending == ("invalid_request", 2)
    assert "--credential-fd: " in ended.last["message"]
    assert words in ended.last["message"]
    assert ended.types == ["error"]


@ONCE
@pytest.mark.parametrize("own", ["true", "false"])
def test_the_policy_says_whether_a_caller_may_bring_a_key(home: Home, shown: Simulator, own: str) -> None:
    policy = home.root / "policy.toml"
    policy.write_text(f"version = 1\n[credentials]\nown = {own}\n", "utf-8")
    ended = with_key(home, {"prompt": "Hello"}, env={"AGENT_WORKERS_POLICY": str(policy)})
    if own == "true":
        assert ended.ending == ("done", 0)
        return
    assert ended.ending == ("policy_denied", 2)
    [problem] = ended.last["details"]
    assert "credentials.own" in problem["message"]
    assert shown.requests() == []
    assert home.run({"prompt": "Hello"}, env={"AGENT_WORKERS_POLICY": str(policy)}).ending == ("done", 0)
