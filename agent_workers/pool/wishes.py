"""What a request asks for, as far as the pool needs it to pick a worker; the worker itself checks the request."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, NamedTuple

from agent_workers.protocol.v1.engines import MESSAGES
from agent_workers.workers.skill import known_skill

if TYPE_CHECKING:
    from collections.abc import Mapping

    from agent_workers.skills.skill import Skill
    from agent_workers.workers.base import Worker

# More may take hundreds of megabytes and seconds to read, for which all others would wait.
_MOST_VALUES = 200_000
# With each of these an agent is started for the request: what it says cannot be told to one that is up.
_COLD = ("tools", "app_tools", "fallback_model", "cwd", "mcp_servers", "agents", "max_tokens", "permissions")

_COLD_IN_SKILLS = ("tools", "fallback_model", "max_tokens", "max_turns")


class Wishes(NamedTuple):
    """What a request asks for.

    Attributes:
        model: The model that it names.
        resumes: The session that it goes on with.
        forks: Whether it goes on with a copy of that session.
        cold: What no agent that is up can be told any more; empty for nothing.
    """

    model: str | None = None
    resumes: str | None = None
    forks: bool = False
    cold: str = ""


def wishes_of(request: bytes, worker: Worker, skill: str | None = None) -> Wishes:
    """Reads a request, valid or not: a faulty one asks for nothing, and so does one of very many values.

    Args:
        request: The request.
        worker: Whose request it is.
        skill: The skill that the client names beside it.
    """
    if sum(map(request.count, (b"[", b"{", b","))) > _MOST_VALUES:
        return Wishes()
    try:
        document = json.loads(request)
    except (ValueError, RecursionError):
        return Wishes()
    if not isinstance(document, dict):
        return Wishes()
    worker = (worker.named(skill) if skill else None) or worker
    model, session = worker.model_of(document), document.get("session")
    resumes = session.get("resume") if isinstance(session, dict) else None
    return Wishes(
        model=model,
        resumes=resumes.lower() if isinstance(resumes, str) else None,
        forks=isinstance(session, dict) and bool(session.get("fork")),
        cold=_cold(document) or _cold_of_skill(known_skill(document.get("skill", skill))),
    )


def _cold(document: Mapping[str, Any]) -> str:
    if document.get("engine") == MESSAGES:
        return "engine"
    limits = document.get("limits")
    if isinstance(limits, dict) and limits.get("max_budget_usd") is not None:
        return "max_budget_usd"
    if document.get("session"):
        return "session"
    return next((name for name in _COLD if document.get(name)), "")


def _cold_of_skill(skill: Skill | None) -> str:
    """Returns the same of what a skill says in the place of its requests; empty for none."""
    if skill is None:
        return ""
    settings = skill.settings
    if settings.engine == MESSAGES:
        return "engine"
    if settings.limits.max_budget_usd is not None:
        return "max_budget_usd"
    return next((name for name in _COLD_IN_SKILLS if getattr(settings, name)), "")
