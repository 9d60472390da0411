"""``agent-workers fleet``: runs that outlive whoever asked for them, on any machine."""

from __future__ import annotations

import click

from agent_workers.cli.fleet_dead import dead
from agent_workers.cli.fleet_follow import follow
from agent_workers.cli.fleet_limits import limits
from agent_workers.cli.fleet_status import status
from agent_workers.cli.fleet_submit import submit
from agent_workers.cli.fleet_tell import abort, steer
from agent_workers.cli.fleet_work import work

_HELP = """Runs jobs out of Redis, on any number of machines, and looks after them.

A job is a request and how it waits: worker, queue, tenant, run_at, attempts … (agent-workers schema job). Its run goes
on when whoever asked for it has gone; its events can be followed from any machine, from any point.

\b
Examples:
  agent-workers fleet work --queue default=4
  echo '{"worker": "agent-chat", "prompt": "Hello"}' | agent-workers fleet submit --follow
  agent-workers fleet status
  agent-workers fleet follow RUN --pretty
  agent-workers fleet abort RUN
"""


@click.group(help=_HELP, short_help="Run jobs out of Redis, on any machine.")
def fleet() -> None:
    """Has nothing to do before its commands."""


for command in (work, submit, follow, status, steer, abort, dead, limits):
    fleet.add_command(command)
