"""The names of the simulator's scenarios, as shells complete them."""

from __future__ import annotations

from click.shell_completion import CompletionItem


def complete_scenario(context: object, parameter: object, incomplete: str) -> list[CompletionItem]:
    """Returns the scenarios whose names begin like this."""
    from agent_workers.simulator import load_scenario, scenario_names  # no run pays for it

    names = [name for name in scenario_names() if name.startswith(incomplete)]
    return [CompletionItem(name, help=load_scenario(name).description) for name in names]
