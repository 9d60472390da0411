"""The contract's scalar types, and for each pattern the words that explain it."""

import re
from typing import Annotated, Any, Literal, TypeVar

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field
from pydantic_core import PydanticCustomError

from agent_workers.protocol.value import Json, json_fault

T = TypeVar("T")

MAX_ITEMS = 1000

# Spelled in the part of the syntax that ECMAScript, Rust and Python read alike.
RUN_ID = r"^[A-Za-z0-9._:-]{1,128}$"
UUID = r"^[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}$"
MODEL_NAME = r"^[!-,.-~][!-~]{0,255}$"
TOOL_NAME = r"^[A-Za-z0-9_-]{1,64}$"
NO_NUL = r"^[^\x00]+$"
# "${NAME}" in the settings of an MCP server would be replaced by a variable of the worker's environment.
NO_VARIABLE = r"^(?:[^\x00$]|\$+[^\x00${])*\$*$"
VARIABLE_NAME = r"^[A-Za-z_][A-Za-z0-9_]{0,255}$"
ABSOLUTE_PATH = r"^/[^\x00]*$"
BUILT_IN_OR_MCP = r"^(?:[A-Z][A-Za-z]{0,63}|mcp__[A-Za-z0-9_-]{1,64}__[A-Za-z0-9_-]{1,64})$"
SERVER_NAME = r"^[A-Za-z0-9-](?:_?[A-Za-z0-9-]){0,63}$"
MCP_TOOL = r"^[!-~]{1,128}$"
# No parenthesis within the specifier, so that one rule can never be read as two.
TOOL_RULE = (
    r"^(?:[A-Z][A-Za-z]{0,63}(?:\([^()\x00-\x1f]{1,1024}\))?|mcp__[A-Za-z0-9_-]{1,64}(?:__[A-Za-z0-9_-]{1,64})?)$"
)
# agentskills.io/specification: 1 to 64 characters, no hyphen at either end, no two in a row.
SKILL_NAME = r"^[a-z0-9]+(?:-[a-z0-9]+)*$"
# RFC 6901, and "*" for each item of a list or each value of an object.
POINTER = r"^(?:/(?:[^~/]|~[01])*)*$"
BASE64 = r"^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{4}|[A-Za-z0-9+/]{3}=|[A-Za-z0-9+/]{2}==)$"
WEB_ADDRESS = r"^https?://[^\x00-\x20]+$"
QUEUE_NAME = r"^[a-z0-9][a-z0-9_.-]{0,63}$"
CREDENTIAL_NAME = r"^[A-Za-z0-9][A-Za-z0-9_.-]{0,63}$"
SHOWN_TEXT = r"^[^\x00-\x1f\x7f-\x9f]+$"
MOMENT = r"^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(?:\.[0-9]{1,9})?(?:Z|[+-][0-9]{2}:[0-9]{2})$"
# W3C Trace Context, version 00: trace id, id of the parent span, flags. Ids of zeros alone are none.
TRACE_PARENT = r"^00-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}$"
NO_TRACE_PARENT = r"^00-(?:0{32}-|[0-9a-f]{32}-0{16}-)"
DIGEST = r"^[0-9a-f]{64}$"
TIMESTAMP = r"^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}\.[0-9]{3}Z$"

PATTERN_WORDS = {
    RUN_ID: "must be 1 to 128 of the characters A-Z a-z 0-9 . _ : -",
    UUID: "must be a UUID such as 3f2b8c1e-5d0a-4c77-9a51-0e6f6b1f2d34",
    MODEL_NAME: "must be a model name: up to 256 printable ASCII characters, no spaces, no hyphen at the start",
    TOOL_NAME: "must be 1 to 64 of the characters A-Z a-z 0-9 _ -",
    NO_NUL: "must not be empty or contain NUL characters",
    NO_VARIABLE: "must not contain ${, since variables are not filled in here, or NUL characters",
    VARIABLE_NAME: "must be a variable name: A-Z a-z 0-9 _, no digit at the start",
    ABSOLUTE_PATH: "must be an absolute path",
    BUILT_IN_OR_MCP: "must be the name of a tool, such as Read or mcp__server__tool",
    SERVER_NAME: "must be up to 64 of A-Z a-z 0-9 - and single _ between them",
    MCP_TOOL: "must be the name of a tool: up to 128 printable ASCII characters, no spaces",
    TOOL_RULE: "must be one rule, such as Read, Bash(git status), Edit(src/**) or mcp__server__tool; "
    "without parentheses inside",
    SKILL_NAME: "must be the name of a skill: a-z 0-9 and single hyphens between them",
    POINTER: "must be a JSON pointer, such as /reasons/*/topic: / before each step, ~1 for / and ~0 for ~ in a name",
    BASE64: "must be padded base64 without line breaks or a data: prefix",
    WEB_ADDRESS: "must be an http:// or https:// address without spaces",
    QUEUE_NAME: "must be the name of a queue: up to 64 of a-z 0-9 _ . - and a letter or digit first",
    CREDENTIAL_NAME: "must be the name of a credential: up to 64 of A-Z a-z 0-9 _ . - and a letter or digit first",
    SHOWN_TEXT: "must not be empty or contain control characters",
    TRACE_PARENT: "must be a W3C traceparent of version 00 in lower case, such as "
    "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
    DIGEST: "must be a SHA-256 as 64 digits of 0-9 a-f",
    TIMESTAMP: "must be an RFC 3339 time in UTC with milliseconds",
}


