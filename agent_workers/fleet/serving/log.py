"""The log of a process of the fleet: lines for people or for programs, without what jobs say and without secrets."""

from __future__ import annotations

import json
import logging
import re
import sys
from contextvars import ContextVar
from datetime import UTC, datetime
from traceback import extract_tb
from types import MappingProxyType
from typing import TYPE_CHECKING
from urllib.parse import unquote, urlsplit

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

NAME = "agent_workers.fleet"
_NOTHING: Mapping[str, object] = MappingProxyType({})
about: ContextVar[Mapping[str, object]] = ContextVar("about", default=_NOTHING)
"""What a slot has in hand: ``run``, ``queue``, ``tenant``, ``attempt``."""
_FIELDS = ("run", "queue", "tenant", "attempt", "code")
_IN_URL = re.compile(r"(\w+://)[^/@\s]*@")
_HIDDEN = "***"
_SHORTEST = 4  # a shorter password would blank half of each line


class Lines(logging.Formatter):
    """Lines for people, with what they are about as ``name=value``.

    Args:
        secrets: What no line may show.
    """

    def __init__(self, secrets: Iterable[str] = ()) -> None:
        super().__init__()
        self._secrets = sorted({secret for secret in secrets if len(secret) >= _SHORTEST}, key=len, reverse=True)

    def format(self, record: logging.LogRecord) -> str:
        """Returns a record's line."""
        return self._clean(self._line(record))

    def _line(self, record: logging.LogRecord) -> str:
        more = "".join(f" {name}={value}" for name, value in _known(record).items())
        fault = f" [{trace}]" if (trace := _fault(record)) else ""
        return f"agent-workers fleet: {record.getMessage()}{more}{fault}".replace("\n", " ")

    def _clean(self, text: str) -> str:
        for secret in self._secrets:
            text = text.replace(secret, _HIDDEN)
        return _IN_URL.sub(rf"\1{_HIDDEN}@", text)


class JsonLines(Lines):
    """The same as one JSON object a line."""

    def _line(self, record: logging.LogRecord) -> str:
        told: dict[str, object] = {
            "ts": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
            **_known(record),
        }
        if fault := _fault(record):
            told["fault"] = fault
        return json.dumps(told, ensure_ascii=False, default=str)


def set_up(level: int, *, is_json: bool, secrets: Iterable[str] = ()) -> None:
    """Has the log written to stderr."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter((JsonLines if is_json else Lines)(secrets))
    logging.basicConfig(handlers=[handler], level=logging.WARNING)
    logging.getLogger(NAME).setLevel(level)


def secrets_of(url: str) -> list[str]:
    """Returns what an address has that no log may show: its password, as it stands and as it is meant."""
    try:
        password = urlsplit(url).password
    except ValueError:
        return [url]
    return [password, unquote(password)] if password else []


def _known(record: logging.LogRecord) -> dict[str, object]:
    known = {**about.get(), **{name: getattr(record, name) for name in _FIELDS if hasattr(record, name)}}
    return {name: known[name] for name in _FIELDS if known.get(name) not in {None, ""}}


def _fault(record: logging.LogRecord) -> str:
    """Says what was raised and where, but not its words: they may be of a job."""
    if not record.exc_info or record.exc_info[1] is None:
        return ""
    error = record.exc_info[1]
    places = [f"{frame.name}:{frame.lineno}" for frame in extract_tb(error.__traceback__)]
    return " < ".join([type(error).__name__, *reversed(places)])
