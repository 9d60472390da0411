"""How much a run may use up on this host."""

from typing import Any

import pytest
from pydantic import ValidationError

from agent_workers.policy import Policy
from agent_workers.protocol.v1.request import Limits, Request
from tests.policy.asking import denied, grant, policy, words

ALL = policy(limits={"timeout_s": 60, "max_turns": 5, "max_budget_usd": 0.5})


def test_what_a_request_leaves_out_it_gets_from_the_policy() -> None:
    granted = grant(ALL, words())
    assert (granted.limits, granted.max_turns) == (Limits(timeout_s=60, max_budget_usd=0.5), 5)


def test_a_usual_default_that_is_less_stays() -> None:
    generous = policy(limits={"timeout_s": 6000, "max_turns": 500})
    granted = generous.grant(words(), "agent-task", default_turns=50)
    assert (granted.limits.timeout_s, granted.max_turns) == (300, 50)
    assert ALL.grant(words(), "agent-task", default_turns=50).max_turns == 5


def test_less_than_the_most_is_granted_as_it_was_asked_for() -> None:
    request = words(limits={"timeout_s": 60, "idle_timeout_s": 5, "max_budget_usd": 0.1}, max_turns=1)
    assert grant(ALL, request) == request


def test_more_is_denied_with_the_most_and_the_key_that_says_so() -> None:
    request = words(limits={"timeout_s": 60.5, "max_budget_usd": 0.51}, max_turns=6)
    assert denied(ALL, request) == {
        "/limits/timeout_s": "must be at most 60: the host's policy sets limits.timeout_s",
        "/limits/max_budget_usd": "must be at most 0.5: the host's policy sets limits.max_budget_usd",
        "/max_turns": "must be at most 5: the host's policy sets limits.max_turns",
    }


def test_the_usual_time_that_a_request_spells_out_is_asked_for() -> None:
    assert set(denied(ALL, words(limits={"timeout_s": 300}))) == {"/limits/timeout_s"}


def test_what_is_granted_is_granted_again() -> None:
    assert grant(ALL, grant(ALL, words())) == grant(ALL, words())


def test_without_a_limit_nothing_is_changed() -> None:
    request = words(limits={"timeout_s": 604_800}, max_turns=10**9)
    assert grant(policy(), request) == request
    assert grant(policy(), words()).max_turns is None


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_what_is_no_number_is_no_way_around_a_limit(value: float) -> None:
    """Such a request cannot be parsed; a front door that made one by itself would still be stopped here."""
    limits = Limits.model_construct(timeout_s=value, idle_timeout_s=1, max_budget_usd=value)
    request = Request.model_construct(prompt="Hello", limits=limits, max_turns=value)
    assert set(denied(ALL, request)) == {"/limits/timeout_s", "/limits/max_budget_usd", "/max_turns"}


@pytest.mark.parametrize("key", ["timeout_s", "max_turns", "max_budget_usd"])
@pytest.mark.parametrize("value", [0, -1, True, "60", float("nan"), float("inf"), None, [60]])
def test_a_limit_is_a_number_that_limits(key: str, value: Any) -> None:
    with pytest.raises(ValidationError):
        Policy.model_validate({"version": 1, "limits": {key: value}})


@pytest.mark.parametrize(("key", "value"), [("timeout_s", 604_801), ("timeout_s", 10**400), ("max_budget_usd", 1e300)])
def test_a_limit_has_the_bounds_of_the_field_that_it_limits(key: str, value: Any) -> None:
    with pytest.raises(ValidationError):
        Policy.model_validate({"version": 1, "limits": {key: value}})


def test_a_huge_number_of_turns_is_above_the_limit() -> None:
    assert set(denied(ALL, words(max_turns=10**300))) == {"/max_turns"}
