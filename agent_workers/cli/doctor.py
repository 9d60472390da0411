"""``agent-workers doctor``: is this host set up for this user."""

from __future__ import annotations

import json
import os
import pwd
from typing import TYPE_CHECKING, Any

import click

from agent_workers import __version__
from agent_workers.cli.harmless import harmless
from agent_workers.workers import WORKERS

if TYPE_CHECKING:
    from typing import NoReturn

    from agent_workers.cli.checkup import Finding
    from agent_workers.cli.options import Options
    from agent_workers.workers.base import Worker

_COLORS = {"ok": "green", "warn": "yellow", "fail": "red"}
_FORMAT = 1
_NOWHERE = "http://127.0.0.1/simulated"  # nothing is sent
_NAME_WIDTH = 17

_HELP = """Checks what a worker needs on this host, as the user who asks and with this environment.

Run it as the application's user and with its variables: those of an administrator's shell differ. It leaves nothing
behind. It names the kind of credential that it found, never the value. Where AGENT_WORKERS_POOL or --pool names a pool,
it asks that one, too; what only runs without the pool need is then a warning. Where AGENT_WORKERS_REDIS names the
fleet's Redis, it asks whether that one is as the fleet needs it. Exit status: 1 if runs would fail, else 0.

--json: {"v": 1, "status": "ok", "user": "www-data", "agent_workers": "0.1.0", "checks": [...]}, each check
{"check": "cli", "status": "ok" | "warn" | "fail", "found": "…", "cure"?: "…", "facts": {"path": "…", …}}. The
status on top is the worst of them. Names of checks and facts stay; more may be added.

\b
Examples:
  agent-workers doctor
  agent-workers doctor --pool /run/agent-workers/pool.sock
  agent-workers doctor --online --json | jq -r '.checks[] | select(.status != "ok") | .cure'
  sudo -u www-data env -i PATH="$PATH" HOME=/nonexistent agent-workers doctor
"""


@click.command(help=_HELP, short_help="Is this host set up, for this user?")
@click.option("--json", "as_json", is_flag=True, help="Write one JSON object instead of lines.")
@click.option("--online", is_flag=True, help="See if the API can be reached, too. No credential is sent.")
@click.option("--pool", type=click.Path(readable=False), help="The pool's socket, in place of AGENT_WORKERS_POOL.")
def doctor(as_json: bool, online: bool, pool: str | None) -> None:
    """Checks the host for the user who asks."""
    from agent_workers.cli.checkup import check_host
    from agent_workers.engine.claude import Environment  # help and completion do without them

    environ = {**os.environ, **({"AGENT_WORKERS_POOL": pool} if pool is not None else {})}
    _tell(check_host(Environment(environ), online=online), as_json=as_json)


def examine(worker: Worker, options: Options) -> NoReturn:
    """Checks the host for one worker, with the options that its program was started with; ends the process."""
    from agent_workers.cli.checkup import check_worker
    from agent_workers.engine.claude import Environment
    from agent_workers.stdio.inherited import reset_inherited

    reset_inherited()
    environ = {**os.environ, **({"AGENT_WORKERS_POLICY": options.policy} if options.policy else {})}
    host = Environment(environ, _NOWHERE if options.simulate else None)
    _tell(check_worker(host, worker.name), as_json=options.doctor == "json")


def _tell(findings: list[Finding], *, as_json: bool) -> NoReturn:
    status = _worst(findings)
    if as_json:
        click.echo(json.dumps(_report(findings, status), indent=2))
    else:
        _print(findings, status)
    raise SystemExit(1 if status == "fail" else 0)


def _worst(findings: list[Finding]) -> str:
    found = {finding.status for finding in findings}
    return next((status for status in ("fail", "warn") if status in found), "ok")


def _report(findings: list[Finding], status: str) -> dict[str, Any]:
    return {
        "v": _FORMAT,
        "status": status,
        "user": _user(),
        "agent_workers": __version__,
        "checks": [finding.to_json() for finding in findings],
    }


def _print(findings: list[Finding], status: str) -> None:
    click.echo(f"agent-workers {__version__} ({', '.join(WORKERS)}), checked as {_user()} (uid {os.getuid()})")
    for finding in findings:
        mark = click.style(f"{finding.status:5}", fg=_COLORS[finding.status])
        click.echo(f"{mark}{finding.check:{_NAME_WIDTH}}{harmless(finding.found)}")
        if finding.cure:
            click.echo(f"{'':5}{'':{_NAME_WIDTH}}-> {harmless(finding.cure)}")
    click.echo(_VERDICTS[status])


_VERDICTS = {
    "ok": "Ready.",
    "warn": "Ready, with the warnings above.",
    "fail": "Not ready: see each fail above.",
}


def _user() -> str:
    try:
        return pwd.getpwuid(os.getuid()).pw_name
    except KeyError:
        return str(os.getuid())
