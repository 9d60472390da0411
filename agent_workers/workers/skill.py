"""agent-skill: a skill from a folder, run on typed input for typed output."""

from __future__ import annotations

import logging
import os
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from agent_workers.engine.input_check import find_faults_now, is_quick
from agent_workers.json_schema.faults import explained
from agent_workers.protocol.v1.problem import MAX_PROBLEMS, Problem, RequestProblems
from agent_workers.protocol.v1.request import Request, parse_request
from agent_workers.protocol.v1.skill_request import SkillRequest
from agent_workers.skills.prepare import document_of, foreign_fields, use_of
from agent_workers.workers.base import Worker

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from agent_workers.skills.skill import Skill

logger = logging.getLogger("agent_workers")


@dataclass(frozen=True)
class SkillWorker(Worker):
    """The worker that runs skills.

    Attributes:
        skill: The skill that the command line names; None where each request names its own.
        has_result_only: Whether nothing but the output is written, so that nobody learns of a call that waits.
        environ: The variables that say where skills are.
    """

    skill: str | None = None
    has_result_only: bool = False
    environ: Mapping[str, str] = field(default_factory=lambda: os.environ, compare=False, repr=False)

    def named(self, name: str) -> Worker:
        """Returns the worker for one skill."""
        return replace(self, skill=name)

    def for_result(self) -> Worker:
        """Returns the worker of a run whose events nobody sees."""
        return replace(self, has_result_only=True)

    def on_host(self, environ: Mapping[str, str]) -> Worker:
        """Returns the worker of a host with these variables."""
        return replace(self, environ=environ)

    def accept(self, document: Any, *, control: bool = True, interactive: bool = False) -> Request:
        """Reads a decoded JSON document as a request to a skill, and makes it the request that the skill stands for.

        Raises:
            RequestProblems: With all problems at once.
        """
        document = self._named(document)
        asked = parse_request(document, SkillRequest)
        skill = _found(asked, self.environ)
        if problems := list(_misfits(asked, document, skill)):
            raise RequestProblems(problems, run=asked.run)
        request = _expanded(asked, document, skill).of_skill(use_of(asked, skill))
        worker = _worker_for(request)
        problems = list(worker.problems_of(request, control=control, interactive=interactive))
        if self.has_result_only and skill.settings.permissions.mode == "defer":
            problems.append(Problem(pointer="/skill", message="cannot run with --result: it leaves calls pending"))
        if problems:
            raise RequestProblems([_placed(each, document, skill) for each in problems], run=request.run)
        return request

    def model_of(self, document: Mapping[str, Any]) -> str | None:
        """Returns the model of the request, else of its skill."""
        skill = known_skill(document.get("skill", self.skill), self.environ)
        return super().model_of(document) or (skill.settings.model if skill else None)

    def takes_long(self, document: Any) -> bool:
        """Tells whether the input is checked by a process of its own."""
        skill = known_skill(document.get("skill", self.skill), self.environ) if isinstance(document, dict) else None
        return skill is not None and not is_quick(skill.input_schema)

    def _named(self, document: Any) -> Any:
        if self.skill is None or not isinstance(document, dict):
            return document
        if document.get("skill", self.skill) != self.skill:
            run = document.get("run")
            words = f"is another skill than {self.skill}, which the command line names"
            raise RequestProblems([Problem(pointer="/skill", message=words)], run=run if isinstance(run, str) else None)
        return {"skill": self.skill, **document}


def known_skill(name: object, environ: Mapping[str, str] = os.environ) -> Skill | None:
    """Returns a skill, by its name; None where its worker has to say what is wrong."""
    if not isinstance(name, str):
        return None
    try:
        from agent_workers.skills.faults import SkillFaults
        from agent_workers.skills.lookup import SkillNotFound
    except ModuleNotFoundError:
        return None
    try:
        return _skill(name, environ)
    except (SkillNotFound, SkillFaults):
        return None


def _skill(name: str, environ: Mapping[str, str]) -> Skill:
    from agent_workers.skills.load import load  # needs the extra skills
    from agent_workers.skills.lookup import find, here

    folder = find(name, environ, here())
    return load(Path(os.path.realpath(folder)), folder.name)  # a link may lead elsewhere when the policy rules


