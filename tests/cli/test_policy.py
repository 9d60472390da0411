"""``agent-workers policy``: a policy to begin with, and what a policy makes of a request."""

import json
import re
import tomllib
from pathlib import Path
from typing import Any

import pytest

from agent_workers.policy import Policy
from tests.cli.conftest import Scripts

pytestmark = pytest.mark.usefixtures("loaded")

TEMPLATE = (Path(__file__).parents[2] / "agent_workers/cli/policy.toml").read_text("utf-8")
OUTSIDE = "must be inside a directory that the host's policy lists in task.cwd_roots"
EXAMPLE = re.compile(r"^# ((\w+) = .+)$", re.MULTILINE)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "policy.toml"


def check(scripts: Scripts, file: Path, request: dict[str, Any] | str, *options: str) -> tuple[int, list[str]]:
    given = request if isinstance(request, str) else json.dumps(request)
    ended = scripts("agent-workers", "policy", "check", file, *options, given=given)
    assert ended.stderr == ""
    return ended.returncode, ended.stdout.splitlines()


# init


@pytest.mark.usefixtures("installed")
def test_what_init_writes_allows_a_chat_and_little_of_it(scripts: Scripts, file: Path) -> None:
    written = scripts("agent-workers", "policy", "init", file)
    assert (written.returncode, file.read_text()) == (0, TEMPLATE)
    assert "AGENT_WORKERS_POLICY" in written.stdout
    assert check(scripts, file, {"prompt": "Hello"}) == (
        0,
        [
            "agent-chat: allowed",
            '  engine none -> "agent"',
            "  max_turns none -> 10",
            "  limits.max_budget_usd none -> 1",
        ],
    )
    asking = {"prompt": "Hello", "system_prompt": "x", "model": "x", "thinking": True, "limits": {"timeout_s": 301}}
    status, lines = check(scripts, file, asking)
    places = [line.strip().partition(":")[0] for line in lines[1:]]
    assert (status, set(places)) == (2, {"/system_prompt", "/model", "/thinking", "/limits/timeout_s"})


def test_what_init_writes_allows_no_task(scripts: Scripts, file: Path) -> None:
    file.write_text(TEMPLATE)
    task = {"prompt": "Hello", "cwd": str(scripts.home), "tools": ["Read"], "permissions": {"mode": "ask"}}
    status, lines = check(scripts, file, task)
    assert (status, lines[0]) == (2, "agent-task: denied")
    assert [line.split(":")[0].strip() for line in lines[1:]] == ["request", "/cwd", "/tools/0", "/permissions/mode"]


def test_what_the_worker_would_refuse_on_this_host_is_not_allowed(scripts: Scripts, file: Path) -> None:
    file.write_text("version = 1\n")
    task = {"prompt": "Hello", "cwd": str(scripts.home / "nowhere")}
    expected = ["the request is not valid", "  /cwd: must be a directory that exists"]
    assert check(scripts, file, task) == (2, expected)


def test_without_a_file_init_writes_to_stdout(scripts: Scripts) -> None:
    assert scripts("agent-workers", "policy", "init").stdout == TEMPLATE


def test_init_leaves_a_file_as_it_is(scripts: Scripts, file: Path) -> None:
    file.write_text("mine")
    for place in (file, file / "below"):
        refused = scripts("agent-workers", "policy", "init", place)
        assert refused.returncode == 1
        assert f"{place} cannot be written" in refused.stderr
    assert file.read_text() == "mine"


def test_every_key_of_a_policy_stands_in_the_file_with_an_example() -> None:
    def keys(fields: dict[str, Any]) -> set[str]:
        return {name for name, value in fields.items() if not isinstance(value, dict)}

    read, known = tomllib.loads(TEMPLATE), Policy(version=1).model_dump()
    tables = [name for name, value in known.items() if isinstance(value, dict)]
    for table in tables:
        assert keys(read[table]) == keys(known[table])
    assert keys(read) == keys(known)
    named = {name for _, name in EXAMPLE.findall(TEMPLATE)}
    assert named == (keys(read) | {key for table in tables for key in read[table]}) - {"version"}


@pytest.mark.parametrize(("example", "key"), EXAMPLE.findall(TEMPLATE))
def test_each_example_can_be_put_in_the_place_of_the_key_below(example: str, key: str) -> None:
    adapted, count = re.subn(rf"^# {re.escape(example)}\n{key} = .+$", lambda _: example, TEMPLATE, flags=re.MULTILINE)
    assert count == 1
    assert Policy.model_validate(tomllib.loads(adapted)) != Policy.model_validate(tomllib.loads(TEMPLATE))


def test_all_examples_together_are_a_policy() -> None:
    every = re.sub(r"^# (\w+ = .+)\n\w+ = .+$", r"\1", TEMPLATE, flags=re.MULTILINE)
    assert Policy.model_validate(tomllib.loads(every)).task.modes == ["deny", "ask", "defer", "accept_edits", "plan"]


# check


