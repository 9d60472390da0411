"""The policy's file: whatever is wrong with it, nothing is allowed."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from agent_workers.errors import PolicyDenied
from agent_workers.policy import DEFAULT, load_policy
from tests.waiting import PATIENCE_S

WHOLE = """
version = 1
workers = ["agent-chat", "agent-task"]
models = ["claude-*"]
system_prompt = false
thinking = false
app_tools = false

[limits]
timeout_s = 600
max_turns = 30
max_budget_usd = 2.5

[task]
tools = ["Read", "mcp__crm__*"]
cwd_roots = ["/srv/agents"]
modes = ["deny", "ask"]
mcp_commands = ["/opt/crm", { command = "/usr/bin/node", args = ["/opt/erp.js"], more_args = true, env = ["TENANT"] }]
mcp_hosts = ["*.example.com:8443"]

[sandbox]
enabled = true
allowed_domains = ["example.org"]
"""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "policy.toml"


def cause(file: Path, content: str | bytes | None = None) -> str:
    """Why the file is refused, without its path."""
    if content is not None:
        file.write_bytes(content if isinstance(content, bytes) else content.encode())
    with pytest.raises(PolicyDenied) as denial:
        load_policy(file)
    assert (
        denial.value.message
        == "The host's policy cannot be read. The operator must check it with agent-workers doctor."
    )
    assert denial.value.details is None
    assert denial.value.exit_status == 2
    assert denial.value.cause.startswith(f"{file}: ")
    return denial.value.cause.removeprefix(f"{file}: ")


def test_a_whole_policy_is_read(file: Path) -> None:
    file.write_text(WHOLE)
    policy = load_policy(file)
    assert (policy.models, policy.limits.timeout_s, policy.task.modes) == (["claude-*"], 600, ["deny", "ask"])
    assert [entry.command for entry in policy.task.mcp_commands] == ["/opt/crm", "/usr/bin/node"]
    assert (policy.sandbox.enabled, policy.sandbox.allowed_domains) == (True, ["example.org"])


def test_a_policy_with_its_version_alone_changes_nothing(file: Path) -> None:
    file.write_text("version = 1\n")
    assert load_policy(file) == DEFAULT
    assert DEFAULT.sandbox.enabled is False


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        ("", "version is required"),
        ("version = 2", "line 1: version must be 1"),
        ("version = true", "line 1: version must be 1"),
        ("version = '1'", "line 1: version must be 1, not a string"),
        ("version = 1\n\nmodel = ['x']", "line 3: model is not a known field; did you mean models?"),
        ("version = 1\n[limits]\ntimeout = 5", "line 3: limits.timeout is not a known field; did you mean timeout_s?"),
        ("version = 1\nlimits.timeout_s = '5'", "line 2: limits.timeout_s must be a number, not a string"),
        ("version = 1\nlimits = { timeout_s = nan }", "line 2: limits.timeout_s must be a finite number"),
        ("version = 1\n[limits]\nmax_budget_usd = inf", "line 3: limits.max_budget_usd must be a finite number"),
        ("version = 1\n[limits]\nmax_turns = 1979-05-27", "line 3: limits.max_turns must be a whole number"),
        ("version = 1\nmodels = 'claude-*'", "line 2: models must be a list, not a string"),
        ("version = 1\nthinking = 'no'", "line 2: thinking must be true or false, not a string"),
        ("version = 1\nworkers = ['']", "line 2: workers.0 must not be empty"),
        ("version = 1\n[task]\nmodes = ['bypass_permissions']", "line 3: task.modes.0 must be"),
        ("version = 1\n[task]\n\n# x = 1\ncwd_roots = ['srv']", "line 5: task.cwd_roots.0 must be an absolute path"),
        ("version = 1\n[task]\ncwd_roots = ['~/x']", "line 3: task.cwd_roots.0 must be an absolute path"),
        ("version = 1\n[task]\nmcp_hosts = ['*']", "line 3: task.mcp_hosts.0 must be a host such as"),
        ("version = 1\n[task]\nmcp_commands = [{ arg = 1 }]", "line 3: task.mcp_commands.0.command is required"),
        ("version = 1\n[[task]]\ntools = []", "line 2: task must be an object, not a list"),
        ("version = 1\n[sandbox]\nenable = true", "line 3: sandbox.enable is not a known field; did you mean enabled?"),
        ("version = 1\nversion = 1", "is not valid TOML: Cannot overwrite a value (at "),
        ("version = 1\n[task", "is not valid TOML: Expected ']' at the end of a table declaration (at "),
        ("version = " + "9" * 5000, ""),
        ("version = 1\nx = " + "[" * 100_000, ""),
        (b"version = 1 # \xff", "is not UTF-8: byte 0xff at offset 14"),
        (b"\xef\xbb\xbfversion = 1", "is not valid TOML: Invalid statement (at line 1"),
        (b"version = 1\0", ""),
    ],
)
def test_a_fault_is_told_with_its_line_and_key(content: str | bytes, expected: str, file: Path) -> None:
    assert cause(file, content).startswith(expected)


def test_every_fault_is_told(file: Path) -> None:
    assert cause(file, "version = 1\nmodel = 1\n[task]\ntool = []\n").split("; ") == [
        "line 4: task.tool is not a known field",
        "did you mean tools?",
        "line 2: model is not a known field",
        "did you mean models?",
    ]


def test_a_file_that_is_not_there_or_none_allows_nothing(file: Path, tmp_path: Path) -> None:
    assert cause(file) == "no such file"
    assert cause(tmp_path) == "is not a file"
    file.touch()
    assert cause(file / "below") == "no such file"


def test_a_pipe_is_not_waited_for(file: Path) -> None:
    os.mkfifo(file)
    assert cause(file) == "is not a file"


def test_a_file_that_cannot_be_read_allows_nothing() -> None:
    assert cause(Path("/proc/self/mem")) == "Input/output error"


def test_a_policy_cannot_be_changed_once_read() -> None:
    with pytest.raises(ValueError, match="frozen"):
        DEFAULT.models = ["x"]


def test_a_policy_brings_nothing_slow_along() -> None:
    code = "import sys, agent_workers.policy; print(*{'jsonschema', 'difflib', 'click', 'asyncio'} & {*sys.modules})"
    loaded = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=PATIENCE_S, check=True
    )
    assert loaded.stdout.split() == []
