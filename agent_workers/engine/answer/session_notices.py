"""What an application must know of a session before the run's terminal event."""

from __future__ import annotations

from agent_workers.protocol.v1.events import Notice

NOT_SAVED = Notice(
    level="warning",
    code="session_not_saved",
    message="The conversation could not be saved; the disk may be full. It cannot be continued from here.",
)
DROPPED = Notice(
    level="warning",
    code="turn_dropped",
    message="What was refused is not kept in the session. It goes on from before that.",
)
PAST_REFUSED = Notice(
    level="warning",
    code="session_refused",
    message="The API refuses this session, probably for an earlier attachment in it, such as an image whose address is "
    "dead. If it goes on doing so, begin a new session.",
)
