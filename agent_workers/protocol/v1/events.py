"""Every type of event. An engine produces a ``Body``; ``envelop`` makes it the JSON object of a line."""

from agent_workers.protocol.v1.activity import (
    AppToolCall,
    Delta,
    Discard,
    PermissionRequest,
    PermissionResolved,
    Question,
    QuestionItem,
    QuestionOption,
    QuestionResolved,
    Steered,
    Task,
    Thinking,
    ToolCall,
    ToolOutput,
    ToolResult,
)
from agent_workers.protocol.v1.body import Body, Envelope
from agent_workers.protocol.v1.ending import Aborted, Done, Error
from agent_workers.protocol.v1.envelope import TERMINAL, envelop
from agent_workers.protocol.v1.problem import Problem
from agent_workers.protocol.v1.progress import Ack, Notice, Ping, Retry, Session, Start
from agent_workers.protocol.v1.usage import Denial, ModelUsage, PendingCall, Usage

__all__ = [
    "BODIES",
    "TERMINAL",
    "Aborted",
    "Ack",
    "AppToolCall",
    "Asked",
    "Body",
    "Delta",
    "Denial",
    "Discard",
    "Done",
    "Envelope",
    "Error",
    "ModelUsage",
    "Notice",
    "PendingCall",
    "PermissionRequest",
    "PermissionResolved",
    "Ping",
    "Problem",
    "Question",
    "QuestionItem",
    "QuestionOption",
    "QuestionResolved",
    "Retry",
    "Session",
    "Settled",
    "Start",
    "Steered",
    "Task",
    "Thinking",
    "ToolCall",
    "ToolOutput",
    "ToolResult",
    "Usage",
    "envelop",
]

BODIES: dict[str, type[Body]] = {
    kind.model_fields["type"].default: kind
    for kind in (
        *(
            Start,
            Session,
            Delta,
            Thinking,
            ToolCall,
            ToolOutput,
            ToolResult,
            PermissionRequest,
            PermissionResolved,
            Question,
            QuestionResolved,
            Steered,
            AppToolCall,
        ),
        *(Task, Retry, Discard, Notice, Ping, Ack, Done, Error, Aborted),
    )
}
"""The model of each event type, in the order of the contract's table."""

Asked = PermissionRequest | Question
"""What waits for somebody's answer."""
Settled = PermissionResolved | QuestionResolved
"""What became of it."""