def with_example(request: Request) -> Request:
    """Returns the request with an output that is right for its input in the schema, for a simulator to answer with."""
    use = request.skill_use
    if use is None or request.output_schema is None:
        return request
    from agent_workers.skills.load import load, load_examples
    from agent_workers.skills.simulated import simulated_output  # no run that asks a model needs an example

    skill = load(use.folder, use.name)
    output = simulated_output(load_examples(skill), skill.settings.checks, use.input)
    if output is None:
        return request
    return request.model_copy(update={"output_schema": {**request.output_schema, "examples": [output]}})


def _found(asked: SkillRequest, environ: Mapping[str, str]) -> Skill:
    try:
        from agent_workers.skills.faults import SkillFaults
        from agent_workers.skills.lookup import SkillNotFound
    except ModuleNotFoundError as missing:
        if missing.name != "yaml":
            raise
        words = "cannot be read on this host: PyYAML is missing; install the extra skills: pip install '.[skills]'"
        raise RequestProblems([Problem(pointer="/skill", message=words)], run=asked.run) from None
    try:
        return _skill(asked.skill, environ)
    except SkillNotFound as missing:
        logger.error("%s", missing.told())
        problem = Problem(pointer="/skill", message=str(missing), did_you_mean=missing.nearest)
    except SkillFaults as faulty:
        words = f"is not a skill that can run; agent-skill check {asked.skill} tells why: {faulty.faults[0]}"
        problem = Problem(pointer="/skill", message=words)
    raise RequestProblems([problem], run=asked.run)


def _misfits(asked: SkillRequest, document: dict[str, Any], skill: Skill) -> Iterator[Problem]:
    try:
        faults = find_faults_now(skill.input_schema, asked.input)
    except TimeoutError:
        yield Problem(pointer="/input", message="cannot be checked against the skill's input schema in time")
        return
    for fault in faults[:MAX_PROBLEMS]:
        yield from explained(fault, ("input",), "is no field of this skill's input")
    for name in foreign_fields(document, skill):
        yield Problem(pointer=f"/{name}", message="is taken by a skill with tools only, and this one has none")
    if skill.settings.tools and asked.cwd is None:
        yield Problem(pointer="/cwd", message="is required: this skill has tools, and works in a directory")


def _expanded(asked: SkillRequest, document: dict[str, Any], skill: Skill) -> Request:
    model: type[Request] = Request
    if skill.settings.tools:
        from agent_workers.protocol.v1.task_request import TaskRequest  # few skills have tools

        model = TaskRequest
    try:
        return parse_request(document_of(asked, document, skill), model)
    except RequestProblems as problems:
        placed = [_placed(each, document, skill) for each in problems.problems]
        raise RequestProblems(placed, run=asked.run) from None


def _worker_for(request: Request) -> Worker:
    """Returns whose rules the request must keep."""
    if request.has_tools:
        from agent_workers.workers.task import WORKER as TASK  # few skills have tools

        return TASK
    return WORKER


def _placed(problem: Problem, document: dict[str, Any], skill: Skill) -> Problem:
    """Returns the problem with a place that the caller's request has: what the skill says is the skill's fault."""
    name = problem.pointer.split("/")[1] if problem.pointer else ""
    is_the_skills = name in skill.settings.model_fields_set and name not in document
    if name in SkillRequest.model_fields and not is_the_skills:
        return problem
    words = f"asks for what cannot be: {problem.pointer} {problem.message}; agent-skill check {skill.name} tells more"
    return Problem(pointer="/skill", message=words)


def _check_host(request: Request) -> Iterator[Problem]:
    if request.has_tools:
        yield from _worker_for(request).check_host(request)


_EXAMPLES = """\
agent-skill partner-health < request.json                    {"input": {…}}, and what any request may say
agent-skill partner-health --result < request.json | jq .score
agent-skill partner-health --simulate --result < request.json    without an account
agent-skill < request.json                                   {"skill": "partner-health", "input": {…}}
agent-skill list                                             what there is
agent-skill show partner-health                              what it takes and gives
agent-skill new deal-score                                   a folder to begin with
agent-skill check deal-score                                 every fault of it at once
agent-skill test deal-score                                  its examples, with --live on your account"""

WORKER = SkillWorker(
    name="agent-skill",
    summary="Runs a skill: typed input, instructions from a folder, one typed JSON answer.",
    system_prompt="You do one job inside a business application, as your instructions say.",
    request=SkillRequest,
    examples=_EXAMPLES,
    scenario="structured-output",
    check_host=_check_host,
)
