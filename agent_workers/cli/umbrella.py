"""``agent-workers``: what an operator or developer needs beside the workers themselves."""

from __future__ import annotations

import click

from agent_workers import __version__
from agent_workers.cli.completion import completion
from agent_workers.cli.conform import conform
from agent_workers.cli.connect import connect
from agent_workers.cli.convert import convert
from agent_workers.cli.doctor import doctor
from agent_workers.cli.fleet import fleet
from agent_workers.cli.gateway import gateway
from agent_workers.cli.policy import policy
from agent_workers.cli.pool import pool
from agent_workers.cli.records import records
from agent_workers.cli.replay import replay
from agent_workers.cli.schema import schema
from agent_workers.cli.sessions import sessions
from agent_workers.cli.simulate import simulate
from agent_workers.cli.usage import usage
from agent_workers.cli.validate import validate
from agent_workers.cli.verify import verify
from agent_workers.workers import WORKERS

_HELP = """Sets up, checks and tries out the workers: commands that turn one JSON request into a stream of JSON events.

\b
Examples:
  agent-workers doctor                        is this host set up, for this user
  agent-workers schema request                every field of a request
  agent-workers validate < request.json       would the worker accept it
  agent-chat < request.json > run.ndjson      the worker itself (agent-chat --help)
  agent-workers validate run.ndjson           is it a whole, well-formed run
  agent-workers verify run.ndjson             is it as it was written
  agent-workers conform -- node worker.ts     does a worker of your own keep the contract
  agent-workers policy init policy.toml       what may requests ask for on this host
  agent-workers replay run.ndjson             the same run again, without a model
  agent-workers convert --to ai-sdk           a run's events as a front end reads them
  agent-workers simulate                      an API without an account
  agent-workers pool --socket pool.sock       agents started ahead, for first words sooner
  agent-workers fleet work --queue default=4  runs that go on without whoever asked, on any machine
  agent-workers gateway --config gateway.toml runs for browsers that bring a token
  agent-workers connect https://agents.example this machine, for its user's runs at a gateway
  agent-workers usage --by=day                what was spent, from the records (agent-workers records --help)
  agent-workers sessions list                 the conversations that are kept on this machine
"""


def _print_versions(context: click.Context, parameter: click.Parameter, asked: bool) -> None:
    if not asked or context.resilient_parsing:
        return
    from agent_workers.engine.claude.launch.installation import bundled_cli_version, sdk_version  # for this only
    from agent_workers.errors import CliMissing

    click.echo(f"agent-workers {__version__}")
    try:
        click.echo(f"claude-agent-sdk {sdk_version()}")
        click.echo(f"claude {bundled_cli_version()} (bundled with the SDK)")
    except CliMissing:
        click.echo("claude-agent-sdk is not installed")
    context.exit()


class _WithWorkers(click.Group):
    """Lists the workers after the commands: programs of their own, which this one sets up and checks."""

    def format_epilog(self, context: click.Context, formatter: click.HelpFormatter) -> None:
        """Writes the name and the summary of each worker."""
        with formatter.section("Workers"):
            rows = [(name, worker.summary) for name, worker in WORKERS.items()]
            formatter.write_dl([*rows, ("agent-batch", "Runs many requests of these, some at a time.")])


@click.group(cls=_WithWorkers, help=_HELP, context_settings={"help_option_names": ["-h", "--help"]})
@click.option(
    "--version",
    is_flag=True,
    is_eager=True,
    expose_value=False,
    callback=_print_versions,
    help="Show the versions of agent-workers, the SDK and its CLI.",
)
def agent_workers() -> None:
    """Has nothing to do before its commands."""


_COMMANDS = (
    *(doctor, schema, validate, verify, conform, policy, replay, convert, simulate, pool, fleet, gateway, connect),
    *(records, usage, sessions, completion),
)
for command in _COMMANDS:
    agent_workers.add_command(command)
