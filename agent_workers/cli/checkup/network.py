"""Whether the API can be reached. No credential is sent."""

from __future__ import annotations

import ssl
from http.client import HTTPException
from typing import TYPE_CHECKING
from urllib.error import HTTPError, URLError
from urllib.parse import urlsplit
from urllib.request import HTTPRedirectHandler, HTTPSHandler, build_opener

from agent_workers.cli.checkup.credential import provider
from agent_workers.cli.checkup.finding import Finding

if TYPE_CHECKING:
    from collections.abc import Mapping
    from urllib.request import OpenerDirector

    from agent_workers.engine.claude import Environment

_PUBLIC = "https://api.anthropic.com"
_PATIENCE_S = 10


class _NoRedirect(HTTPRedirectHandler):
    """Any answer will do, and it is not followed."""

    def redirect_request(self, *parts: object) -> None:
        """Follows none."""


def check_network(host: Environment) -> Finding:
    """Asks the API's base URL for anything, through the same proxies and certificates as the agent would."""
    if kind := provider(host):
        return Finding(
            "network", "warn", f"not checked: {kind.words} is used", "Check it with the provider's own tools."
        )
    try:
        origin = _origin(host.environ.get("ANTHROPIC_BASE_URL") or _PUBLIC)
    except ValueError:
        cure = "Set ANTHROPIC_BASE_URL to an address such as https://api.anthropic.com, or unset it."
        return Finding("network", "fail", "ANTHROPIC_BASE_URL is no http or https address", cure)
    facts = {"origin": origin}
    try:
        with _opener(host.environ).open(origin, timeout=_PATIENCE_S) as answer:
            status = answer.status
    except HTTPError as answer:
        with answer:
            status = answer.code
    except (OSError, HTTPException, ValueError) as error:
        cure = "Check name resolution, the firewall, and the proxy and certificate variables of this user."
        return Finding("network", "fail", f"{origin} cannot be reached: {_reason(error)}", cure, facts)
    return Finding("network", "ok", f"{origin} answers (HTTP {status})", facts={**facts, "http_status": str(status)})


def _origin(url: str) -> str:
    """Returns scheme, host and port alone: the rest of an address may hold a password.

    Raises:
        ValueError: It is no address.
    """
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ValueError
    name = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
    return f"{parts.scheme}://{name}" + (f":{parts.port}" if parts.port else "")


def _opener(environ: Mapping[str, str]) -> OpenerDirector:
    context = ssl.create_default_context()
    if extra := environ.get("NODE_EXTRA_CA_CERTS"):
        context.load_verify_locations(extra)
    return build_opener(_NoRedirect, HTTPSHandler(context=context))


def _reason(error: Exception) -> str:
    """Returns the system's own words; those of an exception might quote an address with a password in it."""
    cause = error.reason if isinstance(error, URLError) else error
    if isinstance(cause, ssl.SSLCertVerificationError):
        return f"its certificate is not trusted ({cause.verify_message})"
    if isinstance(cause, TimeoutError):
        return f"no answer within {_PATIENCE_S} s"
    words = cause.strerror if isinstance(cause, OSError) else None
    return words or type(cause).__name__
