"""The structured output of an answer."""

from __future__ import annotations

from typing import Any

from agent_workers.engine.input_check import find_faults, in_words
from agent_workers.errors import OutputSchemaError, OutputTooLarge
from agent_workers.json_schema import validator_of
from agent_workers.json_schema.readable import readable
from agent_workers.wire import dump

# Half of a line: the other half is for the text and the envelope.
_MAX_OUTPUT = 128 * 1024


def valid_output(output: Any, schema: dict[str, Any]) -> Any:
    """Returns the output.

    Raises:
        OutputSchemaError: There is none, or it does not satisfy the schema.
        OutputTooLarge: It does not fit into an event.
    """
    from jsonschema import ValidationError

    if output is None:
        raise OutputSchemaError(cause="the model answered without structured output")
    try:
        validator_of(readable(schema)).validate(output)
    except ValidationError as error:
        raise OutputSchemaError(cause=f"at {error.json_path}: {error.validator}") from error
    return _fitting(output)


async def checked_output(output: Any, schema: dict[str, Any]) -> tuple[Any, str]:
    """Returns the output, or None and what is wrong with it, in words for the model.

    No schema and no output keeps the event loop waiting.

    Args:
        output: What the model has answered.
        schema: The request's ``output_schema``.

    Raises:
        OutputSchemaError: It cannot be checked in time.
        OutputTooLarge: It does not fit into an event.
    """
    try:
        found = await find_faults(schema, output)
    except TimeoutError:
        raise OutputSchemaError(cause="the output could not be checked against the schema in time") from None
    return (None, in_words(found)) if found else (_fitting(output), "")


def _fitting(output: Any) -> Any:
    if len(dump(output)) > _MAX_OUTPUT:
        raise OutputTooLarge(cause=f"the structured output is larger than {_MAX_OUTPUT} bytes")
    return output
