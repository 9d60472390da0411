"""The sandbox that a policy asks for: commands are confined, or nothing runs."""

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.e2e.conftest import desk_at
from tests.e2e.desk import Desk, bash, results
from tests.e2e.loaded import LoadedWorkers
from tests.e2e.stream import Event
from tests.e2e.worker import Ended

pytestmark = pytest.mark.usefixtures("loaded")


@contextmanager
def policy_for(desk: Desk, *more: str) -> Iterator[dict[str, str]]:
    """The variables of a run with a policy that asks for the sandbox, with these lines at its end."""
    path = desk.home.root / "policy.toml"
    path.write_text(
        f'version = 1\nworkers = ["agent-task"]\n[task]\ntools = ["Bash"]\nmodes = ["deny"]\n'
        f'cwd_roots = ["{desk.cwd}"]\n[sandbox]\nenabled = true\n' + "\n".join(more)
    )
    with tempfile.TemporaryDirectory(dir="/tmp") as short:
        yield {"AGENT_WORKERS_POLICY": str(path), "TMPDIR": short}
        assert list(Path(short).iterdir()) == []


@pytest.fixture
def policy(desk: Desk) -> Iterator[dict[str, str]]:
    with policy_for(desk) as policy:
        yield policy


@dataclass(frozen=True)
class Confined:
    """A run in the sandbox beside one that is not.

    Attributes:
        free: The one that is not.
        ended: The one that is.
        outside: What its commands try to make outside of their directory, of which the last asks to leave the sandbox.
        looks: Its commands that read what is not theirs.
        told: What it told while its talkative commands printed it.
    """

    desk: Desk
    free: Ended
    ended: Ended
    outside: list[Path]
    looks: list[str]
    told: list[str]

    def result(self, part: str) -> Event:
        """What became of the command of which this is a part."""
        [found] = [event for command, event in results(self.ended).items() if part in command]
        return found


TALKS = [f"""echo "it's '{name}'"; until [ -e {name} ]; do sleep 0.01; done; echo end >&2""" for name in "ab"]
"""Each prints something, and the rest once it was told."""


@pytest.fixture(scope="module")
def confined(tmp_path_factory: pytest.TempPathFactory, loaded: LoadedWorkers) -> Iterator[Confined]:
    with desk_at(tmp_path_factory.mktemp("confined"), loaded) as desk:
        root = desk.home.root
        host, port = desk.simulator.base_url.removeprefix("http://").split(":")
        reach = f"timeout 5 bash -c '< /dev/tcp/{host}/{port}' && echo reached || echo unreachable"
        desk.script(bash(reach))
        free = desk.run(tools=["Bash"], permissions={"allow": ["Bash"]})
        [session] = (root / "state").rglob("*.jsonl")
        for name in ("hidden", "shown"):
            (root / name).mkdir()
            (root / name / "file").write_text(f"canary-{name}")
        desk.file("private/file", "canary-private")
        with policy_for(desk, f'deny_read = ["{root}/hidden", "{desk.cwd}/private", "/no/such"]') as policy:
            scratch = Path(policy["TMPDIR"]) / "agent-worker-other"
            scratch.mkdir()
            (scratch / "settings").write_text("canary")
            secrets = [session, scratch / "settings", root / "hidden" / "file", desk.cwd / "private" / "file"]
            # Spelled so that no rule sees what is read.
            looks = [f"echo {str(secret)[::-1]} | rev | xargs cat" for secret in secrets]
            outside = [root / "outside", root / "far-outside"]
            commands = [*looks, f"cat {root}/shown/file; touch $TMPDIR/made && echo made"]
            commands += [f"touch inside; touch {outside[0]}; {reach}"]
            leave = bash(f"touch {outside[1]}", dangerouslyDisableSandbox=True)
            desk.script([*map(bash, commands), leave], *map(bash, TALKS))
            running = desk.start("--control", env=policy)
            running.send(desk.request(tools=["Bash"], permissions={"allow": ["Bash"]}, stream={"tool_output": True}))
            talking, told = set(), []
            for event in running.told():
                if event["type"] == "tool_call" and event["input"]["command"] in TALKS:
                    talking.add(event["tool_use_id"])
                if event["type"] == "tool_output" and event["tool_use_id"] in talking:
                    told.append(event["text"])
                    desk.file("b" if "b" in event["text"] else "a")
            ended = running.end()
            shutil.rmtree(scratch)
        yield Confined(desk, free, ended, outside, looks, told)


def test_a_command_writes_in_the_working_directory_only_and_reaches_no_network(confined: Confined) -> None:
    assert confined.ended.ending == ("done", 0)
    result = confined.result("touch inside")
    assert result["status"] == "ok", result["content"]
    assert (confined.desk.cwd / "inside").exists()
    assert not confined.outside[0].exists()
    assert "unreachable" in result["content"]
    assert confined.free.of("tool_result")[0]["content"].split()[-1] == "reached"


def test_what_commands_print_in_it_is_told_while_they_print_it(confined: Confined) -> None:
    assert confined.told == ["it's 'a'\n", "end\n", "it's 'b'\n", "end\n"]
    assert [confined.result(talk)["content"] for talk in TALKS] == ["it's 'a'\nend", "it's 'b'\nend"]


def test_the_model_cannot_leave_the_sandbox(confined: Confined) -> None:
    assert confined.result("far-outside")
    assert not confined.outside[1].exists()


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


def test_what_is_another_runs_or_hidden_by_the_policy_cannot_be_read_from_it(confined: Confined) -> None:
    hidden = [confined.result(look)["content"] for look in confined.looks]
    assert all("No such file" in content and "canary" not in content for content in hidden), hidden
    assert confined.result("/shown/file")["content"] == "canary-shownmade"
