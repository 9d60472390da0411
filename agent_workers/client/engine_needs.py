"""What a runner of this process is made with, looked at before it is: mistakes are told with their cure."""

from __future__ import annotations

from importlib.util import find_spec
from typing import TYPE_CHECKING

from agent_workers.workers import WORKERS

if TYPE_CHECKING:
    from collections.abc import Sequence

_ENGINE = ("messages", ("httpx2",))
_SIMULATOR = ("simulator", ("starlette", "uvicorn"))
_NAMED = ("policy", "env", "simulate", "connections")


def check_options(options: Sequence[str]) -> None:
    """Refuses the options that a runner of processes takes.

    Raises:
        TypeError: There are any; it says what to write.
    """
    if options:
        name, _, value = str(options[0]).removeprefix("--").partition("=")
        value = value or next((each for each in options[1:] if not each.startswith("--")), "")
        cure = f'write {name}="{value}"' if name in _NAMED else f"it has {', '.join(_NAMED)}, each by its name"
        raise TypeError(f"a runner of this process takes no options of a command line: {cure}")


def check_needs(worker: str, simulate: str | None) -> None:
    """Looks at whether there is what a runner needs.

    Args:
        worker: The worker's name.
        simulate: Name of the scenario, or empty for the usual one; None where no simulator answers.

    Raises:
        ValueError: There is no such worker or scenario.
        ImportError: An extra is not installed.
    """
    if worker not in WORKERS:
        raise ValueError(f"no worker is called {worker!r}; one of: {', '.join(WORKERS)}")
    for extra, packages in (_ENGINE,) if simulate is None else (_ENGINE, _SIMULATOR):
        for name in packages:
            if not find_spec(name):
                words = f"{name} is missing. In a clone of this project: pip install '.[{extra}]'"
                raise ModuleNotFoundError(words, name=name)
    if simulate:
        from agent_workers.simulator import load_scenario  # only where asked for

        load_scenario(simulate)
