"""Turns the agent's result message into the end of the run. Pure."""

from __future__ import annotations

from typing import Any

from agent_workers.engine.answer.output import valid_output
from agent_workers.engine.answer.usage import Bill, count
from agent_workers.engine.claude.messages.failure import NO_SANDBOX, api_failure
from agent_workers.errors import (
    CliCrashed,
    OutputSchemaError,
    PendingToolMissing,
    SandboxUnavailable,
    ServerError,
    SessionNotFound,
    WorkerError,
)
from agent_workers.protocol.v1.events import Denial, Done, PendingCall

_LIMIT_REASONS = {"error_max_turns": "max_turns", "error_max_budget_usd": "max_budget"}
DEFERRED = "tool_deferred"
# The API expects another request, which the CLI does not send: the answer so far is incomplete.
_PAUSES = frozenset({"pause_turn", "compaction"})
_PAUSED = "The model paused in the middle of its answer. Try again."
_NO_TOOL = "so its deferred call didn't run"


def done_of(
    result: dict[str, Any],
    text: str,
    *,
    session_id: str | None = None,
    bill: Bill,
    api_error: str | None,
    schema: dict[str, Any] | None,
) -> Done:
    """Returns the run's ``Done``.

    Args:
        result: The agent's result message.
        text: The final answer as it was sent.
        session_id: The session that the agent named when it came up.
        bill: What the run consumed.
        api_error: ``AssistantMessage.error`` of the last message, if it was one.
        schema: The request's ``output_schema``.

    Raises:
        WorkerError: The result is a failure. ``success`` with ``is_error`` is a failure of the API.
    """
    if result.get("subtype") == "error_max_structured_output_retries":
        raise OutputSchemaError(cause="the CLI gave up after several invalid answers")
    kind = result.get("api_error") or api_error
    stop_reason = _stop_reason(result, kind)
    if stop_reason is None:
        raise _failure(result, kind)
    if stop_reason in _PAUSES:
        raise ServerError(_PAUSED, cause=f"the API stopped by {stop_reason}, and the CLI did not ask it to go on")
    if schema is None or stop_reason == "permission_required":
        return _done(result, text, session_id, bill, stop_reason=stop_reason)
    if stop_reason not in ("end_turn", "tool_use"):
        raise OutputSchemaError(cause=f"the model stopped by {stop_reason}, without structured output")
    output = valid_output(result.get("structured_output"), schema)
    return _done(result, text, session_id, bill, stop_reason="end_turn", output=output)


def _stop_reason(result: dict[str, Any], kind: str | None) -> str | None:
    """Returns why the model stopped; None where the run failed."""
    if result.get("subtype") in _LIMIT_REASONS:
        return _LIMIT_REASONS[result["subtype"]]
    if result.get("stop_reason") == "refusal":  # the CLI reports it as an error, but it is the model's decision
        return "refusal"
    if result.get("stop_reason") == DEFERRED and not result.get("is_error"):
        return "permission_required"
    if kind == "max_output_tokens":
        return "max_tokens"
    return None if result.get("is_error") else str(result.get("stop_reason") or "end_turn")


def _failure(result: dict[str, Any], kind: str | None) -> WorkerError:
    errors = "; ".join(map(str, result.get("errors") or ()))
    words = f"{errors}; {result.get('result') or ''}".strip("; ")
    if "No conversation found" in words:
        return SessionNotFound(cause=errors)
    if _NO_TOOL in words:
        return PendingToolMissing(cause=words)
    if NO_SANDBOX in words:
        return SandboxUnavailable(cause=words)
    status = result.get("api_error_status")
    if result.get("subtype") == "error_during_execution" and status is None and kind is None:
        return CliCrashed(cause=errors or "error_during_execution")  # not the result: it may quote the model
    return api_failure(
        words,
        kind=kind,
        api_type=result.get("api_error_type"),
        http_status=status if isinstance(status, int) else None,
    )


def _done(
    result: dict[str, Any], text: str, session_id: str | None, bill: Bill, *, stop_reason: str, output: Any = None
) -> Done:
    """Builds the event; leaves out what the CLI reports in a form that is not known here."""
    denials = [
        Denial(tool_use_id=denial["tool_use_id"], name=denial["tool_name"], input=denial.get("tool_input"))
        for denial in result.get("permission_denials") or ()
        if isinstance(denial.get("tool_use_id"), str) and isinstance(denial.get("tool_name"), str)
    ]
    return Done(
        stop_reason=stop_reason,
        text=text,
        output=output,
        session_id=result.get("session_id") or session_id,
        usage=bill.usage,
        usage_scope=bill.scope,
        cost_usd=bill.cost_usd,
        duration_ms=count(result.get("duration_ms")) or 0,
        turns=count(result.get("num_turns")) or 0,
        models=bill.models or None,
        denials=denials or None,
        pending=_pending(result.get("deferred_tool_use")),
    )


def _pending(call: Any) -> PendingCall | None:
    if not isinstance(call, dict) or not isinstance(call.get("id"), str):
        return None
    return PendingCall(tool_use_id=call["id"], name=str(call.get("name")), input=call.get("input"))
