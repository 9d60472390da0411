"""Translates the agent's messages into event bodies. Pure: no I/O, no clock.

The messages are the SDK's, in the form in which the CLI writes them (``--output-format stream-json``). Where the same
text comes twice, as the model's stream and again as a finished message, it is sent once. A ``discard`` takes back text
that a retry replaces.
"""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Any

from agent_workers.engine.answer.answer_text import AnswerText
from agent_workers.engine.answer.output import valid_output
from agent_workers.engine.answer.usage import count
from agent_workers.engine.claude.messages.result import DEFERRED, done_of
from agent_workers.engine.claude.messages.system_messages import retry_of, tasks_of
from agent_workers.engine.claude.messages.tool_calls import ToolCalls
from agent_workers.engine.claude.messages.unknown_blocks import UnknownBlocks, is_call, is_unknown
from agent_workers.engine.claude.messages.usage import Tally
from agent_workers.errors import OutputSchemaUnusable, WorkerError
from agent_workers.protocol.v1.events import (
    Body,
    Delta,
    Discard,
    Notice,
    Session,
    Thinking,
)
from agent_workers.protocol.v1.tool_names import SUBAGENT

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    from agent_workers.engine.base import Progress
    from agent_workers.protocol.v1.control import AppToolResult

Message = dict[str, Any]

# The CLI's own tool for structured output; its calls are no steps of the agent.
OUTPUT_TOOL = "StructuredOutput"
_SYNTHETIC = "<synthetic>"
_APART = "\n\n"
_SUBAGENT_ANNOUNCED = "Task"  # its calls are named SUBAGENT


