"""The Artisan commands, as an operator runs them."""

import json
import os
import pty
import re
import signal
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.laravel.site import Site
from tests.node import EXAMPLE, built
from tests.waiting import PATIENCE_S, until

README_OF_NODE = (EXAMPLE / "README.md").read_text("utf-8")


@pytest.mark.parametrize(
    ("request_", "status", "ending"),
    [
        ({"prompt": "Hello"}, 0, "done"),
        ({"prompt": "[[scenario:overloaded-529]]"}, 75, "error"),
        ({"prompt": "[[scenario:unauthorized-401]]"}, 1, "error"),
        ({"prompt": "Hello", "promt": "Hello"}, 2, "error"),
    ],
)
def test_agent_run_writes_events_and_exits_as_the_worker_does(
    site: Site, tmp_path: Path, request_: object, status: int, ending: str
) -> None:
    file = tmp_path / "request.json"
    file.write_text(json.dumps(request_))
    artisan = site.artisan("agent:run", "chat", str(file))
    output, errors = artisan.communicate(timeout=PATIENCE_S)
    events = [json.loads(line) for line in output.splitlines()]
    assert (artisan.returncode, events[-1]["type"]) == (status, ending), errors
    assert [event["seq"] for event in events] == list(range(1, len(events) + 1))


def test_agent_chat_prints_the_answer(site: Site) -> None:
    artisan = site.artisan("agent:chat", "Hello <info>you</info>")
    output, errors = artisan.communicate(timeout=PATIENCE_S)
    assert (artisan.returncode, errors) == (0, b"")
    assert "You said: Hello <info>you</info>" in output.decode()


def test_a_worker_in_another_language_answers_by_one_line_of_configuration(site: Site, tmp_path: Path) -> None:
    [line] = re.findall(r"^```ini\n(AGENT_CHAT_BINARY)=\S+\n```$", README_OF_NODE, re.MULTILINE)
    environ = site.console | {line: str(built(tmp_path))}
    artisan = site.artisan("agent:run", "chat", "-", env=environ, stdin=subprocess.PIPE)
    output, errors = artisan.communicate(b'{"prompt": "Hello"}', timeout=PATIENCE_S)
    first, *_, last = [json.loads(line) for line in output.splitlines()]
    assert (artisan.returncode, first["worker"], last["type"]) == (0, "agent-chat-node", "done"), errors
    spoken = site.artisan("agent:chat", "Hello <info>you</info>", env=environ)
    output, errors = spoken.communicate(timeout=PATIENCE_S)
    assert (spoken.returncode, errors) == (0, b"")
    assert "You said: Hello <info>you</info>" in output.decode()


def test_ctrl_c_ends_the_answer_in_order(site: Site) -> None:
    master, slave = pty.openpty()
    artisan = site.artisan("agent:chat", "Go on. [[scenario:slow]]", stdin=slave, stdout=slave, start_new_session=True)
    os.close(slave)
    output = b""
    while output.count(b" ") < 5:
        output += os.read(master, 4096)
    assert site.processes("claude")
    # As a terminal does: to all processes in the foreground, the worker included.
    os.killpg(artisan.pid, signal.SIGINT)
    artisan.communicate(timeout=PATIENCE_S)
    output += os.read(master, 65536)
    os.close(master)
    assert (artisan.returncode, b"Stopped." in output) == (3, True)
    assert site.processes() == []


def test_a_killed_command_leaves_no_worker(site: Site) -> None:
    artisan = site.artisan("agent:chat", "Go on. [[scenario:stall-before]]")
    until(lambda: site.processes("claude"), what=site.left)
    artisan.kill()
    artisan.communicate(timeout=PATIENCE_S)
    until(lambda: not site.processes(), within_s=6, what=site.left)


Reports = dict[str, dict[str, Any]]


def examine(site: Site, user: str | None = None, **variables: str) -> tuple[int, Reports]:
    """The exit status of the doctor, which this user asks, and its reports by the user."""
    become = {"user": user, "group": user, "extra_groups": []} if user else {}
    artisan = site.artisan("agent:doctor", "--json", env=site.console | variables, **become)
    output, errors = artisan.communicate(timeout=PATIENCE_S)
    assert output, errors
    return artisan.returncode, json.loads(output)


def found_in(reports: Reports) -> dict[str, dict[str, Any]]:
    """What was found of the workers as the web user, or else as whoever runs the tests."""
    return {check["check"]: check for check in list(reports.values())[-1]["checks"]}


