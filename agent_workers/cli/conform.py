"""``agent-workers conform``: does a worker keep the contract."""

from __future__ import annotations

import json
import os
import shutil
import signal
import sys
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

import click
from click.shell_completion import CompletionItem

if TYPE_CHECKING:
    from agent_workers.conformance import Report

_LEVELS = ("core", "tools", "full")
_USAGE = 2

_HELP = """Puts a worker to the test, in whatever language it is written: COMMAND is how it is started.

Each case starts it, sends it something, and looks at what comes: refused requests, Unicode, big answers, a reader that
is slow or has gone, stop signals, control messages, deadlines. The report says for each rule that the worker breaks
what the contract says, what was sent, what came, and how to mend it. What to ask the worker, and what it can do, says
its profile: conform.json beside it, else that of agent-chat. A loopback API plays the model.

--json: {"v": 1, "level", "reached", "passed", "failed", "skipped", "cases": [{"id", "level", "title", "status",
"reason"?, "contract"?, "section"?, "findings"?: [{"expected"?, "came", "where"?}], "sent"?, "stdout"?, "stderr"?,
"cure"?}]}; more may be added.

Exit status: 0 all passed, 1 some failed, 2 the command line or the profile is not valid.

\b
Examples:
  agent-workers conform -- agent-chat
  agent-workers conform --level full --junit conform.xml -- node worker.ts
  agent-workers conform --profile scorer.json -- ./scorer
  agent-workers conform --case sigterm --case abort -- ./worker.py
  agent-workers conform --list --level full
"""


def _complete_case(context: object, parameter: object, incomplete: str) -> list[CompletionItem]:
    from agent_workers.conformance import load_cases  # no run pays for it

    return [CompletionItem(case.id, help=case.title) for case in load_cases() if case.id.startswith(incomplete)]


@click.command(help=_HELP, short_help="Does a worker, in any language, keep the contract?")
@click.option("--level", type=click.Choice(_LEVELS), default="core", show_default=True, help="What is asked of it.")
@click.option("--case", "cases", metavar="ID", multiple=True, shell_complete=_complete_case, help="This case only.")
@click.option("--profile", metavar="FILE|NAME", help="What the kit knows of the worker.")
@click.option("--jobs", type=click.IntRange(1, 64), help="Cases at a time; as many as there are processors.")
@click.option(
    "--patience",
    type=click.FloatRange(0.1, 100),
    default=1,
    show_default=True,
    metavar="FACTOR",
    help="How many times as long everything may take: for a machine that is busy.",
)
@click.option("--json", "as_json", is_flag=True, help="Write one JSON object instead of the report.")
@click.option("--junit", type=click.Path(dir_okay=False, writable=True), help="Write JUnit XML into this file, too.")
@click.option("--list", "listing", is_flag=True, help="List the cases of the level and exit.")
@click.argument("command", nargs=-1, type=click.UNPROCESSED)
def conform(command: tuple[str, ...], listing: bool, as_json: bool, junit: str | None, **options: Any) -> None:
    """Runs the cases and prints the report."""
    if listing:
        _list(options["level"])
        return
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))  # no worker outlives the kit
    report = _run(command, **options)
    if as_json:
        click.echo(json.dumps(report.to_json(), indent=2))
    else:
        from agent_workers.cli.conform_report import show

        show(report)
    if junit:  # last, for what has been found is told also where the file cannot be written
        from agent_workers.conformance.junit import junit as written

        _write(junit, written(report))
    raise SystemExit(1 if report.of("failed") else 0)


def _run(
    command: tuple[str, ...],
    *,
    level: str,
    cases: tuple[str, ...],
    profile: str | None,
    jobs: int | None,
    patience: float,
) -> Report:
    # The other commands of the umbrella do not pay for these.
    from agent_workers.cli.conform_report import progress
    from agent_workers.conformance import Kit, ProfileError, load_cases, load_profile
    from agent_workers.simulator import ScenarioError

    if not command:
        raise click.UsageError("Say how the worker is started, after --: agent-workers conform -- COMMAND…")
    if not shutil.which(command[0]):
        raise click.UsageError(f"There is no command {command[0]!r}, or it may not be executed.")
    chosen = [case for case in load_cases() if case.id in cases]
    if unknown := set(cases) - {case.id for case in chosen}:
        raise click.BadParameter(f"there is no case {', '.join(sorted(unknown))}; see --list", param_hint="--case")
    try:
        known = load_profile(profile, command)
        if known.asks_model and (missing := [name for name in ("starlette", "uvicorn") if find_spec(name) is None]):
            told = f"{' and '.join(missing)} missing. In a clone of this project: pip install '.[simulator]'"
            raise click.ClickException(told)
        with progress() as on_progress:
            return Kit(
                command,
                known,
                level=level,
                cases=chosen,
                jobs=jobs or os.cpu_count() or 1,
                patience=patience,
                on_progress=on_progress,
            ).run()
    except (ProfileError, ScenarioError) as error:
        raise click.BadParameter(str(error), param_hint="--profile") from error


def _write(path: str, document: bytes) -> None:
    try:
        with open(path, "wb") as file:  # noqa: PTH123 a path of the caller's, as it is
            file.write(document)
    except OSError as error:
        click.echo(f"{path} cannot be written: {error.strerror}", err=True)
        sys.exit(_USAGE)


def _list(level: str) -> None:
    from agent_workers.conformance import load_cases

    wanted = _LEVELS[: _LEVELS.index(level) + 1]
    cases = [case for case in load_cases() if case.level in wanted]
    width = max(len(case.id) for case in cases)
    for case in cases:
        click.echo(f"{case.level:5}  {case.id:{width}}  {case.title}")
