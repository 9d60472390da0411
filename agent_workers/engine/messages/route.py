"""How calls get to the API from a host: by which proxy, and whose certificates they trust. Pure."""

from __future__ import annotations

from ipaddress import ip_address, ip_network
from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from collections.abc import Mapping


class Route(NamedTuple):
    """What the variables of a host say, and no others.

    Attributes:
        proxy: Its URL; None for none.
        authorities: A file of certificates that are trusted instead of the host's own; None for those.
        authorities_dir: A directory of such, likewise.
        more_authorities: A file of certificates that are trusted beside them.
    """

    proxy: str | None = None
    authorities: str | None = None
    authorities_dir: str | None = None
    more_authorities: str | None = None


def route_of(environ: Mapping[str, str], base_url: str) -> Route:
    """Reads them, by the names that the CLI and most programs give them.

    Args:
        environ: The variables of the host.
        base_url: Where the API is.
    """
    return Route(
        _proxy_of(environ, base_url),
        environ.get("SSL_CERT_FILE") or None,
        environ.get("SSL_CERT_DIR") or None,
        environ.get("NODE_EXTRA_CA_CERTS") or None,
    )


def _proxy_of(environ: Mapping[str, str], base_url: str) -> str | None:
    parts = urlsplit(base_url)
    host = (parts.hostname or "").rstrip(".")
    port = parts.port or (443 if parts.scheme == "https" else 80)
    found = _value(environ, f"{parts.scheme}_proxy") or _value(environ, "all_proxy")
    if not found or any(_covers(entry.strip().lower(), host, port) for entry in _value(environ, "no_proxy").split(",")):
        return None
    return found if "://" in found else f"http://{found}"


def _value(environ: Mapping[str, str], name: str) -> str:
    if name in environ:
        return environ[name].strip()
    if name == "http_proxy" and "REQUEST_METHOD" in environ:
        return ""  # in CGI it is a header that any visitor may send
    return environ.get(name.upper(), "").strip()


def _covers(entry: str, host: str, port: int) -> bool:
    """Tells whether an entry of ``NO_PROXY`` names the host: itself, a domain around it, or a network."""
    if entry in ("", "*"):
        return bool(entry)
    try:
        return ip_address(host) in ip_network(entry.strip("[]"), strict=False)
    except ValueError:
        pass
    name, _, own_port = entry.rpartition(":") if entry.rpartition(":")[2].isdecimal() else (entry, "", "")
    name = name.strip("[]").removeprefix("*").lstrip(".")
    return bool(name) and own_port in ("", str(port)) and (host == name or host.endswith(f".{name}"))
