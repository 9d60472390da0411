"""``agent-workers validate``: is this what the contract says."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, BinaryIO

import click

from agent_workers.cli.harmless import harmless
from agent_workers.workers import WORKERS, schema_name

if TYPE_CHECKING:
    from agent_workers.validation import Fault

_VALID = {"events": "a valid run", "control": "valid control messages"}
_KINDS = [*map(schema_name, WORKERS), "job", "events", "control", "auto"]

_HELP = """Says all that is wrong with a request, a job, a run's events or control messages in FILE, by default stdin.

A request is read as the worker would read it whose required fields it has: one with `cwd` as agent-task, one with
`server` as agent-tool, any other as agent-chat; one with `worker` or `queue` is a job. Each line of a run is checked
against the JSON Schema, and all of them against the rules of a stream: seq without gaps, one run id, exactly one
terminal event, at the end, short ASCII lines, and a done.text that equals the text of the deltas. Exit status: 0 valid,
1 not.

\b
Examples:
  agent-workers validate < request.json
  agent-chat < request.json | tee run.ndjson | agent-workers validate
  agent-workers validate --kind control --json messages.ndjson
"""


@click.command(help=_HELP, short_help="Check a request, a job, a run's events or control messages.")
@click.option(
    "--kind",
    type=click.Choice(_KINDS),
    default="auto",
    show_default=True,
    help="What to read it as; auto: as what it looks like.",
)
@click.option(
    "--json", "as_json", is_flag=True, help="Write a JSON list of {line, pointer, message, did_you_mean?, rule?}."
)
@click.argument("file", type=click.File("rb"), default="-")
def validate(kind: str, as_json: bool, file: BinaryIO) -> None:
    """Prints every fault, or that there is none."""
    from agent_workers.validation import check  # help and completion do without it

    read_as, faults = check(file.read(), kind)
    if as_json:
        click.echo(json.dumps([fault.to_json() for fault in faults], indent=2))
    else:
        _print(read_as, faults)
    raise SystemExit(1 if faults else 0)


def _print(read_as: str, faults: list[Fault]) -> None:
    for fault in faults:
        click.echo(harmless(str(fault)))
    if not faults:
        click.echo(_VALID.get(read_as) or f"a valid {read_as.replace('-', ' ')}")
