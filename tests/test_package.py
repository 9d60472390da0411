"""What those who install the package get."""

import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

import agent_workers

ROOT = Path(__file__).parent.parent


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> set[str]:
    """The names of the files in the wheel."""
    folder = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--no-build-isolation", "--wheel-dir"]
    subprocess.run([*command, str(folder), str(ROOT)], timeout=120, check=True, capture_output=True)
    [file] = folder.glob("*.whl")
    return set(zipfile.ZipFile(file).namelist())


def test_the_schemas_are_in_the_wheel(wheel: set[str]) -> None:
    committed = {f"agent_workers/{path.relative_to(ROOT)}" for path in (ROOT / "schemas").rglob("*.json")}
    assert committed
    assert committed <= wheel


def test_the_scenarios_and_the_type_marker_are_in_the_wheel(wheel: set[str]) -> None:
    assert "agent_workers/py.typed" in wheel
    assert "agent_workers/simulator/scenarios/hello.toml" in wheel


def test_nothing_else_is_in_the_wheel(wheel: set[str]) -> None:
    release = f"agent_workers-{agent_workers.__version__}"
    assert {name.split("/")[0] for name in wheel} == {"agent_workers", f"{release}.dist-info", f"{release}.data"}


def test_the_programs_are_in_the_wheel(wheel: set[str]) -> None:
    programs = {name.rpartition("/")[2] for name in wheel if ".data/" in name}
    assert programs == {path.name for path in (ROOT / "bin").iterdir()}


def test_the_public_names_of_the_package_are_those_listed() -> None:
    assert agent_workers.__all__ == ["__version__"]
