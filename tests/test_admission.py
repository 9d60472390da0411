"""How a request comes in: the same steps in the same order at every front door."""

import json
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from agent_workers.admission import accept, admit, max_request_bytes, policy_file
from agent_workers.errors import PolicyDenied
from agent_workers.policy import Denied
from agent_workers.protocol.v1.problem import RequestProblems
from agent_workers.workers.base import Worker
from agent_workers.workers.chat import WORKER as CHAT
from agent_workers.workers.task import WORKER as TASK
from tests.waiting import PATIENCE_S

STRICT = 'version = 1\nmodels = []\nthinking = false\n[task]\ncwd_roots = ["/srv/agents"]\n'


@pytest.fixture
def policy(tmp_path: Path) -> Callable[[str], Path]:
    def write(text: str) -> Path:
        file = tmp_path / "policy.toml"
        file.write_text(text)
        return file

    return write


def places(refused: pytest.ExceptionInfo[RequestProblems]) -> list[str]:
    return [problem.pointer for problem in refused.value.problems]


def test_a_document_is_expanded_before_it_is_read() -> None:
    shouting = replace(CHAT, expand=lambda document: {"prompt": document["shout"].upper()})
    assert accept(shouting, {"shout": "hello"}).prompt == "HELLO"


def test_the_policy_rules_before_the_host_is_looked_at(policy: Callable[[str], Path], tmp_path: Path) -> None:
    request = accept(TASK, {"prompt": "Hello", "cwd": str(tmp_path / "gone")})
    with pytest.raises(Denied) as denied:
        admit(TASK, request, policy(STRICT))
    assert [objection.place for objection in denied.value.objections] == ["/cwd"]
    with pytest.raises(RequestProblems) as refused:
        admit(TASK, request, None)
    assert places(refused) == ["/cwd"]


def test_the_host_is_looked_at_in_the_request_that_the_policy_has_granted(
    policy: Callable[[str], Path], tmp_path: Path
) -> None:
    seen = []
    worker = replace(TASK, check_host=lambda request: seen.append(request) or ())
    (tmp_path / "link").symlink_to(tmp_path)
    request = accept(worker, {"prompt": "Hello", "cwd": str(tmp_path / "link")})
    admission = admit(worker, request, policy("version = 1\n[limits]\ntimeout_s = 60\n"))
    assert seen == [admission.request]
    assert (admission.request.cwd, admission.request.limits.timeout_s) == (str(tmp_path.resolve()), 60)


def test_every_objection_of_the_policy_is_kept_with_the_operators_reason(policy: Callable[[str], Path]) -> None:
    request = accept(CHAT, {"prompt": "Hello", "model": "x", "thinking": True})
    with pytest.raises(Denied) as denied:
        admit(CHAT, request, policy(STRICT))
    assert [(objection.place, objection.reason) for objection in denied.value.objections] == [
        ("/thinking", "is not allowed: the host's policy sets thinking = false"),
        ("/model", "x is not in models"),
    ]


def test_a_policy_that_cannot_be_read_admits_nothing_and_limits_no_size(policy: Callable[[str], Path]) -> None:
    file = policy("version = 2\n")
    assert max_request_bytes(file) is None
    with pytest.raises(PolicyDenied):
        admit(CHAT, accept(CHAT, {"prompt": "Hello"}), file)


def test_what_the_policy_says_of_the_sandbox_comes_with_the_request(
    policy: Callable[[str], Path], tmp_path: Path
) -> None:
    def sandbox_of(text: str) -> object:
        return admit(TASK, accept(TASK, {"prompt": "Hello", "cwd": str(tmp_path)}), policy(text)).sandbox

    assert sandbox_of("version = 1\n") is None
    wanted = sandbox_of('version = 1\n[sandbox]\nenabled = true\nallowed_domains = ["example.com"]\n')
    assert wanted.allowed_domains == ["example.com"]


def test_an_admission_cannot_be_changed() -> None:
    admission = admit(CHAT, accept(CHAT, {"prompt": "Hello"}), None)
    with pytest.raises(AttributeError):
        admission.request = None


def test_the_command_line_names_the_policy_before_the_environment_does() -> None:
    environ = {"AGENT_WORKERS_POLICY": "/etc/policy.toml"}
    assert policy_file("mine.toml", environ) == Path("mine.toml")
    assert policy_file(None, environ) == Path("/etc/policy.toml")
    assert policy_file(None, {"AGENT_WORKERS_POLICY": ""}) is None


def test_words_alone_without_a_policy_do_not_load_it() -> None:
    code = (
        "import sys; from agent_workers.admission import accept, admit; from agent_workers.workers.chat import WORKER\n"
        "admit(WORKER, accept(WORKER, {'prompt': 'Hello'}), None)\n"
        "print(*(name for name in sys.modules if name.startswith('agent_workers.policy') or name == 'tomllib'))"
    )
    loaded = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=PATIENCE_S, check=True
    )
    assert loaded.stdout.split() == []


@pytest.mark.parametrize("worker", [CHAT, TASK], ids=lambda worker: worker.name)
def test_every_worker_takes_a_request_as_it_is_unless_it_says_otherwise(worker: Worker) -> None:
    document = json.loads('{"prompt": "Hello"}')
    assert worker.expand(document) is document
