"""The options that every worker takes."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

import click

from agent_workers import __version__
from agent_workers.cli.result_only import ResultOnly
from agent_workers.cli.scenario import complete_scenario, known_scenario
from agent_workers.stdio.serve import refuse_command_line
from agent_workers.workers import schema_name

if TYPE_CHECKING:
    from collections.abc import Sequence

    from agent_workers.workers.base import Worker

_HELP = """{summary}

Reads one JSON request from stdin and writes events as JSON lines to stdout, until exactly one of the types done, error
or aborted. Exit status: 0 done, 1 error, 2 refused, 3 aborted, 4 stdout closed, 75 error worth a retry.

\b
Examples:
{examples}

\b
agent-workers schema {schema} describes every field of a request.
agent-workers doctor checks the host.
"""

# Arguments are refused here, with a word on where the request belongs.
_SETTINGS = {"help_option_names": ["-h", "--help"], "allow_extra_args": True}


@dataclass(frozen=True)
class Options:
    """What the command line asks for.

    Attributes:
        control: Whether stdin goes on with control messages.
        interactive: Whether a person at the terminal answers questions.
        pretty: Whether to render the events for a person.
        policy: Path of the host's policy, None for the one that the environment names.
        simulate: The simulator's scenario, None for the real API.
        result: Whether to write nothing but the output.
        credential_fd: The descriptor with the run's own key for the API; None for the host's credentials.
        doctor: How to tell whether this worker could run here, ``text`` or ``json``; None to serve a request.
    """

    control: bool
    interactive: bool
    pretty: bool
    policy: str | None
    simulate: str | None
    doctor: str | None
    result: bool = False
    credential_fd: int | None = None


def read_options(worker: Worker, arguments: Sequence[str]) -> Options:
    """Reads a worker's command line. A faulty one ends the process with an ``error`` event and exit status 2."""
    try:
        options = _command(worker).main(arguments, prog_name=worker.name, standalone_mode=False)
    except click.UsageError as error:
        is_result_only = "--result" in arguments and worker.for_result()
        refuse_command_line(worker, _told(error), partial(ResultOnly, worker.name) if is_result_only else None)
    except click.Abort:
        sys.exit(130)
    if not isinstance(options, Options):  # --help or --version has been answered
        sys.exit(0)
    return options


def _told(error: click.UsageError) -> str:
    words = error.format_message()
    return words if words.endswith((".", "?")) else f"{words}."


def _command(worker: Worker) -> click.Command:
    metavar = "[NAME] [OPTIONS]" if worker.named("a-name") else "[OPTIONS]"

    @click.command(help=_help(worker), context_settings=_SETTINGS, options_metavar=metavar)
    @click.option("--control", is_flag=True, help="Go on reading control messages; the end of stdin aborts the run.")
    @click.option("--pretty", is_flag=True, help="Render the events for a person instead of writing JSON.")
    @click.option(
        "--policy",
        type=click.Path(exists=True, dir_okay=False),
        metavar="FILE",
        help="What requests may ask for on this host; instead of AGENT_WORKERS_POLICY.",
    )
    @click.option(
        "--simulate",
        is_flag=False,
        flag_value=worker.scenario,
        metavar="[=SCENARIO]",
        callback=known_scenario,
        shell_complete=complete_scenario,
        hidden=not worker.request.asks_model,  # taken all the same, for callers that simulate whatever they run
        help="Talk to the built-in simulator instead of the API.",
    )
    @click.option(
        "--doctor",
        type=click.Choice(["text", "json"]),
        is_flag=False,
        flag_value="text",
        metavar="[=json]",
        help="Check this host for this worker, with these options, as agent-workers doctor does, and exit.",
    )
    @click.option(
        "--pool",
        type=click.Path(readable=False),
        metavar="PATH",
        help="Have the pool at this socket serve the run, where it is there; instead of AGENT_WORKERS_POOL.",
    )
    @click.option("--pool-name", metavar="NAME", help="Which of its pools; instead of AGENT_WORKERS_POOL_NAME.")
    @click.version_option(__version__, message="%(prog)s %(version)s")
    def command(pool: str | None, pool_name: str | None, interactive: bool = False, **options: Any) -> Options:
        if click.get_current_context().args:
            takes = "one name, and it comes first" if worker.named("a-name") else "no arguments"
            raise click.UsageError(f"{worker.name} takes {takes}: its request comes on stdin.")
        if pool_name is not None and pool is None:  # where there is one, neither comes here
            raise click.UsageError("--pool-name needs --pool, or AGENT_WORKERS_POOL.")
        if interactive and options["control"]:
            raise click.UsageError(
                "--interactive and --control exclude each other: answers come from a person or from stdin."
            )
        if options.get("result") and (interactive or options["pretty"]):
            raise click.UsageError("--result writes nothing but the output: leave out --pretty and --interactive.")
        return Options(interactive=interactive, **options)

    if worker.request.asks_model:
        command = _with_credential(command)
    if worker.for_result():
        command = _with_result(command)
    return _interactive(command) if {"tools", "skill"} & worker.request.model_fields.keys() else command


def _help(worker: Worker) -> str:
    examples = "\n".join(f"  {line}" for line in worker.examples.splitlines())
    return _HELP.format(summary=worker.summary, examples=examples, schema=schema_name(worker.name))


def _with_result(command: click.Command) -> click.Command:
    """Adds the option of the workers whose runs have an output."""
    words = "Write nothing but the output, as one JSON document; errors go to stderr."
    command.params.insert(1, click.Option(["--result"], is_flag=True, help=words))
    return command


def _with_credential(command: click.Command) -> click.Command:
    """Adds the option of the workers that ask a model."""
    option = click.Option(
        ["--credential-fd"],
        type=click.IntRange(0),
        metavar="N",
        help="Read the key for the API from descriptor N, and use no other; from 0 as the first line of stdin.",
    )
    command.params.insert(1, option)
    return command


def _interactive(command: click.Command) -> click.Command:
    """Adds the option of the workers that have questions, after ``--control``."""
    option = click.Option(
        ["--interactive"],
        is_flag=True,
        help="Have the person at the terminal answer what the agent asks, and say a word to it while it works.",
    )
    command.params.insert(1, option)
    return command
