"""The kit can fail: each rule has a worker that breaks it alone, and is caught by it alone."""

from pathlib import Path

import pytest

from agent_workers.conformance import Kit, Report, load_cases, load_profile
from tests.conformance.forked import Forking

FOLDER = Path(__file__).parent
CASES = {case.id: case for case in load_cases()}
BROKEN = sorted(path.stem for path in (FOLDER / "broken").glob("[!_]*.py"))
PROFILE = load_profile(str(FOLDER / "reference.json"), ["reference"])


def rule_of(worker: str) -> str:
    """The rule that a worker breaks: its name, but for what tells it from another that breaks the same."""
    words = worker.split("_")
    return next(name for end in range(len(words), 0, -1) if (name := "-".join(words[:end])) in CASES)


def put_to_the_test(worker: str, level: str, forking: Forking) -> Report:
    kit = Kit([worker], PROFILE, level=level, jobs=32, patience=4, start=forking.start)
    return kit.run()


def test_the_reference_worker_keeps_every_rule(forking: Forking) -> None:
    report = put_to_the_test("reference", "full", forking)
    assert [(verdict.case.id, verdict.findings) for verdict in report.verdicts if verdict.status != "passed"] == []
    assert len(report.verdicts) == len(CASES)
    assert report.reached == "full"


@pytest.mark.parametrize("worker", BROKEN)
def test_a_broken_worker_is_caught_by_its_rule_and_by_no_other(worker: str, forking: Forking) -> None:
    rule = rule_of(worker)
    report = put_to_the_test(worker, CASES[rule].level, forking)
    found = {verdict.case.id: [tuple(finding) for finding in verdict.findings] for verdict in report.of("failed")}
    assert set(found) == {rule}, found
    assert report.reached != "full"


def test_every_rule_has_a_worker_that_breaks_it() -> None:
    assert {rule_of(worker) for worker in BROKEN} == set(CASES)
