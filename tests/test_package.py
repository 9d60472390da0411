"""What those who install the package get."""

import json
import re
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator

import agent_workers
from agent_workers.workers import WORKERS
from tests.installed import Environment
from tests.waiting import PATIENCE_S

ROOT = Path(__file__).parent.parent


@pytest.fixture(scope="module")
def wheel_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--no-build-isolation", "--wheel-dir"]
    subprocess.run([*command, str(folder), str(ROOT)], timeout=PATIENCE_S, check=True, capture_output=True)
    [file] = folder.glob("*.whl")
    return file


@pytest.fixture(scope="module")
def wheel(wheel_file: Path) -> set[str]:
    """The names of the files in the wheel."""
    return set(zipfile.ZipFile(wheel_file).namelist())


def test_the_schemas_are_in_the_wheel(wheel: set[str]) -> None:
    committed = {f"agent_workers/{path.relative_to(ROOT)}" for path in (ROOT / "schemas").rglob("*.json")}
    assert committed
    assert committed <= wheel


def test_the_cases_and_transcripts_of_the_conformance_kit_are_in_the_wheel(wheel: set[str]) -> None:
    committed = {
        f"agent_workers/{path.relative_to(ROOT)}" for path in (ROOT / "conformance").rglob("*") if path.is_file()
    }
    assert "agent_workers/conformance/v1/cases/sigterm.json" in committed
    assert committed <= wheel


def test_the_scenarios_the_models_and_the_type_marker_are_in_the_wheel(wheel: set[str]) -> None:
    assert "agent_workers/py.typed" in wheel
    assert "agent_workers/simulator/scenarios/hello.toml" in wheel
    assert "agent_workers/engine/messages/models.toml" in wheel


def test_the_bundled_skills_are_in_the_wheel_whole(wheel: set[str]) -> None:
    folder = ROOT / "agent_workers/skills/bundled"
    files = {str(path.relative_to(ROOT)) for path in folder.rglob("*") if path.is_file()}
    assert {"SKILL.md", "agents/agent-workers.yaml", "input.schema.json", "output.schema.json"} <= {
        file.removeprefix("agent_workers/skills/bundled/partner-health/") for file in files
    }
    assert files <= wheel


def test_nothing_else_is_in_the_wheel(wheel: set[str]) -> None:
    release = f"claude_agent_workers-{agent_workers.__version__}"
    assert {name.split("/")[0] for name in wheel} == {"agent_workers", f"{release}.dist-info", f"{release}.data"}


def test_the_programs_are_in_the_wheel(wheel: set[str]) -> None:
    programs = {name.rpartition("/")[2] for name in wheel if ".data/" in name}
    assert programs == {"agent-workers", "agent-batch", *WORKERS}


def test_the_public_names_of_the_package_are_those_listed() -> None:
    assert agent_workers.__all__ == ["__version__"]


@pytest.fixture(scope="module")
def stranger(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What the package index has under the name that the import package has here."""
    file = tmp_path_factory.mktemp("stranger") / "agent_workers-0.1.0-py3-none-any.whl"
    about = "agent_workers-0.1.0.dist-info"
    files = {
        "agent_workers/__init__.py": '"""Agent Workers"""\n',
        "agent_workers/__version__.py": '__version__ = "0.1.0"\n',
        f"{about}/METADATA": "Metadata-Version: 2.4\nName: agent-workers\nVersion: 0.1.0\n",
        f"{about}/WHEEL": "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    }
    with zipfile.ZipFile(file, "w") as archive:
        for name, text in files.items():
            archive.writestr(name, text)
        archive.writestr(f"{about}/RECORD", "".join(f"{name},,\n" for name in [*files, f"{about}/RECORD"]))
    return file


@pytest.mark.parametrize("editable", [False, True], ids=["from a wheel", "editable"])
def test_where_the_strangers_package_of_the_same_name_takes_the_place_of_ours_nothing_starts(
    tmp_path: Path, wheel_file: Path, stranger: Path, editable: bool
) -> None:
    environment = Environment(tmp_path)
    environment.install(*(["--editable", str(ROOT)] if editable else [str(wheel_file)]))
    assert environment.run("agent-chat", "--version").stdout == f"agent-chat {agent_workers.__version__}\n"
    environment.install(str(stranger))
    refused = environment.run("agent-chat", "--control", given='{"prompt": "Hello"}\n')
    assert refused.returncode == 1
    [line] = refused.stdout.splitlines()
    event = json.loads(line)
    Draft202012Validator(json.loads((ROOT / "schemas/v1/event.schema.json").read_text())).validate(event)
    assert (event["seq"], event["type"], event["code"], event["retryable"]) == (1, "error", "internal", False)
    assert str(tmp_path) not in event["message"]
    for program in ("agent-chat", "agent-task", "agent-workers"):
        told = environment.run(program).stderr
        assert told.startswith(f"{program}: another package has taken the place of this one: ")
        assert "agent_workers/__init__.py\n" in told
        assert "pip uninstall agent-workers claude-agent-workers" in told
        assert "Traceback" not in told


def test_where_ours_is_installed_over_the_strangers_it_starts_and_doctor_warns(
    tmp_path: Path, wheel_file: Path, stranger: Path
) -> None:
    environment = Environment(tmp_path)
    environment.install(str(stranger))
    environment.install(str(wheel_file))
    assert environment.run("agent-chat", "--version").stdout == f"agent-chat {agent_workers.__version__}\n"
    checks = json.loads(environment.run("agent-workers", "doctor", "--json").stdout)["checks"]
    [found] = [check for check in checks if check["check"] == "distribution"]
    assert found["status"] == "warn"
    assert found["facts"] == {"others": "agent-workers"}
    assert "pip uninstall agent-workers claude-agent-workers" in found["cure"]


def test_no_document_and_no_message_sends_a_reader_to_the_strangers_package() -> None:
    texts = [*ROOT.glob("*.md"), *ROOT.glob("php-bridge/**/*.*"), *ROOT.glob("examples/**/*.*"), *ROOT.glob("tools/*")]
    texts += [*ROOT.glob("agent_workers/**/*.py"), ROOT / "Makefile"]
    told = re.compile(
        r"""(?:pip|pipx|uv|uv pip|poetry|pdm)\ (?:install|add|tool\ install|require)\b[^\n`]*?
        (?<![\w./-])agent-workers(?![\w./-])""",
        re.VERBOSE,
    )
    wrong = [
        f"{path}: {found[0]}"
        for path in texts
        if path.is_file() and not {"node_modules", "vendor", "dist"} & set(path.parts)
        for found in [told.search(path.read_text("utf-8", "replace"))]
        if found
    ]
    assert wrong == []
