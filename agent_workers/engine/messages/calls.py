"""The calls of one run: each gives a message of the model, made again where that helps, within the run's budget."""

from __future__ import annotations

import re
from contextlib import AsyncExitStack, aclosing, contextmanager
from typing import TYPE_CHECKING, Any

from agent_workers.engine import awake
from agent_workers.engine.messages.message import StreamedMessage
from agent_workers.engine.messages.spending import LEAST_ANSWER, Spending
from agent_workers.errors import ApiError, RequestRejected
from agent_workers.protocol.v1.events import Discard, Notice, Retry

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Iterator

    from agent_workers.engine.answer.answer_text import AnswerText
    from agent_workers.engine.base import Progress
    from agent_workers.engine.messages.plan import Plan
    from agent_workers.protocol.v1.events import Body

Message = dict[str, Any]

_MS = 1000
# "Schema is too complex for compilation", "compiled grammar is too large", "output_config.format.schema: …".
_OF_SCHEMA = re.compile(r"schema|grammar|output_config", re.IGNORECASE)
_FALLBACK = Notice(level="warning", code="model_fallback", message="Another model answers for an overloaded one.")


class Calls:
    """Whom a run asks, and what that has cost.

    Args:
        plan: What the run is asked to do, and with what.
        progress: The run's progress.
        answer: The text of its answer; grows.

    Attributes:
        model: The model that answers the next call.
        latest: The message under way; None where there is none.
        spending: What the calls have consumed.
        turns: How many messages have come whole.
    """

    def __init__(self, plan: Plan, progress: Progress, answer: AnswerText) -> None:
        self.model = plan.model
        self.latest: StreamedMessage | None = None
        self.spending = Spending(plan.models, progress, plan.request.limits.max_budget_usd)
        self.turns = 0
        self._plan = plan
        self._progress = progress
        self._answer = answer
        self._passed_over: set[str] = set()
        self._is_bound_by_budget = False

    def most_tokens(self, messages: list[Message]) -> int | None:
        """Returns how many tokens the budget leaves the next answer; None for as many as it likes."""
        return self.spending.most_for(self._plan.frame, messages, self.model)

    def is_affordable(self, messages: list[Message]) -> bool:
        """Tells whether the budget leaves enough for one more answer."""
        most = self.most_tokens(messages)
        return most is None or most >= LEAST_ANSWER

    def finish(self) -> StreamedMessage:
        """Returns the message that has come whole."""
        message, self.latest = self.latest, None
        assert message
        self.spending.end_call()
        self.turns += 1
        if self._is_bound_by_budget and message.stop_reason == "max_tokens":
            message.stop_reason = "max_budget"
        return message

    async def message(self, messages: list[Message]) -> AsyncGenerator[Body]:
        """Yields the bodies of the next message; its call is made again where it fails for a moment.

        There is none, and ``latest`` is None, where the budget leaves too little for making it again.

        Args:
            messages: The conversation.

        Raises:
            ApiError: The call has failed for good.
        """
        failures = 0
        while True:
            try:
                async with aclosing(self._streamed(messages)) as bodies:
                    async for body in bodies:
                        yield body
            except ApiError as error:
                self.spending.end_call()
                if self._frees_schema(error):
                    continue
                failures += 1
                fallback = self._plan.retries.fallback(error, failures)
                delay_ms = self._plan.retries.delay_ms(error, failures)
                self.model = fallback or self.model
                if fallback is None and delay_ms is None:
                    raise
                for body in self.taken_back("fallback" if fallback else "retry"):
                    yield body
                if not self.is_affordable(messages):
                    self.latest = None
                    return
                if fallback:
                    failures = 0
                    yield _FALLBACK
                else:
                    yield self._retry(error, failures, delay_ms or 0)
                    await self._pause(delay_ms or 0)
            else:
                return

    async def _streamed(self, messages: list[Message]) -> AsyncGenerator[Body]:
        message = self.latest = StreamedMessage(
            self._answer,
            self._passed_over,
            thinking=self._plan.request.thinking,
            partial=self._plan.request.stream.partial,
        )
        most = self.most_tokens(messages)
        body = self._plan.frame.body(
            messages,
            self.model,
            self._plan.models.of(self.model),
            most_tokens=most,
            cached=self._plan.is_conversation or self.turns > 0,
        )
        self._is_bound_by_budget = body["max_tokens"] == most
        batch = self._plan.given is not None
        source = self._plan.take_given() or self._live(body, message)
        async with aclosing(source) as events:
            async for event in events:
                if event.get("type") == "ping":
                    continue
                self._progress.touch()
                for each in message.feed(event):
                    yield each
                if event.get("type") in ("message_start", "message_delta"):
                    self.spending.note(self.model, message.usage, batch=batch)

    async def _live(self, body: dict[str, Any], message: StreamedMessage) -> AsyncGenerator[dict[str, Any]]:
        """Yields the events of a message, once there is a place for its call and the account's limits let it begin."""
        async with AsyncExitStack() as stack:
            with self._waiting():
                await stack.enter_async_context(self._plan.api.places)
                call = await stack.enter_async_context(self._plan.api.pace.call(self.model))
            source = self._plan.api.message(body, self._plan.lease.agent_id, call)
            async for event in await stack.enter_async_context(aclosing(source)):
                yield event
            call.use(message.usage.input_tokens, message.usage.output_tokens)

    def _frees_schema(self, error: ApiError) -> bool:
        """Has the model read the schema in its instructions, where the API refuses to hold it to it; says whether."""
        frame = self._plan.frame
        if self._plan.request.output_schema is None or frame.schema_in_prompt or not isinstance(error, RequestRejected):
            return False
        if not _OF_SCHEMA.search(error.cause or ""):
            return False
        self._plan.frame = frame._replace(schema_in_prompt=True)
        return True

    def taken_back(self, reason: str) -> Iterator[Body]:
        """Yields what takes back the text of a message that was never completed."""
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
        with self._waiting():
            await awake.sleep(delay_ms / _MS)

    @contextmanager
    def _waiting(self) -> Iterator[None]:
        """Has a run that waits pass for no idle one: the model is not the one that is silent."""
        self._progress.waiting += 1
        try:
            yield
        finally:
            self._progress.waiting -= 1
            self._progress.touch()
