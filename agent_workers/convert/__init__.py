"""The events of a run as the frames that front ends of others read: pure, one module for each protocol.

``php-bridge/src/Sse`` has the same encoders in PHP. Both are held to the frames in ``conformance/v1/frames``, byte for
byte.
"""

from __future__ import annotations

from agent_workers.convert.ag_ui import AgUiEncoder
from agent_workers.convert.ai_sdk import AiSdkEncoder
from agent_workers.convert.encoder import Encoder
from agent_workers.convert.event import Event, NotAnEvent, lost, read_event
from agent_workers.convert.laravel import LaravelEncoder
from agent_workers.convert.native import NativeEncoder

__all__ = ["FORMATS", "Encoder", "Event", "NotAnEvent", "lost", "read_event"]

FORMATS: dict[str, type[Encoder]] = {
    "native": NativeEncoder,
    "ai-sdk": AiSdkEncoder,
    "ag-ui": AgUiEncoder,
    "laravel": LaravelEncoder,
}
"""The encoder of each protocol, by the protocol's name."""
