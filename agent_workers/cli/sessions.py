"""``agent-workers sessions``: the conversations that are kept on this machine, as files."""

from __future__ import annotations

import json
import sys
import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, TypeVar

import click

from agent_workers.cli.harmless import harmless
from agent_workers.cli.records_options import Age
from agent_workers.errors import WorkerError

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import timedelta

    from agent_workers.client.kept_sessions import KeptSession
    from agent_workers.client.session_files import SessionFiles

T = TypeVar("T")

_HELP = """Looks after the conversations that are kept on this machine, as files: those that session.resume continues.

A SESSION is its id, or the name that list shows: the files do not say what your application calls it.

\b
Examples:
  agent-workers sessions list
  agent-workers sessions show 3f2b8c1e-5d0a-4c77-9a51-0e6f6b1f2d34
  agent-workers sessions export 3f2b8c1e-5d0a-4c77-9a51-0e6f6b1f2d34 > session.bundle
  agent-workers sessions prune --older-than 90d
  agent-workers sessions remove 3f2b8c1e-5d0a-4c77-9a51-0e6f6b1f2d34
"""
_simulated = click.option("--simulated", is_flag=True, help="Those of runs with --simulate, which are kept apart.")


@click.group(help=_HELP, short_help="Look after the conversations of this machine.")
def sessions() -> None:
    """Has nothing to do before its commands."""


@sessions.command("list", short_help="List them, the newest first.")
@click.option("--json", "is_json", is_flag=True, help="Write JSON, a session a line.")
@_simulated
def list_(*, is_json: bool, simulated: bool) -> None:
    """Lists the sessions whose files are here, the newest first."""
    found = sorted(_kept(simulated=simulated), key=lambda session: -session.changed_at)
    if is_json:
        for session in found:
            click.echo(json.dumps(_told(session), separators=(",", ":")))
        return
    if not found:
        click.echo("No session is kept here.")
    for session in found:
        whose = f"  {session.owner}" if session.owner else ""
        words = f"{session.name}  {_when(session)}  {session.size:>10,} bytes  {session.worker}{whose}"
        click.echo(harmless(words))


@sessions.command(short_help="Tell what a session is, and what was said in it.")
@click.argument("session")
@_simulated
def show(session: str, *, simulated: bool) -> None:
    """Tells what a session is bound to, and what was said in it."""
    found = _named(session, simulated=simulated)
    for name, value in _told(found).items():
        click.echo(harmless(f"{name:11} {value}"))
    for role, text in _said(found):
        click.echo(harmless(f"\n{role}: {text}"))


@sessions.command(short_help="Write a session to stdout, as one piece.")
@click.argument("session")
@_simulated
def export(session: str, *, simulated: bool) -> None:
    """Writes a session to stdout: the form in which a fleet stores it, too."""
    if sys.stdout.isatty():
        raise click.UsageError("a session is no text: redirect stdout into a file")
    found = _named(session, simulated=simulated)
    data = _told_of(lambda: _files(simulated=simulated).export(found.name))
    if data is None:
        raise click.ClickException("nothing was said in this session")
    sys.stdout.buffer.write(data)


@sessions.command(short_help="Remove old sessions.")
@click.option("--older-than", type=Age(), required=True, help="Since when nothing was said in it: 12h, 90d, 8w, 2y.")
@click.option("--dry-run", is_flag=True, help="Only tell which.")
@_simulated
def prune(older_than: timedelta, *, dry_run: bool, simulated: bool) -> None:
    """Removes the sessions in which nothing was said for so long. One that a run is writing stays."""
    before = time.time() - older_than.total_seconds()
    old = [session for session in _kept(simulated=simulated) if session.changed_at < before]
    files, removed, size = _files(simulated=simulated), 0, 0
    for session in old:
        if dry_run:
            click.echo(session.name)
            continue
        try:
            files.remove(session.name)
        except WorkerError as error:
            click.echo(harmless(f"{session.name}: {error.message}"), err=True)
            continue
        removed, size = removed + 1, size + session.size
    if not dry_run:
        click.echo(f"removed: {removed} of {len(old)} old sessions, {size:,} bytes")


@sessions.command(short_help="Remove sessions.")
@click.argument("wanted", metavar="SESSION...", nargs=-1, required=True)
@_simulated
def remove(wanted: tuple[str, ...], *, simulated: bool) -> None:
    """Removes what is kept here of these sessions; what is not here is no error. One that a run is writing stays."""
    named = {name: session for session in wanted for name in _names(session, simulated=simulated)}
    here = [session.name for session in _kept(simulated=simulated) if session.name in named]
    files, busy = _files(simulated=simulated), 0
    for name in here:
        try:
            files.remove(name)
        except WorkerError as error:
            busy += 1
            click.echo(harmless(f"{named[name]}: {error.message}"), err=True)
    click.echo(f"removed: {len(here) - busy} of {len(set(wanted))} sessions")
    if busy:
        sys.exit(1)


def _files(*, simulated: bool) -> SessionFiles:
    from agent_workers.client.session_files import SessionFiles

    return SessionFiles(simulated=simulated, by_name=True)


def _kept(*, simulated: bool) -> list[KeptSession]:
    return _told_of(lambda: list(_files(simulated=simulated).kept()))


def _named(session: str, *, simulated: bool) -> KeptSession:
    names = _names(session, simulated=simulated)
    found = next((each for each in _kept(simulated=simulated) if each.name in names), None)
    if found is None:
        raise click.ClickException(f"no such session is kept here: {harmless(session)!r}")
    return found


def _names(session: str, *, simulated: bool) -> set[str]:
    from agent_workers.client.session_files import SessionFiles

    return {session.lower(), SessionFiles(simulated=simulated).name_of(session)}


def _told_of(ask: Callable[[], T]) -> T:
    try:
        return ask()
    except WorkerError as error:
        raise click.ClickException(
            harmless(f"{error.message} ({error.cause})" if error.cause else str(error))
        ) from None


def _told(session: KeptSession) -> dict[str, Any]:
    told = session._asdict()
    told["files"] = len(session.files)
    told["changed_at"] = _when(session)
    return {name: value for name, value in told.items() if value is not None}


def _when(session: KeptSession) -> str:
    return datetime.fromtimestamp(session.changed_at, UTC).isoformat(timespec="seconds").replace("+00:00", "Z")


def _said(session: KeptSession) -> list[tuple[str, str]]:
    """Returns who said what, as far as the lines of the transcript tell it."""
    said = []
    if path := session.files.get("transcript"):
        for line in path.read_bytes().splitlines():
            try:
                found = json.loads(line)
            except (ValueError, RecursionError):
                continue
            message = found.get("message", found) if isinstance(found, dict) else None
            if isinstance(message, dict) and isinstance(role := message.get("role"), str):
                said += [(role, text) for text in _texts(message.get("content"))]
    return said


def _texts(content: Any) -> list[str]:
    if isinstance(content, str):
        return [content]
    blocks = [block for block in content if isinstance(block, dict)] if isinstance(content, list) else []
    return [_text(block) for block in blocks if _text(block)]


def _text(block: dict[str, Any]) -> str:
    if block.get("type") == "tool_use":
        return f"[{block.get('name')} {json.dumps(block.get('input'), ensure_ascii=False)}]"
    text = block.get("text") if block.get("type") == "text" else None
    return text if isinstance(text, str) else ""
