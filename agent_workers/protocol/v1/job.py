"""A job: a request that waits for a machine, and beside its fields how it waits and how often it is tried."""

import uuid
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any, ClassVar, Literal, Protocol

from pydantic import Field, create_model

from agent_workers.protocol.v1.fields import Strict
from agent_workers.protocol.v1.job_fields import JobFields
from agent_workers.protocol.v1.problem import Problem, RequestProblems, refuse
from agent_workers.protocol.v1.request import parse_request

SKILLS_WORKER = "agent-skill"
"""The worker of a job, and of a batch's line, that names a skill and no worker."""
WORKER = "Name of the worker's command, such as `agent-chat`."
SKILLS = "Name of the worker's command; a job that names a skill needs none."

_SET_BY_FLEET = "is not a field of a job: what runs it counts its attempts; how many there may be is attempts"
_SHOWN = 12  # names of workers


class Accepting(Protocol):
    """A worker, as far as a job needs it."""

    @property
    def request(self) -> type[Strict]:
        """The model of its requests."""
        ...


@dataclass(frozen=True, slots=True)
class Job:
    """A valid job.

    Attributes:
        worker: The name of its worker.
        fields: What it says besides its request, with its defaults.
        request: The request as it was sent, without the job's fields; it has a ``run``.
    """

    worker: str
    fields: JobFields
    request: dict[str, Any]

    @property
    def run(self) -> str:
        """The id of its run, which all its attempts share."""
        return str(self.request["run"])


def parse_job(document: Any, workers: Mapping[str, Accepting]) -> Job:
    """Reads a decoded JSON document as a job.

    Args:
        document: The job: the fields of a request, and beside them its own.
        workers: Those that a job may name, by their names; the registry ``WORKERS``, or some of it.

    Raises:
        RequestProblems: With all faults of the job and of its request at once.
    """
    if not isinstance(document, dict):
        refuse('a job must be a JSON object, such as {"worker": "agent-chat", "prompt": "Hello"}')
    worker = worker_named(document)
    if not isinstance(worker, str) or worker not in workers:
        raise RequestProblems([*_without_worker(document, worker, workers)])
    problems = [Problem(pointer="/attempt", message=_SET_BY_FLEET)] if "attempt" in document else []
    rest = {name: value for name, value in document.items() if name != "attempt"}
    try:
        job = parse_request(rest, model_of(workers[worker].request, worker))
    except RequestProblems as found:
        if found.code != "invalid_request":
            raise
        raise RequestProblems([*problems, *found.problems], run=found.run) from None
    fields = JobFields.model_construct(
        job.model_fields_set & JobFields.model_fields.keys(),
        **{name: getattr(job, name) for name in JobFields.model_fields},
    )
    if problems := [*problems, *_order(fields)]:
        raise RequestProblems(problems, run=rest.get("run"))
    request = {name: value for name, value in rest.items() if name not in _OWN}
    return Job(worker, fields, {**request, "run": request.get("run") or str(uuid.uuid4())})


_OWN = {"worker", *JobFields.model_fields}


def worker_named(document: Mapping[str, Any], usual: str | None = None) -> object:
    """Returns the worker that a document names, whatever stands there: a skill alone is that of ``agent-skill``.

    Args:
        document: A request, and beside its fields perhaps ``worker``.
        usual: The worker of one that names neither.
    """
    return document.get("worker", SKILLS_WORKER if "skill" in document else usual)


def no_worker(named: object, workers: Iterable[str]) -> str:
    """Says what is wrong with a name that is no worker's."""
    names = ", ".join(sorted(workers)[:_SHOWN])
    return f"{'is missing' if named is None else 'names no worker'}; one of: {names}"


@cache
def model_of(request: type[Strict], worker: str) -> type[Strict]:
    """Returns the model of the jobs of a worker: flat, the fields of its requests and those of a job."""
    named: Any = Literal[worker]
    own = (named, Field(description=WORKER))
    if worker == SKILLS_WORKER:
        own = (named, Field(default=worker, description=SKILLS))
    fields: dict[str, Any] = {"worker": own}
    for model in (JobFields, request):
        fields |= {name: (info.annotation, info) for name, info in model.model_fields.items() if name != "attempt"}
    name = request.__name__.replace("Request", "") or "Chat"
    about = f"A job of {worker}."
    job = create_model(f"{name}Job", __base__=_AnyJob, __module__=__name__, __doc__=about, **fields)
    job.foreign_fields = getattr(request, "foreign_fields", {})
    job.synonyms = JobFields.synonyms | getattr(request, "synonyms", {})
    return job


class _AnyJob(Strict):
    foreign_fields: ClassVar[dict[str, str]] = {}
    synonyms: ClassVar[dict[str, str]] = {}


def _without_worker(document: dict[str, Any], named: object, workers: Mapping[str, Accepting]) -> Iterator[Problem]:
    yield Problem(pointer="/worker", message=no_worker(named, workers))
    try:
        parse_request({name: value for name, value in document.items() if name in JobFields.model_fields}, JobFields)
    except RequestProblems as found:
        yield from found.problems


def _order(fields: JobFields) -> Iterator[Problem]:
    if fields.run_at and fields.expires_at and fields.expires_at <= fields.run_at:
        yield Problem(pointer="/expires_at", message="must be after run_at, before which the job does not begin")
