"""What runs the requests of ``agent-batch``: for each worker a process of its own, or this one."""

from __future__ import annotations

from typing import TYPE_CHECKING

from agent_workers.client.aio import AsyncProcessRunner
from agent_workers.client.choice import ChosenRunner, EngineChoice
from agent_workers.workers import WORKERS

if TYPE_CHECKING:
    from collections.abc import Mapping

    from agent_workers.client.aio import AsyncRunner
    from agent_workers.client.on_demand import EngineOnDemand


def batch_runners(
    commands: Mapping[str, list[str]], engine: EngineOnDemand, *, policy: str | None, simulate: str | None
) -> dict[str, AsyncRunner]:
    """Returns the runner of each worker.

    Args:
        commands: The command lines of workers that the operator adds, or puts in the place of others.
        engine: Runs requests in this process.
        policy: Path of the host's policy; None for the environment's.
        simulate: Name of a scenario, or empty for each worker's own; None where no simulator answers.
    """
    arguments = [f"--policy={policy}"] if policy else []
    if simulate is not None:
        arguments.append(f"--simulate={simulate}" if simulate else "--simulate")
    choice = EngineChoice(policy=policy, is_simulated=simulate is not None)
    runners: dict[str, AsyncRunner] = {
        name: ChosenRunner(name, AsyncProcessRunner(name, *arguments), engine, choice) for name in WORKERS
    }
    return runners | {name: AsyncProcessRunner(*command) for name, command in commands.items()}
