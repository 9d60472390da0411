"""Whether requests may name the engine messages here, and how much the policy needs it."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from agent_workers.cli.checkup.credential import provider
from agent_workers.cli.checkup.finding import Finding
from agent_workers.engine.messages.access import access_of
from agent_workers.engine.messages.models import load_models
from agent_workers.errors import AuthError, GatewayError, InvalidModels, PolicyDenied
from agent_workers.policy import load_policy
from agent_workers.protocol.v1.engines import MESSAGES

if TYPE_CHECKING:
    from agent_workers.engine.host.environment import Environment

_FILE = "AGENT_WORKERS_MODELS"
_POLICY = "AGENT_WORKERS_POLICY"


class _Lack(NamedTuple):
    """Why the engine cannot run here, and what to do about it."""

    words: str
    cure: str


def check_messages(host: Environment) -> Finding:
    """Checks whether the engine messages can run, its table of models and prices, and how much of that matters."""
    engines = _engines(host)
    try:
        models = load_models(host.environ)
    except InvalidModels as error:
        cure = f"Correct the file, or unset {_FILE}: until then requests with engine messages fail."
        return Finding("messages", "fail", str(error.cause), cure, {"path": host.environ.get(_FILE, "")})
    facts = {"default_model": models.default, **({"engines": " ".join(engines)} if engines else {})}
    lack = _lack(host)
    if lack is None:
        return Finding("messages", "ok", f"ready, with {models.default} where none is named", facts=facts)
    if engines == [MESSAGES]:
        found = f"the policy has no other engine, and this one cannot run: {lack.words}"
        return Finding("messages", "fail", found, f"{lack.cure} Until then every request fails.", facts)
    if engines and engines[0] == MESSAGES:
        found = f"the policy prefers this engine, which cannot run: {lack.words}"
        cure = f"{lack.cure} Until then requests that name no engine fail where they need no agent."
        return Finding("messages", "warn", found, cure, facts)
    return Finding("messages", "ok", f"optional, and not set up: {lack.words}", facts=facts)


def _engines(host: Environment) -> list[str]:
    """Returns the engines that the policy allows; none where it says nothing, or cannot be read."""
    named = host.environ.get(_POLICY)
    try:
        return list(load_policy(Path(named).absolute()).engines or ()) if named else []
    except PolicyDenied:
        return []  # told by the policy's own check


def _lack(host: Environment) -> _Lack | None:
    if not find_spec("httpx2"):
        words = "httpx2 is missing, which pip install '.[messages]' brings"
        return _Lack(words, "Install the extra: pip install '.[messages]'.")
    if cloud := provider(host):
        words = f"the model is reached by {cloud.words}, which is for agents alone"
        return _Lack(words, f"Unset {cloud.variable}, or have the policy's engines begin with agent.")
    try:
        access_of(host)
    except AuthError as error:
        return _Lack(str(error.cause), "Set ANTHROPIC_API_KEY or ANTHROPIC_AUTH_TOKEN for this user.")
    except GatewayError as error:
        return _Lack(str(error.cause), error.message)
    return None
