"""``agent-workers connect``: lends this machine to its user's runs at a gateway."""

from __future__ import annotations

import asyncio
import logging
import os
import shlex
import sys
from pathlib import Path
from typing import Any

import click

from agent_workers.workers import WORKERS

_TOKEN = "AGENT_WORKERS_CONNECT_TOKEN"  # noqa: S105  # the variable's name
_HELP = """Lends this machine's workers to its user's runs at a gateway, until SIGTERM or SIGINT.

It opens one connection from here, so no port need be open. Runs use the login of this machine, and its policy
(AGENT_WORKERS_POLICY) decides what may be asked. The application gives out the token, for one user; nobody else's
runs come here.

\b
Examples:
  agent-workers connect https://agents.example --token-file ~/.config/agents.token
  agent-workers connect https://agents.example --worker agent-chat --worker agent-skill --max-runs 2
  agent-workers connect https://agents.example --token - < agents.token
  agent-workers connect http://127.0.0.1:8300 --worker agent-chat='agent-chat --simulate'
"""


class _Worker(click.ParamType[tuple[str, list[str]]]):
    name = "NAME[=COMMAND]"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> tuple[str, list[str]]:
        name, has_command, command = value.partition("=")
        words = shlex.split(command) if has_command else [name]
        if name not in WORKERS or not words:
            self.fail(f"{value!r} is not a worker, such as agent-chat, and its command line after =", param, ctx)
        return name, words


@click.command(help=_HELP, short_help="Lend this machine to its user's runs at a gateway.")
@click.argument("gateway")
@click.option("--token-file", type=click.Path(exists=True, dir_okay=False), help="The file with the token.")
@click.option("--token", help=f"- reads the token from stdin. {_TOKEN} may hold it, too.")
@click.option("--worker", "workers", type=_Worker(), multiple=True, help="A worker to offer; agent-chat when absent.")
@click.option("--model", "models", multiple=True, help="A model to offer; whatever is asked for when absent.")
@click.option("--skill", "skills", multiple=True, help="A skill to offer; whatever is asked for when absent.")
@click.option("--max-runs", type=click.IntRange(1, 1000), default=4, show_default=True, help="Runs at once.")
@click.option(
    "--ca-file", type=click.Path(exists=True, dir_okay=False), help="Certificates to trust besides the system's."
)
@click.option(
    "--insecure", is_flag=True, help="Send the token without TLS to another machine: all on the way can read it."
)
def connect(gateway: str, workers: tuple[tuple[str, list[str]], ...], *, insecure: bool, **given: Any) -> None:
    """Serves until it is told to stop."""
    try:
        from agent_workers.connect.address import target, trust
        from agent_workers.connect.link import Refused
        from agent_workers.connect.machine import Offered
        from agent_workers.connect.serving import serve
    except ModuleNotFoundError:
        words = "connect needs its extra: pip install 'claude-agent-workers[connect]'"
        raise click.ClickException(words) from None
    from agent_workers.engine.process.prctl import hide_from_others

    token = _token(given["token"], given["token_file"])
    try:
        address = target(gateway, insecure=insecure)
        trusted = trust(address, given["ca_file"])
    except (ValueError, OSError) as error:
        raise click.ClickException(str(error)) from None
    offered = Offered(
        dict(workers) or {"agent-chat": ["agent-chat"]},
        given["max_runs"],
        list(given["models"]) or None,
        list(given["skills"]) or None,
    )
    _log()
    hide_from_others()  # the agents' commands must not read the token from here
    try:
        asyncio.run(serve(offered, _environ(), address, token, trusted))
    except Refused as refused:
        raise click.ClickException(str(refused)) from None


def _token(said: str | None, file: str | None) -> str:
    if said is not None and said != "-":
        words = "a token on the command line can be read by every user of this machine: use --token-file, or --token -"
        raise click.UsageError(words)
    if said is not None and file is not None:
        raise click.UsageError("name the token once: --token-file FILE, or --token -")
    if said == "-":
        token = sys.stdin.readline()
    elif file is not None:
        token = Path(file).read_text("utf-8", errors="replace")
    else:
        token = os.environ.get(_TOKEN, "")
    token = token.strip()
    if not token:
        raise click.UsageError(f"there is no token: --token-file FILE, {_TOKEN}, or --token - for stdin")
    if not token.isascii() or not token.isprintable() or " " in token:
        raise click.UsageError("this is no token: it is one line of three parts with dots between them")
    return token


def _environ() -> dict[str, str]:
    """Returns the environment of the workers: without the token, which is for this process alone."""
    if not os.environ.get("AGENT_WORKERS_POLICY"):
        words = "AGENT_WORKERS_POLICY names no policy: the gateway's presets decide alone what runs may do here"
        logging.getLogger("agent_workers.connect").warning(words)
    return {name: value for name, value in os.environ.items() if name != _TOKEN}


def _log() -> None:
    asked = (os.environ.get("AGENT_WORKERS_LOG") or "info").upper()
    level = logging.getLevelNamesMapping().get(asked, logging.INFO)
    logging.basicConfig(format="agent-workers connect: %(message)s", level=logging.WARNING, stream=sys.stderr)
    logging.getLogger("agent_workers.connect").setLevel(level)
