"""What a run consumed, what it was denied, and what it waits for."""

from typing import Annotated, Any

from pydantic import Field

from agent_workers.protocol.v1.part import Part

Natural = Annotated[int, Field(ge=0)]
Money = Annotated[float, Field(ge=0)]


class Usage(Part):
    """Tokens consumed. An absent count is unknown, never zero."""

    input_tokens: Natural | None = Field(
        default=None,
        description="Tokens read that came neither from the cache nor went into it. Absent when unknown.",
    )
    output_tokens: Natural | None = Field(default=None, description="Tokens produced. Absent when unknown.")
    cache_read_input_tokens: Natural | None = Field(
        default=None, description="Tokens read from the prompt cache. Absent when unknown."
    )
    cache_creation_input_tokens: Natural | None = Field(
        default=None, description="Tokens written to the prompt cache, for whatever time. Absent when unknown."
    )
    cache_creation_5m_input_tokens: Natural | None = Field(
        default=None,
        description="Those of `cache_creation_input_tokens` that are kept for five minutes. Absent when unknown.",
    )
    cache_creation_1h_input_tokens: Natural | None = Field(
        default=None,
        description="Those of `cache_creation_input_tokens` that are kept for an hour, at a higher price. Absent when "
        "unknown.",
    )


class ModelUsage(Usage):
    """Tokens that one model consumed, and their price."""

    cost_usd: Money | None = Field(default=None, description="Estimated price in US dollars. Absent when unknown.")


class Denial(Part):
    """A tool call that was not allowed."""

    tool_use_id: str = Field(description="Id of the tool call, as in `tool_call`.")
    name: str = Field(description="Name of the tool.")
    input: dict[str, Any] | None = Field(
        default=None,
        description="What the tool was called with. Absent when left out to keep the line short.",
    )


class PendingCall(Part):
    """A tool call that waits for a decision: a later run brings it as `permissions.decision`."""

    tool_use_id: str = Field(description="Id of the tool call, as in `tool_call`; the decision names it.")
    name: str = Field(description="Name of the tool.")
    input: dict[str, Any] | None = Field(
        default=None,
        description="What the tool would be called with. Absent when left out to keep the line short; `tool_call` "
        "has it.",
    )
