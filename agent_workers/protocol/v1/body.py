"""What every event has in common: the envelope, and the body that goes into it."""

from typing import Annotated, Any, Literal

from pydantic import Field

from agent_workers.protocol.v1.fields import Digest, RunId, Timestamp
from agent_workers.protocol.v1.part import Part


class Body(Part):
    """An event without its envelope, as an engine produces it."""

    type: str
    truncated_bytes: Annotated[int, Field(ge=1)] | None = Field(
        default=None,
        description="UTF-8 bytes that a cut removed from this event's fields to keep the line within "
        "256 KiB. Absent when nothing was cut.",
    )

    def to_wire(self) -> dict[str, Any]:
        """Returns the body as a JSON object without absent fields, ``type`` first and ``truncated_bytes`` last."""
        wire = super().to_wire()
        if "truncated_bytes" in wire:
            wire["truncated_bytes"] = wire.pop("truncated_bytes")
        return wire


class Envelope(Part):
    """The fields that every event has beside its own."""

    v: Literal[1] = Field(description="Version of the contract.")
    seq: int = Field(
        ge=1,
        description="Number of the event within its run: 1, 2, 3 and so on without gaps; each attempt counts from 1.",
    )
    run: RunId = Field(description="Id of the run: a UUID unless the request brought its own `run`.")
    ts: Timestamp = Field(description="When the event was written: RFC 3339 in UTC with milliseconds.")
    type: str = Field(min_length=1, description="Type of the event. Ignore events of a type you don't know.")
    prev: Digest | None = Field(
        default=None,
        description="SHA-256 of the whole line before this one, without its newline, in hex; 64 zeros on the first "
        "line of an attempt. The last field of the line. Absent unless the operator has lines chained.",
    )
