"""``agent-skill``: its commands about skills. Running one is the worker's."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from agent_workers import __version__
from agent_workers.cli.skill_check import skill_check
from agent_workers.cli.skill_folder import skills_like
from agent_workers.cli.skill_list import skill_list
from agent_workers.cli.skill_new import skill_new
from agent_workers.cli.skill_show import skill_show
from agent_workers.cli.skill_test import skill_test

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem

_HELP = """Lists, shows, writes, checks and tries out skills: folders that describe an agent's job, with typed input and
output.

They are looked up in the folders that AGENT_WORKERS_SKILLS_PATH names, in .agents/skills of the working directory, in
packages that declare the entry point group agent_workers.skills, and among those that come along. Of two of one name
the first counts.

\b
Examples:
  agent-skill list                                    what there is
  agent-skill show partner-health                     what it takes and gives
  agent-skill new deal-score                          a folder to begin with
  agent-skill check deal-score                        all that is wrong with it
  agent-skill test deal-score                         run its examples
  agent-skill deal-score --result < request.json      run it; agent-skill --help
"""


def main() -> None:
    """Runs the commands of the program ``agent-skill``."""
    from agent_workers.stdio.inherited import fill_standard_streams, reset_inherited

    reset_inherited()
    fill_standard_streams()
    agent_skill(prog_name="agent-skill")


class _WithSkills(click.Group):
    """Completes the names of skills beside the commands: each runs one."""

    def shell_complete(self, ctx: click.Context, incomplete: str) -> list[CompletionItem]:
        """Returns what the first word may become."""
        return [*super().shell_complete(ctx, incomplete), *skills_like(incomplete)]


@click.group(cls=_WithSkills, help=_HELP, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, message="%(prog)s %(version)s")
def agent_skill() -> None:
    """Has nothing to do before its commands."""


for command in (skill_list, skill_show, skill_new, skill_check, skill_test):
    agent_skill.add_command(command)
