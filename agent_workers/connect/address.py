"""Where a machine connects to, and what it trusts there."""

from __future__ import annotations

import ipaddress
import ssl
from contextlib import suppress
from urllib.parse import urlsplit

from agent_workers.connect.messages import PATH

_SCHEMES = {"https": "wss", "wss": "wss", "http": "ws", "ws": "ws"}


def target(address: str, *, insecure: bool = False) -> str:
    """Returns the address of the WebSocket.

    Args:
        address: The gateway's: ``https://HOST``, or with a path that a proxy puts before its routes.
        insecure: Whether the token may be sent in the clear to another machine.

    Raises:
        ValueError: It is no address, or the token would go over the network in the clear.
    """
    parts = urlsplit(address)
    scheme = _SCHEMES.get(parts.scheme)
    if scheme is None or not parts.hostname or parts.query or parts.fragment or parts.username or parts.password:
        raise ValueError(f"{address!r} is not the address of a gateway, such as https://agents.example")
    if scheme == "ws" and not insecure and not _is_loopback(parts.hostname):
        raise ValueError(
            "without TLS everybody on the way can read the token and the runs: use https://, "
            "or --insecure where the network itself is encrypted"
        )
    path = parts.path.rstrip("/").removesuffix(PATH)
    return f"{scheme}://{parts.netloc}{path}{PATH}"


def trust(address: str, ca_file: str | None) -> ssl.SSLContext | None:
    """Returns what the gateway's certificate is checked with; None where there is none.

    Raises:
        OSError: The file cannot be read, or holds no certificate.
    """
    if not address.startswith("wss:"):
        return None
    context = ssl.create_default_context()
    if ca_file is not None:
        context.load_verify_locations(ca_file)
    return context


def _is_loopback(host: str) -> bool:
    with suppress(ValueError):
        return ipaddress.ip_address(host).is_loopback
    return host == "localhost"
