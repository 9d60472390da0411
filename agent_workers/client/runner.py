"""Runs workers from a program that waits for them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

from agent_workers.client.handle import ProcessStarter, RunHandle

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from types import TracebackType
    from typing import Self

    from agent_workers.client.event import Event
    from agent_workers.client.result import Result


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


class Run(RunHandle):
    """One run: iterate it for its events, of which the last one is terminal, whatever happens.

    When the loop ends, or is left, nothing is left running. In a ``with`` block that is certain.
    """

    def __iter__(self) -> Iterator[Event]:
        conversation = self._begin()
        try:
            while not conversation.ended:
                for event in conversation.take():
                    self._outcome.add(event)
                    yield event
                if not conversation.ended:
                    conversation.wait()
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

    def close(self) -> None:
        """Stops the worker, if it still runs, and waits until it has gone."""
        self._stop_unended()
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


class ProcessRunner(ProcessStarter):
    """Runs each request in a worker process of its own; ``ProcessStarter`` describes the arguments."""

    def run(self, request: Mapping[str, Any], *, credential: str | None = None) -> Result:
        """Waits for the answer; see ``Runner``, and ``stream`` for the credential."""
        return self.stream(request, credential=credential).result()

    def stream(self, request: Mapping[str, Any], *, credential: str | None = None) -> Run:
        """Returns a run that starts when it is first iterated; see ``Runner``.

        Args:
            request: The request, by the contract's names.
            credential: A key for the API, which this run uses alone; None for what the worker finds on its host.

        Raises:
            ValueError: The request cannot be written as JSON, or the credential is empty or not one line.
        """
        return Run(self._conversation(request, credential))