class Strict(BaseModel):
    """Base of everything a caller sends: no coercion, no unknown fields, no NaN."""

    model_config = ConfigDict(strict=True, extra="forbid", frozen=True, allow_inf_nan=False, defer_build=True)


def _not_null(value: Json) -> Json:
    if value is None:
        raise PydanticCustomError("contract", "must not be null: leave the field out instead")
    return value


def whole(value: Json) -> Json:
    """Makes 5.0 the integer 5, as JSON Schema does: JSON has one kind of number, and PHP may write 5.0 for 5."""
    return int(value) if isinstance(value, float) and value.is_integer() else value


def _version(value: Json) -> Json:
    """Makes true None, which is no version: Python takes True for the literal 1, JSON does not."""
    return None if isinstance(value, bool) else whole(value)


def _few(value: Json) -> Json:
    """Refuses a long list before pydantic keeps an error of about a kilobyte for each of its items."""
    if isinstance(value, list) and len(value) > MAX_ITEMS:
        words = f"must have at most {MAX_ITEMS} items, not {len(value)}"
        raise PydanticCustomError("contract", "{found}", {"found": words})
    return value


def _no_zeros(traceparent: str) -> str:
    if re.match(NO_TRACE_PARENT, traceparent):
        raise PydanticCustomError(
            "contract", "must not have an id of zeros alone: leave the field out where nothing is traced"
        )
    return traceparent


def _json(value: dict[str, Any]) -> dict[str, Any]:
    if found := json_fault(value):
        raise PydanticCustomError("contract", "{found}", {"found": found})
    return value


Few = Annotated[list[T], Field(max_length=MAX_ITEMS), BeforeValidator(_few)]
"""A list of at most ``MAX_ITEMS``."""
Opt = Annotated[T | None, BeforeValidator(_not_null)]
"""A field that may be left out. None means "absent" in Python only: on the wire null is refused."""

Version = Annotated[Literal[1], BeforeValidator(_version)]
Count = Annotated[int, Field(ge=1), BeforeValidator(whole)]
MAX_ATTEMPT = 1000
Attempt = Annotated[int, Field(ge=1, le=MAX_ATTEMPT), BeforeValidator(whole)]
# Upper bounds keep a slipped unit (milliseconds for seconds) and float overflow out of clocks and argv.
RunSeconds = Annotated[float, Field(gt=0, le=604_800)]
PingSeconds = Annotated[float, Field(ge=0.1, le=3_600)]
Dollars = Annotated[float, Field(gt=0, le=1_000_000)]
Text = Annotated[str, Field(min_length=1)]
ArgumentText = Annotated[str, Field(pattern=NO_NUL)]
Fixed = Annotated[str, Field(pattern=NO_VARIABLE)]
"""Text in which no variable is replaced."""
AbsolutePath = Annotated[str, Field(pattern=ABSOLUTE_PATH, max_length=4096)]
ToolReference = Annotated[str, Field(pattern=BUILT_IN_OR_MCP)]
ToolRule = Annotated[str, Field(pattern=TOOL_RULE)]
RunId = Annotated[str, Field(pattern=RUN_ID)]
SessionId = Annotated[str, Field(pattern=UUID, json_schema_extra={"format": "uuid"}), AfterValidator(str.lower)]
"""Databases write a UUID in either case; the CLI names a file by it."""
TraceParent = Annotated[
    str,
    Field(pattern=TRACE_PARENT, json_schema_extra={"not": {"pattern": NO_TRACE_PARENT}}),
    AfterValidator(_no_zeros),
]
Label = Annotated[str, Field(pattern=NO_NUL, max_length=256)]
"""A name or an id of the application's own."""
Goal = Annotated[str, Field(pattern=NO_NUL, max_length=4096)]
SkillName = Annotated[str, Field(pattern=SKILL_NAME, max_length=64)]
SessionOwner = Annotated[str, Field(pattern=NO_NUL, max_length=256)]
EngineName = Literal["agent", "messages"]
ModelName = Annotated[str, Field(pattern=MODEL_NAME)]
ToolName = Annotated[str, Field(pattern=TOOL_NAME)]
Base64 = Annotated[str, Field(pattern=BASE64, json_schema_extra={"contentEncoding": "base64"})]
WebAddress = Annotated[str, Field(pattern=WEB_ADDRESS)]
Digest = Annotated[str, Field(pattern=DIGEST)]
Timestamp = Annotated[str, Field(pattern=TIMESTAMP, json_schema_extra={"format": "date-time"})]
JsonObject = Annotated[dict[str, Any], AfterValidator(_json)]
