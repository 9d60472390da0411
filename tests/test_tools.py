"""The developers' tools agree with pyproject.toml."""

import json
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet

import agent_workers

ROOT = Path(__file__).parent.parent
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
SUPPORTED = [
    each.rpartition(" ")[2] for each in PROJECT["classifiers"] if each.startswith("Programming Language :: Python")
]
CONSTRAINTS = {each.name: each.specifier for each in map(Requirement, PROJECT["dependencies"])}


def requirements(*instead: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(ROOT / "tools/requirements"), *instead]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)


def test_the_supported_pythons_are_those_of_the_classifiers() -> None:
    allowed = SpecifierSet(PROJECT["requires-python"])
    assert [f"3.{minor}" for minor in range(30) if f"3.{minor}" in allowed] == SUPPORTED


@pytest.mark.parametrize("file", [".github/workflows/ci.yml", "tools/matrix", "tools/need", "tools/python"])
def test_what_names_pythons_names_all_that_are_supported_and_no_other(file: str) -> None:
    text = (ROOT / file).read_text("utf-8")
    assert sorted(set(re.findall(r"\b3\.\d+|(?<=python)3\.\d+", text))) == SUPPORTED
    bounds = {f"3.{minor}" for minor in re.findall(r"\(3, (\d+)\)", text)}
    assert bounds <= {SUPPORTED[0], f"3.{int(SUPPORTED[-1][2:]) + 1}"}


def test_development_needs_what_the_package_its_extras_and_its_build_need() -> None:
    needed = {Requirement(line).name for line in requirements().stdout.splitlines()}
    assert CONSTRAINTS.keys() <= needed
    assert {"starlette", "uvicorn", "pytest", "hatchling", "editables"} <= needed
    assert PROJECT["name"] not in needed


def test_a_named_version_takes_the_place_of_what_is_constrained() -> None:
    lines = requirements("claude-agent-sdk==0.99.0", "mcp==2.0.0").stdout.splitlines()
    assert {"claude-agent-sdk==0.99.0", "mcp==2.0.0"} <= set(lines)
    assert len(lines) == len(requirements().stdout.splitlines())


def test_a_version_of_a_package_that_is_not_needed_is_refused() -> None:
    refused = requirements("claude-agent-sdc==0.99.0")
    assert refused.returncode == 1
    assert "claude-agent-sdc" in refused.stderr


def test_compat_hands_the_named_versions_on() -> None:
    command = [
        "make",
        "--dry-run",
        "--no-print-directory",
        "compat",
        "PYTHON=python3",
        "SDK=0.99.0",
        "MCP=2.0.0",
        "JOBS=1",
    ]
    lines = subprocess.run(
        command, cwd=ROOT, capture_output=True, text=True, timeout=60, check=True
    ).stdout.splitlines()
    assert lines[-1].startswith("SDK=0.99.0 MCP=2.0.0 JOBS=1 tools/compat python3 tests/")
    assert [path for path in lines[-1].split() if path.startswith("tests/") and not (ROOT / path).exists()] == []


def test_the_pinned_packages_are_allowed_and_have_no_address() -> None:
    lines = (ROOT / "requirements-dev.txt").read_text("utf-8").splitlines()[1:]
    assert [line for line in lines if not re.fullmatch(r"[\w.-]+==[\w.!+-]+", line)] == []
    pinned = dict(line.split("==") for line in lines)
    assert [name for name, allowed in CONSTRAINTS.items() if pinned[name] not in allowed] == []


def test_the_versions_that_the_readme_shows_can_be_had() -> None:
    readme = (ROOT / "README.md").read_text("utf-8")
    [start] = [json.loads(line) for line in readme.splitlines() if '"type":"start"' in line]
    assert start["worker_version"] == agent_workers.__version__
    assert start["sdk_version"] in CONSTRAINTS["claude-agent-sdk"]
