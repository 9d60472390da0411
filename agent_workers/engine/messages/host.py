"""What of a request this host cannot do by the plain Messages API."""

from __future__ import annotations

from importlib.util import find_spec
from typing import TYPE_CHECKING

from agent_workers.engine.messages.models import load_models
from agent_workers.protocol.v1.problem import Problem
from agent_workers.protocol.v1.request import ResumeSession

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from agent_workers.engine.messages.models import Models
    from agent_workers.protocol.v1.request import Request

_CLOUDS = {
    "CLAUDE_CODE_USE_BEDROCK": "Amazon Bedrock",
    "CLAUDE_CODE_USE_VERTEX": "Google Vertex AI",
    "CLAUDE_CODE_USE_FOUNDRY": "Microsoft Foundry",
}
_OFF = ("", "0", "false", "no", "off")


def problems_of(request: Request, environ: Mapping[str, str]) -> Iterator[Problem]:
    """Yields what is missing here.

    Args:
        request: A request of this engine.
        environ: The host's variables.
    """
    if not find_spec("httpx2"):
        words = (
            "cannot be messages on this host: httpx2 is missing; install the extra messages: pip install '.[messages]'"
        )
        yield Problem(pointer="/engine", message=words)
    for variable, cloud in _CLOUDS.items():
        if environ.get(variable, "").lower() not in _OFF:
            words = f"must be agent on this host, which reaches the model by {cloud}: {variable} is set"
            yield Problem(pointer="/engine", message=words)
    if request.limits.max_budget_usd is not None:
        models = load_models(environ)
        yield from _unpriced([request.model or models.default, *_others(request)], models)
    if request.max_tokens is not None:
        models = load_models(environ)
        of_session = request.model is None and isinstance(request.session, ResumeSession)  # known once that is read
        first = [] if of_session else [request.model or models.default]
        yield from _too_long(request.max_tokens, [*first, *_others(request)], models)


def _others(request: Request) -> Iterator[str]:
    """Yields the models that may take over."""
    if request.fallback_model:
        yield from (name.strip() for name in request.fallback_model.split(","))
    if request.skill_use:
        yield from request.skill_use.models


def _unpriced(named: Iterable[str], models: Models) -> Iterator[Problem]:
    for model in named:
        if not models.of(model):
            words = f"cannot be kept: the price of {model} is not known; AGENT_WORKERS_MODELS names a file that adds it"
            yield Problem(pointer="/limits/max_budget_usd", message=words)


def _too_long(max_tokens: int, named: Iterable[str], models: Models) -> Iterator[Problem]:
    known = ((model, models.of(model)) for model in named)
    limits = [(found.max_output_tokens, model) for model, found in known if found and found.max_output_tokens]
    most, model = min(limits, default=(max_tokens, ""))
    if max_tokens > most:
        words = f"must be at most {most}, the most that {model} writes in one answer"
        yield Problem(pointer="/max_tokens", message=words)
