"""The API's reply to one request: what a message step says, as one JSON object and as the events of a stream."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, NamedTuple
from uuid import uuid4

from agent_workers.simulator.api_request import ApiRequest, estimated_tokens
from agent_workers.simulator.quoted import Quoted
from agent_workers.simulator.scenario import CACHE_LIFETIMES, Block, Message, Raw, Text, ToolUse
from agent_workers.simulator.schema_example import accepted, refused
from agent_workers.simulator.text import Cut, pieces

_DELTAS_PER_PING = 500
_JSON_PIECE = 12
# json.dumps would make an encoder each time.
_IN_UTF8 = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode
_IN_ASCII = json.JSONEncoder(separators=(",", ":")).encode
_DELTAS = ("text", "thinking", "tool_use")
_OUTPUT_TOOL = "StructuredOutput"


class Frame(NamedTuple):
    """One server-sent event, ready to write."""

    data: bytes
    is_delta: bool = False


@dataclass(frozen=True)
class Reply:
    """A complete reply, as ``POST /v1/messages`` returns it without ``stream``."""

    message: dict[str, Any]

    def frames(self, cut: Cut) -> Iterator[Frame]:
        """Yields the reply as the events of a stream, with each text cut into deltas."""
        usage = self.message["usage"]
        start = {**self.message, "content": [], "stop_reason": None, "usage": {**usage, "output_tokens": 1}}
        yield Frame(event("message_start", message=start))
        for index, block in enumerate(self.message["content"]):
            yield from _block_frames(index, block, cut)
        stop = {"stop_reason": self.message["stop_reason"], "stop_sequence": None}
        yield Frame(event("message_delta", delta=stop, usage=usage))
        yield Frame(event("message_stop"))


def compose(step: Message, request: ApiRequest, call: int) -> Reply:
    """Returns the step's reply to a request. ``call`` is the request's number in its conversation, from 1."""
    quoted = Quoted(request, call)
    content = [_content(block, request, quoted) for block in _said(step, request)]
    calls_tool = any(block["type"] == "tool_use" for block in content)
    return Reply(
        {
            "id": f"msg_sim_{uuid4().hex}",
            "type": "message",
            "role": "assistant",
            "model": request.model,
            "content": content,
            "stop_reason": step.stop_reason or ("tool_use" if calls_tool else "end_turn"),
            "stop_sequence": None,
            "usage": _usage(step, request, content),
        }
    )


def _usage(step: Message, request: ApiRequest, content: list[dict[str, Any]]) -> dict[str, Any]:
    """Returns the tokens of a reply; what is written to the cache is also told by how long it stays there."""
    given = dict(step.usage)
    lifetimes = {name: given.pop(name, 0) for name in CACHE_LIFETIMES}
    written = given.setdefault("cache_creation_input_tokens", sum(lifetimes.values()))
    short, long = CACHE_LIFETIMES
    lifetimes[short] = written - lifetimes[long]  # a write of which nothing more is said is one for five minutes
    return {
        "input_tokens": estimated_tokens(request.body["messages"]),
        "cache_read_input_tokens": 0,
        "output_tokens": estimated_tokens(content),
        **given,
        "cache_creation": lifetimes,
    }


def event(kind: str, **data: object) -> bytes:
    """Returns one server-sent event."""
    return b"event: %s\ndata: %s\n\n" % (kind.encode(), encoded({"type": kind, **data}))


def encoded(value: object) -> bytes:
    """Returns compact JSON: in UTF-8, or in ASCII with escapes where a lone surrogate forbids UTF-8."""
    try:
        return _IN_UTF8(value).encode()
    except UnicodeEncodeError:
        return _IN_ASCII(value).encode()


def _said(step: Message, request: ApiRequest) -> list[Block]:
    """Returns the blocks of the answer: a client that asks by a schema gets no words beside the JSON."""
    if step.fills_schema and (request.answer_schema is not None or request.tool_schema(_OUTPUT_TOOL) is not None):
        return [ToolUse(name=_OUTPUT_TOOL, fit="valid")]
    if request.answer_schema is None or not any(map(_is_output, step.content)):
        return list(step.content)
    return [block for block in step.content if not isinstance(block, Text)]


def _is_output(block: Block) -> bool:
    return isinstance(block, ToolUse) and block.name == _OUTPUT_TOOL


def _content(block: Block, request: ApiRequest, quoted: Quoted) -> dict[str, Any]:
    if isinstance(block, Raw):
        return block.block
    if not isinstance(block, ToolUse):
        text = block.written(quoted)
        if block.type == "thinking":
            return {"type": "thinking", "thinking": text, "signature": block.signature}
        return {"type": "text", "text": text}
    if _is_output(block) and request.answer_schema is not None:
        return {"type": "text", "text": json.dumps(_fitted(block, request.answer_schema), ensure_ascii=False)}
    schema = request.tool_schema(block.name)
    if schema is None and block.fit != "as-is":
        return {"type": "text", "text": f"The request offers no tool {block.name}."}
    return {"type": "tool_use", "id": f"toolu_sim_{uuid4().hex}", "name": block.name, "input": _fitted(block, schema)}


def _fitted(block: ToolUse, schema: dict[str, Any] | None) -> dict[str, Any]:
    if schema is None or block.fit == "as-is":
        return block.input
    return (accepted if block.fit == "valid" else refused)(schema, block.input)


def _block_frames(index: int, block: dict[str, Any], cut: Cut) -> Iterator[Frame]:
    known = block.get("type") in _DELTAS
    yield Frame(event("content_block_start", index=index, content_block=_emptied(block) if known else block))
    if index == 0:
        yield Frame(event("ping"))
    for count, (kind, key, piece) in enumerate(_deltas(block, cut) if known else (), start=1):
        head = b'event: content_block_delta\ndata: {"type":"content_block_delta","index":%d,"delta":' % index
        delta = b'{"type":"%s","%s":%s}}\n\n' % (kind, key, encoded(piece))
        yield Frame(head + delta, is_delta=True)
        if count % _DELTAS_PER_PING == 0:
            yield Frame(event("ping"))
    yield Frame(event("content_block_stop", index=index))


def _emptied(block: dict[str, Any]) -> dict[str, Any]:
    empty: dict[str, Any] = {"text": "", "thinking": "", "signature": "", "input": {}}
    return {key: empty.get(key, value) for key, value in block.items()}


def _deltas(block: dict[str, Any], cut: Cut) -> Iterator[tuple[bytes, bytes, str]]:
    if block["type"] == "text":
        yield from ((b"text_delta", b"text", piece) for piece in pieces(block["text"], cut))
    elif block["type"] == "thinking":
        yield from ((b"thinking_delta", b"thinking", piece) for piece in pieces(block["thinking"], cut))
        yield b"signature_delta", b"signature", block["signature"]
    else:
        text = json.dumps(block["input"], ensure_ascii=False)
        for start in range(0, len(text), _JSON_PIECE):
            yield b"input_json_delta", b"partial_json", text[start : start + _JSON_PIECE]
