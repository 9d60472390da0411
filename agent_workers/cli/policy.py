"""``agent-workers policy``: writes a host's policy, and explains what it makes of a request."""

from __future__ import annotations

import sys
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from agent_workers.errors import EXIT_REFUSED, PolicyDenied

from .harmless import harmless

if TYPE_CHECKING:
    from collections.abc import Iterator

    from agent_workers.policy import Policy, Ruling
    from agent_workers.protocol.v1.request import Request
    from agent_workers.workers.base import Worker

_HELP = """What requests may ask for on this host: a TOML file that AGENT_WORKERS_POLICY names. No request can widen it.

\b
Examples:
  agent-workers policy init /etc/agent-workers/policy.toml         a file that allows little, to go on from
  agent-workers policy check /etc/agent-workers/policy.toml < request.json
"""

_INIT_HELP = """Writes a policy that allows little, with an example at each key, to FILE, by default to stdout.

A file that is there already is left alone.
"""

_CHECK_HELP = """Says what the policy in FILE makes of the request on stdin: what it fixes, or each objection.

The request is read as the worker would read it: the task worker's by its `cwd`, unless --worker says otherwise. Exit
status, as of the worker itself: 0 the request is allowed; 2 it is denied or faulty, or the policy cannot be read.
"""


@click.group(help=_HELP, short_help="Write or explain what requests may ask for.")
def policy() -> None:
    """Has nothing to do before its commands."""


@policy.command(help=_INIT_HELP, short_help="Write a policy that allows little.")
@click.argument("file", type=click.Path(path_type=Path), required=False)
def init(file: Path | None) -> None:
    """Writes the commented file."""
    text = files("agent_workers.policy").joinpath("least.toml").read_text("utf-8")
    if file is None:
        click.echo(text, nl=False)
        return
    try:
        with file.open("x", encoding="utf-8") as new:
            new.write(text)
    except OSError as error:
        raise click.ClickException(f"{file} cannot be written: {error.strerror}") from error
    click.echo(f"{file} is written. Adapt it, then set AGENT_WORKERS_POLICY to its path.")


@policy.command(help=_CHECK_HELP, short_help="Explain what a policy makes of a request.")
@click.option("--worker", "name", type=click.Choice(["agent-chat", "agent-task"]), help="Whose request it is.")
@click.argument("file", type=click.Path(path_type=Path))
def check(file: Path, name: str | None) -> None:
    """Prints the decision."""
    from agent_workers.policy import load_policy  # noqa: PLC0415 help and completion do without it

    try:
        loaded = load_policy(file)
    except PolicyDenied as error:
        _say("the policy cannot be read:", [str(error.cause)])
        sys.exit(EXIT_REFUSED)
    worker, request = _accepted(sys.stdin.buffer.read(), name)
    ruling = loaded.rule(request, worker.name, default_turns=worker.max_turns)
    if ruling.objections:
        _say(f"{worker.name}: denied", _objections(ruling))
        sys.exit(EXIT_REFUSED)
    _say(f"{worker.name}: allowed", _changes(request, loaded, worker))


def _accepted(data: bytes, name: str | None) -> tuple[Worker, Request]:
    """The request as its worker reads it; ends the command where it is faulty."""
    from .validation.request import check_request, read_request, worker_of  # noqa: PLC0415 for this only

    faults = list(check_request(data, name))
    if faults:
        _say("the request is not valid:", map(str, faults))
        sys.exit(EXIT_REFUSED)
    return read_request(data, name)


def _objections(ruling: Ruling) -> Iterator[str]:
    for place, words, reason in ruling.objections:
        yield f"{place or 'request'}: {words}"
        if reason != words:
            yield f"  ({reason})"


def _changes(request: Request, loaded: Policy, worker: Worker) -> Iterator[str]:
    granted = loaded.grant(request, worker.name, default_turns=worker.max_turns)
    before, after = dict(_flat(request.model_dump())), dict(_flat(granted.model_dump()))
    for name, value in after.items():
        if value != before.get(name):
            yield f"{name} {_shown(before.get(name))} -> {_shown(value)}"
