"""What a token says: who asks, and what they may start or look at."""

from typing import Any, ClassVar, Literal

from pydantic import Field

from agent_workers.gateway.narrowing import Narrowing
from agent_workers.gateway.owner import Owner
from agent_workers.protocol.v1.fields import Few, Goal, Label, Opt, RunId, SessionId, SkillName, Strict
from agent_workers.protocol.v1.job_fields import Tenant
from agent_workers.protocol.v1.settings import Subject


class Claims(Strict):
    """The claims of a token. Unknown ones are refused: a slip such as `narow` must not widen anything."""

    synonyms: ClassVar[dict[str, str]] = {}

    aud: Label | Few[Label] = Field(description="The gateway's `audience`.")
    exp: float = Field(description="When it ends: for one that starts a run, at most 120 seconds after `iat`.")
    iat: float = Field(description="When it was made.")
    nbf: Opt[float] = Field(default=None, description="From when on it holds.")
    iss: Opt[Label] = Field(default=None, description="Who made it.")
    jti: Opt[Label] = Field(default=None, description="Its own id; needed with `once`.")
    sub: Label = Field(min_length=1, description="The user, as the application names them.")
    tenant: Opt[Tenant] = Field(default=None, description="The customer of the application that the user belongs to.")
    preset: Opt[Label] = Field(default=None, description="Name of the preset that it may start.")
    worker: Opt[Label] = Field(default=None, description="Name of the worker; in the place of a preset, or beside it.")
    skill: Opt[SkillName] = Field(default=None, description="Name of the skill that it may start.")
    subject: Opt[Subject] = Field(default=None, description="What the run is about.")
    goal: Opt[Goal] = Field(default=None, description="What the run is meant to achieve.")
    conversation: Opt[SessionId] = Field(default=None, description="The only conversation that it may go on with.")
    runs: Opt[Few[RunId]] = Field(
        default=None, description="The runs that it may look at and answer. All of its user's own when absent."
    )
    narrow: Opt[Narrowing] = Field(default=None, description="What is less than the preset allows.")
    once: bool = Field(default=False, description="Whether it starts one run only.")
    use: Literal["all", "read", "connect"] = Field(
        default="all",
        description="`read`: it can follow runs, and nothing else. `connect`: it can connect a machine of the user, "
        "and nothing else.",
    )

    @property
    def owner(self) -> Owner:
        """Whose runs it is about."""
        return Owner(self.sub, self.tenant)

    def may_see(self, run: str) -> bool:
        """Whether it is about this run, if the run is its owner's."""
        return self.runs is None or run in self.runs

    @property
    def lifetime_s(self) -> float:
        """Seconds from when it was made to its end."""
        return self.exp - self.iat


def claims_of(payload: dict[str, Any]) -> Claims:
    """Reads the payload of a token whose signature holds.

    Raises:
        ValidationError: It says what no token may say.
    """
    return Claims.model_validate(payload)
