"""``agent-skill test``: runs a skill's examples through the real program, and says what differs."""

from __future__ import annotations

import json
import os
import sys
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, NoReturn

import click

from agent_workers.cli.harmless import harmless
from agent_workers.cli.skill_folder import complete_skill, folder_of, is_path, refuse
from agent_workers.errors import EXIT_DONE, EXIT_ERROR, EXIT_REFUSED

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from agent_workers.client.aio import AsyncProcessRunner
    from agent_workers.client.errors import RunError
    from agent_workers.client.result import Result
    from agent_workers.skills.skill import Example, Skill
    from agent_workers.skills.trial import Try

_AT_ONCE = 4
_LONGEST_VALUE = 80

_HELP = """Runs the examples of a skill through agent-skill, each on its own input.

Without --live the simulator answers with the example's own output: that shows whether the skill can run, and whether
its examples keep its schema and its checks. With --live the model answers, on your account, and its answer is compared
with the example at the places that the example calls decisive: a place with * by its values in any order, numbers with
a fraction to within a tenth, all else exactly.

Exit status: 0 all is as it should be, 1 something differs or a run has failed, 2 refused.

\b
Examples:
  agent-skill test partner-health
  agent-skill test ./skills/our-own-skill
  agent-skill test partner-health --live --repeat 5
  agent-skill test partner-health --live --example growing-integrator --json
"""


class Trial(NamedTuple):
    """What is tried.

    Attributes:
        skill: The skill.
        examples: Its examples.
        live: Whether a model answers.
        repeat: How often each example runs.
        runner: What runs them.
        cwd: The working directory of a skill with tools; None for one without.
    """

    skill: Skill
    examples: Sequence[Example]
    live: bool
    repeat: int
    runner: AsyncProcessRunner
    cwd: Path | None


@click.command("test", help=_HELP, short_help="Run a skill's examples and say what differs.")
@click.argument("skill", metavar="NAME|FOLDER", shell_complete=complete_skill)
@click.option("--example", "names", multiple=True, metavar="NAME", help="Run this example alone; may be repeated.")
@click.option("--live", is_flag=True, help="Ask the model, which costs money, instead of the simulator.")
@click.option("--repeat", type=click.IntRange(1, 100), default=1, show_default=True, help="How often to run each.")
@click.option("--json", "as_json", is_flag=True, help="Write one JSON document instead of a table.")
@click.option(
    "--cwd",
    type=click.Path(exists=True, file_okay=False, resolve_path=True, path_type=Path),
    metavar="FOLDER",
    help="Where a skill with tools works.",
)
@click.option(
    "--policy", type=click.Path(exists=True, dir_okay=False, resolve_path=True), metavar="FILE", help="For each run."
)
def skill_test(**options: Any) -> NoReturn:
    """Runs the examples and ends the process with the exit status."""
    import anyio  # help and completion do without it

    from agent_workers.client.aio import AsyncProcessRunner

    live, policy = options["live"], options["policy"]
    folder = folder_of("test", options["skill"])
    skill, examples = _loaded(folder, options["names"])
    arguments = [*([] if live else ["--simulate"]), *([f"--policy={policy}"] if policy else [])]
    runner = AsyncProcessRunner("agent-skill", *arguments, env=_environment(options["skill"], folder))
    trial = Trial(skill, examples, live, options["repeat"], runner, options["cwd"])
    tries = anyio.run(_run, trial)
    with suppress(BrokenPipeError):
        if options["as_json"]:
            click.echo(json.dumps(_document(trial, tries), ensure_ascii=False))
        else:
            _print(trial, tries)
    sys.exit(_status(tries))


def _loaded(folder: Path, names: Sequence[str]) -> tuple[Skill, list[Example]]:
    from agent_workers.skills.faults import SkillFaults
    from agent_workers.skills.load import load, load_examples

    try:
        skill = load(folder)
        examples = load_examples(skill)
    except SkillFaults as faulty:
        refuse("test", f"{folder.name} cannot run: {faulty}; agent-skill check says all that is wrong with it")
    if not examples:
        refuse("test", f'{skill.name} has no examples; write examples/NAME.json: {{"input": {{…}}, "output": {{…}}}}')
    known = [example.name for example in examples]
    if unknown := [name for name in names if name not in known]:
        refuse("test", f"{skill.name} has no example {', '.join(unknown)}; it has {', '.join(known)}")
    return skill, [example for example in examples if not names or example.name in names]


def _environment(skill: str, folder: Path) -> dict[str, str] | None:
    """Returns the environment in which the skill of this folder is the first of its name."""
    from agent_workers.skills.lookup import VARIABLE

    if not is_path(skill):
        return None
    above = str(folder.parent)
    if os.pathsep in above:
        refuse("test", f"{above} holds a {os.pathsep}, and cannot be named in {VARIABLE}; move the folder")
    others = os.environ.get(VARIABLE, "")
    return {**os.environ, VARIABLE: os.pathsep.join(filter(None, (above, others)))}


async def _run(trial: Trial) -> list[Try]:
    import anyio

    limiter = anyio.CapacityLimiter(_AT_ONCE)
    tries: dict[tuple[int, int], Try] = {}
    total = len(trial.examples) * trial.repeat

    async def one(place: int, number: int) -> None:
        async with limiter:
            tries[place, number] = await _try(trial, trial.examples[place], number)
        _tell_progress(len(tries), total)

    async with anyio.create_task_group() as tasks:
        for number in range(1, trial.repeat + 1):
            for place in range(len(trial.examples)):
                tasks.start_soon(one, place, number)
    return [tries[place] for place in sorted(tries)]


