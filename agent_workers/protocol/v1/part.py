"""The base of events and of the objects inside them."""

from typing import Any

from pydantic import BaseModel, ConfigDict

from agent_workers.protocol.value import Json


class Part(BaseModel):
    """An event, or an object inside one. None means "absent": the line omits the field."""

    model_config = ConfigDict(strict=True, extra="forbid", frozen=True, allow_inf_nan=False, defer_build=True)

    def to_wire(self) -> dict[str, Any]:
        """Returns the JSON object, without absent fields."""
        return {name: _plain(value) for name, value in self.__dict__.items() if value is not None}


def _plain(value: Json) -> Json:
    """Parts are at most one list or object deep. Anything deeper is a tool's own JSON and stays unchanged."""
    if isinstance(value, Part):
        return value.to_wire()
    if type(value) is list:
        return [item.to_wire() if isinstance(item, Part) else item for item in value]
    if type(value) is dict:
        return {name: item.to_wire() if isinstance(item, Part) else item for name, item in value.items()}
    return value
