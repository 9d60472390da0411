"""What a run and its runner are to a caller, whether it waits or has an event loop."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from agent_workers.client.command import WorkerCommand
from agent_workers.client.conversation import Conversation
from agent_workers.client.result import Outcome

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path


class RunHandle:
    """What can be asked of one run, and told to it."""

    def __init__(self, conversation: Conversation) -> None:
        self._conversation = conversation
        self._outcome = Outcome()

    @property
    def id(self) -> str:
        """The run's id, which is in each of its events."""
        return self._conversation.run

    @property
    def line(self) -> bytes:
        """The line of the event that was given out last, as the worker wrote it, without its newline."""
        return self._conversation.line

    @property
    def has_begun(self) -> bool:
        """Whether its worker was started: a run is iterated once."""
        return self._conversation.started

    @property
    def exit_status(self) -> int | None:
        """The worker's exit status, negative for the signal that killed it; None while it is not there yet."""
        return self._conversation.exit_status

    @property
    def stderr(self) -> str:
        """The end of what the worker has written to stderr: for operators, not for users."""
        return self._conversation.stderr

    def send(self, message: Mapping[str, Any]) -> str | None:
        """Sends a control message, such as ``{"type": "permission", …}``. Any thread may do that.

        Returns:
            Its ``id``, which an ``ack`` will bear; a new one where it has none. None where the run is over.

        Raises:
            ValueError: It cannot be written as JSON.
        """
        return self._conversation.send(message)

    def abort(self) -> str | None:
        """Asks the worker to stop; the run then ends with ``aborted``. Any thread may do that."""
        return self.send({"type": "abort"})

    def stop(self) -> None:
        """Stops the worker by SIGTERM, and by SIGKILL where it does not obey in time.

        Returns at once: the loop goes on to the terminal event.
        """
        self._conversation.stop()

    def _begin(self) -> Conversation:
        if self._conversation.started:
            raise RuntimeError("a run is iterated once: ask the runner for another")
        self._conversation.begin()
        return self._conversation

    def _stop_unended(self) -> None:
        if not self._conversation.ended:
            self._conversation.stop()


class ProcessStarter:
    """Starts a worker process of its own for each request.

    Args:
        worker: Name of the worker, such as ``agent-chat``: the one beside this Python, or on the ``PATH``; or its path.
        arguments: More of its command line, such as ``--policy=policy.toml``.
        cwd: The worker's working directory; this process's where it is None.
        env: The worker's whole environment; this process's where it is None.
        grace_s: Seconds between SIGTERM and SIGKILL. The worker itself takes up to five to stop its agent.
        overtime_s: Seconds after the request's ``limits.timeout_s`` at which a worker that still runs is stopped.
            Where a skill brings its own limit, that is the worker's alone to keep.
    """

    def __init__(
        self,
        worker: str,
        *arguments: str,
        cwd: Path | str | None = None,
        env: Mapping[str, str] | None = None,
        grace_s: float = 8,
        overtime_s: float = 30,
    ) -> None:
        if not all(isinstance(word, str) for word in (worker, *arguments)):
            raise TypeError("the worker and each argument are text of their own: ('agent-skill', '--simulate')")
        self._command = WorkerCommand(worker, arguments, cwd, env, grace_s, overtime_s)

    def _conversation(self, request: Mapping[str, Any], credential: str | None) -> Conversation:
        if credential is None:
            return Conversation(self._command, request)
        return Conversation(self._command.reading_credential(), request, checked_credential(credential))


def checked_credential(credential: str) -> str:
    """Returns a key for the API.

    Raises:
        ValueError: It is empty, or not one line. The words do not repeat it.
    """
    key = credential.strip()
    if not key or "\n" in key or "\r" in key:
        raise ValueError("the credential is empty, or has several lines: pass the key alone")
    return key
