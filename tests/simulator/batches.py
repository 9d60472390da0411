"""Requests and scenarios for the tests of batches."""

from typing import Any

from agent_workers.simulator import Scenario, parse_scenario

BATCHES = "/v1/messages/batches"


def hello(custom_id: Any, prompt: str = "Hello.", **params: Any) -> dict[str, Any]:
    """One request of a batch; keyword arguments go into its parameters."""
    asked = {"model": "claude-test", "max_tokens": 100, "messages": [{"role": "user", "content": prompt}], **params}
    return {"custom_id": custom_id, "params": asked}


def played(*steps: dict[str, Any], **settings: Any) -> Scenario:
    """A scenario of these steps, or of a greeting."""
    given = list(steps) or [{"content": [{"type": "text", "text": "Hello."}]}]
    return parse_scenario("test", {"description": "For a test.", "steps": given, **settings})
