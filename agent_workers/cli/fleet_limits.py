"""``agent-workers fleet limits``: how many runs a queue or a tenant may have at once."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, cast

import click
from click.core import ParameterSource

from agent_workers.cli.fleet_options import ask, redis_options
from agent_workers.cli.harmless import harmless

if TYPE_CHECKING:
    from agent_workers.fleet.fleet import Fleet
    from agent_workers.fleet.limits import Kind

_HELP = """How many runs a queue or a tenant may have at once, on all machines together. Without a command it shows
them.

They hold at once: jobs that wait and fit now begin, and runs beyond a new limit go on. 0 holds all that waits. The name
'*' is for all that have no limit of their own.

\b
Examples:
  agent-workers fleet limits
  agent-workers fleet limits set queue bulk 8
  agent-workers fleet limits set tenant '*' 2
  agent-workers fleet limits unset tenant acme
"""
_MOST = 1_000_000


class _Where(click.ParamType[str]):
    """A name as it may stand in a job, or ``*``."""

    name = "NAME"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        from agent_workers.fleet.limits import is_name

        kind = ctx.params.get("kind") if ctx else None
        if kind and not is_name(cast("Kind", kind), value):
            self.fail(f"{value!r} is not the name of a {kind}, and not '*' for all", param, ctx)
        return str(value)


_KIND = click.argument("kind", type=click.Choice(["queue", "tenant"]), is_eager=True)
_NAME = click.argument("name", type=_Where())


@click.group(help=_HELP, short_help="How many runs at once?", invoke_without_command=True)
@redis_options
@click.pass_context
def limits(context: click.Context, url: str, prefix: str) -> None:
    """Shows the limits where no command says more."""
    if context.invoked_subcommand is None:
        _show(url, prefix, as_json=False)
    elif any(context.get_parameter_source(name) is ParameterSource.COMMANDLINE for name in ("url", "prefix")):
        raise click.UsageError(f"--redis and --prefix stand behind the command: limits {context.invoked_subcommand} …")


@limits.command(short_help="Show them.")
@click.option("--json", "as_json", is_flag=True, help="Write one JSON object.")
@redis_options
def show(url: str, prefix: str, *, as_json: bool) -> None:
    """Shows the limits."""
    _show(url, prefix, as_json=as_json)


@limits.command("set", short_help="Set one.")
@_KIND
@_NAME
@click.argument("most", metavar="N", type=click.IntRange(0, _MOST))
@redis_options
def set_one(url: str, prefix: str, *, kind: Kind, name: str, most: int) -> None:
    """Lets a queue or a tenant have at most N runs at once; 0 holds all that waits."""
    from agent_workers.fleet.limits import set_limit

    ask(url, prefix, lambda fleet: set_limit(fleet, kind, name, most))
    click.echo(harmless(f"{kind} {name}: {most}"))


@limits.command(short_help="Take one away.")
@_KIND
@_NAME
@redis_options
def unset(url: str, prefix: str, *, kind: Kind, name: str) -> None:
    """Takes the limit of a queue or a tenant away."""
    from agent_workers.fleet.limits import unset_limit

    was_there = ask(url, prefix, lambda fleet: unset_limit(fleet, kind, name))
    click.echo(harmless(f"{kind} {name}: {'no limit of its own' if was_there else 'there was none'}"))


def _show(url: str, prefix: str, *, as_json: bool) -> None:
    async def look(fleet: Fleet) -> dict[Kind, dict[str, int]]:
        from agent_workers.fleet.limits import limits as found

        return await found(fleet)

    found = ask(url, prefix, look)
    if as_json:
        click.echo(json.dumps(found))
        return
    for kind, each in found.items():
        for name, most in each.items():
            click.echo(harmless(f"{kind} {name}: {most}"))
    if not any(found.values()):
        click.echo("no limits: as many runs at once as there are slots")
