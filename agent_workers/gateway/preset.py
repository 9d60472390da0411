"""What a token may start: a request that the operator has written, all but what a browser brings."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, Literal

from pydantic import ConfigDict, Field, ValidationError, model_validator
from pydantic_core import PydanticCustomError

from agent_workers.admission import accept
from agent_workers.protocol.v1.fields import Few, Strict
from agent_workers.protocol.v1.job import SKILLS_WORKER
from agent_workers.protocol.v1.job_fields import Attempts, JobFields, Priority, QueueName
from agent_workers.protocol.v1.problem import RequestProblems
from agent_workers.protocol.v1.request import parse_request
from agent_workers.protocol.v1.skill_request import SkillRequest
from agent_workers.workers import WORKERS

if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Self

_TOLD = "prompt", "input", "run", "user", "session", "session_owner", "attempt", "traceparent"
"""What comes with each run, and stands in no preset."""
BrowserField = Literal["conversation", "subject", "goal", "metadata", "thinking"]


class Preset(Strict):
    """One preset: its own keys, and beside them the fields of the request."""

    model_config = ConfigDict(extra="allow")
    synonyms: ClassVar[dict[str, str]] = {}

    worker: str = Field(default="agent-chat", description="Name of the worker; `agent-skill` where a skill is named.")
    browser_may: Few[BrowserField] = Field(
        default=["conversation"],
        description="What a browser may set besides the prompt, or a skill's input, where the token does not set it.",
    )
    any_skill: bool = Field(default=False, description="Whether it is for every skill that a token names.")
    on: Literal["gateway", "user"] = Field(
        default="gateway",
        description="Where its runs are made: by the gateway, or on the machine that the user has connected.",
    )
    queue: QueueName = Field(default="default", description="The queue of the fleet in which its runs wait.")
    priority: Priority = Field(default=0, description="Runs with a higher one go first in their queue.")
    attempts: Attempts = Field(default=1, description="How often the fleet tries a run at most.")

    @model_validator(mode="before")
    @classmethod
    def _of_skill(cls, value: Any) -> Any:
        is_skill = isinstance(value, dict) and "worker" not in value and ("skill" in value or value.get("any_skill"))
        return {**value, "worker": SKILLS_WORKER} if is_skill else value

    @model_validator(mode="after")
    def _fits(self) -> Self:
        if self.worker not in WORKERS or self.worker == "agent-tool":
            raise _misfit("/worker", f"is no worker that a browser can use: {', '.join(_usable())}")
        if told := next((name for name in _TOLD if name in self.request), None):
            raise _misfit(f"/{told}", "comes with each run, and stands in no preset")
        if self.is_skill and not self.any_skill and "skill" not in self.request:
            raise _misfit("/skill", "is missing: name the skill, or say any_skill = true")
        for problem in _problems(self):
            raise _misfit(problem.pointer, problem.message)
        return self

    @property
    def request(self) -> dict[str, Any]:
        """The fields of the request."""
        return dict(self.__pydantic_extra__ or {})

    @property
    def is_skill(self) -> bool:
        """Whether it runs a skill."""
        return self.worker == SKILLS_WORKER

    @property
    def skill(self) -> str | None:
        """The skill that it names."""
        return self.request.get("skill")

    def job_fields(self) -> dict[str, Any]:
        """Returns what a job of the fleet says besides its request."""
        return {
            name: getattr(self, name) for name in ("queue", "priority", "attempts") if name in JobFields.model_fields
        }


def _usable() -> Iterable[str]:
    return (name for name in WORKERS if name != "agent-tool")


def _problems(preset: Preset) -> Iterable[Any]:
    """Yields what its worker would not accept, with a prompt in the place of a browser's."""
    try:
        if preset.is_skill:  # the skill may be on other machines, and its input is not known
            parse_request({"skill": "any", **preset.request, "input": {}}, SkillRequest)
        else:
            accept(WORKERS[preset.worker], {**preset.request, "prompt": "Hello"})
    except (RequestProblems, ValidationError) as found:
        yield from getattr(found, "problems", ())


def _misfit(pointer: str, words: str) -> PydanticCustomError:
    return PydanticCustomError("contract", "{found}", {"found": f"{pointer[1:].replace('/', '.')} {words}"})
