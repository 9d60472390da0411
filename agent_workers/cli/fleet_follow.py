"""``agent-workers fleet follow``: a run's events as they come, from any machine and from any point."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, NoReturn

import click

from agent_workers.cli.fleet_options import Unreachable, ask, command_line, redis_options, unreachable
from agent_workers.cli.harmless import harmless
from agent_workers.errors import EXIT_OUTPUT_CLOSED, OutputClosed

if TYPE_CHECKING:
    from agent_workers.cli.fleet_reader import Reader
    from agent_workers.fleet.fleet import Fleet

_INTERRUPTED = 130
_BEGINNING = "0-0"
_HELP = """Writes the events of RUN as they come, to its end: the lines of its worker, byte for byte.

Exit status: that of the worker: 0 done, 1 error, 2 refused, 3 aborted, 75 worth another try. Also 1 where there is no
such run, 4 where nobody reads, 75 where Redis stayed away, and 130 after Ctrl-C, which leaves the run alone. Where
another attempt of the run begins, what came before is void; its `start` says `attempt`.

\b
Examples:
  agent-workers fleet follow RUN --pretty
  agent-workers fleet follow RUN | jq --unbuffered -rj 'select(.type == "delta").text'
  agent-workers fleet follow RUN --after 1-17
"""


class _Entry(click.ParamType[str]):
    name = "ID"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        if not re.fullmatch(r"[0-9]{1,9}-[0-9]{1,9}", value):
            self.fail(f"{value!r} is not the id of an event: its attempt and its seq, such as 1-17", param, ctx)
        return str(value)


@click.command(help=_HELP, short_help="Follow a run's events.")
@click.argument("run")
@click.option("--after", type=_Entry(), default=_BEGINNING, help="Go on after this event: <attempt>-<seq>.")
@click.option("--pretty", is_flag=True, help="Render the events for a person instead of writing JSON.")
@click.option(
    "--patience-s",
    type=click.FloatRange(0, 86_400),
    default=60,
    show_default=True,
    help="Seconds that Redis may be away meanwhile.",
)
@redis_options
def follow(url: str, prefix: str, *, run: str, after: str, pretty: bool, patience_s: float) -> None:
    """Follows the run to its end."""
    follow_run(url, prefix, run, after=after, pretty=pretty, patience_s=patience_s)


def follow_run(
    url: str, prefix: str, run: str, *, after: str = _BEGINNING, pretty: bool = False, patience_s: float = 60
) -> NoReturn:
    """Writes a run's events to stdout; ends the process as its worker would have."""
    from agent_workers.cli.fleet_reader import Reader

    reader = Reader(run, after, pretty=pretty, patience_s=patience_s)
    try:
        status = ask(url, prefix, lambda fleet: _follow(fleet, reader, url, prefix))
    except KeyboardInterrupt:
        click.echo(f"\nThe run goes on. {_further(url, prefix, reader)}", err=True)
        raise SystemExit(_INTERRUPTED) from None
    except OutputClosed:
        raise SystemExit(EXIT_OUTPUT_CLOSED) from None
    raise SystemExit(status)


async def _follow(fleet: Fleet, reader: Reader, url: str, prefix: str) -> int:
    from agent_workers.fleet.following import RedisAway

    try:
        return await reader.read(fleet)
    except RedisAway as away:
        told = f"{unreachable(url, away.cause)} The run may go on. {_further(url, prefix, reader)}"
        raise Unreachable(harmless(told)) from away


def _further(url: str, prefix: str, reader: Reader) -> str:
    words = ["follow", reader.run, *(["--after", reader.after] if reader.after != _BEGINNING else [])]
    return "Follow it further: " + command_line(url, prefix, *words)
