"""The policy as a whole, and its ruling on a request."""

from collections.abc import Iterator
from typing import Annotated, ClassVar

from pydantic import Field

from agent_workers.policy.limits import rule_on_limits, rule_on_time
from agent_workers.policy.ruling import R, Ruling, matches, one_of
from agent_workers.policy.skills import rule_on_skill
from agent_workers.policy.tables import CredentialsTable, LimitsTable, SandboxTable, SkillsTable, TaskTable
from agent_workers.policy.task import rule_on_call, rule_on_task
from agent_workers.protocol.v1.engines import ENGINES, misfits
from agent_workers.protocol.v1.fields import EngineName, Few, Opt, Strict, Text, Version
from agent_workers.protocol.v1.request import Request
from agent_workers.protocol.v1.task_request import TaskRequest
from agent_workers.protocol.v1.tool_names import SUBAGENT
from agent_workers.protocol.v1.tool_request import ToolRequest


class Policy(Strict):
    """What requests may ask for on this host. Omitted keys keep their defaults."""

    synonyms: ClassVar = {"v": "version", "worker": "workers", "model": "models", "engine": "engines"}

    version: Version = Field(description="Version of the file's format.")
    workers: Opt[Few[Text]] = Field(default=None, description="Workers that may run. Any when absent.")
    models: Opt[Few[Text]] = Field(
        default=None,
        description="Names or patterns of models, one of which each request must then name. Any when absent; "
        "none but the CLI's default when empty.",
    )
    engines: Opt[Annotated[Few[EngineName], Field(min_length=1)]] = Field(
        default=None,
        description="What may do the work, of `agent` and `messages`. The first that can do a request is what one gets "
        "that names none. Any when absent, and then `agent` for one that names none.",
    )
    system_prompt: bool = Field(default=True, description="May a request instruct the model, or a subagent, itself?")
    thinking: bool = Field(default=True, description="May a request ask for the model's thinking?")
    app_tools: bool = Field(default=True, description="May a request bring the application's own tools?")
    limits: LimitsTable = Field(default_factory=LimitsTable)
    credentials: CredentialsTable = Field(default_factory=CredentialsTable)
    task: TaskTable = Field(default_factory=TaskTable)
    skills: SkillsTable = Field(default_factory=SkillsTable)
    sandbox: SandboxTable = Field(default_factory=SandboxTable)

    def grant(self, request: R, worker: str, *, default_turns: int | None = None, own_credential: bool = False) -> R:
        """Returns the request with the policy's limits, and with its directories resolved.

        Args:
            request: A request that the worker accepts.
            worker: The worker's name.
            default_turns: The worker's own ``max_turns``, for a request that omits it.
            own_credential: Whether the caller brings the run's key for the API.

        Raises:
            PolicyDenied: With all objections at once in ``details``.
        """
        ruling = self.rule(request, worker, default_turns=default_turns)
        if own_credential and not self.credentials.own:
            words = "a key for the API comes with it (--credential-fd): the host's policy sets credentials.own = false"
            ruling.object_to(words=words)
        return ruling.applied_to(request)

    def allows_worker(self, worker: str) -> bool:
        """Tells whether a worker may run at all."""
        return self.workers is None or worker in self.workers

    def rule(self, request: Request | ToolRequest, worker: str, *, default_turns: int | None = None) -> Ruling:
        """Decides on a request; ``grant`` carries the decision out."""
        ruling = Ruling()
        if not self.allows_worker(worker):
            ruling.object_to(words=f"{worker} is not allowed: the host's policy does not list it in workers")
        if isinstance(request, ToolRequest):
            rule_on_time(self.limits, request, ruling)
            rule_on_call(self.task, request, ruling)
            return ruling
        self._rule_on_words(request, ruling)
        self._rule_on_models(request, ruling)
        self._rule_on_engine(request, ruling)
        rule_on_limits(self.limits, request, ruling, default_turns)
        if isinstance(request, TaskRequest):
            rule_on_task(self.task, request, ruling)
        if request.skill_use:
            rule_on_skill(self.skills, request.skill_use, ruling)
        return ruling

    def _rule_on_words(self, request: Request, ruling: Ruling) -> None:
        agents = isinstance(request, TaskRequest) and request.agents
        if request.system_prompt is not None and not self.system_prompt and not request.skill_use:
            ruling.object_to("system_prompt", words="is not allowed: the host's policy sets system_prompt = false")
        if agents and not self.system_prompt:
            words = "is not allowed: subagents bring instructions, and the host's policy sets system_prompt = false"
            ruling.object_to("agents", words=words)
        if request.thinking and not self.thinking:
            ruling.object_to("thinking", words="is not allowed: the host's policy sets thinking = false")
        if request.app_tools and not self.app_tools:
            ruling.object_to("app_tools", words="is not allowed: the host's policy sets app_tools = false")

    def _rule_on_engine(self, request: Request, ruling: Ruling) -> None:
        if self.engines is None:
            return
        if request.engine is not None:
            if request.engine not in self.engines:
                ruling.object_to("engine", words=one_of(self.engines, "engines"))
            return
        faults = {engine: list(misfits(request, engine)) for engine in ENGINES}
        able = [engine for engine in self.engines if not faults[engine]]
        if able:
            ruling.changes["engine"] = able[0]
        elif not all(faults.values()):  # else no policy could help
            for problem in faults[self.engines[0]]:
                words = f"{problem.message}; the host's policy sets engines to {', '.join(self.engines)}"
                ruling.object_to(problem.pointer.removeprefix("/"), words=words)

    def _rule_on_models(self, request: Request, ruling: Ruling) -> None:
        if self.models and request.model is None:  # the CLI's default could be any
            ruling.object_to("model", words=one_of(self.models, "models"), reason="the request names no model")
        if self.models is not None and isinstance(request, TaskRequest) and SUBAGENT in request.tools:
            words = f"{SUBAGENT} is not allowed: a subagent may choose its own model, and the host's policy sets models"
            ruling.object_to("tools", request.tools.index(SUBAGENT), words=words)
        for place, model in _models(request):
            # The CLI takes a list of names, separated by commas.
            if self.models is not None and not all(matches(name, self.models) for name in model.split(",")):
                ruling.object_to(*place, words=one_of(self.models, "models"), reason=f"{model} is not in models")


def _models(request: Request) -> Iterator[tuple[tuple[str, ...], str]]:
    if request.model is not None:
        yield ("model",), request.model
    if request.fallback_model is not None:
        yield ("fallback_model",), request.fallback_model
    for name in request.skill_use.models if request.skill_use else ():
        yield ("escalation", "model"), name
    if isinstance(request, TaskRequest):
        for name, agent in request.agents.items():
            if agent.model is not None:
                yield ("agents", name, "model"), agent.model


DEFAULT = Policy(version=1)
"""The policy where no file is named: chats are free, and a task stays in its directory, without MCP servers."""