class Translator:
    """Turns one run's messages into event bodies.

    Args:
        thinking: Whether the request asked to see the model's thinking.
        resumed: Whether the request continues a session.
        progress: Kept up to date with what the messages say.
        output_schema: The request's schema for ``done.output``.
        offered: The names of the tools that the request asks for; None for all that the agent has.

    Attributes:
        finished: Whether the result was translated, after which nothing follows.
        latest: The UUID of the model's latest message.
        refused: Whether the model refused to answer.
        rounds: The ids of the main agent's messages that call tools.
    """

    def __init__(
        self,
        progress: Progress,
        *,
        thinking: bool = False,
        resumed: bool = False,
        output_schema: dict[str, Any] | None = None,
        offered: Collection[str] | None = None,
    ) -> None:
        self.finished = False
        self.latest: str | None = None
        self.refused = False
        self.rounds: set[str | None] = set()
        self._progress = progress
        self._thinking = thinking
        self._resumed = resumed
        self._output_schema = output_schema
        self._offered = offered
        self._answer = AnswerText(thinking)
        self._announced = False
        self._calls = ToolCalls(progress)
        self._api_error: str | None = None
        self._refused = False
        self._tally = Tally(progress)
        self._unknown = UnknownBlocks()
        self._earlier: list[Message] = []

    def note_denial(self, tool_use_id: str) -> None:
        """Notes that a call was denied; its result says so."""
        self._calls.note_denial(tool_use_id)

    def note_unanswered(self, tool_use_id: str) -> None:
        """Notes that nobody answered the question of a call, which counts as no denial."""
        self._calls.note_unanswered(tool_use_id)

    def note_result(self, tool_use_id: str, result: AppToolResult) -> None:
        """Notes what the application says of a result besides its content; the ``tool_result`` tells it on."""
        self._calls.note_result(tool_use_id, result)

    @property
    def calling(self) -> Collection[str]:
        """The ids of the main agent's calls that have no result yet."""
        return self._calls.main

    def has_called(self, tool_use_id: str) -> bool:
        """Tells whether the model has made this call in this run."""
        return self._calls.has(tool_use_id)

    def feed(self, message: Message) -> Iterator[Body]:
        """Yields the bodies that this message stands for, often none.

        Raises:
            WorkerError: The message is the result of a failed run, or says that the run cannot succeed.
        """
        kind = message.get("type")
        if kind == "stream_event":
            yield from self._stream_event(message)
        elif kind == "assistant":
            yield from self._assistant(message)
        elif kind == "user":
            yield from self._calls.end(message)
        elif kind == "system":
            yield from self._system(message)
        elif kind == "rate_limit_event":
            yield from self._rate_limit(message)
        elif kind == "result":
            self.finished = True
            self.refused = message.get("stop_reason") == "refusal"
            yield self._done(message)

    def explain(self, error: WorkerError) -> WorkerError:
        """Returns the error of a failed run, in the light of what the model has said in it."""
        return self._unknown.explain(error)

    def is_answer(self, result: Message) -> bool:
        """Tells whether a turn has ended with an answer of the model, after which it may be asked more."""
        failed = result.get("subtype") != "success" or result.get("is_error") or self._api_error
        return not failed and result.get("stop_reason") not in ("refusal", DEFERRED)

    def output_of(self, result: Message) -> Any:
        """Returns the structured output of a turn's result; None where it has none that satisfies the schema."""
        if self._output_schema is None or not self.is_answer(result):
            return None
        with suppress(WorkerError):
            return valid_output(result.get("structured_output"), self._output_schema)
        return None

    def begin_again(self, result: Message) -> Iterator[Body]:
        """Notes that a turn has ended whose answer does not stand; yields what takes back its text."""
        self._tally.end_turn(result, resumed=self._resumed)
        self._earlier.append(result)
        if blocks := self._answer.discard_all():
            yield Discard(blocks=blocks, reason="correction")

    def end_turn(self, result: Message) -> Iterator[Body]:
        """Notes that a turn has ended that is not the last; yields what parts its answer from the next one's."""
        self._tally.end_turn(result, resumed=self._resumed)
        self._earlier.append(result)
        if self._answer.text:
            yield Delta(text=_APART, block=self._answer.add_whole("text", _APART))

    def _done(self, message: Message) -> Body:
        results = [*self._earlier, message]
        denials = {str(each): each for result in results for each in result.get("permission_denials") or ()}
        turns = sum(count(result.get("num_turns")) or 0 for result in results)
        message = {**message, "permission_denials": self._calls.denials(denials.values()), "num_turns": turns}
        try:
            return done_of(
                self._unknown.reread(message, self._answer.text),
                self._answer.text,
                session_id=self._progress.session_id,
                bill=self._tally.settle(message, resumed=self._resumed),
                api_error=self._api_error,
                schema=self._output_schema,
            )
        except WorkerError as error:
            raise self.explain(error) from None

    # The model's stream

    def _stream_event(self, message: Message) -> Iterator[Body]:
        if message.get("parent_tool_use_id"):
            self._progress.touch()
            return
        event: Message = message["event"]
        kind = event.get("type")
        if kind == "ping":
            return
        self._progress.touch()
        if kind == "content_block_delta":
            yield from self._piece(event)
        elif kind == "content_block_start":
            block = event["content_block"]
            self._answer.open_block(event["index"], block.get("type"))
            text = block.get("text") or block.get("thinking") or ""  # Anthropic sends none here, some gateways do
            yield from self._told(event["index"], self._answer.add(event["index"], text))
        elif kind == "content_block_stop":
            yield from self._told(event["index"], self._answer.close_block(event["index"]))
        elif kind == "message_start":
            yield from self._message_start(event["message"])
        elif kind == "message_delta":
            self._tally.add(event.get("usage"))
            self._refused = event.get("delta", {}).get("stop_reason") == "refusal"
        elif kind == "message_stop" and not self._refused:  # after a refusal the CLI asks once more
            # The CLI itself writes the end of a broken stream, and says what of it the next attempt replaces.
            self._answer.end_message(kept=message.get("abandoned_blocks", {}).get("from_block_index"))

    def _message_start(self, model_message: Message) -> Iterator[Body]:
        yield from self._superseded("retry")
        self._refused = False
        self._answer.begin_message(model_message.get("id"))
        self._tally.begin_call()
        self._tally.add(model_message.get("usage"))

    def _piece(self, event: Message) -> Iterator[Body]:
        delta = event["delta"]
        text = delta.get("text") if delta.get("type") == "text_delta" else delta.get("thinking")
        if isinstance(text, str):
            yield from self._told(event["index"], self._answer.add(event["index"], text))

    def _told(self, index: int, text: str) -> Iterator[Body]:
        if not text:
            return
        kind, block = self._answer.block(index)
        if kind == "text":
            yield Delta(text=text, block=block)
        elif kind == "thinking" and self._thinking:
            yield Thinking(text=text, block=block)

    def _superseded(self, reason: str) -> Iterator[Body]:
        if blocks := self._answer.discard_unfinished():
            yield Discard(blocks=blocks, reason=reason)

    # Finished messages

    def _assistant(self, message: Message) -> Iterator[Body]:
        model_message: Message = message["message"]
        if model_message.get("model") == _SYNTHETIC or message.get("error"):
            self._api_error = message.get("error") or self._api_error  # the result reports it, not the model's answer
            return
        self._progress.touch()
        parent = message.get("parent_tool_use_id")
        if not parent:
            self.latest = message.get("uuid") or self.latest
        if not parent and not self._answer.has_streamed(model_message.get("id")):
            yield from self._whole(model_message)
        for block in model_message.get("content") or ():
            if not parent:
                self._unknown.last = is_unknown(block)
            if is_call(block):
                yield from self._tool_call(block, parent, model_message.get("id"))
                continue
            if notice := self._unknown.pass_over(block):
                yield notice
            if isinstance(block.get("id"), str):
                self._calls.hide(block["id"])  # its result is left out too

    def _whole(self, model_message: Message) -> Iterator[Body]:
        yield from self._superseded("fallback")
        for block in model_message.get("content") or ():
            kind = block.get("type")
            text = block.get("text") if kind == "text" else block.get("thinking")
            if kind in ("text", "thinking") and text:
                number = self._answer.add_whole(kind, text)
                if kind == "text":
                    yield Delta(text=text, block=number)
                elif self._thinking:
                    yield Thinking(text=text, block=number)

    def _tool_call(self, block: Message, parent: str | None, message_id: str | None) -> Iterator[Body]:
        if block.get("name") == OUTPUT_TOOL:
            self._calls.hide(block["id"])
            return
        if not parent:
            self.rounds.add(message_id)
            self._answer.restart()  # what was said before a tool call is not the final answer
        yield self._calls.begin(block, parent)

    # The agent's own messages

    def _system(self, message: Message) -> Iterator[Body]:
        subtype = message.get("subtype")
        if subtype == "init":
            yield from self._init(message)
        elif subtype == "api_retry":
            yield from self._superseded("retry")
            yield retry_of(message)
        elif subtype == "permission_denied" and message.get("tool_use_id"):
            self._calls.note_denial(message["tool_use_id"])
        elif subtype == "model_fallback":
            yield Notice(level="warning", code="model_fallback", message="Another model answers for an overloaded one.")
        elif subtype == "compact_boundary":
            yield Notice(level="info", code="compacted", message="The conversation was summarised to fit the model.")
        elif subtype in ("task_started", "task_progress", "task_notification", "task_updated"):
            self._progress.touch()
            yield from tasks_of(message)

    def _init(self, message: Message) -> Iterator[Body]:
        if self._announced:
            return  # the CLI repeats it in each turn
        if self._output_schema is not None and OUTPUT_TOOL not in message.get("tools", ()):
            raise OutputSchemaUnusable(cause="the CLI does not offer the model the tool for structured output")
        session = Session(
            session_id=message["session_id"],
            model=message.get("model", "unknown"),
            cli_version=message.get("claude_code_version", "unknown"),
            tools=list(self._offers(message.get("tools", []))),
            resumed=self._resumed,
        )
        self._announced = True
        self._progress.touch()
        self._progress.session_id = session.session_id
        yield session

    def _offers(self, announced: list[str]) -> Iterator[str]:
        for name in announced:
            called = SUBAGENT if name == _SUBAGENT_ANNOUNCED else name
            if called != OUTPUT_TOOL and (self._offered is None or called in self._offered):
                yield called

    def _rate_limit(self, message: Message) -> Iterator[Body]:
        if message.get("rate_limit_info", {}).get("status") == "allowed_warning":
            yield Notice(level="warning", code="rate_limit_near", message="The account is close to its rate limit.")
