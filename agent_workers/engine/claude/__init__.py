"""The Claude engine: the only part that knows of the SDK and its CLI."""

from __future__ import annotations

from typing import TYPE_CHECKING

from agent_workers.errors import StateUnavailable

from .environment import NO_TMPDIR, Host, make_private, make_scratch, remove_scratch
from .installation import find_cli
from .options import agent_variables, command_line, prompt_line
from .process import CliProcess

if TYPE_CHECKING:
    from agent_workers.protocol.v1.request import Request

    from .engine import ClaudeEngine

__all__ = ["Host", "launch"]


def launch(
    request: Request, host: Host, *, workspace: str, system_prompt: str, max_turns: int | None = None
) -> ClaudeEngine:
    """Starts the agent of a run and hands it the prompt; imports the engine while its CLI boots.

    Args:
        request: A valid request.
        host: Where the agent lives.
        workspace: Name of the worker's own working directory under the state directory; sessions belong to it.
        system_prompt: Used where the request brings none.
        max_turns: Used where the request brings none.

    Raises:
        WorkerError: The CLI is missing, the state directory cannot be written, or the request does not fit.
    """
    cli = find_cli(host.environ)
    cwd = host.state_dir() / "workspaces" / workspace
    make_private(cwd)
    scratch = make_scratch(host.environ)
    try:
        prompt_file = scratch / "system-prompt"
        try:
            prompt_file.write_text(request.system_prompt or system_prompt, "utf-8")
        except OSError as error:
            raise StateUnavailable(NO_TMPDIR, cause=f"{prompt_file}: {error.strerror}") from error
        argv = command_line(cli, request, system_prompt_file=prompt_file, max_turns=max_turns)
        environ = agent_variables(request, host.agent_environ(scratch))
        process = CliProcess(argv, environ=environ, cwd=cwd, scratch=scratch)
    except BaseException:
        remove_scratch(scratch)
        raise
    try:
        unsent = process.write_now(prompt_line(request))
        from .engine import ClaudeEngine  # noqa: PLC0415 brings the event loop: the CLI boots meanwhile

        return ClaudeEngine(request, process, unsent)
    except BaseException:
        process.kill()
        process.remove_scratch()
        raise
