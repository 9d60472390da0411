"""What a run has consumed, and what its budget leaves."""

import base64
from typing import Any

import pytest

from agent_workers.engine.base import Progress
from agent_workers.engine.messages.body import Frame
from agent_workers.engine.messages.models import load_models
from agent_workers.engine.messages.size import tokens_of
from agent_workers.engine.messages.spending import Spending
from agent_workers.protocol.v1.request import Request
from agent_workers.protocol.v1.usage import Usage

MODELS = load_models({})
HAIKU, OPUS = "claude-haiku-5-5", "claude-opus-5-5"


def spending(budget_usd: float | None = None) -> Spending:
    return Spending(MODELS, Progress(), budget_usd)


def usage(input_tokens: int, output_tokens: int) -> Usage:
    return Usage(input_tokens=input_tokens, output_tokens=output_tokens)


def price(model: str, tokens: Usage) -> float:
    known = MODELS.of(model)
    assert known
    return known.cost_usd(tokens) or 0.0


def test_a_call_counts_with_what_it_has_told_last_and_calls_add_up() -> None:
    spent = spending()
    spent.note(HAIKU, usage(100, 1))
    spent.note(HAIKU, usage(100, 50))
    spent.end_call()
    spent.note(HAIKU, usage(200, 5))
    bill = spent.bill()
    assert (bill.usage.input_tokens, bill.usage.output_tokens, bill.scope) == (300, 55, "all")
    assert bill.cost_usd == pytest.approx(price(HAIKU, usage(300, 55)))


def test_each_model_has_its_part_and_all_of_them_make_the_price() -> None:
    spent = spending()
    for model in (HAIKU, OPUS, HAIKU):
        spent.note(model, usage(100, 10))
        spent.end_call()
    bill = spent.bill()
    assert bill.models
    assert {name: each.input_tokens for name, each in bill.models.items()} == {HAIKU: 200, OPUS: 100}
    assert bill.cost_usd == pytest.approx(price(HAIKU, usage(200, 20)) + price(OPUS, usage(100, 10)))


def test_with_a_model_of_no_known_price_the_price_is_not_known() -> None:
    spent = spending()
    spent.note(HAIKU, usage(100, 10))
    spent.end_call()
    spent.note("a-model-of-our-own", usage(100, 10))
    bill = spent.bill()
    assert (bill.cost_usd, bill.usage.input_tokens) == (None, 200)
    assert bill.models
    assert bill.models[HAIKU].cost_usd


def test_an_early_end_finds_what_was_consumed_by_then() -> None:
    progress = Progress()
    spent = Spending(MODELS, progress, None)
    assert (progress.usage, progress.cost_usd) == (None, None)
    spent.note(OPUS, usage(100, 1))
    assert progress.usage == usage(100, 1)
    assert progress.cost_usd == pytest.approx(price(OPUS, usage(100, 1)))


def test_the_budget_leaves_what_was_not_spent_and_never_less_than_nothing() -> None:
    spent = spending(price(OPUS, usage(0, 1000)))
    assert spent.most_tokens(OPUS, 0) in (999, 1000)
    spent.note(OPUS, usage(0, 400))
    spent.end_call()
    assert spent.most_tokens(OPUS, 0) in (599, 600)
    assert spent.most_tokens(OPUS, 1_000_000) == 0
    assert spent.most_tokens("a-model-of-our-own", 0) is None
    assert spending(None).most_tokens(OPUS, 10**9) is None


def frame(**fields: Any) -> Frame:
    return Frame(Request.model_validate({"prompt": "x", **fields}), "You are helpful.")


def test_the_budget_counts_all_that_the_model_reads() -> None:
    plain = frame().tokens([])
    tool = {"name": "find", "description": "d" * 3000, "input_schema": {"type": "object"}}
    for fields in (
        {"system_prompt": "s" * 3000},
        {"app_tools": [tool]},
        {"output_schema": {"type": "object", "description": "d" * 3000}},
    ):
        assert frame(**fields).tokens([]) - plain > 900, fields
    said = [{"role": "user", "content": [{"type": "text", "text": "t" * 3000}]}]
    assert frame().tokens(said) - plain > 900
    most = spending(1.0).most_for(frame(), said, OPUS)
    assert most is not None
    assert most < (spending(1.0).most_for(frame(), [], OPUS) or 0)


def test_an_attachment_counts_by_what_it_is_and_not_by_its_bytes() -> None:
    data = base64.b64encode(b"x" * 3_000_000).decode()
    image = {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": data}}
    linked = {"type": "image", "source": {"type": "url", "url": "https://example.com/a.png"}}
    assert tokens_of([image]) == tokens_of([linked]) == 5000
    assert tokens_of([{"role": "user", "content": [{"type": "tool_result", "content": [image, image]}]}]) == 10_000
    pdf = {"type": "document", "source": {"type": "base64", "media_type": "application/pdf", "data": data}}
    assert 100_000 < tokens_of(pdf) < 1_000_000
    assert tokens_of({"type": "document", "source": {"type": "url", "url": "https://example.com/a.pdf"}}) > 10_000
    words = {"type": "document", "source": {"type": "text", "media_type": "text/plain", "data": "w" * 3000}}
    assert tokens_of(words) > 900
