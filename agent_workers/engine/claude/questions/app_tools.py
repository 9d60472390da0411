"""The application's own tools: the model calls them, the application runs them. Every call gets a result."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

from agent_workers.engine.input_check import check_input
from agent_workers.errors import defect

if TYPE_CHECKING:
    from collections.abc import Sequence

    from agent_workers.engine.claude.questions.open_questions import OpenQuestions
    from agent_workers.protocol.v1.content import ResultBlock
    from agent_workers.protocol.v1.settings import AppTool

logger = logging.getLogger("agent_workers")

Result = tuple["str | Sequence[ResultBlock]", bool]
"""The content for the model, and whether it is an error."""


class AppTools:
    """The tools of one request.

    Args:
        tools: The request's ``app_tools``.
        questions: Sends the calls to the application.

    Attributes:
        tools: The tools by name.
    """

    def __init__(self, tools: Sequence[AppTool], questions: OpenQuestions) -> None:
        self.tools = {tool.name: tool for tool in tools}
        self._questions = questions

    async def call(self, name: str, tool_input: dict[str, Any]) -> Result:
        """Runs one call; returns its result, which is an error where the application did not run it."""
        tool = self.tools.get(name)
        if tool is None:
            return f"There is no tool {name}.", True
        try:
            if faults := await check_input(tool.input_schema, tool_input):
                return f"The input does not satisfy the tool's schema. {faults}", True
            result = await self._questions.app_tool(name=name, tool_input=tool_input, timeout_s=tool.timeout_s)
        except TimeoutError:
            return "The input could not be checked against the tool's schema in time.", True
        except Exception as error:  # noqa: BLE001 the model gets a result whatever happens
            logger.error("a call of an application's tool failed: %s", defect(error))
            return "The tool failed.", True
        if result is None:
            return f"The application gave no result within {tool.timeout_s:g} seconds.", True
        return result.content, result.is_error
