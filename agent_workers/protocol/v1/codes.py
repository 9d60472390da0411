"""The open sets of the contract. A version may gain values, so readers must expect others."""

from typing import Annotated, Any

from pydantic import Field

STOP_REASONS = ["end_turn", "max_tokens", "max_turns", "max_budget", "refusal", "permission_required"]
USAGE_SCOPES = ["all", "main_agent"]
ERROR_CODES = [
    "invalid_request",
    "unsupported_version",
    "policy_denied",
    "budget_exhausted",
    "auth",
    "billing",
    "rate_limited",
    "overloaded",
    "server_error",
    "network",
    "gateway",
    "model_not_found",
    "context_overflow",
    "session_not_found",
    "session_exists",
    "session_busy",
    "pool_full",
    "output_schema",
    "output_too_large",
    "cli_missing",
    "cli_crashed",
    "state_unavailable",
    "sandbox_unavailable",
    "mcp_unavailable",
    "timeout",
    "idle_timeout",
    "worker_lost",
    "internal",
]
ACK_CODES = ["invalid_json", "unknown_type", "invalid_message", "not_pending", "too_late"]
TASK_STATUSES = ["started", "progress", "completed", "failed", "stopped"]
ENGINES = ["agent", "messages"]
LANES = ["economy", "live"]
WARMTHS = ["cold", "warm", "live"]
DISCARD_REASONS = ["retry", "fallback", "correction"]

HttpStatus = Annotated[int, Field(ge=100, le=599)]


def open_set(words: str, known: list[str], **default: Any) -> Any:
    """Makes the field of a text from a set that may grow: its known values are examples, not an enumeration."""
    return Field(description=f"{words} {grows(known)}", examples=known, **default)


def grows(known: list[str]) -> str:
    """Lists the known values for a reader, and says to expect others."""
    listed = ", ".join(f"`{value}`" for value in known)
    return f"Known values: {listed}; more may be added, so expect others."
