"""What a token takes away from a preset: lower limits, fewer tools. It never adds anything."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, Literal

from pydantic import Field

from agent_workers.gateway.refusal import Refusal
from agent_workers.protocol.v1.fields import Count, Dollars, Few, Opt, RunSeconds, Strict, Text

if TYPE_CHECKING:
    from collections.abc import Mapping

_USUAL_LIMITS = {"timeout_s": 300.0, "idle_timeout_s": 120.0, "question_timeout_s": 120.0}


class NarrowLimits(Strict):
    """Lower limits."""

    synonyms: ClassVar[dict[str, str]] = {}

    timeout_s: Opt[RunSeconds] = Field(default=None, description="Seconds the whole run may take.")
    idle_timeout_s: Opt[RunSeconds] = Field(default=None, description="Seconds the agent may stay silent.")
    question_timeout_s: Opt[RunSeconds] = Field(default=None, description="Seconds that a question waits.")
    max_budget_usd: Opt[Dollars] = Field(default=None, description="US dollars the run may cost.")


class Narrowing(Strict):
    """What is less than the preset allows."""

    synonyms: ClassVar[dict[str, str]] = {}

    limits: Opt[NarrowLimits] = Field(default=None, description="Lower limits.")
    max_turns: Opt[Count] = Field(default=None, description="Fewer calls of the model.")
    max_tokens: Opt[Count] = Field(default=None, description="Fewer tokens of an answer.")
    tools: Opt[Few[Text]] = Field(default=None, description="Fewer built-in tools: a part of the preset's.")
    app_tools: Opt[Few[Text]] = Field(default=None, description="Names of fewer tools of the application.")
    thinking: Opt[Literal[False]] = Field(default=None, description="Keeps the model's thinking from being sent.")


def narrowed(request: Mapping[str, Any], by: Narrowing | None, *, default_turns: int | None) -> dict[str, Any]:
    """Returns a preset's request with what a token takes away.

    Args:
        request: The preset's request.
        by: What the token says; None where it says nothing.
        default_turns: The worker's own ``max_turns``.

    Raises:
        Refusal: The token would widen it.
    """
    if by is None:
        return dict(request)
    said: dict[str, Any] = by.model_dump(exclude_unset=True)
    found = dict(request)
    for name, most in (
        ("max_turns", request.get("max_turns", default_turns)),
        ("max_tokens", request.get("max_tokens")),
    ):
        if name in said:
            found[name] = _lower(name, said[name], most)
    if limits := said.get("limits"):
        own = request.get("limits", {})
        lower = {
            each: _lower(f"limits.{each}", limits[each], own.get(each, _USUAL_LIMITS.get(each))) for each in limits
        }
        found["limits"] = {**own, **lower}
    if "tools" in said:
        found["tools"] = _fewer("tools", said["tools"], request.get("tools", []))
    if "app_tools" in said:
        own_tools = {tool["name"]: tool for tool in request.get("app_tools", [])}
        found["app_tools"] = [own_tools[name] for name in _fewer("app_tools", said["app_tools"], list(own_tools))]
    if "thinking" in said:
        found["thinking"] = False
    return {name: value for name, value in found.items() if name != "app_tools" or value}


def _lower(name: str, value: float, most: float | None) -> float:
    if most is not None and value > most:
        raise widened(name)
    return value


def _fewer(name: str, wanted: list[str], allowed: list[str]) -> list[str]:
    if not set(wanted) <= set(allowed):
        raise widened(name)
    return wanted


def widened(name: str) -> Refusal:
    """Returns the refusal of a token that would allow more than its preset."""
    return Refusal(403, "preset_widened", f"The token would allow more than its preset: {name}.")
