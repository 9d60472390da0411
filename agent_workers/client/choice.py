"""Which requests a program runs in its own process: those of the engine messages, where it is there."""

from __future__ import annotations

from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

from agent_workers.admission import policy_file
from agent_workers.errors import WorkerError
from agent_workers.protocol.v1.engines import AGENT, MESSAGES

if TYPE_CHECKING:
    from collections.abc import Mapping

    from agent_workers.client.aio import AsyncRun, AsyncRunner
    from agent_workers.client.engine import AsyncEngineRunner
    from agent_workers.client.on_demand import EngineOnDemand
    from agent_workers.client.result import Result

_SKILLS = "agent-skill"
_TALKS = ("agent-chat", _SKILLS)
_EXTRA = ("httpx2",)
_SIMULATOR = ("starlette", "uvicorn")


class EngineChoice:
    """Says which engine a request gets, as its worker would, without checking it: a faulty one fails either way.

    Args:
        policy: Path of the host's policy, instead of the one that ``AGENT_WORKERS_POLICY`` names.
        is_simulated: Whether a simulator answers.
    """

    def __init__(self, *, policy: str | None = None, is_simulated: bool = False) -> None:
        self._policy = policy_file(policy)
        needed = (*_EXTRA, *(_SIMULATOR if is_simulated else ()))
        self._is_installed = all(find_spec(name) for name in needed)

    def is_messages(self, worker: str, request: Mapping[str, Any]) -> bool:
        """Returns whether a request is one of the engine messages, and this process can run it.

        Args:
            worker: Name of the worker whose request it is.
            request: The request, valid or not.
        """
        if not self._is_installed or worker not in _TALKS:
            return False
        named = request.get("engine")
        if named is not None:
            return bool(named == MESSAGES)
        if worker != _SKILLS:
            return self._usual(request, tools=bool(request.get("tools")))
        from agent_workers.workers.skill import known_skill  # brings the worker's module

        skill = known_skill(request.get("skill"))
        if skill is None:
            return False
        settings = skill.settings
        if settings.engine is not None:
            return settings.engine == MESSAGES
        return self._usual({"max_tokens": settings.max_tokens, **request}, tools=bool(settings.tools))

    def _usual(self, request: Mapping[str, Any], *, tools: bool) -> bool:
        """Returns whether one that names no engine gets this one: the first of the policy that can do it."""
        session = request.get("session")
        if self._policy is None or (isinstance(session, dict) and "resume" in session):
            return False  # its worker looks for the engine that keeps the session
        from agent_workers.policy import load_policy  # most hosts have none

        try:
            engines = load_policy(self._policy).engines or ()
        except WorkerError:  # its worker tells it
            return False
        can = {AGENT: request.get("max_tokens") is None, MESSAGES: not tools}
        return next((engine for engine in engines if can[engine]), AGENT) == MESSAGES


class ChosenRunner:
    """Runs the requests of one worker: those of the engine messages in this process, each other in one of its own.

    Args:
        worker: The worker's name.
        apart: Runs what needs a process of its own.
        engine: Brings the runner for the others, once the first of them comes.
        choice: Tells them apart.
    """

    def __init__(self, worker: str, apart: AsyncRunner, engine: EngineOnDemand, choice: EngineChoice) -> None:
        self.apart = apart
        self._worker = worker
        self._engine = engine
        self._choice = choice

    @property
    def here(self) -> AsyncEngineRunner:
        """What runs requests in this process."""
        return self._engine.runner(self._worker)

    def runs_here(self, request: Mapping[str, Any]) -> bool:
        """Returns whether a request is run in this process."""
        return self._choice.is_messages(self._worker, request)

    async def run(self, request: Mapping[str, Any]) -> Result:
        """Waits for the answer."""
        async with self.stream(request) as run:
            return await run.result()

    def stream(self, request: Mapping[str, Any]) -> AsyncRun:
        """Returns a run for an ``async with`` block."""
        return (self.here if self.runs_here(request) else self.apart).stream(request)
