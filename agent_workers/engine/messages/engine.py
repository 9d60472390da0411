"""One run on the plain Messages API: calls the model, has the application's tools run, and judges the answer."""

from __future__ import annotations

import gc
from contextlib import aclosing
from typing import TYPE_CHECKING, Any

import anyio

from agent_workers.engine.answer.answer_text import AnswerText
from agent_workers.engine.answer.session_notices import DROPPED, NOT_SAVED, PAST_REFUSED
from agent_workers.engine.base import Progress
from agent_workers.engine.messages.body import prompt_of, tools_of
from agent_workers.engine.messages.calls import Calls
from agent_workers.engine.messages.outcome import Outcome
from agent_workers.engine.messages.tool_round import ToolRound, not_run
from agent_workers.engine.messages.words import Words
from agent_workers.errors import ApiError, ContextOverflow, RequestRejected
from agent_workers.protocol.v1.events import Ack, Discard, Notice, Session
from agent_workers.protocol.v1.request import ResumeSession

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Sequence
    from types import TracebackType
    from typing import Self

    from agent_workers.engine.base import Tell
    from agent_workers.engine.messages.message import StreamedMessage
    from agent_workers.engine.messages.plan import Plan
    from agent_workers.engine.questions.open_questions import OpenQuestions
    from agent_workers.protocol.v1.control import AgentMessage
    from agent_workers.protocol.v1.events import Body


class MessagesEngine:
    """The model of one run.

    Args:
        plan: What the run is asked to do, and with what.
    """

    def __init__(self, plan: Plan) -> None:
        self.progress = Progress()
        self._plan = plan
        self._request = plan.request
        self._messages = [*plan.history.messages]
        self._answer = AnswerText(plan.request.thinking)
        self._calls = Calls(plan, self.progress, self._answer)
        self._questions: OpenQuestions | None = None
        self._tell: Tell | None = None
        self._words = Words()
        self._outcome = Outcome(plan.request, self._answer)
        self._asked = 0  # how often the model was called in this turn, of which a correction begins another
        self._has_begun = False
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
        try:
            await self._tasks.__aexit__(kind, error, trace)
        finally:
            self._round.close()
            self.kill()  # also where nobody has stopped it: this process may go on
        if self._plan.owns_api:
            await self._plan.api.__aexit__(None, None, None)

    async def events(self) -> AsyncGenerator[Body]:
        """Yields the run's event bodies, a terminal one last.

        Raises:
            WorkerError: The run failed.
        """
        self._begin_session()
        yield Session(
            session_id=self._plan.lease.session_id,
            model=self._calls.model,
            cli_version="none",
            tools=[tool["name"] for tool in tools_of(self._request)],
            resumed=isinstance(self._request.session, ResumeSession),
        )
        try:
            async with aclosing(self._turn()) as bodies:
                async for body in bodies:
                    yield body
        except ApiError as error:
            self._end(error)
            raise

    def _begin_session(self) -> None:
        """Notes the prompt, from when on there is something to resume; once."""
        if not self._has_begun:
            self._has_begun = True
            self._say("user", prompt_of(self._request))
            self.progress.session_id = self._plan.lease.session_id

    async def _turn(self) -> AsyncGenerator[Body]:
        """Yields the bodies of the turn, and of those in which the model answers once more."""
        while True:
            stop_reason, message = self._stopped_before_call(), None
            if stop_reason is None:
                try:
                    async with aclosing(self._calls.message(self._messages)) as bodies:
                        async for body in bodies:
                            yield body
                except ApiError:
                    if not self._outcome.falls_back():
                        raise
                    for body in self._calls.taken_back("correction"):
                        yield body
                    stop_reason = "end_turn"
                    break
                message = self._finished() if self._calls.latest else None
                stop_reason = (message.stop_reason or "end_turn") if message else "max_budget"
                if message and stop_reason == "tool_use" and message.calls:
                    async with aclosing(self._tools_run(message)) as bodies:
                        async for body in bodies:
                            yield body
                    continue
            again = await self._outcome.judge(stop_reason)
            if again is None:
                break
            if blocks := self._answer.discard_all():
                yield Discard(blocks=blocks, reason="correction")
            if again.notice:
                yield again.notice
            self._calls.model = self._plan.models.full_name(again.model or self._calls.model)
            self._say("user", [*map(not_run, message.calls if message else ()), {"type": "text", "text": again.text}])
            self._asked = 0
        self._dropped = stop_reason == "refusal"
        done = self._outcome.done(stop_reason, self._calls.spending.bill(), self._calls.turns)
        self._end()
        yield done.model_copy(update={"session_id": self._plan.lease.session_id, "lane": self._plan.lane})

    def _stopped_before_call(self) -> str | None:
        """Returns why the model is not called again; None where it is."""
        if self._plan.max_turns is not None and self._asked >= self._plan.max_turns:
            return "max_turns"
        return None if self._calls.is_affordable(self._messages) else "max_budget"

    def _finished(self) -> StreamedMessage:
        message = self._calls.finish()
        self._asked += 1
        if message.stop_reason != "refusal" and message.said:
            self._say("assistant", message.said, self._calls.model)
        self._outcome.message = message
        return message

    def _say(self, role: str, content: list[dict[str, Any]], model: str | None = None) -> None:
        self._messages.append({"role": role, "content": content})
        self._plan.conversation.write(role, content, model)

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
        """Begins the session of a run that is stopped before its first event."""
        self._begin_session()

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
        elif error is None and self._calls.latest and (text := self._calls.latest.unfinished_text.strip()):
            self._say("assistant", [{"type": "text", "text": text}], self._calls.model)
        self._calls.latest = None
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
