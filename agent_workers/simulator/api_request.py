"""One request to ``POST /v1/messages``, as far as the simulator reads it."""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

_DIRECTIVE = re.compile(r"\[\[scenario:([^\]\s]+)\]\]")
_NO_OBJECT = "The request body is not valid JSON."
_NO_MESSAGES = "messages: at least one message is required"
_REMINDER = "<system-reminder>"
_CHARACTERS_PER_TOKEN = 4
_CLI_SESSION = "x-claude-code-session-id"
OWN_SESSION = "x-agent-workers-session"
"""The header by which a client other than the CLI tells its sessions apart."""


class MalformedRequestError(ValueError):
    """Raised when a body is not a request for a message. The text is what the API would say."""

    def __init__(self, body: object) -> None:
        is_object = isinstance(body, dict)
        super().__init__(_NO_MESSAGES if is_object else _NO_OBJECT)


@dataclass(frozen=True)
class Prompt:
    """What a user wrote in one message. ``position`` is the index of that message."""

    position: int
    text: str


class ApiRequest:
    """A request for a message.

    Raises:
        MalformedRequestError: The body is not an object, or has no messages.
    """

    def __init__(self, headers: Mapping[str, str], body: object) -> None:
        if not isinstance(body, dict) or not isinstance(body.get("messages"), list) or not body["messages"]:
            raise MalformedRequestError(body)
        self.body: dict[str, Any] = body
        self.headers = headers
        self.model = str(body.get("model", "claude-simulated"))
        self.streaming = body.get("stream") is True
        self.prompts = list(_prompts(body["messages"]))

    @property
    def conversation(self) -> tuple[str, str, int]:
        """The conversation it belongs to: session, agent and first prompt.

        The CLI's side calls (such as for a title) and its subagents send the session of the main conversation, so the
        session alone would mix them up. A client that sends no session has one conversation for each first prompt.
        """
        session = self.headers.get(_CLI_SESSION) or self.headers.get(OWN_SESSION, "")
        agent = self.headers.get("x-claude-code-agent-id", "")
        # The hash, for as many prompts as there are conversations would take much memory.
        return session, agent, hash(self.texts[0])

    @property
    def directive(self) -> tuple[str, int] | None:
        """The latest ``[[scenario:NAME]]`` of the user's prompts: the name, and the index of the message."""
        for prompt in reversed(self.prompts):
            if found := _DIRECTIVE.search(prompt.text):
                return found[1], prompt.position
        return None

    @property
    def answer_schema(self) -> dict[str, Any] | None:
        """The schema in ``output_config.format``, by which a client without tools asks for structured output."""
        config = self.body.get("output_config")
        wanted = config.get("format") if isinstance(config, dict) else None
        schema = wanted.get("schema") if isinstance(wanted, dict) else None
        return schema if isinstance(schema, dict) else None

    @property
    def is_side_call(self) -> bool:
        """Whether the CLI asks for something beside its conversation: it is the one with a session and a schema."""
        return _CLI_SESSION in self.headers and self.answer_schema is not None

    def tool_schema(self, name: str) -> dict[str, Any] | None:
        """Returns the ``input_schema`` of the tool of that name; None if the request does not offer it."""
        for tool in self.body.get("tools") or ():
            if isinstance(tool, dict) and tool.get("name") == name:
                schema = tool.get("input_schema")
                return schema if isinstance(schema, dict) else {}
        return None

    @property
    def texts(self) -> list[str]:
        """The texts of the prompts, at least one."""
        return [prompt.text for prompt in self.prompts] or [""]

    def latest_result(self) -> str:
        """Returns the text of the latest result of a tool."""
        return next(_results(self.body["messages"]), "")


def estimated_tokens(content: object) -> int:
    """Returns a plausible, repeatable number of tokens for a text or for anything that is JSON."""
    text = content if isinstance(content, str) else json.dumps(content)
    return max(1, len(text) // _CHARACTERS_PER_TOKEN)


def _prompts(messages: list[Any]) -> Iterator[Prompt]:
    for position, message in enumerate(messages):
        if isinstance(message, dict) and message.get("role") == "user":
            text = "\n".join(_texts(message.get("content")))
            if text:
                yield Prompt(position, text)


def _results(messages: list[Any]) -> Iterator[str]:
    """Yields the texts of the tools' results, the latest first."""
    for message in reversed(messages):
        content = message.get("content") if isinstance(message, dict) else None
        for block in reversed(content if isinstance(content, list) else []):
            if isinstance(block, dict) and block.get("type") == "tool_result":
                yield "\n".join(_texts(block.get("content")))


def _texts(content: object) -> Iterator[str]:
    blocks = content if isinstance(content, list) else [{"type": "text", "text": content}]
    for block in blocks:
        text = block.get("text") if isinstance(block, dict) and block.get("type") == "text" else None
        # The CLI adds its own reminders to the user's message, as text blocks of their own.
        if isinstance(text, str) and not text.startswith(_REMINDER):
            yield text
