"""Builds the CLI's command line from a request. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from agent_workers.engine.claude.launch.capabilities import Capabilities
    from agent_workers.engine.host.sessions import Lease
    from agent_workers.protocol.v1.request import Request


def command_line(
    cli: Path,
    request: Request,
    capabilities: Capabilities,
    lease: Lease,
    *,
    files: Mapping[str, Path],
    max_turns: int | None,
) -> list[str]:
    """Builds the CLI's command line with the least privilege: no settings files, MCP servers or tools but ours.

    Args:
        cli: The CLI's path.
        request: A valid request.
        capabilities: What the agent may use besides text.
        lease: The session that it writes.
        files: This run's files by their flags. Their content stays out of the command line, which every user can see.
        max_turns: The worker's own limit, used where the request sets none.
    """
    argv = [str(cli), "--output-format", "stream-json", "--verbose", "--input-format", "stream-json"]
    argv += ["--setting-sources=", "--strict-mcp-config", "--tools", ",".join(capabilities.tools)]
    argv += ["--system-prompt-snapshot", "off"]  # otherwise a resumed session keeps the instructions of its first run
    argv += capabilities.flags
    for flag, file in files.items():
        argv += [flag, str(file)]
    argv += _model_flags(request, max_turns)
    argv += _session_flags(lease)
    if request.stream.partial:
        argv.append("--include-partial-messages")
    return argv


def _model_flags(request: Request, max_turns: int | None) -> Iterator[str]:
    if request.model:
        yield f"--model={request.model}"
    if request.fallback_model:
        yield f"--fallback-model={request.fallback_model}"
    if turns := request.max_turns or max_turns:
        yield f"--max-turns={turns}"
    if request.limits.max_budget_usd is not None:
        yield f"--max-budget-usd={request.limits.max_budget_usd}"


def _session_flags(lease: Lease) -> list[str]:
    if lease.resumes is None:
        return [f"--session-id={lease.agent_id}"]
    if lease.resumes == lease.agent_id:
        return [f"--resume={lease.agent_id}"]
    return [f"--resume={lease.resumes}", "--fork-session", f"--session-id={lease.agent_id}"]
