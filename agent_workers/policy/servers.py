"""Which MCP servers a task may bring: programs by their exact command line, addresses by their host."""

import re
from collections.abc import Iterable, Sequence
from ipaddress import IPv6Address
from typing import Annotated, ClassVar

from pydantic import AfterValidator, BeforeValidator, Field
from pydantic_core import PydanticCustomError

from agent_workers.protocol.v1.fields import VARIABLE_NAME, AbsolutePath, Few, Strict, Text

_NAME = r"[a-z0-9_-]+(?:\.[a-z0-9_-]+)*"
_IPV6 = r"\[[0-9a-f:.]+\]"
_PATTERN = re.compile(rf"(?:(http)://)?((?:\*\.)?{_NAME}|{_IPV6})(?::([0-9]{{1,5}}))?", re.IGNORECASE | re.ASCII)
_DOMAIN = re.compile(rf"(?:\*\.)?{_NAME}", re.IGNORECASE | re.ASCII)
# The CLI parses addresses more freely than Python, and otherwise: a backslash as a slash, an "@" as the end of a user
# name, "%65" as "e". So an address that could be read in two ways is refused here.
_ADDRESS = re.compile(
    rf"(https?)://({_NAME}|{_IPV6})(?::([0-9]{{1,5}}))?(?:[/?#].*)?", re.IGNORECASE | re.ASCII | re.DOTALL
)
_PORTS = {"http": 80, "https": 443}
_LOOPBACK = frozenset({"127.0.0.1", "[::1]", "localhost"})  # plain http to these never leaves the machine


def _host_pattern(text: str) -> str:
    if not (found := _PATTERN.fullmatch(text)) or _plain(found[2]) is None:
        words = (
            "must be a host such as mcp.example.com, *.example.com or [::1]; add :port for a port of its own, and put "
            "http:// in front if the host is reached without encryption"
        )
        raise PydanticCustomError("contract", "{found}", {"found": words})
    return text


def _domain(text: str) -> str:
    if not _DOMAIN.fullmatch(text):
        words = "must be a domain such as example.com or *.example.com"
        raise PydanticCustomError("contract", "{found}", {"found": words})
    return text


HostPattern = Annotated[Text, AfterValidator(_host_pattern)]
Domain = Annotated[Text, AfterValidator(_domain)]
VariableName = Annotated[str, Field(pattern=VARIABLE_NAME)]


class Command(Strict):
    """A program that a request may start as an MCP server. In the file, a plain string is one without arguments."""

    synonyms: ClassVar = {"arguments": "args", "argv": "args", "path": "command"}

    command: AbsolutePath = Field(description="The program, spelled as in the request.")
    args: Few[str] = Field(default_factory=list, description="The arguments that it is started with.")
    more_args: bool = Field(default=False, description="Whether the request may add arguments after these.")
    env: Few[VariableName] = Field(default_factory=list, description="Variables that the request may set.")

    def takes(self, args: Sequence[str]) -> bool:
        """Tells whether the program may be started with these arguments."""
        return list(args[: len(self.args)] if self.more_args else args) == self.args

    def foreign(self, env: Iterable[str]) -> list[str]:
        """Returns those of the variables that a request may not set for the program."""
        return [name for name in env if name not in self.env]


def _spelled_out(value: object) -> object:
    return {"command": value} if isinstance(value, str) else value


CommandEntry = Annotated[Command, BeforeValidator(_spelled_out)]


def reaches_only(patterns: Sequence[str], url: str) -> bool:
    """Tells whether an address is certainly at a host that one of the patterns names."""
    found = _ADDRESS.fullmatch(url)
    host = _plain(found[2]) if found else None
    if not found or host is None:
        return False
    scheme = found[1].lower()
    return any(_fits(pattern, scheme, host, int(found[3] or _PORTS[scheme])) for pattern in patterns)


def _fits(pattern: str, scheme: str, host: str, port: int) -> bool:
    parts = _PATTERN.fullmatch(pattern)
    assert parts  # the policy's own check has passed
    wanted = _plain(parts[2])
    schemes = {"http"} if parts[1] else {"https", "http"} if wanted in _LOOPBACK else {"https"}
    if scheme not in schemes or port != int(parts[3] or _PORTS[scheme]):
        return False
    assert wanted
    return host.endswith(wanted[1:]) if wanted.startswith("*.") else host == wanted


def _plain(host: str) -> str | None:
    """Returns the canonical spelling of a host; None for an invalid IPv6 address."""
    if not host.startswith("["):
        return host.lower()
    try:
        return f"[{IPv6Address(host[1:-1])}]"
    except ValueError:
        return None
