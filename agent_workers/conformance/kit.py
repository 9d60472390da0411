"""Runs the cases, some at a time, and comes to a report."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from threading import Event
from typing import TYPE_CHECKING, Any

from agent_workers.conformance.case import LEVELS, load_cases
from agent_workers.conformance.every_run import broken
from agent_workers.conformance.fill import merged
from agent_workers.conformance.judge import judge
from agent_workers.conformance.orphans import Nursery
from agent_workers.conformance.place import place_for
from agent_workers.conformance.play import play
from agent_workers.conformance.report import Report
from agent_workers.conformance.start import start_process
from agent_workers.conformance.take import Stage
from agent_workers.conformance.verdict import Finding, Verdict

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from agent_workers.conformance.case import Case
    from agent_workers.conformance.profile import Profile
    from agent_workers.conformance.recording import Played, Recording
    from agent_workers.conformance.start import Start
    from agent_workers.conformance.verdict import Status

_HUNG_CASES = 4
_TOLD = 4
_GIVEN_UP = "the worker had to be ended in each of the first cases, so the kit did not go on"


class Kit:
    """Puts a worker to the test.

    Args:
        command: How it is started.
        profile: What the kit knows of it.
        level: What is asked of it.
        cases: The cases to run; where there are none, all up to that level.
        jobs: How many at a time.
        patience: How many times as long everything may take as the contract says: for a machine that is busy.
        start: Starts a process.
        on_progress: Called after each run with how many are done, and of how many.
    """

    def __init__(
        self,
        command: Sequence[str],
        profile: Profile,
        *,
        level: str = LEVELS[0],
        cases: Sequence[Case] = (),
        jobs: int = 2,
        patience: float = 1,
        start: Start = start_process,
        on_progress: Callable[[int, int], None] = lambda done, total: None,
    ) -> None:
        self._report = Report(list(command), profile.name, level)
        self._profile = profile
        wanted = LEVELS[: LEVELS.index(level) + 1]
        self._cases = list(cases) or [case for case in load_cases() if case.level in wanted]
        self._jobs = jobs
        self._patience = patience
        self._start = start
        self._on_progress = on_progress
        self._nursery = Nursery()
        self._stopped = Event()
        self._hung = 0
        self._ended = 0
        self._wrong: dict[str, list[Finding]] = {}
        self._seen_in: dict[str, Recording] = {}

    def run(self) -> Report:
        """Runs the cases.

        Raises:
            ImportError: The extra ``simulator`` is not installed.
            ScenarioError: The profile's own script of the model is not valid.
        """
        began = time.monotonic()
        played = [case for case in self._cases if case.run is not None]
        with self._nursery.adopting():
            own = self._play(played)
            if strays := self._nursery.strays():
                self._note("nothing-left", Finding("no process of any run after its end", "; ".join(strays)), None)
        has_run = any(verdict.status != "skipped" for verdict in own.values())
        self._report.verdicts = [own.get(case.id) or self._of_every_run(case, has_run) for case in self._cases]
        self._report.took_s = time.monotonic() - began
        return self._report

    def _play(self, cases: Sequence[Case]) -> dict[str, Verdict]:
        verdicts = {}
        with ThreadPoolExecutor(self._jobs) as threads:
            try:
                for done, verdict in enumerate(threads.map(self._verdict, cases), 1):
                    verdicts[verdict.case.id] = verdict
                    self._on_progress(done, len(cases))
            except BaseException:
                self._stopped.set()  # the runs under way end, and leave nothing behind
                threads.shutdown(cancel_futures=True)
                raise
        return verdicts

    def _verdict(self, case: Case) -> Verdict:
        if reason := self._profile.reason_to_skip(case.id, case.run):
            return Verdict(case, "skipped", reason)
        if self._hung >= _HUNG_CASES and not self._ended:
            return Verdict(case, "failed", findings=[Finding("a run", _GIVEN_UP)])
        assert case.run
        request = merged(merged(self._profile.request, self._profile.runs.get(case.run, {})), case.request)
        with place_for(self._profile, case.run) as place:
            how: dict[str, Any] = {"patience": self._patience, "limit_s": case.deadline_s, "stopped": self._stopped}
            stage = Stage(place, self._nursery, self._start, **how)
            played = play(case, request, self._report.command, stage)
            self._judge_every_run(case, played, request, str(place.root))
        findings = judge(case, played.last, self._patience)
        return Verdict(case, _status(findings), findings=findings, recording=played.last, took_s=played.took_s)

    def _judge_every_run(self, case: Case, played: Played, request: dict[str, Any], home: str) -> None:
        self._hung += played.last.killed
        self._ended += not played.last.killed
        for recording in played.runs:
            for rule, finding in broken(recording, request, home):
                self._note(rule, finding._replace(where=case.id), recording)

    def _note(self, rule: str, finding: Finding, recording: Recording | None) -> None:
        self._wrong.setdefault(rule, []).append(finding)
        if recording:
            self._seen_in.setdefault(rule, recording)

    def _of_every_run(self, case: Case, has_run: bool) -> Verdict:
        if reason := self._profile.reason_to_skip(case.id, None):
            return Verdict(case, "skipped", reason)
        if not has_run:
            return Verdict(case, "skipped", "no case with a run was played")
        findings = list(_few(self._wrong.get(case.id, [])))
        return Verdict(case, _status(findings), findings=findings, recording=self._seen_in.get(case.id))


def _status(findings: list[Finding]) -> Status:
    return "failed" if findings else "passed"


def _few(findings: list[Finding]) -> Iterator[Finding]:
    """Yields the first findings of each kind, and how many more there are."""
    kinds: dict[str, Finding] = {}
    for finding in findings:
        kinds.setdefault(finding.came.partition("\n")[0].partition(": ")[2] or finding.came, finding)
    few = list(kinds.values())[:_TOLD]
    yield from few
    if more := len(findings) - len(few):
        runs = len({finding.where for finding in findings})
        yield Finding("", f"… and {more} more of these, in {runs} {'run' if runs == 1 else 'runs'} in all")
