"""``agent-workers completion``: what makes a shell complete the commands."""

from __future__ import annotations

import click
from click.shell_completion import get_completion_class

from agent_workers.cli import completion_variable
from agent_workers.workers import PROGRAMS

_HELP = """Prints what makes a shell complete the names and options of agent-workers and the workers.

\b
Examples:
  eval "$(agent-workers completion bash)"                                  for this shell, or in ~/.bashrc
  eval "$(agent-workers completion zsh)"                                   in ~/.zshrc, after compinit
  agent-workers completion fish > ~/.config/fish/conf.d/agent-workers.fish
"""


@click.command(help=_HELP, short_help="Make a shell complete the commands.")
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
@click.pass_context
def completion(context: click.Context, shell: str) -> None:
    """Prints the shell's script for each program."""
    kind = get_completion_class(shell)
    assert kind is not None
    for program in PROGRAMS:
        click.echo(kind(context.command, {}, program, completion_variable(program)).source())
