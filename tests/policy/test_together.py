"""Two policies that hold at once: neither lets in what the other keeps out, and neither refuses what the other set."""

from typing import Any

import pytest

from agent_workers.errors import PolicyDenied
from agent_workers.policy import together
from agent_workers.protocol.v1.request import Limits
from tests.policy.asking import denied, policy, words


def granted(one: dict[str, Any], other: dict[str, Any], **fields: Any) -> Any:
    request = words(**fields)
    for each in together(policy(**one), policy(**other)):
        request = each.grant(request, "agent-chat")
    return request


def test_what_a_request_leaves_out_it_gets_from_the_stricter_one() -> None:
    host = {"limits": {"timeout_s": 200, "max_turns": 4, "max_budget_usd": 1}}
    own = {"limits": {"timeout_s": 100, "max_turns": 9}}
    for pair in ((host, own), (own, host)):
        request = granted(*pair)
        assert (request.limits, request.max_turns) == (Limits(timeout_s=100, max_budget_usd=1), 4)


def test_more_than_the_stricter_one_allows_is_denied() -> None:
    first, _ = together(policy(limits={"timeout_s": 200}), policy(limits={"timeout_s": 100}))
    assert "at most 100" in denied(first, words(limits={"timeout_s": 150}))["/limits/timeout_s"]


def test_the_engine_is_the_first_that_both_allow() -> None:
    assert granted({"engines": ["agent", "messages"]}, {"engines": ["messages"]}).engine == "messages"
    assert granted({"engines": ["messages", "agent"]}, {}).engine == "messages"
    with pytest.raises(PolicyDenied, match="no engine that is in both"):
        together(policy(engines=["agent"]), policy(engines=["messages"]))


def test_a_sandbox_lets_out_what_both_let_out_and_hides_what_either_hides() -> None:
    host = {"enabled": True, "allowed_domains": ["*.example.com", "a.org"], "deny_read": ["/srv/one"]}
    own = {"enabled": True, "allowed_domains": ["a.example.com", "example.com", "b.org"], "deny_read": ["/srv/two"]}
    for pair in ((host, own), (own, host)):
        for each in together(*(policy(sandbox=sandbox) for sandbox in pair)):
            assert each.sandbox.enabled
            assert each.sandbox.allowed_domains == ["a.example.com"]
            assert sorted(each.sandbox.deny_read) == ["/srv/one", "/srv/two"]


def test_a_sandbox_that_one_of_them_asks_for_is_as_that_one_says() -> None:
    for each in together(policy(), policy(sandbox={"enabled": True, "allowed_domains": ["a.org"]})):
        assert (each.sandbox.enabled, each.sandbox.allowed_domains) == (True, ["a.org"])
