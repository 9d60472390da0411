"""The economy lane of ``agent-batch``."""

from __future__ import annotations

from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import click

from agent_workers.cli.batch_display import say
from agent_workers.cli.batch_words import moment

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable
    from contextlib import AbstractAsyncContextManager

    from agent_workers.batch.checkpoint import Checkpoint
    from agent_workers.batch.economy import Economy
    from agent_workers.batch.totals import Totals
    from agent_workers.client.on_demand import EngineOnDemand

    Lane = Callable[[EngineOnDemand], AbstractAsyncContextManager[Economy]]

_OF_EXTRAS = {"httpx2": "messages", "starlette": "simulator", "uvicorn": "simulator"}


@asynccontextmanager
async def economy_lane(
    checkpoint: Checkpoint,
    engine: EngineOnDemand,
    *,
    workers: list[str],
    usual: str | None,
    wait: bool,
) -> AsyncIterator[Economy]:
    """Opens the lane.

    Args:
        checkpoint: Keeps what is out.
        engine: Brings the runner that it shares with the lines that run at once.
        workers: The names that a line's ``worker`` may have.
        usual: The worker of lines that name none.
        wait: Whether to wait for what is out.

    Raises:
        UsageError: The extra ``messages`` is not installed, or the extra ``simulator`` for a simulator.
    """
    try:
        from agent_workers.batch.economy import Economy
        from agent_workers.client.economy import EconomyLane

        lane = EconomyLane(engine.runner("agent-chat"))
    except ModuleNotFoundError as missing:
        if missing.name not in _OF_EXTRAS:
            raise
        extra = _OF_EXTRAS[missing.name]
        raise click.UsageError(f"--economy needs the extra {extra}: pip install '.[{extra}]'") from None
    economy = Economy(
        lane,
        checkpoint,
        workers=workers,
        usual=usual,
        wait=wait,
        say=lambda words: say(f"agent-batch: {words}"),
    )
    try:
        yield economy
    finally:
        economy.close()


def tell_out(totals: Totals) -> None:
    """Says what is out, and what to do about it."""
    if totals.out:
        lines, are = ("1 line", "is") if totals.out == 1 else (f"{totals.out} lines", "are")
        what = (
            f"{are} out since {moment(totals.out_since, dated=True)}" if totals.out_since else f"{are} yet to be sent"
        )
        say(f"agent-batch: {lines} {what}; run the same command again")
