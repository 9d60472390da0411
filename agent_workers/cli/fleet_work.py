"""``agent-workers fleet work``: a process of the fleet."""

from __future__ import annotations

import logging
import os
import re
import shlex
from pathlib import Path
from typing import Any

import click

from agent_workers.cli.fleet_options import redis_options, run

_ADDRESS = re.compile(r"unix:.+|(?:[\w.-]+|\[[0-9a-fA-F:.]+\]):[0-9]{1,5}")
_RECEIVERS = ("OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT")
_QUEUE = re.compile(r"([a-z0-9][a-z0-9_.-]{0,63})(?:=([0-9]{1,4}))?")


class _Queues(click.ParamType[tuple[str, int]]):
    name = "QUEUE=SLOTS"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> tuple[str, int]:
        found = _QUEUE.fullmatch(value)
        if not found or found[2] == "0":
            self.fail(f"{value!r} is not a queue and how many of its jobs run at once, such as default=4", param, ctx)
        return found[1], int(found[2] or 1)


class _Address(click.ParamType[str]):
    name = "HOST:PORT"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        if not _ADDRESS.fullmatch(value):
            self.fail(f"{value!r} is neither HOST:PORT, such as 127.0.0.1:9464, nor unix:PATH", param, ctx)
        return str(value)


class _Command(click.ParamType[tuple[str, list[str]]]):
    name = "NAME=COMMAND"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> tuple[str, list[str]]:
        name, _, command = value.partition("=")
        words = shlex.split(command)
        if not name or not words:
            self.fail(f"{value!r} is not a worker's name and its command line", param, ctx)
        return name, words


@click.command(short_help="Take jobs and run them.")
@redis_options
@click.option(
    "--queue",
    "queues",
    type=_Queues(),
    multiple=True,
    help="A queue, and how many of its jobs run at once here; 1 without a number.",
)
@click.option(
    "--lease-s",
    type=click.FloatRange(1, 3600),
    default=30,
    show_default=True,
    envvar="AGENT_WORKERS_FLEET_LEASE_S",
    help="Seconds after which the jobs of a process that has gone are another's; the same for a whole fleet.",
)
@click.option(
    "--grace-s",
    type=click.FloatRange(0, 86_400),
    default=30,
    show_default=True,
    help="Seconds that running jobs get to end when this is stopped; the rest goes to another process.",
)
@click.option(
    "--keep-s",
    type=click.FloatRange(1),
    default=86_400,
    show_default=True,
    help="Seconds that a run's events are kept after its end.",
)
@click.option(
    "--dead-s",
    type=click.FloatRange(1),
    default=30 * 86_400,
    show_default=True,
    help="Seconds that the job of a run that failed for good is kept.",
)
@click.option(
    "--credentials",
    type=click.Path(exists=True, file_okay=False),
    envvar="CREDENTIALS_DIRECTORY",
    help="Folder with a file for each credential that jobs may name.",
)
@click.option(
    "--sessions",
    default="redis:",
    show_default=True,
    envvar="AGENT_WORKERS_SESSIONS",
    help="Where conversations are stored: redis:, file:///PATH of a folder that all machines share, or s3://BUCKET/PREFIX.",
)
@click.option("--policy", type=click.Path(exists=True, dir_okay=False), help="The host's policy.")
@click.option(
    "--worker",
    "workers",
    type=_Command(),
    multiple=True,
    help="The command line of a worker, in the place of the usual one.",
)
@click.option(
    "--listen",
    type=_Address(),
    help="Where /healthz, /readyz and /metrics are answered; unix:PATH too.",
)
@click.option(
    "--traces",
    is_flag=True,
    help="Trace attempts by OTLP over HTTP; also where OTEL_EXPORTER_OTLP_ENDPOINT is set.",
)
@click.option("--name", help="What this process is called in the fleet; the host's name and its pid when absent.")
def work(
    url: str, prefix: str, queues: tuple[tuple[str, int], ...], workers: tuple[tuple[str, list[str]], ...], **given: Any
) -> None:
    """Takes jobs out of Redis and runs each in a process of its own, until SIGTERM or SIGINT.

    Then it begins nothing more, lets what runs end within a grace, and gives the rest back to the fleet.
    """
    given["traces"] = _traces(asked=given["traces"])
    records = os.environ.get("AGENT_WORKERS_RECORDS", "")
    given["records"] = bool(records)
    _log(url, records)
    run(lambda: _work(url, prefix, dict(queues) or {"default": 1}, dict(workers), given), url)


async def _work(
    url: str, prefix: str, queues: dict[str, int], workers: dict[str, list[str]], given: dict[str, Any]
) -> None:
    from agent_workers.engine.process.prctl import hide_from_others
    from agent_workers.fleet.serving.service import work as serve
    from agent_workers.fleet.serving.settings import WorkSettings

    hide_from_others()  # the agents' commands must not read keys from here
    folder = given.pop("credentials")
    named = {"host": name} if (name := given.pop("name")) else {}
    await serve(
        WorkSettings(
            url, queues, prefix, workers=workers, credentials=Path(folder) if folder else None, **named, **given
        )
    )


def _traces(*, asked: bool) -> bool:
    """Tells whether attempts are traced: where that is asked for, or OpenTelemetry's variables name a receiver."""
    if os.environ.get("OTEL_SDK_DISABLED", "").lower() == "true" or os.environ.get("OTEL_TRACES_EXPORTER") == "none":
        return False
    return asked or any(os.environ.get(name) for name in _RECEIVERS)


def _log(url: str, records: str) -> None:
    from agent_workers.fleet.serving.log import secrets_of, set_up

    level = logging.getLevelNamesMapping().get((os.environ.get("AGENT_WORKERS_LOG") or "info").upper(), logging.INFO)
    set_up(
        level,
        is_json=os.environ.get("AGENT_WORKERS_LOG_FORMAT") == "json",
        secrets=[*secrets_of(url), *secrets_of(records)],
    )
