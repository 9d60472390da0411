"""The key of a call's effect is the same in each attempt of a run, and no other call's."""

import re
from typing import Any

import pytest

from agent_workers.engine.questions.effect_keys import EffectKeys


def key(run: str = "run", name: str = "send", number: int = 1, **tool_input: Any) -> str:
    keys = EffectKeys(run)
    return [keys.next(name, tool_input) for _ in range(number)][-1]


@pytest.mark.parametrize(
    ("once", "again"),
    [
        ({"a": 1, "b": {"c": 2, "d": 3}}, {"b": {"d": 3, "c": 2}, "a": 1}),
        ({"amount": 1}, {"amount": 1.0}),
        ({"amount": [-0.0, 1e2]}, {"amount": [0, 100]}),
        ({"name": "J\u00f6rg \U0001f600"}, {"name": "J\u00f6rg \ud83d\ude00"}),
    ],
)
def test_the_same_input_has_the_same_key_however_it_was_written(once: Any, again: Any) -> None:
    assert key(**once) == key(**again)
    assert re.fullmatch(r"[0-9a-f]{64}", key(**once))


def test_whatever_differs_has_another_key() -> None:
    calls: list[dict[str, Any]] = [
        {"x": 1},
        {"x": 1.5},
        {"x": "1"},
        {"x": True},
        {"x": None},
        {"x": [1]},
        {"x": "\u00f6"},
        {"x": "o\u0308"},
        {"x": 1, "y": 1},
        {"x": 1, "run": "other"},
        {"x": 1, "name": "other"},
        {"x": 1, "number": 2},
        {"x": 1, "number": 11},
        {"x": 11, "number": 1},
    ]
    assert len({key(**call) for call in calls}) == len(calls)


def test_calls_are_counted_for_each_tool_and_input_whatever_comes_between() -> None:
    keys = EffectKeys("run")
    mixed = [keys.next(name, {"n": number}) for name, number in [("a", 1), ("b", 1), ("a", 2), ("a", 1), ("b", 1)]]
    assert [mixed[0], mixed[3]] == [key("run", "a", 1, n=1), key("run", "a", 2, n=1)]
    assert [mixed[1], mixed[4]] == [key("run", "b", 1, n=1), key("run", "b", 2, n=1)]
