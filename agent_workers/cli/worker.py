"""The console scripts of the workers."""

from __future__ import annotations

import gc
import os
import re
import signal
import sys
from functools import partial
from typing import TYPE_CHECKING

from agent_workers.cli import completion_variable
from agent_workers.cli.no_plugins import load_no_plugins
from agent_workers.stdio.inherited import reset_inherited
from agent_workers.workers import WORKERS

_CONTROL = "--control"
_RESULT = {"--result"}
_CREDENTIAL_FD = re.compile(r"--credential-fd=[0-9]{1,9}")

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import NoReturn

    from agent_workers.cli.interactive import Prompt
    from agent_workers.cli.options import Options
    from agent_workers.stdio.early import Early
    from agent_workers.stdio.person import Person
    from agent_workers.stdio.settings import Simulation
    from agent_workers.stdio.stdin import Stdin
    from agent_workers.stdio.stdout import Output, Stdout
    from agent_workers.workers.base import Worker


def start_worker(name: str) -> NoReturn:
    """Serves one request to the worker of this name, as its command line says; ends the process."""
    prepare_process()
    if name not in WORKERS:
        sys.exit(f"agent-workers has no worker called {name}; it has {', '.join(WORKERS)}")
    early = _started_early(name, sys.argv[1:])
    _serve(WORKERS[name], early)


def prepare_process() -> None:
    """Readies the process for the imports that follow; called before all else."""
    # A stop signal during the imports would end the process without an event: it waits until one can be written.
    reset_inherited(held=(signal.SIGTERM, signal.SIGINT, signal.SIGHUP))
    # A collection while modules load finds nothing and takes 5 ms; the engine enables it again when all is loaded.
    gc.disable()
    load_no_plugins()


def _started_early(name: str, arguments: list[str]) -> Early:
    """Starts the agent of a chat before the imports that follow, where its request may be plain."""
    from agent_workers.stdio.early import Early, start_early
    from agent_workers.workers.chat_defaults import DEFAULTS

    if name != DEFAULTS.name or set(arguments) - {_CONTROL} or completion_variable(name) in os.environ:
        return Early()
    return start_early(DEFAULTS, control=_CONTROL in arguments)


def _serve(worker: Worker, early: Early) -> NoReturn:
    from agent_workers.stdio.serve import serve  # after the process is prepared
    from agent_workers.stdio.settings import Settings

    worker, arguments = _named(worker, sys.argv[1:])
    words, descriptor = _without_descriptor(worker, arguments)
    if set(words) <= {_CONTROL, *_RESULT} and completion_variable(worker.name) not in os.environ:
        # How applications call it, for each of their requests: without the 20 ms that importing click takes.
        result = worker.for_result() if set(words) & _RESULT else worker
        if result:
            output = _output(result, pretty=False, result=result is not worker)
            credential = _credential(descriptor)
            serve(result, Settings(control=_CONTROL in words, output=output, credential=credential), early)

    from agent_workers.cli.options import read_options

    options = read_options(worker, arguments)
    credential = _credential(options.credential_fd)  # before this process opens anything
    if options.doctor:
        from agent_workers.cli.doctor import examine

        examine(worker, options)
    person, output = _audience(worker, options)
    if options.result:
        worker = worker.for_result() or worker
    scenario = options.simulate if worker.request.asks_model else None
    settings = Settings(
        control=options.control,
        person=person,
        policy=options.policy,
        simulation=partial(_simulation, worker, scenario) if scenario else None,
        output=output,
        credential=credential,
        tool_output=options.pretty,
    )
    serve(worker, settings)


def _named(worker: Worker, arguments: list[str]) -> tuple[Worker, list[str]]:
    """Returns the worker for what the first argument names, and the other arguments."""
    if arguments and not arguments[0].startswith("-") and (named := worker.named(arguments[0])):
        return named, arguments[1:]
    return worker, arguments


def _without_descriptor(worker: Worker, arguments: list[str]) -> tuple[list[str], int | None]:
    """Returns the arguments without the one that says where the run's own key is, and what that says."""
    said = [each for each in arguments if _CREDENTIAL_FD.fullmatch(each)]
    if len(said) != 1 or not worker.request.asks_model:
        return arguments, None
    return [each for each in arguments if each not in said], int(said[0].partition("=")[2])


def _credential(descriptor: int | None) -> Callable[[Stdin], str] | None:
    if descriptor is None:
        return None
    from agent_workers.stdio.credential import DescriptorCredential  # few runs bring one

    return DescriptorCredential(descriptor)


def _audience(worker: Worker, options: Options) -> tuple[Person | None, Callable[[Stdout], Output] | None]:
    """Returns who answers questions, and what renders the events."""
    if options.interactive:
        prompt = _prompt(worker)
        return prompt, partial(prompt.share, pretty=options.pretty)
    return None, _output(worker, pretty=options.pretty, result=options.result)


def _output(worker: Worker, *, pretty: bool, result: bool) -> Callable[[Stdout], Output] | None:
    if result:
        from agent_workers.cli.result_only import ResultOnly

        return partial(ResultOnly, worker.name)
    if pretty:
        from agent_workers.cli.pretty import Pretty

        return Pretty
    return None


def _prompt(worker: Worker) -> Prompt:
    from agent_workers.cli.controlling_terminal import ControllingTerminal  # only where asked for
    from agent_workers.cli.interactive import Prompt
    from agent_workers.stdio.serve import refuse_command_line  # after the process is prepared

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
