"""The body of a call: what the request asks for, as the API takes it. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from agent_workers.protocol.v1.tool_names import APP_TOOL

if TYPE_CHECKING:
    from agent_workers.engine.messages.model import Model
    from agent_workers.protocol.v1.request import Request

Message = dict[str, Any]

_USUAL_MAX_TOKENS = 32_000
"""For a model whose limit is not known: what the agent's CLI asks for."""
_LEAST_BUDGET = 1024
"""Tokens of thinking that the API takes as a budget at least."""
_MOST_BUDGET = 16_000
_THOUGHTS = ("thinking", "redacted_thinking")
_CACHED = {"type": "ephemeral"}


class Frame(NamedTuple):
    """What is the same in each call of a run.

    Attributes:
        request: The request.
        system_prompt: The instructions, where the request brings none.
        keeps_schema: Whether the schema goes out as it is: a simulator takes any.
        schema_in_prompt: Whether the model reads the schema in its instructions, since the API cannot hold it to it.
    """

    request: Request
    system_prompt: str
    keeps_schema: bool = False
    schema_in_prompt: bool = False

    def body(
        self, messages: list[Message], model: str, known: Model | None, *, most_tokens: int | None, cached: bool
    ) -> dict[str, Any]:
        """Returns the body of a call.

        Args:
            messages: The conversation.
            model: The model's name.
            known: What is known of the model.
            most_tokens: Tokens that the run's budget leaves for the answer; None for no bound.
            cached: Whether what was said is likely to be sent again.
        """
        request = self.request
        max_tokens = request.max_tokens or (known.max_output_tokens if known else None) or _USUAL_MAX_TOKENS
        if most_tokens is not None:
            max_tokens = min(max_tokens, most_tokens)
        shape = self._output_format()
        found: dict[str, Any] = {"model": model, "max_tokens": max_tokens, "stream": True}
        if system := self._system(in_prompt=request.output_schema is not None and shape is None):
            found["system"] = [{"type": "text", "text": system, "cache_control": _CACHED}]
        if request.app_tools:
            found["tools"] = tools_of(request)
        if shape is not None:
            found["output_config"] = {"format": {"type": "json_schema", "schema": shape}}
        if request.thinking and (thinking := _thinking(known, max_tokens, messages)):
            found["thinking"] = thinking
        found["messages"] = _with_mark(messages) if cached else messages
        return found

    def tokens(self, messages: list[Message]) -> int:
        """Returns how many tokens the call will read, guessed on the safe side."""
        from agent_workers.engine.messages.size import tokens_of  # few requests have a budget

        request = self.request
        return tokens_of(messages) + tokens_of(
            [self._system(in_prompt=False), tools_of(request), request.output_schema]
        )

    def _output_format(self) -> dict[str, Any] | None:
        schema = self.request.output_schema
        if schema is None or self.schema_in_prompt:
            return None
        if self.keeps_schema:
            return schema
        from agent_workers.engine.messages.output_format import format_of  # few chats have a schema

        return format_of(schema)

    def _system(self, *, in_prompt: bool) -> str:
        system = self.request.system_prompt or self.system_prompt
        if in_prompt and self.request.output_schema is not None:
            from agent_workers.engine.messages.output_format import in_words

            return f"{system}\n\n{in_words(self.request.output_schema)}"
        return system


def prompt_of(request: Request) -> list[dict[str, Any]]:
    """Returns the content of the user's message."""
    if isinstance(request.prompt, str):
        return [{"type": "text", "text": request.prompt}]
    # The API takes no blank text.
    blocks = [block for block in request.prompt if block.type != "text" or block.text.strip()]
    return [block.model_dump(exclude_none=True) for block in blocks]


def tools_of(request: Request) -> list[dict[str, Any]]:
    """Returns the application's tools, by the names by which an agent sees them too."""
    return [
        {"name": f"{APP_TOOL}{tool.name}", "description": tool.description, "input_schema": tool.input_schema}
        for tool in request.app_tools or ()
    ]


def _thinking(known: Model | None, max_tokens: int, messages: list[Message]) -> dict[str, Any] | None:
    style = (known.thinking if known else None) or "adaptive"
    if style == "adaptive":
        return {"type": "adaptive", "display": "summarized"}
    budget = min(_MOST_BUDGET, max_tokens // 2)
    if style != "budget" or budget < _LEAST_BUDGET or _lacks_thoughts(messages):
        return None
    return {"type": "enabled", "budget_tokens": budget}


def _lacks_thoughts(messages: list[Message]) -> bool:
    """Tells whether a session goes on behind calls whose thoughts are gone, which the API refuses to think after."""
    last: list[Any] = next((said["content"] for said in reversed(messages) if said["role"] == "assistant"), [])
    return any(block["type"] == "tool_use" for block in last) and last[0]["type"] not in _THOUGHTS


def _with_mark(messages: list[Message]) -> list[Message]:
    """Returns the messages with a mark up to which the API may keep them in its cache."""
    *before, last = messages
    *blocks, final = last["content"]
    return [*before, {**last, "content": [*blocks, {**final, "cache_control": _CACHED}]}]
