"""The console scripts of the workers."""

from __future__ import annotations

import gc
import os
import signal
import sys
from functools import partial
from typing import TYPE_CHECKING

from agent_workers.cli import completion_variable
from agent_workers.stdio.inherited import reset_inherited
from agent_workers.workers import WORKERS

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import NoReturn

    from agent_workers.cli.interactive import Prompt
    from agent_workers.cli.options import Options
    from agent_workers.stdio.person import Person
    from agent_workers.stdio.settings import Simulation
    from agent_workers.stdio.stdout import Output, Stdout
    from agent_workers.workers.base import Worker


def start_worker(name: str) -> NoReturn:
    """Serves one request to the worker of this name, as its command line says; ends the process."""
    prepare_process()
    if name not in WORKERS:
        sys.exit(f"agent-workers has no worker called {name}; it has {', '.join(WORKERS)}")
    _serve(WORKERS[name])


def prepare_process() -> None:
    """Readies the process for the imports that follow; called before all else."""
    # A stop signal during the imports would end the process without an event: it waits until one can be written.
    reset_inherited(held=(signal.SIGTERM, signal.SIGINT, signal.SIGHUP))
    # A collection while modules load finds nothing and takes 5 ms; the engine enables it again when all is loaded.
    gc.disable()
    # Looking for plugins of pydantic reads every installed distribution, at each start.
    os.environ.setdefault("PYDANTIC_DISABLE_PLUGINS", "__all__")


def _serve(worker: Worker) -> NoReturn:
    from agent_workers.stdio.serve import serve  # after the environment is set
    from agent_workers.stdio.settings import Settings

    if set(sys.argv[1:]) <= {"--control"} and completion_variable(worker.name) not in os.environ:
        # How applications call it, for each of their requests: without the 20 ms that importing click takes.
        serve(worker, Settings(control=len(sys.argv) > 1))

    from agent_workers.cli.options import read_options

    options = read_options(worker, sys.argv[1:])
    if options.doctor:
        from agent_workers.cli.doctor import examine

        examine(worker, options)
    person, output = _audience(worker, options)
    scenario = options.simulate if worker.request.asks_model else None
    settings = Settings(
        control=options.control,
        person=person,
        policy=options.policy,
        simulation=partial(_simulation, worker, scenario) if scenario else None,
        output=output,
        tool_output=options.pretty,
    )
    serve(worker, settings)


def _audience(worker: Worker, options: Options) -> tuple[Person | None, Callable[[Stdout], Output] | None]:
    """Returns who answers questions, and what renders the events."""
    if options.interactive:
        prompt = _prompt(worker)
        return prompt, partial(prompt.share, pretty=options.pretty)
    if options.pretty:
        from agent_workers.cli.pretty import Pretty

        return None, Pretty
    return None, None


def _prompt(worker: Worker) -> Prompt:
    from agent_workers.cli.controlling_terminal import ControllingTerminal  # only where asked for
    from agent_workers.cli.interactive import Prompt
    from agent_workers.stdio.serve import refuse_command_line  # after the environment is set

    try:
        return Prompt(ControllingTerminal())
    except OSError:
        refuse_command_line(worker, "--interactive needs a terminal, and this process has none.")


def _simulation(worker: Worker, scenario: str) -> Simulation:
    from agent_workers.simulator import Simulator  # only where asked for
    from agent_workers.stdio.settings import Simulation
    from agent_workers.stdio.stderr import say

    simulator = Simulator(scenario)
    simulator.listen()
    say(f"{worker.name}: SIMULATED: a script answers ({scenario}), not a model")
    return Simulation(simulator.base_url, simulator.serve)