def _tell_progress(done: int, total: int) -> None:
    if sys.stderr.isatty():
        click.echo(f"\r{done} of {total} runs{'' if done < total else chr(10)}", err=True, nl=False)


async def _try(trial: Trial, example: Example, number: int) -> Try:
    from agent_workers.client.errors import RunError

    request: dict[str, Any] = {"skill": trial.skill.name, "input": example.input}
    if trial.cwd is not None:
        request["cwd"] = str(trial.cwd)
    try:
        result = await trial.runner.run(request)
    except RunError as error:
        return _ended(example, number, error)
    return _answered(trial, example, number, result)


def _answered(trial: Trial, example: Example, number: int, result: Result) -> Try:
    from agent_workers.skills.trial import Status, Try, answered

    different, problems = answered(trial.skill, example, result.output, live=trial.live)
    return Try(
        example.name,
        number,
        Status.DIFFERS if different or problems else Status.PASSED,
        tuple(different),
        tuple(problems),
        run=result.run,
        models=tuple(result.event.get("models") or ()),
        needs_review=result.event.get("needs_review"),
        cost_usd=result.cost_usd,
    )


def _ended(example: Example, number: int, error: RunError) -> Try:
    from agent_workers.client.errors import RunFailed, RunRefused
    from agent_workers.protocol.v1.problem import Problem
    from agent_workers.skills.trial import Status, Try

    code, details = (error.code, error.details) if isinstance(error, RunFailed) else ("aborted", [])
    return Try(
        example.name,
        number,
        Status.REFUSED if isinstance(error, RunRefused) else Status.FAILED,
        problems=tuple(Problem(pointer=each["pointer"], message=each["message"]) for each in details),
        code=code,
        message=str(error),
        run=error.event["run"],
        models=tuple(error.event.get("models") or ()),
        cost_usd=error.event.get("cost_usd"),
    )


def _status(tries: Sequence[Try]) -> int:
    from agent_workers.skills.trial import Status

    statuses = {each.status for each in tries}
    if Status.REFUSED in statuses:
        return EXIT_REFUSED
    return EXIT_DONE if statuses <= {Status.PASSED} else EXIT_ERROR


def _cost(tries: Sequence[Try]) -> float:
    return sum(each.cost_usd or 0 for each in tries)


def _document(trial: Trial, tries: Sequence[Try]) -> dict[str, Any]:
    from agent_workers.skills.trial import rate

    def counted(example: str | None = None) -> dict[str, Any]:
        passed = rate(tries, example)
        return {"runs": passed.of, "passed": passed.passed, "pass_rate": round(passed.share, 4)}

    return {
        "skill": trial.skill.name,
        "version": trial.skill.version,
        "simulated": not trial.live,
        **counted(),
        "cost_usd": round(_cost(tries), 6) if trial.live else None,
        "examples": [
            {
                "example": example.name,
                **counted(example.name),
                "tries": [_as_json(each, live=trial.live) for each in tries if each.example == example.name],
            }
            for example in trial.examples
        ],
    }


def _as_json(tried: Try, *, live: bool) -> dict[str, Any]:
    said = tried._asdict()
    del said["example"]
    said |= {
        "differences": [each._asdict() for each in tried.differences],
        "problems": [each.to_wire() for each in tried.problems],
        "message": tried.message or None,
    }
    if not live:  # what the simulator says of these means nothing
        del said["models"], said["cost_usd"]
    return {name: value for name, value in said.items() if value is not None}


def _print(trial: Trial, tries: Sequence[Try]) -> None:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    from agent_workers.skills.trial import rate

    table = Table(box=None, pad_edge=False)
    table.add_column("example", no_wrap=True)
    table.add_column("passed", no_wrap=True)
    table.add_column("what differs" if trial.live else "what is wrong", overflow="fold")
    for example in trial.examples:
        passed = rate(tries, example.name)
        words = "\n".join(_words(trial, [each for each in tries if each.example == example.name]))
        table.add_row(Text(example.name), f"{passed.passed} of {passed.of}", Text(harmless(words) or "-"))
    console = Console(highlight=False)
    console.print(Text(_title(trial)))
    console.print(table)
    passed = rate(tries)
    cost = f", ${_cost(tries):.4f} by estimate" if trial.live else ""
    console.print(Text(f"{passed.share:.0%} passed: {passed.passed} of {passed.of} runs{cost}"))


def _title(trial: Trial) -> str:
    how = "live" if trial.live else "SIMULATED: no model has answered; shape and checks only"
    return harmless(f"{trial.skill.name} {trial.skill.version} ({how})")


def _words(trial: Trial, tries: Sequence[Try]) -> Iterator[str]:
    for tried in tries:
        begin = f"run {tried.number}: " if trial.repeat > 1 else ""
        if tried.message:
            yield f"{begin}{tried.message} ({tried.code})"
        for each in tried.differences:
            yield f"{begin}{each.pointer or 'the output'} is {_shown(each.found)}, not {_shown(each.expected)}"
        for problem in tried.problems:
            yield f"{begin}{problem.pointer or 'the output'} {problem.message}"
        if tried.needs_review and tried.status == "passed":
            yield f"{begin}passed; would be marked for review"


def _shown(values: list[Any]) -> str:
    if not values:
        return "absent"
    text = json.dumps(values[0] if len(values) == 1 else values, ensure_ascii=False)
    return text if len(text) <= _LONGEST_VALUE else f"{text[:_LONGEST_VALUE]}…"
