"""One run on the plain Messages API: calls the model, has the application's tools run, and judges the answer."""

from __future__ import annotations

import gc
import re
from contextlib import aclosing
from typing import TYPE_CHECKING, Any

import anyio

from agent_workers.engine import awake
from agent_workers.engine.answer.answer_text import AnswerText
from agent_workers.engine.answer.session_notices import DROPPED, NOT_SAVED, PAST_REFUSED
from agent_workers.engine.base import Progress
from agent_workers.engine.messages.body import prompt_of, tools_of
from agent_workers.engine.messages.message import StreamedMessage
from agent_workers.engine.messages.outcome import Outcome
from agent_workers.engine.messages.spending import LEAST_ANSWER, Spending
from agent_workers.engine.messages.tool_round import ToolRound
from agent_workers.engine.messages.words import Words
from agent_workers.errors import ApiError, ContextOverflow, RequestRejected
from agent_workers.protocol.v1.events import Ack, Discard, Notice, Retry, Session
from agent_workers.protocol.v1.request import ResumeSession

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Iterator, Sequence
    from types import TracebackType
    from typing import Self

    from agent_workers.engine.base import Tell
    from agent_workers.engine.messages.plan import Plan
    from agent_workers.engine.questions.open_questions import OpenQuestions
    from agent_workers.protocol.v1.control import AgentMessage
    from agent_workers.protocol.v1.events import Body

_MS = 1000
# "Schema is too complex for compilation", "compiled grammar is too large", "output_config.format.schema: …".
_OF_SCHEMA = re.compile(r"schema|grammar|output_config", re.IGNORECASE)
_FALLBACK = Notice(level="warning", code="model_fallback", message="Another model answers for an overloaded one.")


