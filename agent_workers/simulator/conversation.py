"""Finds the step of a scenario that answers a request."""

from dataclasses import dataclass

from agent_workers.simulator.api_request import ApiRequest
from agent_workers.simulator.limiter import Limiter
from agent_workers.simulator.scenario import Message, Scenario, Step, Text
from agent_workers.simulator.scenario_file import load_shipped

_REMEMBERED = 100_000


@dataclass(frozen=True)
class Cue:
    """The step that answers one call. ``call`` counts from 1 within the conversation and the scenario."""

    scenario: str
    step: Step
    call: int


@dataclass
class _Progress:
    scenario: Scenario
    since: int
    calls: int = 0


class Conversations:
    """Counts the calls of each conversation, retries included. Each conversation goes through the steps on its own.

    A new scenario starts at its first step, whether the server was switched or a prompt named it; so does the
    same scenario when a later prompt names it again.
    """

    def __init__(self, scenario: Scenario) -> None:
        self.switch(scenario)

    def switch(self, scenario: Scenario) -> None:
        """Plays another scenario, or the same one again, from its first step in every conversation."""
        self.scenario = scenario
        self.limiter = Limiter(scenario.limit) if scenario.limit else None
        self._progress: dict[tuple[str, str, int], _Progress] = {}

    def cue(self, request: ApiRequest) -> Cue:
        """Returns the step for a request, and counts the call.

        Raises:
            UnknownScenarioError: A prompt names a scenario that does not exist.
        """
        if request.is_side_call:
            return Cue("side-call", _SIDE_CALL, 1)
        scenario, since = self.scenario, -1
        if directive := request.directive:
            name, since = directive
            scenario = load_shipped(name)
        conversation = request.conversation
        progress = self._progress.get(conversation)
        if progress is None or (progress.scenario, progress.since) != (scenario, since):
            progress = self._begin(conversation, _Progress(scenario, since))
        progress.calls += 1
        step = scenario.steps[min(progress.calls, len(scenario.steps)) - 1]
        return Cue(scenario.name, step, progress.calls)

    def _begin(self, conversation: tuple[str, str, int], progress: _Progress) -> _Progress:
        if len(self._progress) >= _REMEMBERED:
            del self._progress[next(iter(self._progress))]
        self._progress[conversation] = progress
        return progress


_SIDE_CALL = Message(content=(Text(text="${answer_example}"),), cut="whole")
