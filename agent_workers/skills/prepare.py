"""Makes a skill and its input a request, as a caller could have written it. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from agent_workers.protocol.v1.engines import AGENT
from agent_workers.protocol.v1.skill_use import SkillUse
from agent_workers.skills.data_block import RULES, as_json, block, filled, mark_for
from agent_workers.skills.review import Review

if TYPE_CHECKING:
    from agent_workers.protocol.v1.skill_request import SkillRequest
    from agent_workers.skills.skill import Skill

_SKILLS = ("skill", "input")
_TASKS = ("cwd", "add_dirs", "mcp_servers")
_EVIDENCE = (
    "Where the output asks for evidence, name the places that you rely on: each is a JSON pointer (RFC 6901) into the "
    "block named input, such as /notes/0/text, and leads to a value that is there."
)
_ASK = "This is the input. Do with it what your instructions say, and answer in the form that the output has."


def document_of(asked: SkillRequest, document: dict[str, Any], skill: Skill) -> dict[str, Any]:
    """Returns the document of the request that the skill makes of what was asked for.

    Args:
        asked: The request to the skill.
        document: The same, as it came: what it leaves out is the skill's to say.
        skill: The skill.
    """
    settings = skill.settings
    usual = {name: value for name, value in document.items() if name not in _SKILLS}
    mark = mark_for([as_json(asked.input), asked.goal or "", skill.instructions])
    own: dict[str, Any] = settings.model_dump(
        include={"model", "fallback_model", "engine", "max_tokens", "max_turns"}, exclude_none=True, by_alias=True
    )
    if usual.get("engine") == AGENT:
        own.pop("max_tokens", None)  # it goes with the skill's own engine
    limits = settings.limits.model_dump(exclude_none=True) | document.get("limits", {})
    parts = [block("input", asked.input, mark), *([block("goal", asked.goal, mark)] if asked.goal else []), _ASK]
    tools = (
        {"tools": list(settings.tools), "permissions": settings.permissions.model_dump(exclude_unset=True)}
        if settings.tools
        else {}
    )
    return {
        **own,
        **usual,
        **tools,
        "limits": limits,
        "system_prompt": _instructions(skill, asked.input, mark),
        "prompt": "\n\n".join(parts),
        "output_schema": skill.output_schema,
    }


def use_of(asked: SkillRequest, skill: Skill) -> SkillUse:
    """Returns what the request bears with it of its skill."""
    settings = skill.settings
    reviewed = settings.checks or settings.review_below is not None
    return SkillUse(
        name=skill.name,
        version=skill.version,
        folder=skill.folder,
        models=(settings.escalation.model,) if settings.escalation else (),
        reviewer=Review(settings, asked.input) if reviewed else None,
        input=asked.input,
    )


def foreign_fields(document: dict[str, Any], skill: Skill) -> list[str]:
    """Returns the fields that only a skill with tools takes, where this one has none."""
    return [] if skill.settings.tools else [name for name in _TASKS if name in document]


def _instructions(skill: Skill, skill_input: Any, mark: str) -> str:
    evidence = any(check.check == "evidence" for check in skill.settings.checks)
    parts = [filled(skill.instructions, skill_input, mark).strip(), RULES, *([_EVIDENCE] if evidence else [])]
    return "\n\n".join(parts)
