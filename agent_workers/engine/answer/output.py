"""The structured output of an answer. Pure."""

from __future__ import annotations

import re
from typing import Any

from agent_workers.errors import OutputSchemaError, OutputTooLarge
from agent_workers.json_schema import validator_of
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
        validator_of(schema).validate(output)
    except ValidationError as error:
        raise OutputSchemaError(cause=f"at {error.json_path}: {error.validator}") from error
    except re.error:
        pass  # a pattern of ECMA-262 that Python does not know; the CLI, which does, has checked it
    if len(dump(output)) > _MAX_OUTPUT:
        raise OutputTooLarge(cause=f"the structured output is larger than {_MAX_OUTPUT} bytes")
    return output
