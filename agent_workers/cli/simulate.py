"""``agent-workers simulate``: the loopback Messages API alone."""

from __future__ import annotations

import signal
from importlib.util import find_spec
from typing import TYPE_CHECKING

import click

from agent_workers.cli.scenario import complete_scenario

if TYPE_CHECKING:
    from collections.abc import Iterable

    from agent_workers.simulator import Simulator

_NEEDED = ("starlette", "uvicorn")

_HELP = """Serves an imitation of the Messages API on 127.0.0.1, without an account, until SIGINT or SIGTERM.

Its one line on stdout is the variable that points a client at it, as
`ANTHROPIC_BASE_URL=http://127.0.0.1:PORT/simulated`. By that path workers know that no model answers, and their
`start` says `simulated`; each response says so, too, by the header `x-simulated`. At the root the same answers, for
clients that know no such path. `agent-chat --simulate` does the same within one run; this is for several runs, other
clients, and tests.

A request with a schema gets an example of it from the scenarios hello and structured-output. In a scenario of your own
the application's tools are called mcp__app__NAME, and those of MCP servers mcp__SERVER__NAME.

\b
Examples:
  agent-workers simulate --list
  agent-workers simulate --scenario overloaded-529 --port 8420
  ANTHROPIC_BASE_URL=http://127.0.0.1:8420/simulated ANTHROPIC_API_KEY=simulated agent-chat < request.json
"""


def _list_scenarios(context: click.Context, parameter: click.Parameter, asked: bool) -> None:
    if not asked or context.resilient_parsing:
        return
    from agent_workers.simulator import load_scenario, scenario_names

    names = scenario_names()
    width = max(map(len, names))
    for name in names:
        click.echo(f"{name:{width}}  {load_scenario(name).description}")
    context.exit()


@click.command(help=_HELP, short_help="Serve an imitation of the API, without an account.")
@click.option(
    "--scenario",
    default="hello",
    show_default=True,
    shell_complete=complete_scenario,
    help="A name from --list, or the path of a scenario file.",
)
@click.option(
    "--port",
    type=click.IntRange(0, 65535),
    default=0,
    show_default="any free one",
    help="Port on 127.0.0.1.",
)
@click.option(
    "--list",
    is_flag=True,
    is_eager=True,
    expose_value=False,
    callback=_list_scenarios,
    help="List the scenarios and exit.",
)
def simulate(scenario: str, port: int) -> None:
    """Serves until a stop signal."""
    if missing := [name for name in _NEEDED if find_spec(name) is None]:
        raise click.ClickException(f"{_words(missing)} missing. In a clone of this project: pip install '.[simulator]'")
    # The other commands of the umbrella do not pay for these.
    import anyio

    from agent_workers.simulator import ScenarioError, Simulator

    try:
        simulator = Simulator(scenario)
        simulator.listen(port)
    except ScenarioError as error:
        raise click.BadParameter(str(error), param_hint="--scenario") from error
    except OSError as error:
        raise click.ClickException(f"port {port} cannot be used: {error.strerror}") from error
    anyio.run(_serve, simulator)


def _words(names: Iterable[str]) -> str:
    listed = " and ".join(names)
    return f"{listed} {'are' if ' ' in listed else 'is'}"


async def _serve(simulator: Simulator) -> None:
    import anyio

    with anyio.open_signal_receiver(signal.SIGINT, signal.SIGTERM) as received:
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(simulator.serve)
            _announce(simulator)
            async for _ in received:
                break
            tasks.cancel_scope.cancel()


def _announce(simulator: Simulator) -> None:
    url = simulator.marked_url
    click.echo(f"ANTHROPIC_BASE_URL={url}")
    click.echo(f"SIMULATED: a script answers ({simulator.scenario.name}), not a model. For its clients:", err=True)
    click.echo(f"  export ANTHROPIC_BASE_URL={url} ANTHROPIC_API_KEY=simulated", err=True)
    click.echo("Ctrl-C ends it.", err=True)
