"""Who answers the runs of one process: the API, or a simulator for each scenario that its workers play."""

from __future__ import annotations

from typing import TYPE_CHECKING

import anyio

from agent_workers.engine.host.environment import Environment
from agent_workers.engine.messages.access import access_of
from agent_workers.engine.messages.api import Api

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from agent_workers.workers.base import Worker

_CLOSE_S = 5


class EngineAccess:
    """The connections that runs share.

    Args:
        environ: The variables of the host.
        simulate: Name of a scenario, or empty for each worker's own; None for the API.
        connections: Calls that may be under way at once.
        spawn: Starts a task in the event loop.
    """

    def __init__(
        self, environ: Mapping[str, str], simulate: str | None, connections: int, spawn: Callable[..., object]
    ) -> None:
        self._environ = environ
        self._simulate = simulate
        self._connections = connections
        self._spawn = spawn
        self._environments: dict[str, Environment] = {}
        self._apis: dict[str, Api] = {}
        self._opening = anyio.Lock()

    def environment(self, worker: Worker | None = None) -> Environment:
        """Returns what a run of a worker finds on this host."""
        scenario = self._scenario(worker)
        if scenario not in self._environments:
            url = None if self._simulate is None else self._begin_simulator(scenario)
            self._environments[scenario] = Environment(self._environ, url)
        return self._environments[scenario]

    async def api(self, worker: Worker | None = None) -> Api:
        """Returns the open connections for the runs of a worker.

        Raises:
            AuthError: There is no credential.
        """
        scenario = self._scenario(worker)
        if scenario not in self._apis:
            async with self._opening:
                if scenario not in self._apis:
                    api = Api(access_of(self.environment(worker)), connections=self._connections)
                    self._apis[scenario] = await api.__aenter__()
        return self._apis[scenario]

    async def close(self) -> None:
        """Closes the connections."""
        apis, self._apis, self._environments = list(self._apis.values()), {}, {}
        with anyio.move_on_after(_CLOSE_S, shield=True):
            for api in apis:
                await api.__aexit__(None, None, None)

    def _scenario(self, worker: Worker | None) -> str:
        return self._simulate or (worker.scenario if worker and self._simulate is not None else "")

    def _begin_simulator(self, scenario: str) -> str:
        from agent_workers.simulator import Simulator  # only where asked for

        simulator = Simulator(scenario) if scenario else Simulator()
        self._spawn(simulator.serve)
        return simulator.base_url
