"""What the documents say of the repository is so."""

import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PACKAGE = ROOT / "agent_workers"
DOCUMENTS = ("README.md", "CHANGELOG.md", "CONTRIBUTING.md", "SECURITY.md")
PLANTED = {"CLAUDE.md", ".agents/skills"}  # what others may have put into a working directory


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
