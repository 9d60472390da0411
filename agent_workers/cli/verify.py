"""``agent-workers verify``: are these the lines that were written, and did people decide what they say."""

from __future__ import annotations

import json
import os
import re
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

import click

from agent_workers.cli.harmless import harmless

if TYPE_CHECKING:
    from collections.abc import Iterator

    from agent_workers.proof import Keys, Report

_CHUNK = 1 << 20
_HEAD = re.compile(r"[0-9a-fA-F]{64}")

_HELP = """Says whether the lines of a transcript in FILE, by default stdin, are the ones that were written, or
which are not.

A host with AGENT_WORKERS_CHAIN=1 has each line name the SHA-256 of the line before it, in `prev`. So a line that was
changed, dropped, added or moved is found. A cut end is not, where the terminal event is missing, and whoever can write
the file can make a chain anew: keep the SHA-256 of the last line elsewhere, and give it as --head. Each attempt of a
run is a chain of its own; a file may hold many runs, of any size.

With --key, or AGENT_WORKERS_SIGNING_KEY, the signatures of what people decided are checked, too.

Exit status: 0 all lines are those that were written, 1 they are not, 2 not chained, or bad usage.

\b
Examples:
  agent-workers verify run.ndjson
  agent-workers verify --head "$(cat run.head)" run.ndjson
  agent-workers verify --key signing.key --json < run.ndjson
"""


@click.command(help=_HELP, short_help="Prove that a transcript is as it was written.")
@click.option(
    "--head",
    "heads",
    multiple=True,
    metavar="SHA256",
    help="SHA-256 of the last line of a run, kept elsewhere. May be repeated.",
)
@click.option(
    "--key",
    "keys",
    multiple=True,
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="A file with the keys that decisions are signed with, one a line. May be repeated.",
)
@click.option("--json", "as_json", is_flag=True, help="Write a JSON object of what was found.")
@click.argument("file", type=click.File("rb"), default="-")
def verify(heads: tuple[str, ...], keys: tuple[Path, ...], as_json: bool, file: BinaryIO) -> None:
    """Prints what is wrong, what is proven and what is not."""
    from agent_workers.cli.verify_words import told  # help and completion do without them
    from agent_workers.proof import verify as prove

    for head in heads:
        if not _HEAD.fullmatch(head):
            raise click.BadParameter("must be 64 digits of 0-9 a-f: sha256sum prints them", param_hint="'--head'")
    known = [head.lower() for head in heads]
    report = prove(_chunks(file), _keys(keys), known)
    if as_json:
        click.echo(json.dumps(report.to_json(), indent=2))
    else:
        for line in told(report, has_heads=bool(heads)):
            click.echo(harmless(line))
    raise SystemExit(_status(report))


def _status(report: Report) -> int:
    if not report.is_whole:
        return 1
    return 0 if report.is_chained else 2


def _chunks(file: BinaryIO) -> Iterator[bytes]:
    while chunk := file.read(_CHUNK):
        yield chunk


def _keys(files: tuple[Path, ...]) -> Keys:
    from agent_workers.proof import Keys, NoKey
    from agent_workers.proof.keys import VARIABLE

    try:
        texts = [line for file in files for line in file.read_text("ascii").splitlines()]
        return Keys([*texts, os.environ.get(VARIABLE, "")])
    except NoKey as fault:
        raise click.UsageError(str(fault)) from None
    except (OSError, UnicodeDecodeError):
        raise click.UsageError("A file of --key cannot be read as text.") from None
