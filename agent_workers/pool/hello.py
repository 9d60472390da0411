"""A client's first line."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from agent_workers.errors import InvalidRequest
from agent_workers.workers import WORKERS

LONGEST = 1 << 16
"""Bytes of the line at most."""
VERSION = 1


class Hello(BaseModel):
    """What a client wants; unknown fields are ignored."""

    model_config = ConfigDict(strict=True, frozen=True, extra="ignore")

    pool: int
    worker: str = ""
    control: bool = False
    size: Annotated[int, Field(ge=0)] | None = None
    name: Annotated[str, Field(max_length=64)] | None = None
    skill: Annotated[str, Field(max_length=256)] | None = None
    result: bool = False
    credential: str | None = Field(default=None, repr=False)
    status: bool = False

    def for_worker(self) -> dict[str, Any]:
        """Returns what a worker process is told of it."""
        return self.model_dump(exclude_none=True, exclude={"pool", "size", "name", "status"})


def parse_hello(line: bytes) -> Hello:
    """Reads the line.

    Raises:
        InvalidRequest: It is not valid.
    """
    try:
        hello = Hello.model_validate_json(line)
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False)[0]
        place = ".".join(map(str, first["loc"])) or "the line"
        raise _invalid(f"{place}: {first['msg']}") from None
    if hello.pool != VERSION:
        raise _invalid(f"pool must be {VERSION}")
    if not hello.status and hello.worker not in WORKERS:
        raise _invalid(f"worker must be one of {', '.join(WORKERS)}")
    return hello


def _invalid(fault: str) -> InvalidRequest:
    words = f"The first line to the pool is not valid: {fault}"
    return InvalidRequest(words, cause=words)
