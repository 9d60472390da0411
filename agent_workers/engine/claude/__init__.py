"""The Claude engine: the only part that knows of the SDK and its CLI."""

from agent_workers.engine.claude.launch.capabilities import Sandbox
from agent_workers.engine.claude.start import start_agent
from agent_workers.engine.host.environment import Environment

__all__ = ["Environment", "Sandbox", "start_agent"]
