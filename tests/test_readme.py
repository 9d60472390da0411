"""Every command and snippet of the README does what it says."""

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator

from agent_workers.engine.messages.models_file import ModelsFile
from agent_workers.policy import Policy
from agent_workers.protocol.toml_file import read_toml
from agent_workers.protocol.v1.codes import ERROR_CODES
from agent_workers.protocol.v1.events import BODIES
from agent_workers.simulator import running_simulator
from agent_workers.workers import WORKERS
from tests.e2e.engines import DIFFERENCES
from tests.waiting import PATIENCE_S

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text("utf-8")
BLOCKS = [(match[1], match[2]) for match in re.finditer(r"^```(\w+)\n(.*?)^```$", README, re.MULTILINE | re.DOTALL)]
COMMANDS = {"sh": ["bash", "-euo", "pipefail"], "php": ["php"], "js": ["node"], "python": [sys.executable]}
SUFFIXES = {"sh": "sh", "php": "php", "js": "mjs", "python": "py"}


def scenario(snippet: str) -> str:
    """What the simulator must play for the snippet to show what it is about."""
    if "skill" in snippet:
        return "structured-output"
    if "tool_output" in snippet:
        return "tool-loop"
    if "agent-task" in snippet:
        return "task-touch" if "defer" in snippet else "task-demo" if "find_partner" in snippet else "task-notes"
    return "structured-output" if "structured" in snippet else "memory" if "resume" in snippet else "hello"


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    """A place as a reader would have it."""
    shutil.copytree(ROOT / "examples" / "requests", tmp_path / "examples" / "requests")
    shutil.copytree(ROOT / "examples" / "mcp", tmp_path / "examples" / "mcp")
    (tmp_path / "home").mkdir()
    return tmp_path


def run(command: list[str], folder: Path, base_url: str) -> subprocess.CompletedProcess[str]:
    binaries = Path(sys.executable).parent
    environ = {"PATH": f"{binaries}:{os.environ['PATH']}", "HOME": str(folder / "home"), "TMPDIR": str(folder)}
    environ |= {"ANTHROPIC_BASE_URL": base_url, "ANTHROPIC_API_KEY": "dummy", "LANG": "C.UTF-8"}
    return subprocess.run(
        command,
        cwd=folder,
        env=environ,
        capture_output=True,
        text=True,
        timeout=PATIENCE_S,
        check=False,
        stdin=subprocess.DEVNULL,
    )


def block(kind: str, words: str) -> str:
    """The snippet of this kind in which these words are."""
    return next(text for its_kind, text in BLOCKS if its_kind == kind and words in text)


APPLICATION, APPROVAL, CONVERSATION = block("js", "agent-task"), block("sh", "defer"), block("sh", "Who am I")
SHELL_DEMO = block("sh", "make demo")
RECORDING, REPLAY = block("sh", "> recorded.ndjson"), block("sh", "workers replay")
FLEET = [text for kind, text in BLOCKS if "agent-workers fleet" in text]
OF_THEIR_OWN = (APPLICATION, APPROVAL, CONVERSATION, SHELL_DEMO, RECORDING, REPLAY, *FLEET)
"""Snippets that run in tests of their own, those of the demo and the fleet beside these."""
SNIPPETS = [
    pytest.param(kind, text, id=text.split("\n")[0][:60])
    for kind, text in BLOCKS
    if kind in COMMANDS and text not in OF_THEIR_OWN
]


def told_by(snippet: str) -> str:
    """What a program among the snippets prints."""
    return "watch" if "skill" in snippet else "Murtal Messebau" if "agent-task" in snippet else "You said: Hello"


@pytest.mark.parametrize(("kind", "snippet"), SNIPPETS)
def test_a_snippet_of_the_readme_runs(kind: str, snippet: str, folder: Path) -> None:
    with running_simulator(scenario(snippet)) as simulator:
        file = folder / f"snippet.{SUFFIXES[kind]}"
        file.write_text(snippet, "utf-8")
        url = (
            simulator.marked_url if "skill" in snippet else simulator.base_url
        )  # an example answers where it is marked
        done = run([*COMMANDS[kind], str(file)], folder, url)
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout, done.stderr
    if kind in {"php", "js", "python"}:
        assert told_by(snippet) in done.stdout


