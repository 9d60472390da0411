"""Whether requests may name the engine messages here. A host that has agents alone lacks nothing."""

from __future__ import annotations

from importlib.util import find_spec
from typing import TYPE_CHECKING

from agent_workers.cli.checkup.credential import provider
from agent_workers.cli.checkup.finding import Finding
from agent_workers.engine.messages.access import access_of
from agent_workers.engine.messages.models import load_models
from agent_workers.errors import AuthError, InvalidModels

if TYPE_CHECKING:
    from agent_workers.engine.host.environment import Environment

_FILE = "AGENT_WORKERS_MODELS"


def check_messages(host: Environment) -> Finding:
    """Checks whether the engine messages can run, and its table of models and prices."""
    try:
        models = load_models(host.environ)
    except InvalidModels as error:
        cure = f"Correct the file, or unset {_FILE}: until then requests with engine messages fail."
        return Finding("messages", "fail", str(error.cause), cure, {"path": host.environ.get(_FILE, "")})
    facts = {"default_model": models.default}
    if not find_spec("httpx2"):
        return Finding("messages", "ok", "not installed; pip install '.[messages]' adds it", facts=facts)
    if cloud := provider(host):
        return Finding("messages", "ok", f"for agents alone: the model is reached by {cloud.words}", facts=facts)
    try:
        access_of(host)
    except AuthError as error:
        return Finding("messages", "ok", f"for agents alone: {error.cause}", facts=facts)
    return Finding("messages", "ok", f"ready, with {models.default} where none is named", facts=facts)
