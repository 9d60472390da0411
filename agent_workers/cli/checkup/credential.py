"""Which kind of credential the agent will find. Of its value nothing is ever told."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING, NamedTuple

from agent_workers.cli.checkup.finding import Finding
from agent_workers.cli.checkup.state import config_dir
from agent_workers.errors import StateUnavailable

if TYPE_CHECKING:
    from collections.abc import Iterator

    from agent_workers.engine.claude import Environment

LOGIN_FILE = ".credentials.json"
_SWITCHED_ON = {"1", "true", "yes", "on"}


class Kind(NamedTuple):
    """A kind of credential: its stable name, its words, and the variable that brings it."""

    name: str
    words: str
    variable: str


PROVIDERS = (
    Kind("bedrock", "Amazon Bedrock", "CLAUDE_CODE_USE_BEDROCK"),
    Kind("vertex", "Google Vertex AI", "CLAUDE_CODE_USE_VERTEX"),
    Kind("foundry", "Microsoft Foundry", "CLAUDE_CODE_USE_FOUNDRY"),
)
# In the order in which the CLI prefers them.
_VARIABLES = (
    Kind("auth_token", "an auth token", "ANTHROPIC_AUTH_TOKEN"),
    Kind("api_key", "an API key", "ANTHROPIC_API_KEY"),
    Kind("oauth_token", "an OAuth token", "CLAUDE_CODE_OAUTH_TOKEN"),
)
_CURE = (
    "Set ANTHROPIC_API_KEY for this user, or CLAUDE_CODE_OAUTH_TOKEN (from claude setup-token), or log in as this user "
    "by running claude with the same config directory. Runs that bring their own key (--credential-fd) need none."
)


def check_credential(host: Environment) -> Finding:
    """Checks which credential will be used, and what else is set."""
    if host.simulator_url:
        return Finding("credential", "ok", "none is needed: a simulator answers", facts={"kind": "none"})
    kinds = list(_present(host))
    if not kinds:
        return _missing(host)
    used, *others = kinds
    facts = {"kind": used.name, "source": used.variable, "others": " ".join(other.name for other in others)}
    found = f"{used.words} ({used.variable})"
    if others:
        found += "; also there: " + ", ".join(f"{other.words} ({other.variable})" for other in others)
    if _is_broken(host.environ.get(used.variable, "")):
        cure = f"Set {used.variable} to the credential alone, on one line."
        return Finding("credential", "fail", f"{found} with white space in its midst", cure, facts)
    return Finding("credential", "ok", found, facts=facts)


def provider(host: Environment) -> Kind | None:
    """Returns the cloud provider that is switched on, if any."""
    return next((kind for kind in PROVIDERS if host.environ.get(kind.variable, "").lower() in _SWITCHED_ON), None)


def _present(host: Environment) -> Iterator[Kind]:
    if kind := provider(host):
        yield kind
    yield from (kind for kind in _VARIABLES if host.environ.get(kind.variable))
    if _is_logged_in(host):
        yield Kind("login_file", "a login", LOGIN_FILE)


def _is_logged_in(host: Environment) -> bool:
    """Returns whether the config directory holds a readable login; looks at the shape of its content only."""
    try:
        login = json.loads((config_dir(host) / LOGIN_FILE).read_bytes())
    except (StateUnavailable, OSError, ValueError):
        return False
    return isinstance(login, dict) and bool(login)


def _is_broken(value: str) -> bool:
    """Returns whether there is white space inside; the CLI strips it at both ends."""
    return any(character.isspace() for character in value.strip())


def _missing(host: Environment) -> Finding:
    if sys.platform == "darwin":
        return Finding("credential", "warn", "none in the environment; a login may be in the keychain", _CURE)
    return Finding("credential", "fail", "none: no variable is set and there is no login file", _CURE)
