"""Where the API is, and with which credential: read from the variables of the host."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from agent_workers import __version__
from agent_workers.engine.answer.api_failure import NO_CREDENTIAL
from agent_workers.engine.messages.gateway import base_url_of, custom_headers, secrets_of
from agent_workers.engine.messages.route import Route, route_of
from agent_workers.errors import AuthError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from agent_workers.engine.host.environment import Environment

_VERSION = "2023-06-01"  # of the API: docs.claude.com, "Versions"
_MOST_SHOWN = 200
_SENDABLE = re.compile(r"[!-~]+")
_NOT_OURS = "a login of the Claude CLI is for the engine agent alone; the engine messages needs ANTHROPIC_API_KEY"


class Access(NamedTuple):
    """An account at the API.

    Attributes:
        base_url: Where it answers, without a slash at the end.
        headers: What each request bears, the credential among it.
        is_simulated: Whether a simulator answers.
        route: How calls get there.
        secrets: What must not be told of it.
    """

    base_url: str
    headers: Mapping[str, str]
    is_simulated: bool = False
    route: Route = Route()
    secrets: tuple[str, ...] = ()

    def shown(self, text: str) -> str:
        """Returns what operators may read of a text that came from elsewhere: one short line, without secrets."""
        for secret in self.secrets:
            text = text.replace(secret, "[secret]")
        return ascii(text[:_MOST_SHOWN])[1:-1]


def access_of(environment: Environment) -> Access:
    """Reads where the API is.

    Raises:
        AuthError: There is no credential.
        GatewayError: The base URL is none, or a header that the operator adds cannot be sent.
    """
    usual = {"anthropic-version": _VERSION, "user-agent": f"agent-workers/{__version__}"}
    if environment.simulator_url:
        return Access(environment.simulator_url, {**usual, "x-api-key": "simulated"}, is_simulated=True)
    environ = environment.environ
    base_url = base_url_of(environ)
    custom, credential = custom_headers(environ), _credential(environ)
    is_simulated = environment.is_simulated()
    route = Route() if is_simulated else route_of(environ, base_url)
    secrets = secrets_of([base_url, route.proxy or ""], {**custom, **credential})
    return Access(base_url, {**usual, **custom, **credential}, is_simulated, route, secrets)


def _credential(environ: Mapping[str, str]) -> dict[str, str]:
    if token := _value(environ, "ANTHROPIC_AUTH_TOKEN"):  # before the key, as for the CLI
        return {"authorization": f"Bearer {token}"}
    if key := _value(environ, "ANTHROPIC_API_KEY"):
        return {"x-api-key": key}
    cause = _NOT_OURS if environ.get("CLAUDE_CODE_OAUTH_TOKEN") else "neither ANTHROPIC_API_KEY nor a token is set"
    raise AuthError(NO_CREDENTIAL, cause=cause)


def _value(environ: Mapping[str, str], name: str) -> str:
    value = environ.get(name, "").strip()
    if value and not _SENDABLE.fullmatch(value):
        raise AuthError(cause=f"{name} has white space or other characters in its midst that no credential has")
    return value
