"""``agent-workers records``: what was said, done and spent, in your own database."""

from __future__ import annotations

import click

from agent_workers.cli.records_keep import export, flush, forget, init, prune
from agent_workers.cli.records_record import record

_HELP = """Records runs in your own database: SQLite, PostgreSQL or MariaDB. docs/records.md has the tables.

\b
Examples:
  agent-workers records init --database sqlite:////var/lib/agents/records.db
  agent-chat < request.json | agent-workers records record --request request.json
  agent-workers records prune --older-than 90d
  agent-workers records forget --user 7
  agent-workers records export --user 7 > user-7.ndjson
  agent-workers usage --by=day
"""


@click.group(help=_HELP, short_help="Record runs in your own database.")
def records() -> None:
    """Has nothing to do before its commands."""


for command in (record, init, flush, prune, forget, export):
    records.add_command(command)
