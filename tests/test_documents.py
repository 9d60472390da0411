"""What the documents say of the repository is so."""

import re
import subprocess
import tomllib
from pathlib import Path

import pytest

from agent_workers.policy import Policy
from agent_workers.protocol.v1.skill_request import SkillRequest
from agent_workers.skills.settings import Settings
from agent_workers.workers import WORKERS

ROOT = Path(__file__).parent.parent
PACKAGE = ROOT / "agent_workers"
DOCUMENTS = ("README.md", "CHANGELOG.md", "CONTRIBUTING.md", "SECURITY.md")
OUR_OWN = {"AGENT_WORKERS_RUN_DIR"}  # what a worker tells the programs that it starts
# What others may have put into a working directory, and what only `make shots` makes.
PLANTED = {"CLAUDE.md", ".agents/skills", ".artifacts/"}


def text_of(document: str) -> str:
    return (ROOT / document).read_text("utf-8")


def rows_of(table: str) -> set[str]:
    """What the table of the map lists that begins with this column."""
    found = re.search(rf"^\| {table} \|.*\n\|[-|]+\|\n((?:\|.*\n)+)", text_of("CONTRIBUTING.md"), re.MULTILINE)
    assert found
    return set(re.findall(r"^\| `([^`]+)` \|", found[1], re.MULTILINE))


def paths_in(document: str) -> list[str]:
    """What stands in backticks and looks like a path: it has a slash, or ends as a file does."""
    quoted = re.findall(r"`([^`\s]+)`", text_of(document))
    return [path for path in quoted if re.fullmatch(r"[\w.-]+(?:/[\w.-]*)+|[\w-]+\.(?:py|toml|md|php|ts)", path)]


def test_the_map_names_every_top_folder() -> None:
    command = ["git", "ls-files"]  # not what lies in a clone besides
    files = subprocess.run(
        command, cwd=ROOT, capture_output=True, text=True, timeout=60, check=True
    ).stdout.splitlines()
    folders = {f"{Path(file).parts[0]}/" for file in files if "/" in file}
    assert rows_of("folder") == {name for name in folders if not name.startswith(".")}


def test_the_map_names_every_package_and_every_module_at_its_top() -> None:
    packages = {f"{path.parent.relative_to(PACKAGE)}/" for path in PACKAGE.glob("*/**/__init__.py")}
    modules = {path.name for path in PACKAGE.glob("*.py")} - {"__init__.py"}
    assert rows_of("module") == packages | modules


@pytest.mark.parametrize("document", ["CONTRIBUTING.md", "SECURITY.md"])
def test_every_path_that_a_document_names_is_there(document: str) -> None:
    named = [path for path in paths_in(document) if path not in PLANTED]
    assert named
    assert [path for path in named if not (ROOT / path).exists() and not (PACKAGE / path).exists()] == []


@pytest.mark.parametrize("document", DOCUMENTS)
def test_every_link_into_the_repository_leads_somewhere(document: str) -> None:
    links = re.findall(r"\]\((?!https?:)([^)#]+)", text_of(document))
    assert [link for link in links if not (ROOT / link).exists()] == []


def test_every_variable_that_the_security_page_names_is_known_to_the_code() -> None:
    names = set(re.findall(r"`(AGENT_WORKERS_\w+|CLAUDE_CODE_\w+|ANTHROPIC_\w+)`", text_of("SECURITY.md")))
    # What the CLI reads and the code knows by a pattern only.
    names -= {"ANTHROPIC_AUTH_TOKEN"}
    code = "".join(path.read_text("utf-8") for path in PACKAGE.rglob("*.py"))
    assert names
    assert [name for name in names if name not in code] == []


def table(document: str, heading: str) -> list[str]:
    """The rows of the first table below a heading of a document."""
    _, _, behind = text_of(document).partition(f"\n{heading}\n")
    found = re.search(r"^\|.*\n\|[-|]+\|\n((?:\|.*\n)+)", behind, re.MULTILINE)
    assert found
    return found[1].splitlines()


def test_the_readme_installs_every_extra_and_says_what_each_is_for() -> None:
    extras = tomllib.loads(text_of("pyproject.toml"))["project"]["optional-dependencies"]
    readme = text_of("README.md")
    [installed] = re.findall(r"To install it, run `pip install '\.\[([\w,]+)\]'`", readme)
    assert set(installed.split(",")) == set(extras)
    assert [name for name in extras if f"`{name}`" not in readme] == []


def test_the_readme_lists_every_variable_that_an_operator_may_set() -> None:
    code = "".join(path.read_text("utf-8") for path in PACKAGE.rglob("*.py"))
    listed = set(re.findall(r"^\| `(AGENT_WORKERS_\w+)` \|", text_of("README.md"), re.MULTILINE))
    assert set(re.findall(r"AGENT_WORKERS_[A-Z_]+", code)) - OUR_OWN == listed


@pytest.mark.parametrize("name", WORKERS)
def test_the_readme_names_every_field_of_a_request(name: str) -> None:
    readme = text_of("README.md")
    assert [field for field in WORKERS[name].request.model_fields if f"`{field}`" not in readme] == []


def test_the_readme_lists_every_field_of_a_request_to_a_skill() -> None:
    listed = {name for row in table("README.md", "## Skills") for name in re.findall(r"`(\w+)`", row.split("|")[1])}
    assert listed == set(SkillRequest.model_fields)


def test_the_readme_and_what_new_writes_have_every_setting_of_a_skill() -> None:
    [row] = [line for line in table("README.md", "### A skill of your own") if "agent-workers.yaml" in line]
    written = (PACKAGE / "skills/template/agents/agent-workers.yaml").read_text("utf-8")
    assert [name for name in Settings.model_fields if f"`{name}`" not in row] == []
    assert [name for name in Settings.model_fields if not re.search(rf"^(?:# )?{name}:", written, re.MULTILINE)] == []


def test_what_policy_init_writes_has_an_example_of_every_key() -> None:
    written = (PACKAGE / "cli/policy.toml").read_text("utf-8")
    keys = {"": Policy, **{name: field.annotation for name, field in Policy.model_fields.items() if name.islower()}}
    tables = {name: kind for name, kind in keys.items() if hasattr(kind, "model_fields")}
    for name, kind in tables.items():
        part = written if not name else written.partition(f"[{name}]\n")[2]
        for key in set(kind.model_fields) - set(tables) - {"version"}:
            assert re.search(rf"^# {key} = ", part, re.MULTILINE), f"{name} {key}"
