"""What of a request this host cannot do by the plain Messages API."""

from __future__ import annotations

from importlib.util import find_spec
from typing import TYPE_CHECKING

from agent_workers.engine.messages.models import load_models
from agent_workers.protocol.v1.problem import Problem

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

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
        yield from _unpriced(request, environ)


def _unpriced(request: Request, environ: Mapping[str, str]) -> Iterator[Problem]:
    models = load_models(environ)
    named = [request.model or models.default]
    named += (request.fallback_model or "").split(",") if request.fallback_model else []
    named += request.skill_use.models if request.skill_use else ()
    for model in named:
        if not models.of(model.strip()):
            words = f"cannot be kept: the price of {model} is not known; AGENT_WORKERS_MODELS names a file that adds it"
            yield Problem(pointer="/limits/max_budget_usd", message=words)
