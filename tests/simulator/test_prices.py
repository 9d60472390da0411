"""The price list of the engine messages is that of the CLI, so that both engines say what a model costs alike."""

from collections.abc import Callable
from typing import Any

import pytest

from agent_workers.engine.messages.model import Model
from agent_workers.engine.messages.models import load_models
from agent_workers.protocol.v1.usage import Usage
from agent_workers.simulator import Scenario, Simulator
from agent_workers.simulator.scenario import Message, Text

KNOWN = load_models({})
EVERY_KIND = {
    "input_tokens": 9_000,
    "output_tokens": 11_000,
    "cache_read_input_tokens": 23_000,
    "ephemeral_5m_input_tokens": 5_000,
    "ephemeral_1h_input_tokens": 7_000,
}


def play(simulator: Simulator, **usage: int) -> None:
    said = Message(content=(Text(text="Hello."),), usage=usage)
    simulator.play(Scenario(name="priced", description="A test's.", steps=(said,)))


def cost(model: str, usage: dict[str, int]) -> float | None:
    """What our list makes of it."""
    known = KNOWN.of(model)
    assert known
    told = {name: tokens for name, tokens in usage.items() if not name.startswith("ephemeral_")}
    minutes, hour = usage.get("ephemeral_5m_input_tokens", 0), usage.get("ephemeral_1h_input_tokens", 0)
    written = {"cache_creation_5m_input_tokens": minutes, "cache_creation_1h_input_tokens": hour}
    return known.cost_usd(Usage(**told, **written, cache_creation_input_tokens=minutes + hour))


@pytest.mark.parametrize("entry", KNOWN.entries, ids=lambda entry: entry.patterns[0])
def test_a_model_costs_what_the_cli_says_and_thinks_in_the_same_way(
    entry: Model, simulator: Simulator, run_cli: Callable[..., Any]
) -> None:
    model = entry.patterns[0]
    play(simulator, **EVERY_KIND)
    result = run_cli("Hello.", f"--model={model}").result
    assert result["modelUsage"][model]["costBasis"] == "list"
    assert result["total_cost_usd"] == pytest.approx(cost(model, EVERY_KIND))
    (sent,) = (record.body for record in simulator.requests("/v1/messages"))
    assert sent["max_tokens"] <= (entry.max_output_tokens or 0)
    assert sent["thinking"]["type"] == {"adaptive": "adaptive", "budget": "enabled"}[entry.thinking]


@pytest.mark.parametrize(("cached", "is_long"), [(50_000, False), (50_001, True)])
def test_a_long_prompt_costs_what_the_cli_says(
    cached: int, is_long: bool, simulator: Simulator, run_cli: Callable[..., Any]
) -> None:
    usage = {"input_tokens": 50_000, "cache_read_input_tokens": cached, "output_tokens": 1_000}
    play(simulator, **usage)
    found = run_cli("Hello.", "--model=claude-haiku-5-5").result["total_cost_usd"]
    assert found == pytest.approx(cost("claude-haiku-5-5", usage))
    assert (found > 0.02) is is_long


@pytest.mark.parametrize("alias", ["", *KNOWN.aliases, "sonnet[1m]"])
def test_a_request_goes_to_the_model_that_the_cli_would_call(
    alias: str, simulator: Simulator, run_cli: Callable[..., Any]
) -> None:
    run_cli("Hello.", *([f"--model={alias}"] if alias else []))
    asked = {record.body["model"] for record in simulator.requests("/v1/messages")}
    assert asked == {KNOWN.full_name(alias) if alias else KNOWN.default}
