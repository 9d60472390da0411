"""Jobs as people and programs write them: one JSON object, or one on each line."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from agent_workers.admission import accept
from agent_workers.protocol.document import parse_json
from agent_workers.protocol.v1.job import SKILLS_WORKER, parse_job
from agent_workers.protocol.v1.problem import RequestProblems
from agent_workers.validation.fault import Fault
from agent_workers.validation.request import faults_of
from agent_workers.workers import WORKERS

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from agent_workers.protocol.v1.job import Job

_BYTE_ORDER_MARK = b"\xef\xbb\xbf"


class ReadJob(NamedTuple):
    """A valid job and where it stands.

    Attributes:
        line: Number of the line that it begins in, from 1.
        job: The job.
    """

    line: int
    job: Job


def read_jobs(data: bytes, given: Mapping[str, Any]) -> tuple[list[ReadJob], list[Fault]]:
    """Reads one job, or one on each line; returns them, and every fault of all of them.

    Args:
        data: What was written: one JSON object on one line or many, or one on each line.
        given: Fields that each job gets in the place of its own.
    """
    lines = [(at, line) for at, line in enumerate(_lines(data), 1) if line.strip()]
    if len(lines) > 1 and all(line.lstrip().startswith(b"{") for _, line in lines):
        return _each(lines, given)
    jobs: list[ReadJob] = []
    faults = list(faults_of(data, lambda document: jobs.append(ReadJob(1, _job(document, given)))))
    return jobs, faults


def _each(lines: list[tuple[int, bytes]], given: Mapping[str, Any]) -> tuple[list[ReadJob], list[Fault]]:
    jobs, faults = [], []
    for at, line in lines:
        try:
            jobs.append(ReadJob(at, _job(parse_json(line, one_line=True), given)))
        except RequestProblems as found:
            faults += [Fault.of(problem, at) for problem in found.problems]
    return jobs, faults


def _lines(data: bytes) -> Iterator[bytes]:
    yield from data.removeprefix(_BYTE_ORDER_MARK).split(b"\n")


def _job(document: Any, given: Mapping[str, Any]) -> Job:
    job = parse_job({**document, **given} if isinstance(document, dict) else document, WORKERS)
    if job.worker != SKILLS_WORKER:  # the skill may be on the machines that run jobs alone
        accept(WORKERS[job.worker], job.request)
    return job
