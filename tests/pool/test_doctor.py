"""What ``agent-workers doctor`` tells of the pool that is to serve a user."""

import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, get_args

import pytest

from agent_workers.cli.checkup import pool as pool_check
from agent_workers.cli.checkup.pool import check_pool
from agent_workers.engine.claude import Environment
from agent_workers.pool.inquiry import NoStatus, Why
from tests.cli.conftest import Scripts
from tests.cli.test_doctor import report
from tests.pool.served import ServedPool
from tests.reach import let_others_into
from tests.waiting import PATIENCE_S, until


def test_a_user_whom_a_pool_serves_needs_no_key_and_no_cli_of_his_own(shared: ServedPool, tmp_path: Path) -> None:
    variables = {"AGENT_WORKERS_STATE_DIR": shared.status["state_dir"]}
    scripts = Scripts(tmp_path)
    alone = report(scripts, **variables, AGENT_WORKERS_CLI="/nonexistent/claude")
    assert "pool" not in alone
    assert {alone["cli"]["status"], alone["credential"]["status"]} == {"fail"}
    served = report(scripts, "--pool", str(shared.path), **variables, AGENT_WORKERS_CLI="/nonexistent/claude")
    assert {served["cli"]["status"], served["credential"]["status"]} == {"warn"}
    assert "(the pool's runs do without)" in served["credential"]["found"]
    pool = served["pool"]
    assert (pool["status"], pool["facts"]["path"], pool["facts"]["mode"]) == ("ok", str(shared.path), "0660")
    assert "answers: default, agent-chat, " in pool["found"]


def test_a_host_is_told_what_a_pool_lacks_each_with_its_cure(serve: Callable[..., ServedPool], tmp_path: Path) -> None:
    config = tmp_path / "pool.toml"
    config.write_text("[pool.default]\nmin_idle = 1\n", "utf-8")
    pool = serve("--config", str(config), env={"AGENT_WORKERS_CLI": "/nonexistent/claude"})
    until(lambda: pool.status["pools"]["default"]["fault"], what=lambda: pool.log)
    config.write_text("[pool.default]\nmin_idel = 1\n", "utf-8")
    pool.signal(signal.SIGHUP)
    until(lambda: pool.status["fault"], what=lambda: pool.log)
    found = report(Scripts(tmp_path), AGENT_WORKERS_POOL=str(pool.path), AGENT_WORKERS_POLICY="/etc/policy.toml")
    assert found["pool"]["status"] == "ok"
    told = {name: found[name]["found"] for name in ("pool_settings", "pool_agents", "pool_environment")}
    assert "min_idel" in told["pool_settings"]
    assert "default: " in told["pool_agents"]
    assert "AGENT_WORKERS_POLICY is none in the pool, and /etc/policy.toml here" in told["pool_environment"]
    assert {found[name]["status"] for name in told} == {"warn"}


def listening(path: Path) -> socket.socket:
    end = socket.socket(socket.AF_UNIX)
    end.bind(str(path))
    end.listen()
    return end


def test_a_pool_of_another_version_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    status = {"pool": 1, "version": "0.0.1", "pools": {}}
    monkeypatch.setattr(pool_check, "ask_status", lambda path: status)
    _, version = check_pool(Environment({"AGENT_WORKERS_POOL": "/pool.sock"}))
    assert (version.check, version.status) == ("pool_version", "warn")
    assert "the pool is 0.0.1" in version.found


@pytest.mark.parametrize("why", get_args(Why))
def test_a_pool_that_does_not_answer_is_told_with_a_cure_and_fails_where_runs_would(
    why: Why, monkeypatch: pytest.MonkeyPatch
) -> None:
    def ask(path: Path) -> dict[str, Any]:
        raise NoStatus(why, "words")

    monkeypatch.setattr(pool_check, "ask_status", ask)
    [found] = check_pool(Environment({"AGENT_WORKERS_POOL": "/pool.sock"}))
    assert found.status == ("fail" if why in {"silent", "not_served", "no_pool"} else "warn")
    assert (found.facts["why"], found.found) == (why, "/pool.sock: words")
    assert found.cure
    assert "{" not in found.cure


def test_a_pool_that_has_ended_is_a_warning_for_workers_run_without_it(tmp_path: Path) -> None:
    listening(tmp_path / "pool.sock").close()
    found = report(Scripts(tmp_path), ANTHROPIC_API_KEY="k", AGENT_WORKERS_POOL=str(tmp_path / "pool.sock"))["pool"]
    assert (found["status"], found["facts"]["why"]) == ("warn", "not_listening")


def as_nobody(pool: ServedPool) -> dict[str, Any]:
    """What the check finds for a user in no group."""
    code = (
        "import json, os; from agent_workers.cli.checkup.pool import check_pool\n"
        "from agent_workers.engine.claude import Environment\n"
        "os.setgroups([]); os.setgid(65534); os.setuid(65534)\n"
        f"found = check_pool(Environment({{'AGENT_WORKERS_POOL': {str(pool.path)!r}}}))\n"
        "print(json.dumps(found[0].to_json()))"
    )
    command = [sys.executable, "-c", code]
    ended = subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE_S, check=True)
    return dict(json.loads(ended.stdout))


@pytest.mark.skipif(os.geteuid() != 0, reason="becomes another user: needs root")
def test_another_user_is_told_whose_the_socket_is_and_what_lets_him_in(shared: ServedPool) -> None:
    let_others_into(shared.path.parent)
    found = as_nobody(shared)
    assert (found["status"], found["facts"]["why"]) == ("warn", "out_of_reach")
    assert "(root:root, mode 0660): this user may not connect" in found["found"]
    assert "Have the socket owned by a group that nobody is in (group of the pool's settings" in found["cure"]
    assert "name nobody in the pool's allow_users" in found["cure"]
    shared.path.chmod(0o666)
    found = as_nobody(shared)
    assert (found["status"], found["facts"]["why"]) == ("fail", "not_served")
    assert "Name nobody in the pool's allow_users" in found["cure"]
    shared.path.parent.chmod(0o700)
    assert as_nobody(shared)["facts"]["why"] == "out_of_reach"


@pytest.mark.skipif(os.geteuid() != 0, reason="becomes another user: needs root")
def test_a_socket_that_a_user_may_not_read_can_be_named_all_the_same(tmp_path: Path) -> None:
    path = tmp_path / "pool.sock"
    let_others_into(tmp_path)
    listening(path).close()
    path.chmod(0o660)
    code = (
        "import os; from agent_workers.cli.doctor import doctor; from agent_workers.cli.pool import pool\n"
        "from agent_workers.cli.pool_status import status\n"
        "os.setgroups([]); os.setgid(65534); os.setuid(65534)\n"
        f"path = {str(path)!r}; assert not os.access(path, os.R_OK)\n"
        "for command, option in ((doctor, '--pool'), (status, '--socket'), (pool, '--socket')):\n"
        "    with command.make_context('named', [option, path]): pass\n"
    )
    command = [sys.executable, "-c", code]
    ended = subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE_S, check=False)
    assert (ended.returncode, ended.stderr) == (0, "")
