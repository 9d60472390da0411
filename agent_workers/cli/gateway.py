"""``agent-workers gateway``: a door for browsers."""

from __future__ import annotations

import logging
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from collections.abc import Callable

    from agent_workers.gateway.settings import GatewaySettings

_HELP = """Starts runs for browsers that bring a token of the application, and streams them, until SIGTERM or SIGINT;
SIGHUP reads the keys and presets anew.

The application signs a token for one user and a short time. It names a preset of this gateway's settings, which says
what runs: the browser sets the prompt and the conversation, and nothing else.

\b
Examples:
  agent-workers gateway --config /etc/agent-workers/gateway.toml
  agent-workers gateway --config gateway.toml --listen 127.0.0.1:8301
  agent-workers gateway --config gateway.toml --check
  agent-workers gateway --openapi
  AGENT_WORKERS_REDIS=redis://127.0.0.1:6379/0 agent-workers gateway --config gateway.toml
"""
_NO_EXTRA = "the gateway needs its extra: pip install 'claude-agent-workers[gateway]'"


@click.command(help=_HELP, short_help="Start and stream runs for browsers.")
@click.option(
    "--config",
    type=click.Path(dir_okay=False),
    envvar="AGENT_WORKERS_GATEWAY",
    help="The TOML file with the settings.",
)
@click.option("--listen", help="HOST:PORT or unix:/PATH, in the place of the file's.")
@click.option("--redis", envvar="AGENT_WORKERS_REDIS", help="Address of the fleet's Redis, in the place of the file's.")
@click.option("--check", is_flag=True, help="Check the settings and the keys, and start nothing.")
@click.option("--openapi", is_flag=True, help="Write the routes as an OpenAPI document, and start nothing.")
def gateway(config: str | None, listen: str | None, redis: str | None, *, check: bool, openapi: bool) -> None:
    """Serves until it is told to stop."""
    if openapi:
        _write_openapi()
        return
    if config is None:
        raise click.UsageError("name the settings: --config PATH, or AGENT_WORKERS_GATEWAY")
    settings, keys = _settings(config, {"listen": listen, "redis": redis})
    if check:
        click.echo(f"{config}: {len(keys)} key(s), {len(settings.preset)} preset(s); nothing is wrong")
        return
    _serve(settings, keys, lambda: _read_anew(config, {"listen": listen, "redis": redis}))


def _read_anew(config: str, options: dict[str, str | None]) -> tuple[GatewaySettings, dict[str, Any]]:
    """Reads the settings once more.

    Raises:
        ValueError: They have a fault.
    """
    try:
        return _settings(config, options)
    except click.ClickException as fault:
        raise ValueError(fault.message) from None


def _settings(config: str, options: dict[str, str | None]) -> tuple[GatewaySettings, dict[str, Any]]:
    from pydantic import ValidationError

    from agent_workers.protocol.toml_file import Unreadable

    try:
        from agent_workers.gateway.secret_text import UnusableKey
        from agent_workers.gateway.setting_up import NotReady, check_presets, load_keys
        from agent_workers.gateway.settings import read_settings

        given = {name: value for name, value in options.items() if value}
        settings = read_settings(Path(config), given)
        check_presets(settings)
        return settings, load_keys(settings)
    except ModuleNotFoundError:
        raise click.ClickException(_NO_EXTRA) from None
    except ValidationError as error:
        words = "; ".join(f"{'.'.join(map(str, each['loc']))} {each['msg']}" for each in error.errors())
        raise click.ClickException(words) from None
    except (NotReady, Unreadable, UnusableKey) as error:
        raise click.ClickException(str(error)) from None


def _serve(
    settings: GatewaySettings, keys: dict[str, Any], read_anew: Callable[[], tuple[GatewaySettings, dict[str, Any]]]
) -> None:
    import asyncio

    from agent_workers.engine.process.prctl import hide_from_others
    from agent_workers.gateway.server import open_listener, raise_files, serve, state_folder
    from agent_workers.gateway.setting_up import NotReady

    _log()
    hide_from_others()  # the agents' commands must not read keys from here
    raise_files()
    try:
        state_folder(settings)
        listener = open_listener(settings.listen)
    except OSError as error:
        raise click.ClickException(f"{settings.listen}: {error.strerror or error}") from error
    try:
        asyncio.run(serve(settings, keys, listener, read_anew))
    except NotReady as fault:
        raise click.ClickException(str(fault)) from None


def _write_openapi() -> None:
    import json

    try:
        from agent_workers.gateway.openapi import page
    except ModuleNotFoundError:
        raise click.ClickException(_NO_EXTRA) from None
    click.echo(json.dumps(page(), indent=2))


def _log() -> None:
    asked = (os.environ.get("AGENT_WORKERS_LOG") or "info").upper()
    level = logging.getLevelNamesMapping().get(asked, logging.INFO)
    logging.basicConfig(format="agent-workers gateway: %(message)s", level=logging.WARNING, stream=sys.stderr)
    logging.getLogger("agent_workers.gateway").setLevel(level)
    logging.getLogger("uvicorn.error").setLevel(logging.ERROR)