def test_what_is_fixed_is_told_with_what_it_was(scripts: Scripts, file: Path) -> None:
    (scripts.home / "real").mkdir()
    (scripts.home / "link").symlink_to("real")
    file.write_text("version = 1\n[limits]\ntimeout_s = 60\nmax_turns = 100\n")
    status, lines = check(scripts, file, {"prompt": "Hello", "cwd": str(scripts.home / "link")})
    assert (status, lines[0]) == (0, "agent-task: allowed")
    assert sorted(lines[1:]) == [
        f'  cwd "{scripts.home}/link" -> "{scripts.home}/real"',
        "  limits.timeout_s 300 -> 60",
        "  max_turns none -> 50",
    ]


def test_each_objection_is_told_with_the_limit_and_the_reason(scripts: Scripts, file: Path) -> None:
    file.write_text('version = 1\nmodels = ["claude-*"]\n[task]\ncwd_roots = ["/srv/agents"]\n')
    status, lines = check(scripts, file, {"prompt": "Hello", "cwd": "/usr", "model": "x"})
    assert (status, lines) == (
        2,
        [
            "agent-task: denied",
            "  /model: must be one of claude-*: the host's policy sets models (x is not in models)",
            f"  /cwd: {OUTSIDE} ('/usr' is not in '/srv/agents')",
        ],
    )


def test_the_worker_is_known_by_the_directory_or_named(scripts: Scripts, file: Path) -> None:
    file.write_text("version = 1\n")
    request = {"prompt": "Hello"}
    assert check(scripts, file, request) == (0, ["agent-chat: allowed"])
    assert check(scripts, file, {**request, "cwd": "/usr"})[1][0] == "agent-task: allowed"
    assert check(scripts, file, request, "--worker", "agent-task") == (
        2,
        ["the request is not valid", "  line 1: /cwd: is required"],
    )
    assert check(scripts, file, {**request, "cwd": "/usr"}, "--worker", "agent-chat")[1] == [
        "the request is not valid",
        "  line 1: /cwd: is a field of agent-task only, which needs engine agent",
    ]


def test_a_faulty_request_is_told_with_its_faults(scripts: Scripts, file: Path) -> None:
    file.write_text("version = 1\n")
    assert check(scripts, file, '{\n"promt": "x"}')[1] == [
        "the request is not valid",
        "  line 1: /prompt: is required",
        "  line 2: /promt: is not a known field; did you mean prompt?",
    ]
    assert check(scripts, file, "")[0] == 2


def test_a_faulty_policy_is_told_with_its_place(scripts: Scripts, file: Path) -> None:
    file.write_text("version = 1\n[task]\ntool = []\n")
    assert check(scripts, file, {"prompt": "Hello"}) == (
        2,
        [
            "the policy cannot be read, and allows nothing",
            f"  {file}: line 3: task.tool is not a known field; did you mean tools?",
        ],
    )
    assert check(scripts, file.with_name("gone"), {"prompt": "x"})[1][1].endswith("gone: no such file")


def test_a_faulty_policy_is_told_of_before_a_faulty_request(scripts: Scripts, file: Path) -> None:
    file.write_text("version = 2\n")
    status, lines = check(scripts, file, "")
    assert (status, lines[0]) == (2, "the policy cannot be read, and allows nothing")


def test_nothing_in_a_request_or_policy_can_write_to_the_terminal(scripts: Scripts, file: Path) -> None:
    file.write_text("version = 1\n")
    (scripts.home / "\x1b[2J").mkdir()
    _, lines = check(scripts, file, {"prompt": "Hello", "cwd": f"{scripts.home}/\x1b[2J"})
    assert "\x1b" not in "".join(lines)
    file.write_text('version = 1\n"\\u001b[2J" = 1\n')
    assert "\x1b" not in "".join(check(scripts, file, {"prompt": "Hello"})[1])


# The workers


@pytest.mark.parametrize("worker", ["agent-chat", "agent-task"])
def test_a_worker_says_the_same_as_check(worker: str, scripts: Scripts, file: Path) -> None:
    file.write_text('version = 1\nmodels = []\nthinking = false\n[task]\ncwd_roots = ["/srv/agents"]\n')
    request = {"prompt": "Hello", "model": "x", "thinking": True} | ({"cwd": "/usr"} if worker == "agent-task" else {})
    ended = scripts(worker, given=json.dumps(request), env={"AGENT_WORKERS_POLICY": str(file)})
    [event] = map(json.loads, ended.stdout.splitlines())
    assert (event["code"], event["retryable"], ended.returncode) == ("policy_denied", False, 2)
    told = [f"  {problem['pointer']}: {problem['message']}" for problem in event["details"]]
    _, lines = check(scripts, file, request)
    assert [line.partition(" (")[0] for line in lines[1:]] == told


def test_a_policy_that_cannot_be_read_stops_every_worker(scripts: Scripts, file: Path) -> None:
    for worker, request in (("agent-chat", {}), ("agent-task", {"cwd": "/usr"})):
        given = json.dumps({"prompt": "Hello", **request})
        ended = scripts(worker, given=given, env={"AGENT_WORKERS_POLICY": str(file)})
        [event] = map(json.loads, ended.stdout.splitlines())
        assert (event["code"], ended.returncode) == ("policy_denied", 2)
        assert str(file) not in ended.stdout
        assert f"{file}: no such file" in ended.stderr
