"""``agent-workers schema``: the contract as JSON Schema."""

from __future__ import annotations

import json
from difflib import get_close_matches

import click
from click.shell_completion import CompletionItem

_HELP = """Prints the JSON Schema (2020-12) called NAME; without NAME, lists them.

\b
Examples:
  agent-workers schema                    all of them, one line each
  agent-workers schema request            what agent-chat reads
  agent-workers schema task-request       what agent-task reads, and so on for each worker
  agent-workers schema job                what waits in a queue: a request, and how it waits
  agent-workers schema event              any line that it writes
  agent-workers schema delta              the lines of one type
  agent-workers schema control            what it reads under --control
"""


def _texts() -> dict[str, str]:
    """Returns the schemas' texts by the names that people use, such as ``request`` and ``events/delta``."""
    from agent_workers.workers.schema import export  # help and completion of the rest do without it

    return {_name(path): text for path, text in export().items()}


def _name(path: str) -> str:
    return path.partition("/")[2].removesuffix(".schema.json")


def _complete(context: click.Context, parameter: click.Parameter, incomplete: str) -> list[CompletionItem]:
    return [CompletionItem(name, help=_summary(text)) for name, text in _texts().items() if name.startswith(incomplete)]


@click.command(help=_HELP, short_help="Print the contract as JSON Schema.")
@click.argument("name", required=False, shell_complete=_complete)
def schema(name: str | None) -> None:
    """Prints a schema, or lists them."""
    texts = _texts()
    if name is None:
        width = max(map(len, texts))
        for each, text in texts.items():
            click.echo(f"{each:{width}}  {_summary(text)}")
    else:
        click.echo(texts[_known(name, list(texts))], nl=False)


def _known(name: str, names: list[str]) -> str:
    """Returns the schema of this name: its own, an event's type alone, or the path of its file."""
    asked = name.removeprefix("v1/").removesuffix(".schema.json")
    for known in (asked, f"events/{asked}"):
        if known in names:
            return known
    shorts = {known.rpartition("/")[2]: known for known in names}
    near = get_close_matches(asked.rpartition("/")[2], shorts, n=1, cutoff=0.5)
    guess = f" Did you mean {shorts[near[0]]!r}?" if near else " Without NAME, the command lists them."
    raise click.BadParameter(f"there is no schema {name!r}.{guess}", param_hint="NAME")


def _summary(text: str) -> str:
    description: str = json.loads(text)["description"]
    return description.partition(". ")[0].rstrip(".")
