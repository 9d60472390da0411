"""The kit can fail: each rule has a worker that breaks it alone, and is caught by it alone."""

from pathlib import Path
from pkgutil import resolve_name

import pytest

from agent_workers.conformance import Kit, Report, load_cases, load_profile
from agent_workers.conformance.case import LEVELS, Case
from tests.conformance.forked import Forking
from tests.conformance.reference import Reference

FOLDER = Path(__file__).parent
CASES = {case.id: case for case in load_cases()}
BROKEN = sorted(path.stem for path in (FOLDER / "broken").glob("[!_]*.py"))
PROFILE = load_profile(str(FOLDER / "reference.json"), ["reference"])


def rule_of(worker: str) -> str:
    """The rule that a worker breaks: its name, but for what tells it from another that breaks the same."""
    words = worker.split("_")
    return next(name for end in range(len(words), 0, -1) if (name := "-".join(words[:end])) in CASES)


def put_to_the_test(worker: str, cases: list[Case], forking: Forking) -> Report:
    return Kit([worker], PROFILE, level="full", cases=cases, jobs=32, patience=4, start=forking.start).run()


@pytest.fixture(scope="session")
def kept(forking: Forking) -> Report:
    """What the kit says of the reference worker."""
    return put_to_the_test("reference", list(CASES.values()), forking)


@pytest.fixture(scope="session")
def used(kept: Report) -> dict[str, set[str]]:
    """What each case uses of the reference worker."""
    said = {verdict.case.id: verdict.recording.stderr for verdict in kept.verdicts if verdict.recording}
    return {name: set(stderr.rpartition(b"used: ")[2].decode().split()) for name, stderr in said.items()}


def changed_by(worker: str) -> set[str]:
    """What a worker has of its own."""
    broken = resolve_name(f"tests.conformance.broken.{worker}:Broken")
    return {name for kind in broken.__mro__[: -len(Reference.__mro__)] for name in vars(kind)}


def cases_that_differ(worker: str, used: dict[str, set[str]]) -> list[Case]:
    """The cases in which a worker may do something else than the reference worker, up to the level of its rule."""
    changed = changed_by(worker)
    assert "__init__" not in changed
    levels = LEVELS[: LEVELS.index(CASES[rule_of(worker)].level) + 1]
    return [
        case
        for case in CASES.values()
        if case.level in levels
        # The trace is of the last run alone.
        and (case.run is None or used[case.id] & changed or any("again" in step for step in case.steps))
    ]


def test_the_reference_worker_keeps_every_rule(kept: Report) -> None:
    assert [(verdict.case.id, verdict.findings) for verdict in kept.verdicts if verdict.status != "passed"] == []
    assert len(kept.verdicts) == len(CASES)
    assert kept.reached == "full"


def test_the_trace_tells_the_cases_apart(used: dict[str, set[str]]) -> None:
    assert {"main", "emit", "leave", "do_plain"} <= used["plain"]
    assert {name for name, names in used.items() if "heard" in names} == {"steer"}


@pytest.mark.parametrize("worker", BROKEN)
def test_a_broken_worker_is_caught_by_its_rule_and_by_no_other(
    worker: str, used: dict[str, set[str]], forking: Forking
) -> None:
    report = put_to_the_test(worker, cases_that_differ(worker, used), forking)
    found = {verdict.case.id: [tuple(finding) for finding in verdict.findings] for verdict in report.of("failed")}
    assert set(found) == {rule_of(worker)}, found
    assert report.reached != "full"


def test_every_rule_has_a_worker_that_breaks_it() -> None:
    assert {rule_of(worker) for worker in BROKEN} == set(CASES)
