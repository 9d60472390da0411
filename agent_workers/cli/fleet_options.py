"""What the commands of ``agent-workers fleet`` have in common."""

from __future__ import annotations

import os
import shlex
from typing import TYPE_CHECKING, Any, TypeVar

import click

from agent_workers.cli.harmless import harmless
from agent_workers.errors import EXIT_RETRYABLE

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

    from agent_workers.fleet.fleet import Fleet

F = TypeVar("F", bound="Callable[..., Any]")
T = TypeVar("T")

DEFAULT_REDIS = "redis://127.0.0.1:6379/0"
DEFAULT_PREFIX = "agent-workers"
REDIS_VARIABLE = "AGENT_WORKERS_REDIS"
PREFIX_VARIABLE = "AGENT_WORKERS_FLEET_PREFIX"


class Unreachable(click.ClickException):
    """Raised where Redis cannot be reached: the same may succeed later."""

    exit_code = EXIT_RETRYABLE


def redis_options(command: F) -> F:
    """Adds the options that say where the fleet is."""
    command = click.option(
        "--prefix",
        default=DEFAULT_PREFIX,
        envvar=PREFIX_VARIABLE,
        help="What the fleet's keys begin with.",
        show_default=True,
    )(command)
    return click.option(
        "--redis",
        "url",
        default=DEFAULT_REDIS,
        envvar=REDIS_VARIABLE,
        show_default=True,
        help="Address of Redis; with a password better in AGENT_WORKERS_REDIS.",
    )(command)


def command_line(url: str, prefix: str, *words: str) -> str:
    """Returns a command of the fleet as a person enters it, for this fleet."""
    from agent_workers.fleet.connection import shown

    where = [] if url == os.environ.get(REDIS_VARIABLE, DEFAULT_REDIS) else ["--redis", shown(url)]
    where += [] if prefix == os.environ.get(PREFIX_VARIABLE, DEFAULT_PREFIX) else ["--prefix", prefix]
    return shlex.join(["agent-workers", "fleet", *words, *where])


def ask(url: str, prefix: str, question: Callable[[Fleet], Coroutine[Any, Any, T]]) -> T:
    """Asks the fleet something; see ``run`` for what is raised."""

    async def main() -> T:
        from agent_workers.fleet.fleet import Fleet

        async with Fleet.open(url, prefix=prefix) as fleet:
            return await question(fleet)

    return run(main, url)


def run(main: Callable[[], Coroutine[Any, Any, T]], url: str) -> T:
    """Runs a command of the fleet.

    Raises:
        Unreachable: Redis cannot be reached.
        ClickException: The extra is missing, the address is none, Redis refuses something, or there is no such run.
    """
    import asyncio

    try:
        from redis.exceptions import AuthenticationError, RedisError
        from redis.exceptions import ConnectionError as RedisGone
        from redis.exceptions import TimeoutError as RedisSlow
    except ImportError:
        raise click.ClickException("the fleet needs its extra: pip install 'claude-agent-workers[fleet]'") from None
    from agent_workers.fleet.connection import shown
    from agent_workers.fleet.fleet import NoSuchRun, RunOver, RunTaken

    try:
        return asyncio.run(main())
    except AuthenticationError as error:
        cure = f"Put the user and the password into {REDIS_VARIABLE}: redis://USER:PASSWORD@HOST:PORT/0."
        raise click.ClickException(harmless(f"Redis at {shown(url)} refuses: {error}. {cure}")) from error
    except (RedisGone, RedisSlow) as error:
        raise Unreachable(harmless(unreachable(url, error))) from error
    except RedisError as error:
        raise click.ClickException(harmless(f"Redis at {shown(url)}: {error}")) from error
    except (NoSuchRun, RunOver, RunTaken, ValueError) as error:
        raise click.ClickException(harmless(str(error))) from error


def unreachable(url: str, error: Exception) -> str:
    """Says that Redis cannot be reached, why, and what to do."""
    from agent_workers.fleet.connection import shown

    why = str(error).rstrip(".") or "it does not answer"
    cure = f"Start it, or name the fleet's: --redis, or {REDIS_VARIABLE}."
    return f"Redis at {shown(url)} cannot be reached: {why}. {cure}"