def test_a_run_of_the_readme_is_recorded_and_replayed(folder: Path) -> None:
    with running_simulator("hello") as simulator:
        for snippet in (RECORDING, REPLAY):
            done = run(["bash", "-euo", "pipefail", "-c", snippet], folder, simulator.base_url)
            assert done.returncode == 0, done.stdout + done.stderr
            assert done.stdout, done.stderr


def test_the_application_of_the_readme_answers_its_agent(folder: Path) -> None:
    (folder / "snippet.mjs").write_text(APPLICATION, "utf-8")
    (folder / "notes.txt").write_text("Trade fair in Graz", "utf-8")
    with running_simulator("task-demo") as simulator:
        done = run(["node", "snippet.mjs"], folder, simulator.base_url)
        told = str(simulator.requests("/v1/messages")[-1].body["messages"])
    assert done.returncode == 0, done.stderr
    assert "Murtal Messebau" in done.stdout
    assert "Murtal Messebau" in told
    assert "book the stand" in (folder / "notes.txt").read_text("utf-8")


def test_an_approval_of_the_readme_takes_two_runs(folder: Path) -> None:
    with running_simulator("task-touch") as simulator:
        done = run(["bash", "-euo", "pipefail", "-c", APPROVAL], folder, simulator.base_url)
    assert done.returncode == 0, done.stdout + done.stderr
    assert '"tool_use_id"' in done.stdout
    assert json.loads(done.stdout.splitlines()[-1])["stop_reason"] == "end_turn"
    assert (folder / "made-by-the-agent").exists()


def test_a_conversation_of_the_readme_is_continued(folder: Path) -> None:
    with running_simulator("memory") as simulator:
        done = run(["bash", "-euo", "pipefail", "-c", CONVERSATION], folder, simulator.base_url)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "My name is Ada." in json.loads(done.stdout.splitlines()[-1])["text"]


def test_the_events_that_the_readme_shows_satisfy_the_schema() -> None:
    schema = json.loads((ROOT / "schemas/v1/event.schema.json").read_text("utf-8"))
    shown = [json.loads(line) for kind, text in BLOCKS if kind == "jsonl" for line in text.splitlines()]
    assert [event["type"] for event in shown] == ["start", "session", "delta", "delta", "done"]
    for event in shown:
        Draft202012Validator(schema).validate(event)


def test_the_policies_and_the_table_of_models_that_the_readme_shows_can_be_read(tmp_path: Path) -> None:
    file = tmp_path / "shown.toml"
    shown = [text for kind, text in BLOCKS if kind == "toml"]
    models = [text for text in shown if "[[models]]" in text]
    assert len(models) == 1
    assert len(shown) > 1
    for text in shown:
        file.write_text(text if "version" in text else f"version = 1\n{text}", "utf-8")
        read_toml(file, ModelsFile if text in models else Policy)


def test_a_pipeline_that_joins_pieces_shows_each_as_it_comes() -> None:
    examples = "\n".join([README, *(worker.examples for worker in WORKERS.values())])
    joining = re.findall(r"\bjq\b.* -r?j .*", examples)  # without newlines, jq keeps all of it to the end
    assert len(joining) > 1
    assert [line for line in joining if "--unbuffered" not in line] == []


def test_the_readme_names_every_event_type_and_error_code() -> None:
    assert [name for name in {*BODIES, *ERROR_CODES} if f"`{name}`" not in README] == []


def test_the_readme_lists_what_the_engines_do_differently() -> None:
    _, _, behind = README.partition("What differs, and why:\n\n")
    table, _, _ = behind.partition("\n\n")
    rows = [tuple(cell.strip() for cell in row.strip("|").split("|")) for row in table.splitlines()[2:]]
    assert rows == [(topic, *difference) for topic, difference in DIFFERENCES.items()]
