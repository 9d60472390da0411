"""Every way a run can fail: its code, whether to retry, its exit status, and a message that is safe to show.

The tree; each leaf's ``code`` is the ``error.code`` of the contract:

    WorkerError
    ├── Refused                 nothing ran (exit status 2)
    │   ├── InvalidRequest      invalid_request
    │   ├── UnsupportedVersion  unsupported_version
    │   ├── PolicyDenied        policy_denied
    │   └── BudgetExhausted     budget_exhausted
    ├── ApiError                the model's API said no, or said nothing
    │   ├── RequestRejected     invalid_request (with an ``http_status``: the run had begun)
    │   ├── AuthError           auth
    │   ├── BillingError        billing
    │   ├── RateLimited         rate_limited        retryable
    │   ├── Overloaded          overloaded          retryable
    │   ├── ServerError         server_error        retryable
    │   ├── AnswerUnreadable    server_error
    │   ├── NetworkError        network             retryable
    │   ├── GatewayError        gateway
    │   │   └── GatewayDown     gateway             retryable
    │   ├── ModelNotFound       model_not_found
    │   └── ContextOverflow     context_overflow
    ├── SessionNotFound         session_not_found
    ├── SessionExists           session_exists
    ├── SessionBusy             session_busy        retryable
    ├── PoolFull                pool_full           retryable
    ├── OutputSchemaError       output_schema
    ├── OutputSchemaUnusable    invalid_request (the run had begun)
    ├── PendingToolMissing      invalid_request (the run had begun)
    ├── ModelUnpriced           invalid_request (the run had begun)
    ├── OutputTooLarge          output_too_large
    ├── CliMissing              cli_missing
    ├── CliCrashed              cli_crashed         retryable
    ├── StateUnavailable        state_unavailable
    │   ├── SessionDamaged      state_unavailable
    │   └── StoreUnreachable    state_unavailable   retryable
    ├── InvalidModels           state_unavailable
    ├── SandboxUnavailable      sandbox_unavailable
    ├── McpUnavailable          mcp_unavailable
    │   └── McpLost             mcp_unavailable     retryable
    ├── Timeout                 timeout
    ├── IdleTimeout             idle_timeout        retryable
    └── InternalError           internal

``worker_lost`` has no class: readers report it when the stream ends without a terminal event.
``OutputClosed`` stands outside the tree, because nobody is left to read an event.
"""

from collections.abc import Sequence
from typing import Any, ClassVar

EXIT_DONE = 0
EXIT_ERROR = 1
EXIT_REFUSED = 2
EXIT_ABORTED = 3
EXIT_OUTPUT_CLOSED = 4
EXIT_RETRYABLE = 75  # EX_TEMPFAIL of sysexits.h


class WorkerError(Exception):
    """A failure that ends the run with one ``error`` event.

    Args:
        message: A sentence or two for a person, without a stack, path or secret. By default the class's own.
        cause: The technical cause, for stderr only.
        http_status: The HTTP status of the API, if it answered.
        retry_after_ms: How long the API asked to wait, in milliseconds.
        details: ``{pointer, message, did_you_mean?}`` for each problem of a refused request.
    """

    code: ClassVar[str] = "internal"
    retryable: ClassVar[bool] = False
    default_message: ClassVar[str] = "The worker failed. Its stderr says why."
    busy_ms: int | None = None

    def __init__(
        self,
        message: str | None = None,
        *,
        cause: str | None = None,
        http_status: int | None = None,
        retry_after_ms: int | None = None,
        details: Sequence[Any] | None = None,
    ) -> None:
        self.message = message or self.default_message
        self.cause = cause
        self.http_status = http_status
        self.retry_after_ms = retry_after_ms
        self.details = details
        super().__init__(self.message)

    @property
    def exit_status(self) -> int:
        """The worker's exit status for this failure."""
        return EXIT_RETRYABLE if self.retryable else EXIT_ERROR


class InternalError(WorkerError):
    """Raised when the worker itself is at fault."""


class Refused(WorkerError):
    """Raised when the request or the command line is refused; nothing has been started."""

    @property
    def exit_status(self) -> int:
        """Always ``EXIT_REFUSED``."""
        return EXIT_REFUSED


class InvalidRequest(Refused):
    """Raised when the request does not satisfy the contract; ``details`` lists every problem."""

    code = "invalid_request"
    default_message = "The request is not valid."