def doctor(site: Site, **variables: str) -> tuple[int, dict[str, dict[str, Any]]]:
    """What the web user finds who asks."""
    status, reports = examine(site, site.user, AGENT_WORKERS_STATE_DIR=str(site.state), **variables)
    return status, found_in(reports)


@pytest.fixture(scope="module")
def healthy(running_site: Site) -> tuple[int, Reports]:
    return examine(running_site, AGENT_WORKERS_STATE_DIR=str(running_site.state))


def test_doctor_looks_through_the_web_users_eyes(site: Site, healthy: tuple[int, Reports]) -> None:
    status, reports = healthy
    assert status == 0, reports
    assert {report["user"] for report in reports.values()} == set(reports)
    assert site.user is None or site.user in reports


def test_doctor_looks_at_each_program_that_runs_with_the_state_directory_of_its_runs(
    site: Site, healthy: tuple[int, Reports]
) -> None:
    status, reports = healthy
    found = found_in(reports)
    assert status == 0, found
    for worker in ("chat", "task"):
        assert found[f"worker {worker}"]["status"] in {"ok", "warn"}
        assert found[f"worker {worker}"]["facts"]["state_dir"] == str(site.state)
        assert found[f"worker {worker}"]["facts"]["binary"].endswith(f"/agent-{worker}")


USELESS = ["/nosuch", "/etc/hostname", "/bin/true", "relative/path"]


@pytest.fixture(scope="module")
def examined(running_site: Site) -> dict[tuple[str, str], tuple[int, dict[str, dict[str, Any]]]]:
    """What the doctor finds of two workers that cannot run, by the worker and its program."""
    found = {}
    for chat, task in zip(USELESS, [*USELESS[1:], USELESS[0]], strict=True):
        programs = {"AGENT_CHAT_BINARY": chat, "AGENT_TASK_BINARY": task}
        of_both = doctor(running_site, **programs)
        found |= {("chat", chat): of_both, ("task", task): of_both}
    return found


@pytest.mark.parametrize("worker", ["chat", "task"])
@pytest.mark.parametrize("program", USELESS)
def test_doctor_fails_on_a_worker_that_cannot_run_and_names_its_program(
    examined: dict[tuple[str, str], tuple[int, dict[str, dict[str, Any]]]], worker: str, program: str
) -> None:
    status, found = examined[worker, program]
    assert status == 1
    assert found[f"worker {worker}"]["status"] == "fail"
    assert [name for name, check in found.items() if program in check["found"]] == [f"worker {worker}"]
    assert program in found[f"worker {worker}"]["found"]
    assert "binaries" in found[f"worker {worker}"]["cure"]


def test_doctor_sees_the_policy_that_a_workers_own_program_sets_and_fails_where_one_worker_of_two_cannot_run(
    site: Site,
) -> None:
    folder = site.root / "own-program"  # which the web user can read
    folder.mkdir()
    policy = folder / "policy.toml"
    policy.write_text('version = 1\nworkers = ["agent-chat"]\n')
    wrapper = folder / "agent-task"
    wrapper.write_text(f'#!/bin/sh\nexec {site.worker.with_name("agent-task")} --policy {policy} "$@"\n')
    wrapper.chmod(0o755)
    status, found = doctor(site, AGENT_TASK_BINARY=str(wrapper))
    assert status == 1
    assert found["worker chat"]["status"] in {"ok", "warn"}
    assert found["worker task"]["status"] == "fail"
    assert "policy" not in found["worker chat"]["facts"]
    assert "does not allow agent-task" in found["worker task"]["found"]
    assert found["worker task"]["facts"]["policy"] == str(policy)


def test_doctor_tells_that_the_web_user_cannot_run_the_worker(site: Site, tmp_path: Path) -> None:
    if site.user is None:
        pytest.skip("needs root, to become another user")
    hidden = tmp_path / "agent-workers"
    hidden.write_text(f'#!/bin/sh\nexec {site.worker.with_name("agent-workers")} "$@"\n')
    hidden.chmod(0o755)
    tmp_path.chmod(0o700)
    artisan = site.artisan("agent:doctor", env=site.console | {"AGENT_WORKERS_BINARY": str(hidden)})
    output, _ = artisan.communicate(timeout=PATIENCE_S)
    assert artisan.returncode == 1
    assert f"As {site.user}: fail" in output.decode()
    assert "Permission denied" in output.decode()
