"""A new worker is one module and one line in the registry: everything that lists workers finds it there."""

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.installed import Environment
from tests.waiting import PATIENCE_S

ROOT = Path(__file__).parent.parent
PARTS = ("agent_workers", "bin", "conformance", "schemas", "hatch_build.py", "pyproject.toml", "README.md", "LICENSE")
LINE = '"agent-note": "agent_workers.workers.note",'
MODULE = '''
"""agent-note: writes a note in a notebook."""

from pydantic import Field

from agent_workers.protocol.v1.fields import Text
from agent_workers.protocol.v1.request import Request
from agent_workers.workers.base import Worker


class NoteRequest(Request):
    """What a note is to be about."""

    notebook: Text = Field(description="Where the note belongs.")


WORKER = Worker(
    name="agent-note",
    summary="Writes a note in a notebook.",
    system_prompt="You write notes.",
    request=NoteRequest,
    examples="agent-note < note.json",
)
'''
NOTE = {"prompt": "Hello", "notebook": "travels"}


@pytest.fixture(scope="module", params=[False, True], ids=["from a wheel", "editable"])
def installed(tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest) -> Environment:
    """The package with one more worker."""
    folder = tmp_path_factory.mktemp("new-worker")
    clone = folder / "clone"
    clone.mkdir()
    for part in PARTS:
        source = ROOT / part
        (shutil.copytree if source.is_dir() else shutil.copy)(source, clone / part)
    (clone / "agent_workers/workers/note.py").write_text(MODULE)
    registry = clone / "agent_workers/workers/__init__.py"
    before, last, after = registry.read_text().partition('"agent_workers.workers.task",\n')
    registry.write_text(f"{before}{last}        {LINE}\n{after}")
    environment = Environment(folder / "environment")
    environment.install(*(["--editable", str(clone)] if request.param else [str(clone)]))
    return environment


def test_it_is_a_program_that_runs(installed: Environment) -> None:
    ran = installed.run("agent-note", "--simulate", given=json.dumps(NOTE))
    events = [json.loads(line) for line in ran.stdout.splitlines()]
    assert (ran.returncode, events[0]["type"], events[0]["worker"]) == (0, "start", "agent-note"), ran.stderr
    assert events[-1]["type"] == "done"


def test_it_reads_requests_by_its_own_model(installed: Environment) -> None:
    [refusal] = installed.run("agent-note", given='{"prompt": "Hello"}').stdout.splitlines()
    assert json.loads(refusal)["details"] == [{"pointer": "/notebook", "message": "is required"}]


def test_its_program_can_be_linked_to_from_elsewhere(installed: Environment) -> None:
    link = installed.root / "linked"
    link.unlink(missing_ok=True)
    link.symlink_to(installed.root / "bin/agent-note")
    assert installed.run("../linked", "--version").stdout.startswith("agent-note ")


def test_its_help_has_its_summary_its_examples_and_its_schema(installed: Environment) -> None:
    shown = installed.run("agent-note", "--help").stdout
    assert "Writes a note in a notebook." in shown
    assert "    agent-note < note.json\n" in shown
    assert "agent-workers schema note-request" in " ".join(shown.split())


def test_the_help_of_all_lists_it(installed: Environment) -> None:
    shown = installed.run("agent-workers", "--help").stdout
    assert re.search(r"^  agent-note +Writes a note in a notebook\.$", shown.partition("Workers:")[2], re.MULTILINE)


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_the_shell_completes_it(installed: Environment, shell: str) -> None:
    assert "_AGENT_NOTE_COMPLETE" in installed.run("agent-workers", "completion", shell).stdout


def test_its_schema_is_listed_and_printed(installed: Environment) -> None:
    listed = installed.run("agent-workers", "schema").stdout.splitlines()
    assert any(line.split(maxsplit=1) == ["note-request", "What a note is to be about"] for line in listed)
    schema = json.loads(installed.run("agent-workers", "schema", "note-request").stdout)
    assert (schema["$id"], schema["title"]) == ("urn:agent-workers:v1:note-request", "NoteRequest")
    assert "notebook" in schema["required"]


def test_its_requests_are_validated_as_its_own(installed: Environment) -> None:
    assert installed.run("agent-workers", "validate", given=json.dumps(NOTE)).stdout == "a valid note request\n"
    faulty = installed.run("agent-workers", "validate", "--kind", "note-request", given='{"prompt": "Hello"}')
    assert (faulty.returncode, faulty.stdout) == (1, "line 1: /notebook: is required\n")
    as_chat = installed.run("agent-workers", "validate", given='{"prompt": "Hello"}')
    assert as_chat.stdout == "a valid request\n"


def test_a_policy_rules_on_it_by_its_name(installed: Environment, tmp_path: Path) -> None:
    policy = tmp_path / "policy.toml"

    def check(workers: list[str]) -> list[str]:
        policy.write_text(f"version = 1\nworkers = {json.dumps(workers)}\n")
        command = ["policy", "check", str(policy), "--worker", "agent-note"]
        return installed.run("agent-workers", *command, given=json.dumps(NOTE)).stdout.splitlines()

    assert check(["agent-note"]) == ["agent-note: allowed"]
    assert check(["agent-chat"])[0] == "agent-note: denied"
    assert check(["agent-notes"])[-1] == (
        "  workers names 'agent-notes', which no worker is called; did you mean agent-note?"
    )


def test_doctor_knows_it_and_misses_its_program(installed: Environment) -> None:
    assert "agent-note" in installed.run("agent-workers", "doctor").stdout.splitlines()[0]
    assert "programs" not in findings(installed)
    program = installed.root / "bin/agent-note"
    program.rename(program.with_name("moved"))
    try:
        missing = findings(installed)["programs"]
    finally:
        program.with_name("moved").rename(program)
    assert (missing["status"], missing["facts"]) == ("warn", {"missing": "agent-note"})


def findings(installed: Environment) -> dict[str, dict[str, object]]:
    checks = json.loads(installed.run("agent-workers", "doctor", "--json").stdout)["checks"]
    return {check["check"]: check for check in checks}


def test_no_worker_costs_another_its_start() -> None:
    code = "import sys; from agent_workers.workers import WORKERS; WORKERS['agent-chat']; print(*sys.modules)"
    loaded = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=PATIENCE_S, check=True
    )
    others = {name for name in loaded.stdout.split() if name.startswith("agent_workers.workers.")}
    assert others == {f"agent_workers.workers.{name}" for name in ("base", "chat", "chat_defaults")}
