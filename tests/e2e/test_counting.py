"""What a run has consumed, held against the simulator's own books."""

from typing import Any

from agent_workers.simulator import Scenario
from agent_workers.simulator.scenario import Message, Text
from tests.e2e.desk import Desk, bash, call
from tests.e2e.stream import Event

FIELDS = {
    "input_tokens": ("input_tokens",),
    "output_tokens": ("output_tokens",),
    "cache_read_input_tokens": ("cache_read_input_tokens",),
    "cache_creation_input_tokens": ("cache_creation_input_tokens",),
    "cache_creation_5m_input_tokens": ("cache_creation", "ephemeral_5m_input_tokens"),
    "cache_creation_1h_input_tokens": ("cache_creation", "ephemeral_1h_input_tokens"),
}


def booked(desk: Desk, *models: str) -> dict[str, int]:
    """What the simulator has told of its answers, added up: of all, or of those by some models."""
    total = dict.fromkeys(FIELDS, 0)
    for record in desk.simulator.requests("/v1/messages"):
        for name, path in FIELDS.items() if not models or record.body["model"] in models else ():
            value: Any = record.usage
            for step in path:
                value = value[step]
            total[name] += value
    return total


def tokens(usage: Event) -> dict[str, int]:
    return {name: usage[name] for name in FIELDS}


def play(desk: Desk, *steps: Message) -> None:
    desk.simulator.play(Scenario(name="counted", description="A test's.", steps=steps))


def test_the_tokens_and_the_price_of_a_run_count_its_subagents_and_agree_with_what_the_api_has_told(desk: Desk) -> None:
    prompt = "[[scenario:hello]] Hi"
    cached = {"cache_read_input_tokens": 700, "ephemeral_5m_input_tokens": 20, "ephemeral_1h_input_tokens": 50}
    play(
        desk,
        Message(content=(call("Agent", description="x", prompt=prompt, subagent_type="scout"),), usage=cached),
        Message(content=(Text(text="Done."),), usage={"input_tokens": 5000, "output_tokens": 6000}),
    )
    scout = {"description": "Scouts", "prompt": "You scout.", "model": "haiku"}
    ended = desk.run(tools=["Agent"], agents={"scout": scout}, model="claude-opus-4-5")
    assert ended.ending == ("done", 0)
    done = ended.last
    assert done["usage_scope"] == "all"
    assert tokens(done["usage"]) == booked(desk)
    assert len(done["models"]) == 2
    for name, usage in done["models"].items():
        assert tokens(usage) == booked(desk, name)
        assert usage["cost_usd"] > 0
    assert done["cost_usd"] == sum(usage["cost_usd"] for usage in done["models"].values())
    assert (done["usage"]["cache_creation_5m_input_tokens"], done["usage"]["cache_creation_1h_input_tokens"]) == (
        20,
        50,
    )


def test_a_run_that_its_budget_has_stopped_goes_on_with_a_budget_of_its_own(desk: Desk) -> None:
    price = {"input_tokens": 1000, "output_tokens": 100}  # 0.0075 US dollars by this model
    work = (Message(content=(bash("echo step"),), usage=price),) * 3
    play(desk, *work, Message(content=(Text(text="All done."),), usage=price))
    fields: dict[str, Any] = {"tools": ["Bash"], "permissions": {"allow": ["Bash"]}, "model": "claude-opus-4-5"}
    stopped = desk.run(**fields, limits={"max_budget_usd": 0.01})
    assert (stopped.ending, stopped.last["stop_reason"]) == (("done", 0), "max_budget")
    assert tokens(stopped.last["usage"]) == booked(desk)  # the call that went beyond it, too
    assert stopped.last["cost_usd"] > 0.01
    session = {"resume": stopped.last["session_id"]}
    more = {"max_budget_usd": 0.02}  # less than both runs cost: what was spent before does not count
    resumed = desk.run(**fields, prompt="Go on.", session=session, limits=more)
    assert (resumed.ending, resumed.last["stop_reason"]) == (("done", 0), "end_turn")
    assert (resumed.last["text"], resumed.last["session_id"]) == ("All done.", session["resume"])
    assert 0.01 < resumed.last["cost_usd"] < 0.02
    both = {name: stopped.last["usage"][name] + resumed.last["usage"][name] for name in FIELDS}
    assert both == booked(desk)
