"""What a gateway and a connected machine say to each other: JSON, one message in each text frame of a WebSocket.

Both number what they say of a run. A message is kept until the other has taken it, and is sent again on the next
connection where the other says that it has less.
"""

from __future__ import annotations

from typing import Annotated, Any, ClassVar, Literal

from pydantic import Field, TypeAdapter, ValidationError

from agent_workers.protocol.document import parse_json
from agent_workers.protocol.v1.fields import Few, JsonObject, Label, Opt, RunId, Strict
from agent_workers.protocol.v1.problem import RequestProblems
from agent_workers.wire import MAX_LINE, dump

VERSION = 1
PATH = "/v1/connect"
MAX_FROM_MACHINE = 2 * MAX_LINE + 4096
"""Bytes of a message from a machine: in a line of ASCII only quotes and backslashes are escaped."""
MAX_FROM_GATEWAY = 8 << 20
"""Bytes of a message from a gateway, such as a request."""
FIRST_S = 10
"""Seconds in which the first message has to come."""

UNREADABLE, REPLACED, REFUSED, OTHER_VERSION, SLOW = 4400, 4409, 4401, 4406, 4408
"""Codes with which a gateway closes a connection."""

Number = Annotated[int, Field(ge=0, le=1 << 53)]


class _Message(Strict):
    synonyms: ClassVar[dict[str, str]] = {}


class Offer(_Message):
    """Machine, first: what it runs, and which runs it has."""

    type: Literal["offer"] = "offer"
    v: int
    machine: Annotated[str, Field(pattern=r"^[0-9a-f-]{36}$")]
    workers: Few[Label]
    models: Opt[Few[Label]] = None
    skills: Opt[Few[Label]] = None
    max_runs: Annotated[int, Field(ge=1, le=1000)]
    runs: dict[RunId, Number]


class Welcome(_Message):
    """Gateway, then: which of these runs it knows, and how many of their lines it has. The others are stopped."""

    type: Literal["welcome"] = "welcome"
    v: int
    grace_s: float
    runs: dict[RunId, Number]


class Begin(_Message):
    """Gateway: the first message of a run."""

    type: Literal["run"] = "run"
    run: RunId
    n: Number
    worker: Label
    request: JsonObject


class Tell(_Message):
    """Gateway: a control message for a run."""

    type: Literal["tell"] = "tell"
    run: RunId
    n: Number
    message: JsonObject


class Drop(_Message):
    """Gateway: nobody wants this run any more."""

    type: Literal["drop"] = "drop"
    run: RunId


class Line(_Message):
    """Machine: an event of a run, byte for byte as its worker wrote it."""

    type: Literal["line"] = "line"
    run: RunId
    n: Number
    line: Annotated[str, Field(max_length=MAX_LINE)]


class End(_Message):
    """Machine: of this run nothing more comes, and there was no terminal event."""

    type: Literal["end"] = "end"
    run: RunId
    reason: Literal["full", "not_offered", "line_too_long"]


class Drain(_Message):
    """Machine: it takes no new runs."""

    type: Literal["drain"] = "drain"


class Taken(_Message):
    """Either: it has this message of a run, and all before."""

    type: Literal["taken"] = "taken"
    run: RunId
    n: Number


FromMachine = Offer | Line | End | Drain | Taken
FromGateway = Welcome | Begin | Tell | Drop | Taken
_FROM_MACHINE: TypeAdapter[FromMachine] = TypeAdapter(Annotated[FromMachine, Field(discriminator="type")])
_FROM_GATEWAY: TypeAdapter[FromGateway] = TypeAdapter(Annotated[FromGateway, Field(discriminator="type")])


class Unreadable(ValueError):
    """Raised where something is no message."""


def from_machine(text: str) -> FromMachine:
    """Reads a message of a machine.

    Raises:
        Unreadable: It is none.
    """
    message: FromMachine = _read(text, _FROM_MACHINE)
    return message


def from_gateway(text: str) -> FromGateway:
    """Reads a message of a gateway.

    Raises:
        Unreadable: It is none.
    """
    message: FromGateway = _read(text, _FROM_GATEWAY)
    return message


def written(message: _Message) -> str:
    """Returns a message as it is sent."""
    return dump(message.model_dump(exclude_none=True)).decode()


def _read(text: str, adapter: TypeAdapter[Any]) -> Any:
    try:
        return adapter.validate_python(parse_json(text.encode()))
    except (ValidationError, RequestProblems, UnicodeEncodeError):
        raise Unreadable("this is no message of the protocol") from None
