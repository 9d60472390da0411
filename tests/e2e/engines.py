"""On which engine a test runs, and what the two engines do differently."""

from typing import NamedTuple

import pytest

AGENT, MESSAGES = "agent", "messages"
BOTH = pytest.mark.engines(AGENT, MESSAGES)
"""For a module: each of its tests runs on both engines, unless a mark of its own says otherwise."""
OF_AGENTS = pytest.mark.engines(AGENT)
"""For a test that is about the agent's CLI, its processes or its tools."""
OF_MESSAGES = pytest.mark.engines(MESSAGES)
"""For a test of what the engine messages alone can do."""
ONCE = pytest.mark.engines(AGENT)
"""For a test of what happens before an engine begins."""


class Difference(NamedTuple):
    """What the engines do differently, and why; a row of the README's table."""

    agent: str
    messages: str
    why: str


DIFFERENCES = {
    "an answer cut at `max_tokens`": Difference(
        "goes on, up to three times",
        "ends with `stop_reason` `max_tokens`",
        "the request sets its own `max_tokens`, and the API takes no half answer back",
    ),
    "a refusal": Difference(
        "the model is asked once more", "ends with `stop_reason` `refusal`", "the model would refuse again"
    ),
    "a wrong key (401)": Difference("is tried again", "fails at once", "a key does not become right by waiting"),
    "a stream that breaks": Difference(
        "the model goes on behind the last whole block; an error in the stream is final",
        "`discard` takes all of it back, and the call is made again",
        "a call has no agent's state that could be kept",
    ),
    "an answer that is none": Difference(
        "`retry.code` is that of the status, such as `server_error` at a gateway's 502; the CLI goes on with what it "
        "can read",
        "`retry.code` is that of the end, such as `gateway`; a stream without its end is `network`, an event of "
        "another form `server_error`",
        "the CLI tells of a retry its status alone",
    ),
    "structured output": Difference(
        "is a tool's call, beside the text",
        "is the text, in `delta` events too",
        "the API's own structured output, which needs no tool",
    ),
    "keywords of `output_schema`": Difference(
        "those of draft 07",
        "those of any draft; what the API cannot hold the model to, its instructions say",
        "the API's structured output knows a part of JSON Schema",
    ),
    "`limits.max_budget_usd`": Difference(
        "is looked at after each call, which may pass it",
        "is looked at before each call, which may write no more than it leaves; a model without a price is refused",
        "the engine counts itself",
    ),
    "`cost_usd` of a stopped run": Difference("is not known", "is known", "the CLI tells it at the end only"),
    "a prompt too long for the model": Difference(
        "is refused by the CLI; before that it summarises older turns",
        "is refused by the API: `context_overflow`",
        "a summary is an agent's work; a chat begins a new session",
    ),
    "calls beside the answer": Difference(
        "the CLI may ask a smaller model; `models` has it", "none", "what is asked for is what is called"
    ),
    "`session.cli_version`": Difference("the CLI's", "`none`", "there is no CLI"),
}
TESTED: set[str] = set()
"""Those of which a test says what the engine messages does."""


def differs(topic: str) -> pytest.MarkDecorator:
    """Marks a test, or a parameter, where the engine messages does something else by design.

    Args:
        topic: What the engines do differently; ``instead`` marks the test of what the other one does.
    """
    assert topic in DIFFERENCES, topic
    return OF_AGENTS


def instead(topic: str) -> pytest.MarkDecorator:
    """Marks a test of what the engine messages does instead."""
    assert topic in DIFFERENCES, topic
    TESTED.add(topic)
    return OF_MESSAGES