class UnsupportedVersion(Refused):
    """Raised when the request asks for a contract version this worker does not speak."""

    code = "unsupported_version"
    default_message = "This worker speaks version 1 of the contract."


class PolicyDenied(Refused):
    """Raised when the host's policy does not allow what the request asks for."""

    code = "policy_denied"
    default_message = "The host's policy does not allow this request."


class BudgetExhausted(Refused):
    """Raised when a budget of the user, tenant or day is used up; ``retry_after_ms`` says when it resets, where known.

    It is not retryable: another try within seconds gets the same answer.
    """

    code = "budget_exhausted"
    default_message = "The budget for this is used up. Try again when it resets."


class ApiError(WorkerError):
    """Raised when the call to the model's API failed for good."""

    code = "server_error"


class RequestRejected(ApiError):
    """Raised when the API refused the call's content (HTTP 400, and any other 4xx without a code of its own)."""

    code = "invalid_request"
    default_message = "The model's API refused the request."


class AuthError(ApiError):
    """Raised when the credential is missing, wrong or lacks permission (HTTP 401, 403)."""

    code = "auth"
    default_message = "The model's API did not accept the credential. The operator must check it."


class BillingError(ApiError):
    """Raised when the account cannot pay for the call."""

    code = "billing"
    default_message = "The account has no credit left for the model's API. The operator must add some."


class RateLimited(ApiError):
    """Raised when the account's rate limit is reached (HTTP 429)."""

    code = "rate_limited"
    retryable = True
    default_message = "Too many requests for this account right now. Try again later."


class Overloaded(ApiError):
    """Raised when the API has no capacity (HTTP 529)."""

    code = "overloaded"
    retryable = True
    default_message = "The model is overloaded right now. Try again later."


class ServerError(ApiError):
    """Raised when the API failed (HTTP 5xx)."""

    code = "server_error"
    retryable = True
    default_message = "The model's API failed. Try again later."


class AnswerUnreadable(ApiError):
    """Raised when the agent cannot read the API's answer; a retry would get the same."""

    code = "server_error"
    default_message = "The model's API sent an answer that the agent cannot read."


class NetworkError(ApiError):
    """Raised when the API could not be reached, or the connection broke."""

    code = "network"
    retryable = True
    default_message = "The connection to the model's API failed. Try again later."


class GatewayError(ApiError):
    """Raised when something other than the API answered: a gateway, a proxy, or the target of a wrong base URL."""

    code = "gateway"
    default_message = (
        "Something other than the model's API answered. The operator must check the base URL and the proxy."
    )


class GatewayDown(GatewayError):
    """Raised when a gateway in front of the API cannot answer now (HTTP 5xx, 408, 409, 425 without the API's body)."""

    retryable = True
    default_message = "A gateway in front of the model's API could not answer. Try again later."


class ModelNotFound(ApiError):
    """Raised when the model does not exist or the account may not use it (HTTP 404)."""

    code = "model_not_found"
    default_message = "The model does not exist, or this account may not use it."


class ContextOverflow(ApiError):
    """Raised when the conversation does not fit the model's context (HTTP 400 or 413)."""

    code = "context_overflow"
    default_message = "The conversation is too long for the model. Begin a new one, or send less."


class SessionNotFound(WorkerError):
    """Raised when ``session.resume`` names no session that this request may resume: none exists, or it is another's."""

    code = "session_not_found"
    default_message = (
        "This conversation cannot be continued: no session with this id exists for this worker, cwd and session_owner."
    )


class SessionExists(WorkerError):
    """Raised when ``session.id`` is taken; ``session.resume`` continues a session."""

    code = "session_exists"
    default_message = "A session with this id already exists. Use session.resume to continue it."


class SessionBusy(WorkerError):
    """Raised when another run is using the session.

    Args:
        busy_ms: For how long it has been at work, in milliseconds; None where that is not known.
    """

    code = "session_busy"
    retryable = True
    default_message = "Another run is using this session. Try again when it has ended."

    def __init__(self, busy_ms: int | None = None) -> None:
        known = None if busy_ms is None else f"another run has been at work in the session for {busy_ms / 1000:.1f} s"
        super().__init__(cause=known)
        self.busy_ms = busy_ms


class PoolFull(WorkerError):
    """Raised when a pool has no worker that is free, and none became free in time."""

    code = "pool_full"
    retryable = True
    default_message = "All agents of this server are busy right now. Try again later."


