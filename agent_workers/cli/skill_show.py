"""``agent-skill show``: what a caller of a skill needs to know."""

from __future__ import annotations

import json
import os
import sys
from typing import TYPE_CHECKING, Any

import click

from agent_workers.cli.harmless import harmless
from agent_workers.cli.skill_folder import complete_skill, folder_of, refuse, shown

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from agent_workers.skills.schema_fields import Field
    from agent_workers.skills.settings import Settings
    from agent_workers.skills.skill import Example, Skill

_WIDTH_OF_A_PIPE = 120

_HELP = """Shows what a skill takes and gives: the fields of its input and output, what its answers keep, an example.

SKILL is the name of one, or a folder, such as ./deal-score.

--json: one object with name, version, owner, description, license, folder, input_schema, output_schema, input and
output (the fields, each {"name", "type", "required", "description"}), settings, checks (in words), examples and the
first of them as example.

\b
Examples:
  agent-skill show partner-health
  agent-skill show partner-health --json | jq .example.input
"""


@click.command("show", help=_HELP, short_help="Show what a skill takes and gives.")
@click.option("--json", "as_json", is_flag=True, help="Write one JSON object instead of text.")
@click.argument("skill", metavar="SKILL", shell_complete=complete_skill)
def skill_show(skill: str, as_json: bool) -> None:
    """Prints what the skill says of itself."""
    loaded, examples = _loaded(skill)
    if as_json:
        click.echo(json.dumps(_document(loaded, examples), indent=2))
    else:
        _print(loaded, examples)


def _loaded(name: str) -> tuple[Skill, list[Example]]:
    from agent_workers.skills.faults import SkillFaults  # help and completion do without them
    from agent_workers.skills.load import load, load_examples

    folder = folder_of("show", name)
    try:
        skill = load(folder)
    except SkillFaults as faulty:
        refuse("show", f"{folder.name} is faulty: {faulty}; agent-skill check tells all that is wrong with it")
    try:
        return skill, load_examples(skill)
    except SkillFaults:  # what it takes and gives does not depend on them
        return skill, []


def _document(skill: Skill, examples: list[Example]) -> dict[str, Any]:
    from agent_workers.skills.check_words import words_of
    from agent_workers.skills.schema_fields import fields_of

    own = {name: getattr(skill, name) for name in ("name", "version", "owner", "description", "license")}
    document = {
        **{name: value for name, value in own.items() if value},
        "folder": str(skill.folder),
        "input": [field._asdict() for field in fields_of(skill.input_schema)],
        "output": [field._asdict() for field in fields_of(skill.output_schema)],
        "input_schema": skill.input_schema,
        "output_schema": skill.output_schema,
        "settings": skill.settings.model_dump(mode="json", exclude_none=True),
        "checks": [words_of(check) for check in skill.settings.checks],
        "examples": [example.name for example in examples],
    }
    if examples:
        first = examples[0]
        document["example"] = {"name": first.name, "input": first.input, "output": first.output}
    return document


def _print(skill: Skill, examples: list[Example]) -> None:
    from rich.console import Console
    from rich.text import Text

    from agent_workers.skills.check_words import words_of
    from agent_workers.skills.schema_fields import fields_of

    width = None if sys.stdout.isatty() or "COLUMNS" in os.environ else _WIDTH_OF_A_PIPE
    console = Console(highlight=False, width=width)

    def say(text: str = "", style: str = "") -> None:
        console.print(Text(harmless(text), style), soft_wrap=False)

    title = " ".join(filter(None, (skill.name, skill.version, skill.owner and f"({skill.owner})")))
    say(title, "bold")
    say(" ".join(skill.description.split()))
    say()
    console.print(_table(list(_facts(skill))))
    for name, schema in (("Input", skill.input_schema), ("Output", skill.output_schema)):
        say()
        say(name, "bold")
        console.print(_fields(fields_of(schema)))
    if skill.settings.checks:
        say()
        say("Checks", "bold")
        for check in skill.settings.checks:
            say(f"- {words_of(check)}")
    if examples:
        say()
        say(f"Example {examples[0].name}", "bold")
        for name, value in (("input", examples[0].input), ("output", examples[0].output)):
            click.echo(harmless(f"{name}: {json.dumps(value, indent=2, ensure_ascii=False)}"))
    say()
    say(f'Run it with a request {{"input": {{…}}}}: agent-skill {skill.name} --result < request.json')


def _table(rows: Sequence[tuple[str, ...]], *headings: str) -> Any:
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, pad_edge=False, show_header=bool(headings))
    for number in range(len(rows[0])):
        table.add_column(headings[number] if headings else "", overflow="fold", no_wrap=not number and not headings)
    for row in rows:
        table.add_row(*(Text(harmless(cell)) for cell in row))
    return table


def _fields(fields: list[Field]) -> Any:
    rows = [(each.name, each.type, "yes" if each.required else "", each.description) for each in fields]
    return _table(rows or [("any", "any value", "", "")], "field", "type", "required", "description")


def _facts(skill: Skill) -> Iterator[tuple[str, str]]:
    settings = skill.settings
    yield "folder", shown(skill.folder)
    if skill.license:
        yield "license", skill.license
    yield "engine", _engine(settings)
    yield "model", _model(settings)
    if settings.escalation:
        reasons = {"checks_failed": "the checks fail", "low_confidence": "the confidence is low"}
        when = " or ".join(reasons[reason] for reason in settings.escalation.when)
        yield "escalation", f"{settings.escalation.model} tries once more where {when}"
    if settings.review_below is not None:
        yield "review", f"a person should look at results below a confidence of {settings.review_below:.15g}"
    if limits := _limits(settings):
        yield "limits", limits
    if settings.tools:
        yield "tools", f"{', '.join(settings.tools)} (permissions: {settings.permissions.mode}); needs cwd"


def _engine(settings: Settings) -> str:
    if settings.tools:
        return "agent, for its tools"
    return settings.engine or "agent, or messages where the request or the host's policy says so"


def _model(settings: Settings) -> str:
    engine = "agent" if settings.tools else settings.engine
    defaults = {"agent": "the default of the agent's CLI", "messages": "the default of the engine messages"}
    model = settings.model or (defaults[engine] if engine else "the host's default")
    return f"{model}, or {settings.fallback_model} while it is overloaded" if settings.fallback_model else model


def _limits(settings: Settings) -> str:
    limits = settings.limits
    said = [
        (limits.timeout_s, "{:.15g} s"),
        (limits.idle_timeout_s, "{:.15g} s without progress"),
        (limits.max_budget_usd, "{:.15g} US dollars"),
        (settings.max_turns, "{} calls of the model"),
        (settings.max_tokens, "{} tokens in an answer"),
    ]
    return ", ".join(words.format(value) for value, words in said if value is not None)
