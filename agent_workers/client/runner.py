"""Runs workers from a program that waits for them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

from agent_workers.client.command import WorkerCommand
from agent_workers.client.conversation import Conversation
from agent_workers.client.result import Outcome, Result

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path
    from types import TracebackType
    from typing import Self

    from agent_workers.client.event import Event


class Runner(Protocol):
    """Runs agents: ``ProcessRunner`` for real, ``FakeRunner`` in tests."""

    def run(self, request: Mapping[str, Any]) -> Result:
        """Waits for the answer.

        Args:
            request: The request, by the contract's names.

        Raises:
            RunFailed: The run ended with ``error``; ``RunRefused`` where nothing ran.
            RunAborted: It was stopped.
            ValueError: The request cannot be written as JSON.
        """
        ...

    def stream(self, request: Mapping[str, Any]) -> Run:
        """Returns a run that starts when it is first iterated.

        Raises:
            ValueError: The request cannot be written as JSON.
        """
        ...


class Run:
    """One run: iterate it for its events, of which the last one is terminal, whatever happens.

    When the loop ends, or is left, nothing is left running. In a ``with`` block that is certain.
    """

    def __init__(self, conversation: Conversation) -> None:
        self._conversation = conversation
        self._outcome = Outcome()

    @property
    def id(self) -> str:
        """The run's id, which is in each of its events."""
        return self._conversation.run

    @property
    def exit_status(self) -> int | None:
        """The worker's exit status, negative for the signal that killed it; None while it is not there yet."""
        return self._conversation.exit_status

    @property
    def stderr(self) -> str:
        """The end of what the worker has written to stderr: for operators, not for users."""
        return self._conversation.stderr

    def __iter__(self) -> Iterator[Event]:
        if self._conversation.started:
            raise RuntimeError("a run is iterated once: ask the runner for another")
        try:
            self._conversation.begin()
            while not self._conversation.ended:
                for event in self._conversation.take():
                    self._outcome.add(event)
                    yield event
                if not self._conversation.ended:
                    self._conversation.wait()
        finally:
            self.close()

    def result(self) -> Result:
        """Reads the run to its end, as far as it was not, and returns what it came to.

        Raises:
            RunFailed: The run ended with ``error``; ``RunRefused`` where nothing ran.
            RunAborted: It was stopped.
        """
        if not self._conversation.started:
            for _ in self:
                pass
        return self._outcome.result()

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

    def close(self) -> None:
        """Stops the worker, if it still runs, and waits until it has gone."""
        if not self._conversation.ended:
            self._conversation.stop()
        try:
            while not self._conversation.leave():
                self._conversation.wait()
        finally:
            self._conversation.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


class ProcessRunner:
    """Runs each request in a worker process of its own.

    Args:
        worker: Name of the worker, such as ``agent-chat``: the one beside this Python, or on the ``PATH``; or its path.
        arguments: More of its command line, such as ``--policy=policy.toml``.
        cwd: The worker's working directory; this process's where it is None.
        env: The worker's whole environment; this process's where it is None.
        grace_s: Seconds between SIGTERM and SIGKILL. The worker itself takes up to five to stop its agent.
        overtime_s: Seconds after the request's ``limits.timeout_s`` at which a worker that still runs is stopped.
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
        self._command = WorkerCommand(worker, arguments, cwd, env, grace_s, overtime_s)

    def run(self, request: Mapping[str, Any]) -> Result:
        """Waits for the answer; see ``Runner``."""
        return self.stream(request).result()

    def stream(self, request: Mapping[str, Any]) -> Run:
        """Returns a run that starts when it is first iterated; see ``Runner``."""
        return Run(Conversation(self._command, request))
