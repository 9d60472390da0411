"""The lines that the worker itself writes to the CLI's stdin: the prompt, and control requests. Pure.

They need no SDK, whose client answers what the CLI asks about tools, permissions and hooks.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from uuid import uuid4

from agent_workers.protocol.v1.kind import is_task
from agent_workers.wire import dump

if TYPE_CHECKING:
    from agent_workers.protocol.v1.request import Request
    from agent_workers.protocol.v1.task_request import Agent

Message = dict[str, Any]

_INITIALIZE = "worker-initialize"
_INTERRUPT = "worker-interrupt"
_WITHDRAW = "worker-withdraw"
_MODEL = "worker-model"


def initialize_line(request: Request, instructions: str | None = None) -> bytes:
    """Returns what the CLI needs before the prompt and a command line would show to every user; may be empty.

    Args:
        request: A valid request.
        instructions: The system prompt, where the CLI was started without one.
    """
    late: Message = {} if instructions is None else {"systemPrompt": instructions}
    if request.output_schema is not None:
        late["jsonSchema"] = readable_schema(request.output_schema)
    if is_task(request) and request.agents:
        late["agents"] = {name: _definition(agent) for name, agent in request.agents.items()}
    return _control(_INITIALIZE, {"subtype": "initialize", **late}) if late else b""


def prompt_line(request: Request, prompt_id: str) -> bytes:
    """Returns the user's message, which the CLI takes verbatim: no ``@file``, no slash command.

    Args:
        request: A valid request.
        prompt_id: A UUID that finds the message in the session's transcript.
    """
    prompt = request.prompt
    content = prompt if isinstance(prompt, str) else [block.model_dump(exclude_none=True) for block in prompt]
    return _line(_user(content, prompt_id))


def steer_line(text: str, line_id: str) -> bytes:
    """Returns a word that the agent reads with its next tool result, verbatim.

    Args:
        text: What it is told.
        line_id: A UUID under which the CLI reports what becomes of it.
    """
    return _line({**_user(text, line_id), "priority": "next"})


def withdraw_line(line_id: str) -> bytes:
    """Returns the request to drop a word that the agent has not read; without effect on one that it has."""
    request = {"subtype": "cancel_async_message", "message_uuid": line_id}
    return _control(f"{_WITHDRAW}-{uuid4().hex}", request)


def again_line(text: str) -> bytes:
    """Returns a further message of the user, with which a new turn begins."""
    return _line(_user(text, str(uuid4())))


def model_line(model: str) -> bytes:
    """Returns the request to have another model answer from now on."""
    return _control(f"{_MODEL}-{uuid4().hex}", {"subtype": "set_model", "model": model})


def interrupt_line() -> bytes:
    """Returns the request to stop; the agent then notes in the session what it has said so far."""
    return _control(_INTERRUPT, {"subtype": "interrupt"})


def refusal(response: Message) -> str | None:
    """Returns why the CLI refused what the run cannot do without; None where this ``control_response`` does not."""
    answer = response.get("response")
    if not isinstance(answer, dict) or answer.get("subtype") != "error":
        return None
    if not str(answer.get("request_id")).startswith((_INITIALIZE, _MODEL)):
        return None
    return str(answer.get("error"))


def readable_schema(schema: Message) -> Message:
    """Returns the schema without ``$schema``: the CLI knows draft 07 alone."""
    return {name: rule for name, rule in schema.items() if name != "$schema"}


def _definition(agent: Agent) -> Message:
    return agent.model_dump(include={"description", "prompt", "tools", "model"}, exclude_none=True)


def _user(content: Any, line_id: str) -> Message:
    return {
        "type": "user",
        "message": {"role": "user", "content": content},
        "parent_tool_use_id": None,
        "session_id": "default",
        "uuid": line_id,
        "client_composed": True,
    }


def _control(request_id: str, request: Message) -> bytes:
    return _line({"type": "control_request", "request_id": request_id, "request": request})


def _line(message: Message) -> bytes:
    return dump(message) + b"\n"
