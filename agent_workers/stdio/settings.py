"""How the front door serves its one request."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

    from agent_workers.stdio.person import Person
    from agent_workers.stdio.stdin import Stdin
    from agent_workers.stdio.stdout import Output, Stdout


class Simulation(NamedTuple):
    """A stand-in for the API, in the worker's own process.

    Attributes:
        base_url: Where it listens already.
        serve: Answers until cancelled.
    """

    base_url: str
    serve: Callable[[], Coroutine[object, object, None]]


class Settings(NamedTuple):
    """What the command line has set.

    Attributes:
        control: Whether stdin goes on with control messages after the request, and is the lifeline.
        person: Answers the questions about tool calls, where there is somebody.
        policy: Path of the host's policy, instead of the one that ``AGENT_WORKERS_POLICY`` names.
        simulation: Begins what answers instead of the API, where given.
        output: Renders the lines; by default they are written as they are.
        credential: Reads the run's own key for the API, where the caller brings one.
        tool_output: Whether to tell what tools print where the request leaves it open.
    """

    control: bool = False
    person: Person | None = None
    policy: str | None = None
    simulation: Callable[[], Simulation] | None = None
    output: Callable[[Stdout], Output] | None = None
    credential: Callable[[Stdin], str] | None = None
    tool_output: bool = False
