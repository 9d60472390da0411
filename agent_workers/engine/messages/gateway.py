"""What an operator sets for a gateway before the API: its address, and the headers that it wants. Pure."""

from __future__ import annotations

import re
from base64 import b64encode
from typing import TYPE_CHECKING
from urllib.parse import SplitResult, unquote, urlsplit

from agent_workers.errors import GatewayError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

_BASE_URL = "https://api.anthropic.com"
_BAD_ADDRESS = "The address of the model's API is not valid. The operator must correct ANTHROPIC_BASE_URL."
_BAD_HEADER = "A header for the model's API cannot be sent. The operator must correct ANTHROPIC_CUSTOM_HEADERS."
_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9a-z-]+")  # RFC 9110, "Tokens"
_VALUE = re.compile(r"[\t -~]*")
# How a call is framed and encoded, which is the client's matter.
_FRAMING = frozenset(
    {"accept-encoding", "connection", "content-encoding", "content-length", "expect", "keep-alive"}
    | {"proxy-connection", "te", "trailer", "transfer-encoding", "upgrade"}
)
_LEAST_SECRET = 6  # characters; a shorter value would be struck out of words in which it stands by chance


def base_url_of(environ: Mapping[str, str]) -> str:
    """Returns where the API answers, without a slash at the end.

    Raises:
        GatewayError: ``ANTHROPIC_BASE_URL`` is no address to which a path can be added.
    """
    base_url = (environ.get("ANTHROPIC_BASE_URL") or "").strip() or _BASE_URL
    if fault := _fault(base_url):
        raise GatewayError(_BAD_ADDRESS, cause=f"ANTHROPIC_BASE_URL {fault}")
    return base_url.rstrip("/")


def _fault(base_url: str) -> str | None:
    if not base_url.isprintable() or " " in base_url:
        return "has white space or other characters in its midst that no address has"
    if "?" in base_url or "#" in base_url:
        return "has a query or a fragment; it must end with the path to which /v1/messages is added"
    try:
        parts = urlsplit(base_url)
        return None if parts.scheme in ("http", "https") and _leads_somewhere(parts) else "must begin with https://HOST"
    except ValueError as error:
        return f"is no address: {'its port' if 'ort' in str(error) else 'its host'} is not valid"


def _leads_somewhere(parts: SplitResult) -> bool:
    return bool(parts.hostname) and parts.port != 0


def custom_headers(environ: Mapping[str, str]) -> dict[str, str]:
    """Reads ``ANTHROPIC_CUSTOM_HEADERS``, a ``Name: value`` on each line, as the CLI does.

    Raises:
        GatewayError: One of them cannot be sent.
    """
    lines = environ.get("ANTHROPIC_CUSTOM_HEADERS", "").split("\n")
    pairs = (line.partition(":") for line in lines if ":" in line)
    found = {name.strip().lower(): value.strip() for name, _, value in pairs if name.strip()}
    for name, value in found.items():
        if not _NAME.fullmatch(name):
            raise GatewayError(_BAD_HEADER, cause=f"ANTHROPIC_CUSTOM_HEADERS: {name[:80]!a} is no name of a header")
        if name in _FRAMING:
            raise GatewayError(_BAD_HEADER, cause=f"ANTHROPIC_CUSTOM_HEADERS may not set {name}")
        if not _VALUE.fullmatch(value):
            cause = f"ANTHROPIC_CUSTOM_HEADERS: the value of {name[:80]} has characters that no header has"
            raise GatewayError(_BAD_HEADER, cause=cause)
    return found


def secrets_of(urls: Iterable[str], headers: Mapping[str, str]) -> tuple[str, ...]:
    """Returns what in addresses and in headers may be a secret, the longest first.

    Args:
        urls: The addresses.
        headers: Those that the operator adds, and the credential.
    """
    values = [value for name, value in headers.items() if not name.startswith("anthropic-")]
    values += [value.partition(" ")[2] for value in values]  # without "Bearer"
    for url in urls:
        values += _passwords_in(url)
    return tuple(sorted({each for each in values if len(each) >= _LEAST_SECRET}, key=len, reverse=True))


def _passwords_in(url: str) -> list[str]:
    user, _, password = url.partition("://")[2].partition("/")[0].rpartition("@")[0].partition(":")
    basic = f"{unquote(user)}:{unquote(password)}".encode("utf-8", "replace")
    return [password, unquote(password), b64encode(basic).decode()] if password else []
