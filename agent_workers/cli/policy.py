"""``agent-workers policy``: writes a host's policy, and explains what it makes of a request."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

import click

from agent_workers.cli.harmless import harmless
from agent_workers.errors import EXIT_REFUSED, PolicyDenied
from agent_workers.workers import WORKERS

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from agent_workers.policy import Objection
    from agent_workers.protocol.v1.request import AnyRequest
    from agent_workers.workers.base import Worker

_TEMPLATE = Path(__file__).with_name("policy.toml")

_HELP = """Writes and explains the host's policy: a TOML file that says what requests may ask for.

Workers obey the file that AGENT_WORKERS_POLICY names; no request can widen it.

\b
Examples:
  agent-workers policy init /etc/agent-workers/policy.toml
  agent-workers policy check /etc/agent-workers/policy.toml < request.json
"""

_INIT_HELP = """Writes a policy that allows little, with an example at each key, to FILE, by default to stdout.

An existing file is never overwritten.

\b
Examples:
  agent-workers policy init                                        read it first
  agent-workers policy init /etc/agent-workers/policy.toml
"""

_CHECK_HELP = """Says whether the policy in FILE allows the request on stdin: what it changes there, or every objection.

Without --worker it is read as the request of the worker whose required fields it has: one with `cwd` as agent-task's,
one with `server` and `tool` as agent-tool's, any other as agent-chat's. Exit status, as of the worker itself: 0
allowed; 2 denied, or the request is faulty, or the policy cannot be read.

\b
Examples:
  agent-workers policy check policy.toml < request.json
  echo '{"prompt": "Hello", "model": "x"}' | agent-workers policy check policy.toml --worker agent-chat
"""


@click.group(help=_HELP, short_help="Write or explain what requests may ask for.")
def policy() -> None:
    """Has nothing to do before its commands."""


@policy.command(help=_INIT_HELP, short_help="Write a policy that allows little.")
@click.argument("file", type=click.Path(path_type=Path), required=False)
def init(file: Path | None) -> None:
    """Writes the commented file."""
    text = _TEMPLATE.read_text("utf-8")
    if file is None:
        click.echo(text, nl=False)
        return
    try:
        with file.open("x", encoding="utf-8") as new:
            new.write(text)
    except OSError as error:
        raise click.ClickException(harmless(f"{file} cannot be written: {error.strerror}")) from error
    click.echo(harmless(f"{file} is written. Adapt it, and name it in AGENT_WORKERS_POLICY."))


@policy.command(help=_CHECK_HELP, short_help="Explain what a policy makes of a request.")
@click.option("--worker", "name", type=click.Choice(list(WORKERS)), help="Whose request it is.")
@click.argument("file", type=click.Path(path_type=Path))
def check(file: Path, name: str | None) -> None:
    """Prints the decision."""
    unknown = _unknown_workers(file)  # before the request is awaited: what is wrong with the policy comes first
    worker, request = _accepted(sys.stdin.buffer.read(), name)
    granted = _granted(worker, request, file, unknown)
    _say(f"{worker.name}: allowed", [*_changes(request, granted), *unknown])


def _accepted(data: bytes, name: str | None) -> tuple[Worker, AnyRequest]:
    """Returns the worker that the request is for, and the request as that worker reads it."""
    from agent_workers.admission import accept  # help and completion do without them
    from agent_workers.protocol.document import parse_json
    from agent_workers.validation.request import check_request, worker_of

    worker = WORKERS[name] if name else None
    if faults := list(check_request(data, worker)):
        _end("the request is not valid", map(str, faults))
    document = parse_json(data)
    worker = worker or worker_of(document)
    return worker, accept(worker, document)


def _granted(worker: Worker, request: AnyRequest, file: Path, unknown: Iterable[str]) -> AnyRequest:
    """Returns the request as the worker would run it under the policy; ends with what the policy has against it."""
    from agent_workers.admission import admit  # help and completion do without them
    from agent_workers.policy import Denied
    from agent_workers.protocol.v1.problem import RequestProblems

    try:
        return admit(worker, request, file).request
    except Denied as denied:
        _end(f"{worker.name}: denied", [*_objections(denied.objections), *unknown])
    except RequestProblems as problems:
        _end("the request is not valid", (f"{problem.pointer}: {problem.message}" for problem in problems.problems))


def _unknown_workers(file: Path) -> list[str]:
    """Returns what is wrong with the workers of a policy; ends if it cannot be read."""
    from agent_workers.cli.checkup.policy import unknown_workers  # help and completion do without them
    from agent_workers.policy import load_policy

    try:
        return list(unknown_workers(load_policy(file)))
    except PolicyDenied as unreadable:
        _end("the policy cannot be read, and allows nothing", [str(unreadable.cause)])


def _objections(objections: Iterable[Objection]) -> Iterator[str]:
    for place, words, reason in objections:
        yield f"{place or 'request'}: {words}" + (f" ({reason})" if reason != words else "")


def _changes(request: AnyRequest, granted: AnyRequest) -> Iterator[str]:
    before, after = dict(_flat(request.model_dump())), dict(_flat(granted.model_dump()))
    for name, value in after.items():
        if value != before[name]:
            yield f"{name} {_shown(before[name])} -> {_shown(value)}"


def _flat(fields: dict[str, Any], above: str = "") -> Iterator[tuple[str, Any]]:
    for name, value in fields.items():
        if name == "limits":
            yield from _flat(value, "limits.")
        else:
            yield above + name, value


def _shown(value: Any) -> str:
    return f"{value:.15g}" if isinstance(value, (int, float)) else "none" if value is None else json.dumps(value)


def _say(verdict: str, lines: Iterable[str]) -> None:
    click.echo(verdict)
    for line in lines:
        click.echo(harmless(f"  {line}"))


def _end(verdict: str, lines: Iterable[str]) -> NoReturn:
    _say(verdict, lines)
    sys.exit(EXIT_REFUSED)
