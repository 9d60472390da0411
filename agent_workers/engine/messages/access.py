"""Where the API is, and with which credential: read from the variables of the host."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from agent_workers import __version__
from agent_workers.engine.answer.api_failure import NO_CREDENTIAL
from agent_workers.errors import AuthError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from agent_workers.engine.host.environment import Environment

_BASE_URL = "https://api.anthropic.com"
_VERSION = "2023-06-01"  # of the API: docs.claude.com, "Versions"
_SENDABLE = re.compile(r"[!-~]+")
_NOT_OURS = "a login of the Claude CLI is for the engine agent alone; the engine messages needs ANTHROPIC_API_KEY"


class Access(NamedTuple):
    """An account at the API.

    Attributes:
        base_url: Where it answers, without a slash at the end.
        headers: What each request bears, the credential among it.
        is_simulated: Whether a simulator answers.
        certificates: A file of certificates that are trusted beside the host's own.
    """

    base_url: str
    headers: Mapping[str, str]
    is_simulated: bool = False
    certificates: str | None = None


def access_of(environment: Environment) -> Access:
    """Reads where the API is.

    Raises:
        AuthError: There is no credential.
    """
    usual = {"anthropic-version": _VERSION, "user-agent": f"agent-workers/{__version__}"}
    if environment.simulator_url:
        return Access(environment.simulator_url, {**usual, "x-api-key": "simulated"}, is_simulated=True)
    environ = environment.environ
    base_url = (environ.get("ANTHROPIC_BASE_URL") or _BASE_URL).rstrip("/")
    headers = {**usual, **_custom_headers(environ), **_credential(environ)}
    certificates = environ.get("NODE_EXTRA_CA_CERTS") or None  # by the name that the CLI gives it
    return Access(base_url, headers, environment.is_simulated(), certificates)


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


def _custom_headers(environ: Mapping[str, str]) -> dict[str, str]:
    """Reads ``ANTHROPIC_CUSTOM_HEADERS``, a ``Name: value`` on each line, as the CLI does."""
    lines = environ.get("ANTHROPIC_CUSTOM_HEADERS", "").splitlines()
    pairs = (line.partition(":") for line in lines if ":" in line)
    return {name.strip().lower(): value.strip() for name, _, value in pairs if name.strip()}
