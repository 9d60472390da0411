"""What the commands of ``agent-workers fleet`` have in common."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar

import click

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

F = TypeVar("F", bound="Callable[..., Any]")

DEFAULT_REDIS = "redis://127.0.0.1:6379/0"


def redis_options(command: F) -> F:
    """Adds the options that say where the fleet is."""
    command = click.option(
        "--prefix",
        default="agent-workers",
        envvar="AGENT_WORKERS_FLEET_PREFIX",
        help="What the fleet's keys begin with.",
        show_default=True,
    )(command)
    return click.option(
        "--redis",
        "url",
        default=DEFAULT_REDIS,
        envvar="AGENT_WORKERS_REDIS",
        show_default=True,
        help="Address of Redis; with a password better in AGENT_WORKERS_REDIS.",
    )(command)


def run(main: Callable[[], Coroutine[Any, Any, None]]) -> None:
    """Runs a command of the fleet.

    Raises:
        ClickException: The extra is missing, the address is none, or Redis cannot be reached.
    """
    import asyncio

    try:
        from redis.exceptions import RedisError
    except ImportError:
        raise click.ClickException("the fleet needs its extra: pip install 'claude-agent-workers[fleet]'") from None
    try:
        asyncio.run(main())
    except RedisError as error:
        raise click.ClickException(f"Redis: {error}") from error
    except ValueError as error:
        raise click.ClickException(str(error)) from error
