"""The application's own tools: the model calls them, the application runs them. Every call gets a result."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from agent_workers.engine.input_check import check_input
from agent_workers.engine.questions.effect_keys import EffectKeys
from agent_workers.errors import defect

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from agent_workers.engine.questions.open_questions import OpenQuestions
    from agent_workers.protocol.v1.content import ResultBlock
    from agent_workers.protocol.v1.control import AppToolOutput, AppToolResult
    from agent_workers.protocol.v1.settings import AppTool

logger = logging.getLogger("agent_workers")

Result = tuple["str | Sequence[ResultBlock]", bool]
"""The content for the model, and whether it is an error."""


class AppTools:
    """The tools of one request.

    Args:
        tools: The request's ``app_tools``.
        questions: Sends the calls to the application.
        note: Is told, by the ``tool_use_id``, what the application says of a result besides its content.
        run: The run's id.

    Attributes:
        tools: The tools by name.
        show: Takes what a call prints, by its ``tool_use_id``; shows it where the request asks for it.
    """

    def __init__(
        self,
        tools: Sequence[AppTool],
        questions: OpenQuestions,
        note: Callable[[str, AppToolResult], None],
        *,
        run: str | None,
    ) -> None:
        self.tools = {tool.name: tool for tool in tools}
        self.show: Callable[[str, str], None] = _show_nobody
        self._questions = questions
        self._note = note
        self._effects = EffectKeys(run or uuid4().hex)
        self._calls: dict[str, str | None] = {}  # which of the model's calls each of the application's is

    def print(self, message: AppToolOutput) -> bool:
        """Takes what a tool prints; False where the call is not open."""
        if not self._questions.awaits_result(message.call_id):
            return False
        if tool_use_id := self._calls.get(message.call_id):
            self.show(tool_use_id, message.text)
        return True

    async def call(self, name: str, tool_input: dict[str, Any], tool_use_id: str | None = None) -> Result:
        """Runs one call; returns its result, which is an error where the application did not run it.

        Args:
            name: The tool's name.
            tool_input: The call's input.
            tool_use_id: The call's id; None where the CLI does not say it.
        """
        tool = self.tools.get(name)
        if tool is None:
            return f"There is no tool {name}.", True
        try:
            if faults := await check_input(tool.input_schema, tool_input):
                return f"The input does not satisfy the tool's schema. {faults}", True
            result = await self._asked(name, tool_input, tool_use_id, tool.timeout_s)
        except TimeoutError:
            return "The input could not be checked against the tool's schema in time.", True
        except Exception as error:  # noqa: BLE001 the model gets a result whatever happens
            logger.error("a call of an application's tool failed: %s", defect(error))
            return "The tool failed.", True
        if result is None:
            return f"The application gave no result within {tool.timeout_s:g} seconds.", True
        if tool_use_id:
            self._note(tool_use_id, result)
        return result.content, result.is_error

    async def _asked(
        self, name: str, tool_input: dict[str, Any], tool_use_id: str | None, timeout_s: float
    ) -> AppToolResult | None:
        call_id = uuid4().hex
        self._calls[call_id] = tool_use_id
        try:
            return await self._questions.app_tool(
                call_id,
                name=name,
                tool_input=tool_input,
                tool_use_id=tool_use_id,
                effect_key=self._effects.next(name, tool_input),
                timeout_s=timeout_s,
            )
        finally:
            del self._calls[call_id]


def _show_nobody(tool_use_id: str, text: str) -> None:
    """Shows nothing: the request does not ask for it."""
