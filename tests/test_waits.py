"""No test fails for a machine that is busy: none sleeps to wait, and none gives a process little time."""

import ast
import os
from collections.abc import Iterator
from functools import cache
from pathlib import Path

from tests.waiting import share

ROOT = Path(__file__).parent
MAY_SLEEP = {
    "waiting.py": "between two looks",
    "e2e/test_limits.py": "for as long as a process is paused, and between the pings of a server",
    "fleet/test_cancelling.py": "for turns of the event loop, and no time",
    "laravel/test_fpm.py": "as its server asks",
}
LEAST_S = 60
"""What a process gets at least that may take long on a busy machine."""


@cache
def calls() -> list[tuple[str, str, ast.Call]]:
    """Each call in a test: its file, what is called, as ``time.sleep``, and the call itself."""
    return list(_calls())


def _calls() -> Iterator[tuple[str, str, ast.Call]]:
    for path in sorted(ROOT.rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.Call):
                yield str(path.relative_to(ROOT)), ast.unparse(node.func), node


def processes() -> Iterator[tuple[str, ast.Call]]:
    """Each call that waits for the end of a process, with its place."""
    for file, name, call in calls():
        if (name == "subprocess.run" or name.endswith(".communicate")) and not file.startswith("bench/"):
            yield f"{file}:{call.lineno}", call


def waits() -> Iterator[tuple[str, ast.Call]]:
    """Each call that may wait for the end of a process or a thread under another name, with its place."""
    for file, name, call in calls():
        if name.endswith((".wait", ".join")) and not file.startswith("bench/"):
            yield f"{file}:{call.lineno}", call


def test_no_test_sleeps_to_wait_for_something() -> None:
    named = {file for file, name, _ in calls() if name.rpartition(".")[2] == "sleep"}  # anyio's and asyncio's, too
    sleeping = {file for file in named if not file.startswith("bench/")}
    assert sleeping == set(MAY_SLEEP), "see tests.waiting.until"


def test_no_test_waits_for_a_process_without_end() -> None:
    assert [at for at, call in processes() if not {"timeout", None} & {word.arg for word in call.keywords}] == []


def test_no_test_gives_a_process_little_time() -> None:
    given = [
        (at, word.value) for at, call in [*processes(), *waits()] for word in call.keywords if word.arg == "timeout"
    ]
    given += [(at, value) for at, call in waits() for value in call.args[:1]]
    numbers = [(at, value.value) for at, value in given if isinstance(value, ast.Constant)]
    little = [at for at, number in numbers if isinstance(number, int | float) and number < LEAST_S]
    assert little == [], "see tests.waiting.PATIENCE_S"


def test_a_bound_grows_with_the_number_of_processes_that_want_to_run() -> None:
    processors = os.cpu_count() or 1
    assert [share(running) for running in (0, processors, 2 * processors, 8 * processors)] == [1, 1, 0.5, 0.125]
