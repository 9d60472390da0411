"""From a request to the CLI's command line. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from agent_workers.engine.claude.launch.capabilities import Capabilities
    from agent_workers.engine.claude.launch.sessions import Lease
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
    """The CLI's argv with the least privilege: no settings files, no MCP servers and no tools but ours.

    Args:
        cli: The CLI's path.
        request: A valid request.
        capabilities: What the agent has besides words.
        lease: The session that it writes.
        files: Written for this run, by their flags: a command line shows itself to every user of the host.
        max_turns: The worker's own limit, where the request brings none.
    """
    argv = [str(cli), "--output-format", "stream-json", "--verbose", "--input-format", "stream-json"]
    argv += ["--setting-sources=", "--strict-mcp-config", "--tools", ",".join(capabilities.tools)]
    argv += ["--system-prompt-snapshot", "off"]  # else a resumed session keeps the instructions of its first run
    argv += capabilities.flags
    for flag, file in files.items():
        argv += [flag, str(file)]
    argv += _model_flags(request, max_turns)
    argv += lease.flags
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