class OutputSchemaError(WorkerError):
    """Raised when the model gave no answer that satisfies ``output_schema``."""

    code = "output_schema"
    default_message = "The model gave no answer that satisfies output_schema."


class OutputSchemaUnusable(WorkerError):
    """Raised when ``output_schema`` is valid, but not in the dialect that the CLI reads (draft 07, strict)."""

    code = "invalid_request"
    default_message = (
        "The agent cannot use output_schema: it reads JSON Schema draft 07 only, and refuses unknown keywords."
    )


class PendingToolMissing(WorkerError):
    """Raised when the session to resume has a pending call to a tool that the request does not list."""

    code = "invalid_request"
    default_message = (
        "This session has a pending call to a tool that the request does not list. List the tool to resume it."
    )


class ModelUnpriced(WorkerError):
    """Raised when the model of the session to resume has no known price, and the request has a budget."""

    code = "invalid_request"
    default_message = (
        "limits.max_budget_usd cannot be kept: the price of this session's model is not known. Name another model."
    )


class OutputTooLarge(WorkerError):
    """Raised when the structured output is larger than an event may be."""

    code = "output_too_large"
    default_message = "The structured output is larger than an event may be, 256 KiB."


class CliMissing(WorkerError):
    """Raised when the Claude CLI is not installed or cannot be executed."""

    code = "cli_missing"
    default_message = "The Claude CLI is missing on this host. The operator must run agent-workers doctor."


class CliCrashed(WorkerError):
    """Raised when the Claude CLI ended without a result."""

    code = "cli_crashed"
    retryable = True
    default_message = "The Claude CLI ended unexpectedly. Try again."


class StateUnavailable(WorkerError):
    """Raised when the worker has no state directory that it can write."""

    code = "state_unavailable"
    default_message = (
        "The worker has no writable state directory. The operator must set AGENT_WORKERS_STATE_DIR to one."
    )


class SessionDamaged(StateUnavailable):
    """Raised when what a fleet has stored of a conversation is not what was stored, or not of this conversation."""

    default_message = "What is stored of this conversation is damaged. It cannot be continued; begin a new one."


class StoreUnreachable(StateUnavailable):
    """Raised when the store in which a fleet keeps its conversations does not answer."""

    retryable = True
    default_message = "The conversations of this fleet cannot be read or written right now. Try again later."


class InvalidModels(WorkerError):
    """Raised when the operator's file of models and prices cannot be read."""

    code = "state_unavailable"
    default_message = "The file of models that AGENT_WORKERS_MODELS names cannot be read. The operator must correct it."


class SandboxUnavailable(WorkerError):
    """Raised when the policy asks for a sandbox that does not work on this host; no command ran without it."""

    code = "sandbox_unavailable"
    default_message = (
        "The sandbox that the host's policy asks for does not work here. The operator must run agent-workers doctor."
    )


class McpUnavailable(WorkerError):
    """Raised when an MCP server of the request does not start or does not answer."""

    code = "mcp_unavailable"
    default_message = "An MCP server of this request does not start or answer."


class McpLost(McpUnavailable):
    """Raised when an MCP server ends, or breaks the connection, while it runs the tool that a person asked for."""

    retryable = True
    default_message = "The MCP server ended while it ran the tool. What the tool had done by then is not known."


class Timeout(WorkerError):
    """Raised when ``limits.timeout_s`` has passed."""

    code = "timeout"
    default_message = "The run took longer than its time limit."


class IdleTimeout(WorkerError):
    """Raised when the agent made no progress for ``limits.idle_timeout_s``."""

    code = "idle_timeout"
    retryable = True
    default_message = "The model stopped answering. Try again."


def defect(error: BaseException) -> str:
    """Returns a defect's type and traceback for stderr, without the exception's message, which may quote a prompt."""
    import traceback

    found = [f"{type(error).__name__}\n", *traceback.format_tb(error.__traceback__)]
    return "".join([*found, *map(defect, error.exceptions if isinstance(error, BaseExceptionGroup) else ())])


def first_of(several: BaseExceptionGroup) -> BaseException:
    """Returns what went wrong first, of what ran side by side."""
    first = several.exceptions[0]
    return first_of(first) if isinstance(first, BaseExceptionGroup) else first


class OutputClosed(Exception):
    """Raised when nobody reads the events any more."""