class MessagesEngine:
    """The model of one run.

    Args:
        plan: What the run is asked to do, and with what.
    """

    def __init__(self, plan: Plan) -> None:
        self.progress = Progress(session_id=plan.lease.session_id)
        self._plan = plan
        self._request = plan.request
        self._model = plan.model
        self._messages = [*plan.history.messages]
        self._answer = AnswerText(plan.request.thinking)
        self._spending = Spending(plan.models, self.progress, plan.request.limits.max_budget_usd)
        self._questions: OpenQuestions | None = None
        self._tell: Tell | None = None
        self._words = Words()
        self._outcome = Outcome(plan.request, self._answer)
        self._passed_over: set[str] = set()
        self._message: StreamedMessage | None = None
        self._calls = 0  # of the API in this turn, of which a correction begins another
        self._turns = 0
        self._dropped = False
        self._blames_past = False
        self._over = False

    async def __aenter__(self) -> Self:
        self._tasks = anyio.create_task_group()
        await self._tasks.__aenter__()
        self._round = ToolRound(self.progress, self._tasks.start_soon)
        if self._request.app_tools:
            from agent_workers.engine.questions.app_tools import AppTools  # few requests have tools
            from agent_workers.engine.questions.open_questions import OpenQuestions

            self._questions = OpenQuestions(self.progress)
            if self._tell:
                self._questions.tell = self._tell
            self._round.tools = AppTools(
                self._request.app_tools, self._questions, self._round.note, run=self._request.run
            )
            if self._request.stream.tool_output:
                self._round.tools.show = self._round.show
        if self._plan.owns_api:
            await self._plan.api.__aenter__()
        if not gc.isenabled():  # the process serves this run alone
            gc.freeze()
            gc.enable()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._tasks.cancel_scope.cancel()
        await self._tasks.__aexit__(kind, error, trace)
        self._round.close()
        if self._plan.owns_api:
            await self._plan.api.__aexit__(None, None, None)

    async def events(self) -> AsyncGenerator[Body]:
        """Yields the run's event bodies, a terminal one last.

        Raises:
            WorkerError: The run failed.
        """
        yield Session(
            session_id=self._plan.lease.session_id,
            model=self._model,
            cli_version="none",
            tools=[tool["name"] for tool in tools_of(self._request)],
            resumed=isinstance(self._request.session, ResumeSession),
        )
        self._say("user", prompt_of(self._request))
        try:
            async with aclosing(self._turn()) as bodies:
                async for body in bodies:
                    yield body
        except ApiError as error:
            self._end(error)
            raise

    async def _turn(self) -> AsyncGenerator[Body]:
        """Yields the bodies of the turn, and of those in which the model answers once more."""
        while True:
            stop_reason = self._stopped_before_call()
            if stop_reason is None:
                try:
                    async with aclosing(self._called()) as bodies:
                        async for body in bodies:
                            yield body
                except ApiError:
                    if not self._outcome.falls_back():
                        raise
                    for body in self._taken_back("correction"):
                        yield body
                    stop_reason = "end_turn"
                    break
                message = self._finished_message()
                stop_reason = message.stop_reason or "end_turn"
                if stop_reason == "tool_use" and message.calls:
                    async with aclosing(self._tools_run(message)) as bodies:
                        async for body in bodies:
                            yield body
                    continue
            again = self._outcome.judge(stop_reason)
            if again is None:
                break
            if blocks := self._answer.discard_all():
                yield Discard(blocks=blocks, reason="correction")
            if again.notice:
                yield again.notice
            self._model = again.model or self._model
            self._say("user", [{"type": "text", "text": again.text}])
            self._calls = 0
        self._dropped = stop_reason == "refusal"
        done = self._outcome.done(stop_reason, self._spending.bill(), self._turns)
        self._end()
        yield done.model_copy(update={"session_id": self._plan.lease.session_id, "lane": self._plan.lane})

    def _stopped_before_call(self) -> str | None:
        """Returns why the model is not called again; None where it is."""
        if self._plan.max_turns is not None and self._calls >= self._plan.max_turns:
            return "max_turns"
        most = self._most_tokens()
        return "max_budget" if most is not None and most < LEAST_ANSWER else None

    def _most_tokens(self) -> int | None:
        return self._spending.most_for(self._messages, self._request.system_prompt, self._model)

    def _finished_message(self) -> StreamedMessage:
        message = self._message
        assert message
        self._spending.end_call()
        self._calls += 1
        self._turns += 1
        if message.stop_reason != "refusal" and message.content:
            self._say("assistant", message.content, self._model)
        self._message = None
        self._outcome.message = message
        return message

    def _say(self, role: str, content: list[dict[str, Any]], model: str | None = None) -> None:
        self._messages.append({"role": role, "content": content})
        self._plan.conversation.write(role, content, model)

    # Calls

    async def _called(self) -> AsyncGenerator[Body]:
        """Yields the bodies of one message, whose call is made again where it fails for a moment."""
        failures = 0
        while True:
            try:
                async with aclosing(self._streamed()) as bodies:
                    async for body in bodies:
                        yield body
            except ApiError as error:
                self._spending.end_call()
                if self._frees_schema(error):
                    continue
                failures += 1
                fallback = self._plan.retries.fallback(error, failures)
                delay_ms = self._plan.retries.delay_ms(error, failures)
                if fallback is None and delay_ms is None:
                    raise
                for body in self._taken_back("fallback" if fallback else "retry"):
                    yield body
                if fallback:
                    self._model, failures = fallback, 0
                    yield _FALLBACK
                else:
                    yield self._retry(error, failures, delay_ms or 0)
                    await self._pause(delay_ms or 0)
            else:
                return

    async def _streamed(self) -> AsyncGenerator[Body]:
        message = self._message = StreamedMessage(
            self._answer, self._passed_over, thinking=self._request.thinking, partial=self._request.stream.partial
        )
        body = self._plan.frame.body(
            self._messages,
            self._model,
            self._plan.models.of(self._model),
            most_tokens=self._most_tokens(),
            cached=self._plan.is_conversation or self._turns > 0,
        )
        batch = self._plan.given is not None
        source = self._plan.take_given() or self._plan.api.message(body, self._plan.lease.agent_id)
        async with aclosing(source) as events:
            async for event in events:
                if event.get("type") == "ping":
                    continue
                self.progress.touch()
                for each in message.feed(event):
                    yield each
                if event.get("type") in ("message_start", "message_delta"):
                    self._spending.note(self._model, message.usage, batch=batch)
        if not batch:  # which has limits of its own
            self._plan.api.pace.note_usage(message.usage.input_tokens, message.usage.output_tokens)

    def _frees_schema(self, error: ApiError) -> bool:
        """Has the model read the schema in its instructions, where the API refuses to hold it to it; says whether."""
        frame = self._plan.frame
        if self._request.output_schema is None or frame.schema_in_prompt or not isinstance(error, RequestRejected):
            return False
        if not _OF_SCHEMA.search(error.cause or ""):
            return False
        self._plan.frame = frame._replace(schema_in_prompt=True)
        return True

    def _taken_back(self, reason: str) -> Iterator[Body]:
        if blocks := self._answer.discard_unfinished():
            yield Discard(blocks=blocks, reason=reason)

    def _retry(self, error: ApiError, failures: int, delay_ms: int) -> Retry:
        return Retry(
            attempt=failures,
            max_attempts=self._plan.retries.most,
            delay_ms=delay_ms,
            http_status=error.http_status,
            code=error.code,
        )

    async def _pause(self, delay_ms: int) -> None:
        self.progress.waiting += 1  # the model is not the one that is silent
        await awake.sleep(delay_ms / _MS)
        self.progress.waiting -= 1
        self.progress.touch()

    async def _tools_run(self, message: StreamedMessage) -> AsyncGenerator[Body]:
        self._answer.restart()  # what was said before a tool call is not the final answer
        async with aclosing(self._round.run(message.calls, message.unreadable)) as bodies:
            async for body in bodies:
                yield body
        words: list[dict[str, Any]] = []
        told: list[Body] = []
        if self._stopped_before_call() is None:
            words, told = self._words.read()
        self._say("user", [*self._round.results(message.calls), *words])
        for body in told:
            yield body

    # What the run is told

    def listen(self, tell: Tell) -> None:
        """Registers the callback that sends the calls of the application's tools."""
        self._tell = tell

    def answer(self, message: AgentMessage) -> Ack | None:
        """Passes on what is for the model or for its questions; returns the ``ack``, where it can be told at once."""
        if message.type == "steer":
            return self._words.take(message)
        if message.type == "app_tool_output":
            taken = self._round.tools is not None and self._round.tools.print(message)
            return Ack(id=message.id, ok=taken, code=None if taken else "not_pending")
        return self._questions.answer(message) if self._questions else Ack(id=message.id, ok=False, code="not_pending")

    # The end

    async def catch_up(self) -> None:
        """Does nothing: the session is known from the start."""

    def unsettled(self) -> Sequence[Body]:
        """Returns the events that close unanswered questions and say what became of the session."""
        if not self._over:
            self._end()
        self.progress.saved = self._plan.conversation.saved
        notices: list[Notice] = []
        if not self.progress.saved:
            notices.append(NOT_SAVED)
        elif self._dropped:
            notices += [DROPPED, PAST_REFUSED] if self._blames_past else [DROPPED]
        questions = self._questions.unsettled() if self._questions else ()
        return [*questions, *self._words.close(), *notices]

    def _end(self, error: ApiError | None = None) -> None:
        """Notes that the run says nothing more, and what of it stays in the session."""
        self._over = True
        if isinstance(error, RequestRejected | ContextOverflow):
            self._dropped = True
            self._blames_past = isinstance(error, RequestRejected) and self._has_attachments_before()
        if self._dropped:
            self._plan.conversation.take_back()
        elif error is None and self._message and (text := self._message.unfinished_text.strip()):
            self._say("assistant", [{"type": "text", "text": text}], self._model)
        self._message = None
        self._plan.lease.announce_end()  # whoever reads the end may start the next run at once

    def _has_attachments_before(self) -> bool:
        now = any(_is_attachment(block) for block in prompt_of(self._request))
        before = self._plan.history.messages
        return not now and any(_is_attachment(block) for message in before for block in message["content"])

    async def stop(self, *, interrupt: bool) -> None:
        """Ends the run; there is no process to end."""
        self._plan.lease.announce_end()
        self._tasks.cancel_scope.cancel()
        self.kill()

    def kill(self) -> None:
        """Lets go of the session."""
        if not self._over:
            self._end()
        self._plan.lease.release()


def _is_attachment(block: dict[str, Any]) -> bool:
    return block.get("type") in ("image", "document")
