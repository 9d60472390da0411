"""``agent-workers pool``: agents started ahead, behind a Unix socket."""

from __future__ import annotations

import logging
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from agent_workers.cli.pool_status import status

if TYPE_CHECKING:
    from agent_workers.pool.listening import Listening
    from agent_workers.pool.settings import PoolSettings

_HELP = """Keeps agents started ahead behind a Unix socket, until SIGTERM or SIGINT; SIGHUP reads the settings anew.

Workers use it with --pool PATH, or where AGENT_WORKERS_POOL names the socket; Laravel likewise. The agents have this
process's environment, so the API's key is needed here alone.

\b
Examples:
  agent-workers pool --socket /run/agent-workers/pool.sock
  agent-workers pool --config /etc/agent-workers/pool.toml
  agent-workers pool status
  AGENT_WORKERS_POOL=/run/agent-workers/pool.sock agent-chat < request.json
"""


@click.group(help=_HELP, short_help="Keep agents started ahead.", invoke_without_command=True)
@click.option("--socket", type=click.Path(readable=False), help="Path of the socket.")
@click.option("--config", type=click.Path(dir_okay=False), help="A TOML file with the settings.")
@click.option("--min-idle", type=click.IntRange(0, 10_000), help="How many agents wait for requests.")
@click.option("--max", type=click.IntRange(1, 10_000), help="How many worker processes there are at most.")
@click.option("--max-idle-s", type=click.FloatRange(0), help="Seconds after which a waiting agent is replaced.")
@click.option("--max-live", type=click.IntRange(0, 10_000), help="How many conversations keep their agent at most.")
@click.option("--keep-s", type=click.FloatRange(0), help="Seconds that a conversation keeps its agent.")
@click.option("--max-memory", help="From which memory on no agent is started ahead or kept, such as 4G.")
@click.option("--allow-user", multiple=True, help="A user who may connect, besides this one and root.")
@click.option("--group", help="Group that owns the socket, whose mode is 0660.")
@click.pass_context
def pool(context: click.Context, /, config: str | None, **given: Any) -> None:
    """Serves until it is told to stop."""
    if command := context.invoked_subcommand:
        context.obj = given.pop("socket")
        if config or any(value not in {None, ()} for value in given.values()):
            raise click.UsageError(
                f"{command} asks a pool that runs: of the options before it, only --socket is for it"
            )
        return
    from agent_workers.cli.pool_settings import reader_of
    from agent_workers.protocol.toml_file import Unreadable

    read = reader_of(config, given)
    try:
        settings = read()
    except (Unreadable, ValueError) as error:
        raise click.ClickException(str(error)) from error
    _log()
    _warn_without_credential()
    listening = _listening(settings)
    import anyio

    from agent_workers.engine.process.prctl import hide_from_others
    from agent_workers.pool.forkserver import ForkserverLost
    from agent_workers.pool.server import PoolServer

    hide_from_others()  # the agents' commands must not read the key from here
    try:
        server = PoolServer(listening, settings, read)
    except ValueError as error:
        listening.close()
        raise click.ClickException(str(error)) from error
    try:
        anyio.run(server.serve)
    except* ForkserverLost:
        raise click.ClickException("no worker process could be started; what stands above says why") from None
    finally:
        listening.close()


def _listening(settings: PoolSettings) -> Listening:
    from agent_workers.pool.listening import handed_over, open_socket

    try:
        if listening := handed_over():
            return listening
        if settings.socket is None:
            raise click.UsageError("name the socket: --socket PATH, or socket in the file of --config")
        return open_socket(Path(settings.socket), settings.group)
    except ValueError as error:
        raise click.ClickException(str(error)) from error
    except OSError as error:
        raise click.ClickException(f"{settings.socket or 'the socket'}: {error.strerror or error}") from error


def _log() -> None:
    asked = os.environ.get("AGENT_WORKERS_LOG") or "info"
    level = logging.getLevelNamesMapping().get(asked.upper())
    if level is None:
        words = f"AGENT_WORKERS_LOG is {asked!a}: must be error, warning, info or debug; info is used"
        click.echo(f"agent-workers pool: {words}", err=True)
    logging.basicConfig(format="agent-workers pool: %(message)s", level=logging.WARNING, stream=sys.stderr)
    logging.getLogger("agent_workers.pool").setLevel(level or logging.INFO)


pool.add_command(status)


def _warn_without_credential() -> None:
    """Says at once what each run would fail for."""
    from agent_workers.cli.checkup.credential import check_credential
    from agent_workers.engine.claude import Environment

    finding = check_credential(Environment(os.environ))
    if finding.status == "fail":
        logging.getLogger("agent_workers.pool").warning("credential: %s. %s", finding.found, finding.cure)
