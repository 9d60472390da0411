"""Whatever a worker does, the kit ends in bounded time and memory, and nothing of the worker is left."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from agent_workers.conformance import Kit, Profile, Report
from tests.waiting import PATIENCE_S, now

SH = ["sh", "-c"]
HANGS = [*SH, "trap '' TERM INT; exec tail -f /dev/null"]
LISTS = "\n".join(
    (
        '{"type": ["done"], "seq": [1], "run": {}}',
        '{"type": "tool_call", "tool_use_id": ["a"], "parent_tool_use_id": [2]}',
        '{"type": "delta", "text": "x", "block": [1]}',
        '{"type": "discard", "blocks": [[1], {}]}',
        '{"type": "tool_result", "tool_use_id": {}, "parent_tool_use_id": {}}',
        '{"type": "error", "code": ["x"], "message": [], "retryable": []}',
    )
)
WORKERS: dict[str, list[str]] = {
    "says nothing and hears nothing": HANGS,
    "ends at once": ["true"],
    "cannot be understood": [*SH, "echo hello; echo; echo '[1, 2]'; exit 7"],
    "writes half a line": [*SH, "printf '{\"v\": 1'; exec tail -f /dev/null"],
    "writes to stderr without end": [*SH, "exec cat /dev/zero >&2"],
    "has lists where texts stand": [*SH, f"cat >/dev/null; printf '%s\\n' '{LISTS}'"],
    "is done and goes on": [*SH, 'echo \'{"type":"done","text":""}\'; exec tail -f /dev/null'],
}
FLOODS: dict[str, list[str]] = {
    "writes lines without end": ["yes"],
    "writes one line without end": ["cat", "/dev/zero"],
    "is done without end": ["yes", '{"v":1,"type":"done","text":"x"}'],
}
RUNS: dict[str, Any] = {"slow": {}, "large": {}, "text": {}}
MEMORY_MIB = 400
# Runs a command, and tells the peak of its memory in KiB: this process has had other children.
_MEASURED = """
import resource, subprocess, sys
status = subprocess.run(sys.argv[1:]).returncode
print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss, file=sys.stderr)
sys.exit(status)
"""


def conform(command: list[str]) -> Report:
    profile = Profile(name="any", asks_model=False, runs=RUNS)
    return Kit(command, profile, jobs=8, patience=0.1).run()


@pytest.mark.parametrize("command", WORKERS.values(), ids=WORKERS)
def test_a_worker_that_misbehaves_fails_soon_and_nothing_of_it_is_left(
    command: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    began = now()
    report = conform(command)
    assert now() - began < 30
    assert report.reached is None
    assert len(report.of("failed")) > 5
    assert list(tmp_path.iterdir()) == []
    assert processes_in(tmp_path) == []


@pytest.mark.parametrize("command", FLOODS.values(), ids=FLOODS)
def test_a_worker_that_floods_is_ended_before_it_fills_the_memory(command: list[str], tmp_path: Path) -> None:
    (tmp_path / "profile.json").write_text(json.dumps({"asks_model": False, "request": {}, "runs": RUNS}))
    options = ["--profile", "profile.json", "--case", "plain", "--case", "large", "--case", "slow-reader", "--json"]
    kit = [Path(sys.executable).with_name("agent-workers"), "conform", *options, "--", *command]
    done = subprocess.run(
        [sys.executable, "-c", _MEASURED, *kit],
        cwd=tmp_path,
        capture_output=True,
        env={"PATH": os.environ["PATH"], "TMPDIR": str(tmp_path), "HOME": str(tmp_path)},
        timeout=PATIENCE_S,
        check=False,
    )
    assert done.returncode == 1, done.stderr
    told = [finding["came"] for case in json.loads(done.stdout)["cases"] for finding in case["findings"]]
    assert len([words for words in told if words.startswith("it wrote more than 16 MiB or too many lines")]) == 3
    assert [path.name for path in tmp_path.iterdir()] == ["profile.json"]
    assert int(done.stderr.splitlines()[-1]) < MEMORY_MIB * 1024


def test_a_worker_that_hangs_is_given_up_after_the_first_cases() -> None:
    told = [finding.came for verdict in conform(HANGS).verdicts for finding in verdict.findings]
    assert 4 <= len([words for words in told if "the kit ended the worker" in words]) < 15
    assert any("the kit did not go on" in words for words in told)


def test_what_a_worker_leaves_behind_is_named_and_ended(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    script = "(trap '' TERM HUP; setsid tail -f /dev/null >/dev/null 2>&1 &); exit 1"
    report = conform([*SH, script])
    [left] = [verdict for verdict in report.of("failed") if verdict.case.id == "nothing-left"]
    assert left.findings[0].came == "tail -f /dev/null"
    assert processes_in(tmp_path) == []


def processes_in(folder: Path) -> list[str]:
    """The command lines of the processes whose home is in this folder."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            if f"HOME={folder}".encode() in (process / "environ").read_bytes():
                found.append((process / "cmdline").read_text())
        except OSError:
            continue
    return found
