"""What a scenario is: a list of steps, each the answer to one call of a conversation. The last one repeats.

A scenario file is TOML, or JSON of the same shape (JSON can write lone surrogates, TOML cannot):

    description = "Runs a command, then says what came of it."

    [[steps]]                     # a step's kind is message, failure or stall; message if it says nothing
    cut = "word"                  # word, character, whole, or a number of UTF-16 code units
    delay_ms = 20                 # between two deltas
    interruption = { kind = "cut", after = 5 }       # cut, stall or error, after that many deltas
    content = [
      { type = "thinking", text = "The user said ${prompt}." },
      { type = "text", text = "Let me look. " },     # or words = 2000, or numbers = 20000; repeat = 3
      { type = "tool_use", name = "Bash", input = { command = "date" } },
    ]

    [[steps]]
    kind = "failure"
    status = 529
    error = "overloaded_error"
    message = "Overloaded"

    [[steps]]
    kind = "page"                 # somebody else's answer, not the API's
    status = 502
    body = "<html>Bad Gateway</html>"

Before its steps a scenario may say how the server behaves while it is played, see ``BatchSettings`` and ``Limit``:

    batch = { polls = 2 }         # in progress twice, then ended; or ends = false; partial = 10 lines, then a cut
    limit = { requests = 5, per_s = 1 }              # what is too much gets HTTP 429, each answer tells what is left

Each request of a batch takes a step as a call does: a message succeeds, a failure and a message that is interrupted are
an error, and a stall expires. What a prompt names by ``[[scenario:NAME]]`` counts for its own request.

A tool that the application runs itself (``app_tools``) is called ``mcp__app__NAME``, one of an MCP server
``mcp__SERVER__NAME``, as the model sees them.

A text may quote ``${prompt}``, ``${first_prompt}``, ``${prompts}`` (their number), ``${result}`` (the latest of a
tool), ``${model}`` and ``${call}``.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from string import Template
from typing import Any, Literal

from agent_workers.simulator.settings import BatchSettings, Limit
from agent_workers.simulator.text import Cut, numbers, prose

CACHE_LIFETIMES = ("ephemeral_5m_input_tokens", "ephemeral_1h_input_tokens")
"""How long what a call writes to the prompt cache stays there, as the API names it."""


@dataclass(frozen=True, kw_only=True)
class Written:
    """A text: ``text``, then that many generated ``words`` or ``numbers``, all of it ``repeat`` times."""

    text: str = ""
    words: int = 0
    numbers: int = 0
    repeat: int = 1

    def written(self, values: Mapping[str, object]) -> str:
        """Returns the whole text, with the ``${…}`` of ``values`` filled in and any other unchanged."""
        text = Template(self.text).safe_substitute(values)
        return (text + prose(self.words) + numbers(self.numbers)) * self.repeat


@dataclass(frozen=True, kw_only=True)
class Text(Written):
    """A text block."""

    type: Literal["text"] = "text"


@dataclass(frozen=True, kw_only=True)
class Thinking(Written):
    """A thinking block, signed."""

    type: Literal["thinking"] = "thinking"
    signature: str = "c2ltdWxhdGVkLXNpZ25hdHVyZQ=="


@dataclass(frozen=True, kw_only=True)
class ToolUse:
    """A call of a tool.

    ``fit`` looks at the tool's ``input_schema`` in the request: "valid" calls with ``input`` if the schema accepts it,
    else with an example of the schema; "invalid" calls with something that the schema refuses. If the request offers
    no such tool, both say so in a text instead. "as-is" calls with ``input``, whatever the request offers.

    ``StructuredOutput`` is the tool by which the CLI asks for structured output. A client without it asks with a schema
    in ``output_config.format``: it gets the same value as its only text, JSON that is fitted to that schema.
    """

    type: Literal["tool_use"] = "tool_use"
    name: str
    input: dict[str, Any] = field(default_factory=dict)
    fit: Literal["as-is", "valid", "invalid"] = "as-is"


@dataclass(frozen=True, kw_only=True)
class Raw:
    """Any other content block, as the API would send it: ``block`` goes out unchanged."""

    type: Literal["raw"] = "raw"
    block: dict[str, Any]


Block = Text | Thinking | ToolUse | Raw


@dataclass(frozen=True, kw_only=True)
class Interruption:
    """How a stream ends early, after that many deltas.

    "stall" leaves the connection open and silent, "cut" closes it, "error" sends an SSE error event.
    """

    kind: Literal["stall", "cut", "error"]
    after: int = 0
    error: str = "overloaded_error"
    message: str = "Overloaded"


@dataclass(frozen=True, kw_only=True)
class Message:
    """An answer. Its ``stop_reason`` is by default ``tool_use`` if it calls a tool, else ``end_turn``.

    ``usage`` overrides the estimated tokens: ``input_tokens``, ``output_tokens``, ``cache_read_input_tokens`` and
    ``cache_creation_input_tokens``, or of the latter those for five minutes and those for an hour,
    ``ephemeral_5m_input_tokens`` and ``ephemeral_1h_input_tokens``. ``headers`` are added to the answer's. With
    ``fills_schema`` a request for structured output gets an example of its schema in place of the content.
    """

    kind: Literal["message"] = "message"
    content: tuple[Block, ...]
    cut: Cut = "word"
    delay_ms: int = 0
    stop_reason: str = ""
    usage: dict[str, int] = field(default_factory=dict)
    headers: dict[str, str] = field(default_factory=dict)
    interruption: Interruption | None = None
    fills_schema: bool = False


@dataclass(frozen=True, kw_only=True)
class Failure:
    """An HTTP error in the API's shape."""

    kind: Literal["failure"] = "failure"
    status: int
    error: str
    message: str
    headers: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Page:
    """An answer that is not the API's, such as a gateway's, a login page, or what a wrong base URL leads to."""

    kind: Literal["page"] = "page"
    status: int
    body: str = ""
    content_type: str = "text/html"
    headers: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Stall:
    """No byte of an answer, until the client goes away."""

    kind: Literal["stall"] = "stall"


Step = Message | Failure | Page | Stall


@dataclass(frozen=True, kw_only=True)
class Scenario:
    """A named list of steps, never empty."""

    name: str
    description: str
    steps: tuple[Step, ...]
    batch: BatchSettings = field(default_factory=BatchSettings)
    limit: Limit | None = None
