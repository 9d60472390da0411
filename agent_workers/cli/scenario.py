"""The simulator's scenarios, as options name them and shells complete them."""

from __future__ import annotations

import click
from click.shell_completion import CompletionItem


def complete_scenario(context: object, parameter: object, incomplete: str) -> list[CompletionItem]:
    """Returns the scenarios whose names begin like this."""
    from agent_workers.simulator import load_scenario, scenario_names  # no run pays for it

    names = [name for name in scenario_names() if name.startswith(incomplete)]
    return [CompletionItem(name, help=load_scenario(name).description) for name in names]


def known_scenario(context: click.Context, parameter: click.Parameter, scenario: str | None) -> str | None:
    """Returns the scenario that an option names, where there is one.

    Raises:
        BadParameter: There is no such scenario, or its file cannot be read.
    """
    if scenario is not None and scenario != getattr(parameter, "flag_value", None):
        from agent_workers.simulator import ScenarioError, load_scenario  # only where asked for

        try:
            load_scenario(scenario)
        except ScenarioError as error:
            raise click.BadParameter(str(error), context, parameter) from error
    return scenario
