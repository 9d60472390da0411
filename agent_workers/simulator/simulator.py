"""A simulator: its socket, its scenario and the requests that it got."""

import socket
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Self

from agent_workers.simulator.address import MARK
from agent_workers.simulator.batch import Batch
from agent_workers.simulator.batches import Batches
from agent_workers.simulator.conversation import Conversations
from agent_workers.simulator.journal import Journal, Record
from agent_workers.simulator.scenario import Scenario
from agent_workers.simulator.scenario_file import load_scenario

DEFAULT_SCENARIO = "hello"
_HOST = "127.0.0.1"
_BACKLOG = 128


class Simulator:
    """A loopback Messages API that plays a scenario.

        simulator = Simulator("rate-limited-429")
        simulator.listen()              # from here on connections queue, and base_url is known
        await simulator.serve()         # until cancelled

    ``scenario`` is the name of a shipped scenario, the path of a ``.toml`` or ``.json`` file, or a ``Scenario``.

    Raises:
        ScenarioError: There is no such scenario, or its file is not valid.
    """

    def __init__(self, scenario: str | Path | Scenario = DEFAULT_SCENARIO) -> None:
        self._conversations = Conversations(_loaded(scenario))
        self._batches = Batches(self._conversations)
        self._journal = Journal()
        self._listener: socket.socket | None = None
        self._port = 0

    def listen(self, port: int = 0) -> socket.socket:
        """Binds 127.0.0.1, to a free port unless one is given, and returns the listening socket.

        Raises:
            OSError: The port is taken.
        """
        if self._listener is None:
            self._listener = _bound(port)
            self._port = self._listener.getsockname()[1]
        return self._listener

    @property
    def base_url(self) -> str:
        """The value for ``ANTHROPIC_BASE_URL``. Listens first, if ``listen`` was not called."""
        self.listen()
        return f"http://{_HOST}:{self._port}"

    @property
    def marked_url(self) -> str:
        """The same with a path that marks a simulator: a worker's ``start`` then says ``simulated``."""
        return self.base_url + MARK

    async def serve(self) -> None:
        """Serves once, on asyncio, until it is cancelled. Then the socket and every connection are closed.

        Raises:
            ImportError: The extra ``simulator`` is not installed.
        """
        from agent_workers.simulator.app import build_app  # the web framework is imported only by whoever serves
        from agent_workers.simulator.server import serve

        await serve(build_app(self._conversations, self._batches, self._journal), self.listen())

    def play(self, scenario: str | Path | Scenario) -> None:
        """Switches to another scenario, from its first step, for every conversation.

        Raises:
            ScenarioError: There is no such scenario, or its file is not valid.
        """
        self._conversations.switch(_loaded(scenario))

    @property
    def scenario(self) -> Scenario:
        """The scenario that is played where no prompt names another."""
        return self._conversations.scenario

    def requests(self, path: str | None = None) -> list[Record]:
        """Returns the last 200 requests, oldest first: all, or those to one path such as ``/v1/messages``."""
        return [record for record in self._journal.records() if path in (None, record.path)]

    @property
    def statuses(self) -> Counter[int]:
        """How many answers began by which HTTP status, of all requests since it was made."""
        return self._journal.statuses()

    @property
    def batches(self) -> list[Batch]:
        """The batches of messages that were made, oldest first."""
        return self._batches.known()

    def hold_batches(self) -> None:
        """Lets no batch end, those of the future neither, whatever the scenario says."""
        self._batches.held = True

    def end_batches(self) -> None:
        """Ends every batch that is there, at once. Later ones go on as the scenario says."""
        self._batches.end()

    def wait_for(self, condition: Callable[[list[Record]], bool], timeout_s: float = 5) -> list[Record]:
        """Blocks a thread, not the server's own, until the condition holds for the requests; returns them.

        Raises:
            TimeoutError: It does not hold in that time.
        """
        return self._journal.wait_for(condition, timeout_s)

    def close(self) -> None:
        """Closes the socket of a simulator that does not serve."""
        if self._listener is not None:
            self._listener.close()

    def __enter__(self) -> Self:
        """Listens."""
        self.listen()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Closes the socket."""
        self.close()


@contextmanager
def running_simulator(scenario: str | Path | Scenario = DEFAULT_SCENARIO) -> Iterator[Simulator]:
    """Yields a simulator that serves from a thread of its own, and stops it at the end.

    Raises:
        ScenarioError: There is no such scenario, or its file is not valid.
    """
    from anyio.from_thread import start_blocking_portal

    with Simulator(scenario) as simulator, start_blocking_portal() as portal:
        serving = portal.start_task_soon(simulator.serve)
        try:
            yield simulator
        finally:
            if not serving.cancel():
                serving.result()


def _bound(port: int) -> socket.socket:
    # asyncio sets TCP_NODELAY only where the protocol is named, and without it deltas wait for an ACK.
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((_HOST, port))
        listener.listen(_BACKLOG)
    except BaseException:
        listener.close()
        raise
    return listener


def _loaded(scenario: str | Path | Scenario) -> Scenario:
    return scenario if isinstance(scenario, Scenario) else load_scenario(scenario)
