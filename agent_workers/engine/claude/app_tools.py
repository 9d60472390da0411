"""The application's own tools: the model calls them, the application runs them. No call is left without a result."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

from agent_workers.errors import defect

if TYPE_CHECKING:
    from collections.abc import Sequence

    from jsonschema.protocols import Validator

    from agent_workers.protocol.v1.content import ResultBlock
    from agent_workers.protocol.v1.settings import AppTool

    from .pending import Pending

logger = logging.getLogger("agent_workers")

_MAX_FAULTS = 5

Result = tuple["str | Sequence[ResultBlock]", bool]
"""The content for the model, and whether it is an error."""


class AppTools:
    """The tools of one request.

    Args:
        tools: As the request brings them.
        pending: Puts the calls to the application.

    Attributes:
        tools: By name.
    """

    def __init__(self, tools: Sequence[AppTool], pending: Pending) -> None:
        self.tools = {tool.name: tool for tool in tools}
        self._validators = {tool.name: _validator(tool.input_schema) for tool in tools}
        self._pending = pending

    async def call(self, name: str, tool_input: dict[str, Any]) -> Result:
        """Runs one call to its result, which is an error where the application does not come into it."""
        tool = self.tools.get(name)
        if tool is None:
            return f"There is no tool {name}.", True
        try:
            if faults := _faults(self._validators[name], tool_input):
                return f"The input does not satisfy the tool's schema. {faults}", True
            result = await self._pending.app_tool(name=name, tool_input=tool_input, timeout_s=tool.timeout_s)
        except Exception as error:  # noqa: BLE001 the model gets a result whatever happens
            logger.error("a call of an application's tool failed: %s", defect(error))
            return "The tool failed.", True
        if result is None:
            return f"The application gave no result within {tool.timeout_s:g} seconds.", True
        return result.content, result.is_error


def _validator(schema: dict[str, Any]) -> Validator:
    from jsonschema import Draft202012Validator  # noqa: PLC0415 slow, and few requests bring tools
    from jsonschema.validators import validator_for  # noqa: PLC0415 likewise
    from referencing.jsonschema import EMPTY_REGISTRY  # noqa: PLC0415 likewise

    # With a registry of its own it fetches no reference from the network.
    return validator_for(schema, default=Draft202012Validator)(schema, registry=EMPTY_REGISTRY)


def _faults(validator: Validator, tool_input: dict[str, Any]) -> str:
    found = [f"{fault.json_path}: {fault.message[:200]}" for fault in validator.iter_errors(tool_input)]
    more = f" And {len(found) - _MAX_FAULTS} more." if len(found) > _MAX_FAULTS else ""
    return "; ".join(found[:_MAX_FAULTS]) + more
