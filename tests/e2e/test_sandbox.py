"""The sandbox that a policy asks for: commands are confined, or nothing runs."""

import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from .desk import Desk, bash


@pytest.fixture
def policy(desk: Desk) -> Iterator[dict[str, str]]:
    path = desk.home.root / "policy.toml"
    path.write_text(
        f'version = 1\nworkers = ["agent-task"]\n[task]\ntools = ["Bash"]\nmodes = ["deny"]\n'
        f'cwd_roots = ["{desk.cwd}"]\n[sandbox]\nenabled = true\n'
    )
    with tempfile.TemporaryDirectory(dir="/tmp") as short:
        yield {"AGENT_WORKERS_POLICY": str(path), "TMPDIR": short}
        assert list(Path(short).iterdir()) == []


def test_a_command_writes_in_the_working_directory_only_and_reaches_no_network(
    desk: Desk, policy: dict[str, str]
) -> None:
    outside = desk.home.root / "outside"
    host, port = desk.simulator.base_url.removeprefix("http://").split(":")
    look = f"timeout 5 bash -c '< /dev/tcp/{host}/{port}' && echo reached || echo unreachable"
    desk.script(bash(f"touch inside; touch {outside}; {look}"))
    ended = desk.run(tools=["Bash"], permissions={"allow": ["Bash"]}, env=policy)
    assert ended.ending == ("done", 0)
    assert ended.of("tool_result")[0]["status"] == "ok", ended.of("tool_result")[0]["content"]
    assert (desk.cwd / "inside").exists()
    assert not outside.exists()
    assert "unreachable" in ended.of("tool_result")[0]["content"]
    desk.script(bash(look))
    free = desk.run(tools=["Bash"], permissions={"allow": ["Bash"]})
    assert free.of("tool_result")[0]["content"].split()[-1] == "reached"


def test_the_model_cannot_leave_the_sandbox(desk: Desk, policy: dict[str, str]) -> None:
    outside = desk.home.root / "outside"
    desk.script(bash(f"touch {outside}", dangerouslyDisableSandbox=True))
    desk.run(tools=["Bash"], permissions={"allow": ["Bash"]}, env=policy)
    assert not outside.exists()


def test_a_path_that_is_too_long_for_its_sockets_is_told_before_anything_runs(
    desk: Desk, policy: dict[str, str]
) -> None:
    long = desk.home.root / ("long-" * 20)
    long.mkdir()
    ended = desk.run(tools=["Bash"], env={**policy, "TMPDIR": str(long)})
    assert ended.ending == ("sandbox_unavailable", 1)
    assert "TMPDIR" in ended.stderr


def test_without_commands_no_sandbox_is_needed(desk: Desk, policy: dict[str, str], tmp_path: Path) -> None:
    desk.script()
    empty = tmp_path / "bin"
    empty.mkdir()
    assert desk.run(env={**policy, "PATH": str(empty)}).ending == ("done", 0)


def test_where_it_does_not_work_nothing_runs(desk: Desk, policy: dict[str, str], tmp_path: Path) -> None:
    empty = tmp_path / "bin"
    empty.mkdir()
    desk.script(bash("touch made"))
    ended = desk.run(tools=["Bash"], permissions={"allow": ["Bash"]}, env={**policy, "PATH": str(empty)})
    assert ended.ending == ("sandbox_unavailable", 1)
    assert "bubblewrap" in ended.stderr
    assert desk.simulator.requests("/v1/messages") == []
