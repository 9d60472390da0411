"""A request out of a preset, a token and a browser's body: the token narrows, the browser says what it may."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, NamedTuple
from uuid import uuid4

from agent_workers.gateway.narrowing import narrowed, widened
from agent_workers.gateway.refusal import Refusal, invalid
from agent_workers.protocol.v1.fields import TRACE_PARENT
from agent_workers.workers import WORKERS

if TYPE_CHECKING:
    from collections.abc import Mapping

    from agent_workers.gateway.bodies import SkillBody, StartBody
    from agent_workers.gateway.claims import Claims
    from agent_workers.gateway.preset import Preset

_BY_BROWSER = ("subject", "goal", "metadata", "thinking")


class Composed(NamedTuple):
    """A run that may begin.

    Attributes:
        preset: What it is made of.
        request: Its request, without a session.
        conversation: The conversation that it goes on with, or begins; None for none.
    """

    preset: Preset
    request: dict[str, Any]
    conversation: str | None

    @property
    def run(self) -> str:
        """The run's id."""
        return str(self.request["run"])


def preset_for(presets: Mapping[str, Preset], claims: Claims, skill: str | None = None) -> tuple[Preset, str | None]:
    """Returns the preset that a token names, and the skill that it runs.

    Args:
        presets: All of them, by their names.
        claims: What the token says.
        skill: The skill that the address names; None for none.

    Raises:
        Refusal: The token names none, or allows another than is asked for.
    """
    wanted = skill or claims.skill
    if skill is not None and claims.skill not in (None, skill):
        raise Refusal(403, "forbidden", "The token is for another skill.")
    found = presets.get(claims.preset) if claims.preset else _by_kind(presets, claims, wanted)
    if found is None:
        raise Refusal(403, "preset_unknown", "The token names nothing that can be started here.")
    if claims.worker and _worker(claims.worker) != found.worker:
        raise widened("worker")
    if not found.is_skill:
        if wanted is not None:
            raise widened("skill")
        return found, None
    chosen = found.skill or claims.skill
    if chosen is None or wanted not in (None, chosen):
        raise widened("skill")
    return found, chosen


def composed(
    preset: Preset, skill: str | None, claims: Claims, body: StartBody | SkillBody, *, trace: str = ""
) -> Composed:
    """Returns the request of a run.

    Args:
        preset: What the operator has written.
        skill: The skill that it runs; None for none.
        claims: What the token says: it goes before the browser.
        body: What the browser says.
        trace: The request's ``traceparent``, valid or not.

    Raises:
        Refusal: The token would widen the preset, or the browser says what it may not.
    """
    said = body.model_dump(exclude_none=True)
    request = narrowed(preset.request, claims.narrow, default_turns=WORKERS[preset.worker].max_turns)
    request |= _from_token(claims)
    for name in _BY_BROWSER:
        if name in said:
            _check(name, preset, request, claims)
            request[name] = said[name]
    request |= _work(preset, skill, said)
    if re.fullmatch(TRACE_PARENT.strip("^$"), trace):
        request["traceparent"] = trace
    return Composed(preset, {**request, "run": str(uuid4())}, _conversation(preset, claims, said))


def _from_token(claims: Claims) -> dict[str, Any]:
    about = {"subject": claims.subject and claims.subject.model_dump(), "goal": claims.goal}
    own = {"user": claims.sub, "session_owner": claims.owner.key}
    return {**own, **{name: value for name, value in about.items() if value is not None}}


def _check(name: str, preset: Preset, request: Mapping[str, Any], claims: Claims) -> None:
    is_set = name in request if name != "thinking" else bool(claims.narrow and claims.narrow.thinking is not None)
    if is_set or name not in preset.browser_may:
        raise invalid({name: [f"{name} is not accepted here: the token or the preset sets it."]})


def _work(preset: Preset, skill: str | None, said: Mapping[str, Any]) -> dict[str, Any]:
    field, other = ("input", "prompt") if preset.is_skill else ("prompt", "input")
    if field not in said:
        raise invalid({field: [f"The {field} is missing."]})
    if other in said:
        raise invalid({other: [f"{other} is not accepted here: send the {field}."]})
    return {field: said[field], **({"skill": skill} if skill else {})}


def _conversation(preset: Preset, claims: Claims, said: Mapping[str, Any]) -> str | None:
    named: str | None = said.get("conversation")
    if named is None:
        return claims.conversation
    if claims.conversation is not None and named != claims.conversation:
        raise Refusal(404, "session_not_found", "There is no such conversation.")
    if claims.conversation is None and "conversation" not in preset.browser_may:
        raise invalid({"conversation": ["conversation is not accepted here: the preset does not let it be set."]})
    return named


def _by_kind(presets: Mapping[str, Preset], claims: Claims, skill: str | None) -> Preset | None:
    """Returns the only preset of the worker, or of the skill, that the token names; the address alone names none."""
    if claims.worker is None and claims.skill is None:
        found: list[Preset] = []
    elif skill is not None:
        own = [preset for preset in presets.values() if preset.is_skill and preset.skill == skill]
        # Every skill may be run with the preset for all of them only where the token itself names the skill.
        any_skill = [preset for preset in presets.values() if preset.is_skill and preset.any_skill and claims.skill]
        found = own or any_skill
    else:
        found = [preset for preset in presets.values() if preset.worker == _worker(str(claims.worker))]
    return found[0] if len(found) == 1 else None


def _worker(name: str) -> str:
    return name if name.startswith("agent-") else f"agent-{name}"
