"""Whatever a worker does, the kit ends in bounded time and memory, and nothing of the worker is left."""

import json
import os
import resource
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.waiting import PATIENCE_S

CONFORM = [
    str(Path(sys.executable).with_name("agent-workers")),
    "conform",
    "--json",
    "--patience",
    "0.1",
    "--jobs",
    "8",
]
PROFILE = '{"asks_model": false, "request": {}, "runs": {"slow": {}, "large": {}, "text": {}}}'
SH = ["sh", "-c"]
WORKERS: dict[str, list[str]] = {
    "says nothing and hears nothing": [*SH, "trap '' TERM INT; exec tail -f /dev/null"],
    "ends at once": ["true"],
    "cannot be understood": [*SH, "echo hello; echo; echo '[1, 2]'; exit 7"],
    "writes half a line": [*SH, "printf '{\"v\": 1'; exec tail -f /dev/null"],
    "writes lines without end": ["yes"],
    "writes one line without end": ["cat", "/dev/zero"],
    "writes to stderr without end": [*SH, "exec cat /dev/zero >&2"],
    "says it is done without end": [*SH, 'exec yes \'{"v":1,"type":"done","text":"x"}\''],
    "reads nothing and ends late": [*SH, 'echo \'{"type":"done","text":""}\'; exec tail -f /dev/null'],
}
MEMORY_MIB = 500


def conform(folder: Path, command: list[str]) -> tuple[int, dict[str, Any]]:
    (folder / "profile.json").write_text(PROFILE)
    done = subprocess.run(
        [*CONFORM, "--profile", str(folder / "profile.json"), "--", *command],
        capture_output=True,
        env={"PATH": os.environ["PATH"], "TMPDIR": str(folder), "HOME": str(folder)},
        timeout=PATIENCE_S,
        check=False,
    )
    assert done.stdout, done.stderr.decode()
    return done.returncode, json.loads(done.stdout)


@pytest.mark.parametrize("command", WORKERS.values(), ids=WORKERS)
def test_a_worker_that_misbehaves_is_told_so_and_nothing_of_it_is_left(command: list[str], tmp_path: Path) -> None:
    status, report = conform(tmp_path, command)
    assert status == 1
    assert report["reached"] is None
    assert report["failed"] > 5
    assert os.listdir(tmp_path) == ["profile.json"]
    assert processes_in(tmp_path) == []
    assert resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss < MEMORY_MIB * 1024


def test_a_worker_that_hangs_is_given_up_after_the_first_cases(tmp_path: Path) -> None:
    _, report = conform(tmp_path, WORKERS["says nothing and hears nothing"])
    told = [finding["came"] for case in report["cases"] for finding in case.get("findings", [])]
    assert 4 <= len([words for words in told if "the kit ended the worker" in words]) < 15
    assert any("the kit did not go on" in words for words in told)


def test_what_a_worker_leaves_behind_is_named_and_ended(tmp_path: Path) -> None:
    script = tmp_path / "worker.sh"
    script.write_text("#!/bin/sh\n(trap '' TERM HUP; setsid tail -f /dev/null >/dev/null 2>&1 &)\nexit 1\n")
    script.chmod(0o755)
    _, report = conform(tmp_path, [str(script)])
    [left] = [case for case in report["cases"] if case["id"] == "nothing-left"]
    assert left["status"] == "failed"
    assert left["findings"][0]["came"] == "tail -f /dev/null"
    assert processes_in(tmp_path) == []


def processes_in(folder: Path) -> list[str]:
    """The processes whose environment has a place in this folder, with their states."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            if f"HOME={folder}".encode() in (process / "environ").read_bytes():
                found.append((process / "cmdline").read_text())
        except OSError:
            continue
    return found
