"""The sandbox that a policy asks for: commands are confined, or nothing runs."""

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.desk import Desk, bash

pytestmark = pytest.mark.usefixtures("loaded")


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


def test_what_commands_print_in_it_is_told_while_they_print_it(desk: Desk, policy: dict[str, str]) -> None:
    def talkative(name: str) -> str:
        return f"""echo "it's '{name}'"; until [ -e {name} ]; do sleep 0.01; done; echo end >&2"""

    desk.script(bash(talkative("a")), bash(talkative("b")))
    running = desk.start("--control", env=policy)
    running.send(desk.request(tools=["Bash"], permissions={"allow": ["Bash"]}, stream={"tool_output": True}))
    texts = []
    for event in running.told():
        if event["type"] == "tool_output":
            texts.append(event["text"])
            desk.file("b" if "b" in event["text"] else "a")
    ended = running.end()
    assert texts == ["it's 'a'\n", "end\n", "it's 'b'\n", "end\n"]
    assert [event["content"] for event in ended.of("tool_result")] == ["it's 'a'\nend", "it's 'b'\nend"]


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


def test_what_is_another_runs_or_hidden_by_the_policy_cannot_be_read_from_it(
    desk: Desk, policy: dict[str, str]
) -> None:
    desk.script()
    desk.run()  # leaves a session
    [session] = (desk.home.root / "state").rglob("*.jsonl")
    scratch = Path(policy["TMPDIR"]) / "agent-worker-other"
    scratch.mkdir()
    (scratch / "settings").write_text("canary")
    for name in ("hidden", "shown"):
        (desk.home.root / name).mkdir()
        (desk.home.root / name / "file").write_text(f"canary-{name}")
    desk.file("private/file", "canary-private")
    path = Path(policy["AGENT_WORKERS_POLICY"])
    path.write_text(f'{path.read_text()}deny_read = ["{desk.home.root}/hidden", "{desk.cwd}/private", "/no/such"]\n')
    secrets = [session, scratch / "settings", desk.home.root / "hidden" / "file", desk.cwd / "private" / "file"]
    # Spelled so that no rule sees what is read.
    looks = [f"echo {str(secret)[::-1]} | rev | xargs cat" for secret in secrets]
    look = bash(f"cat {desk.home.root}/shown/file; touch $TMPDIR/made && echo made")
    desk.script([bash(look) for look in looks], look)
    ended = desk.run(tools=["Bash"], permissions={"allow": ["Bash"]}, env=policy)
    *hidden, shown = [event["content"] for event in ended.of("tool_result")]
    assert len(hidden) == len(secrets)
    assert all("No such file" in content and "canary" not in content for content in hidden), hidden
    assert shown == "canary-shownmade"
    shutil.rmtree(scratch)
