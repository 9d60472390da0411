"""What the Laravel bridge signs, and what the gateway makes of it: real PHP on one side, the gateway on the other."""

from typing import Any

import pytest

from tests.gateway.bridge import php
from tests.gateway.served import AUDIENCE, SECRET, SETTINGS, Served
from tests.gateway.test_tokens import KINDS, private, public, refused

CONVERSATION = "3f2b8c1e-5d0a-4c77-9a51-0e6f6b1f2d34"


def tokens(*said: dict[str, Any], kid: str = "main") -> list[str]:
    """Returns what PHP signs: each token by the calls of its methods."""
    keys = {name.lower(): {"algorithm": name, "key": private(key)} for name, key in KINDS.items()}
    keys["main"] = {"algorithm": "HS256", "key": SECRET}
    settings = {"audience": AUDIENCE, "keys": keys, "key_id": kid}
    return php("token", {"gateway": settings, "tokens": said}).split()


@pytest.fixture(scope="module")
def gateway(tmp_path_factory: pytest.TempPathFactory) -> Any:
    tables = [f'[key.{name.lower()}]\nalgorithm = "{name}"\nvariable = "KEY_{name.upper()}"' for name in KINDS]
    env = {f"KEY_{name.upper()}": public(key) for name, key in KINDS.items()}
    served = Served(tmp_path_factory.mktemp("gateway"), "\n".join([SETTINGS, *tables]), env)
    yield served
    served.stop()


@pytest.mark.parametrize("algorithm", ["HS256", *KINDS])
def test_the_gateway_takes_what_php_signs_with_each_algorithm_and_nothing_altered(
    algorithm: str, gateway: Served
) -> None:
    kid = algorithm.lower() if algorithm in KINDS else "main"
    # A signature of ES256 has numbers of which each 128th begins with a zero.
    signed = tokens(*[{"preset": ["chat"]}] * (8 if algorithm == "ES256" else 1), kid=kid)
    for token in signed:
        assert gateway.get("/v1/runs/none", token).json["code"] == "no_run"
    assert gateway.run("echo", signed[0]).status == 200
    header, payload, signature = signed[0].split(".")
    for part in (header, payload, signature):
        changed = part[:20] + ("A" if part[20] != "A" else "B") + part[21:]
        altered = signed[0].replace(part, changed)
        assert refused(gateway, altered) == (401, "token_invalid")
    other = tokens({"preset": ["chat"]}, kid="main" if kid != "main" else "eddsa")[0]
    assert refused(gateway, f"{header}.{payload}.{other.split('.')[2]}") == (401, "token_invalid")


def test_the_gateway_reads_each_thing_that_a_token_of_php_says(gateway: Served) -> None:
    said = {
        "user": "Jürgen/7",
        "worker": ["chat"],
        "preset": ["chat"],
        "subject": ["deal", 9],
        "goal": ["Sell it."],
        "tenant": ["acme"],
        "conversation": [CONVERSATION],
        "once": [],
        "narrow": [{"max_turns": 2, "limits": {"timeout_s": 30}, "tools": []}],
        "expiresIn": [120],
    }
    (token,) = tokens(said)
    request = gateway.run("echo", token).events[-1]["output"]
    assert request["user"] == "Jürgen/7"
    assert request["subject"] == {"type": "deal", "id": "9"}
    assert (request["goal"], request["max_turns"], request["tools"]) == ("Sell it.", 2, [])
    assert (request["limits"]["timeout_s"], request["limits"]["max_budget_usd"]) == (30, 2)
    assert refused(gateway, token) == (401, "token_used")


def test_what_php_narrows_cannot_widen(gateway: Served) -> None:
    (token,) = tokens({"preset": ["chat"], "narrow": [{"max_turns": 50}]})
    assert refused(gateway, token) == (403, "preset_widened")


def test_a_token_for_reading_follows_its_runs_also_in_an_address_and_starts_none(gateway: Served) -> None:
    start, other = tokens({"preset": ["chat"]}, {"user": "8", "preset": ["chat"]})
    with gateway.streaming("echo", start) as stream:
        list(stream.all())
    names = {"runs": [[stream.run]], "readOnly": [], "expiresIn": [3600]}
    read, foreign, none = tokens(names, {"user": "8", **names}, {"runs": [[]], "readOnly": []})
    path = f"/v1/runs/{stream.run}"
    assert gateway.ask("GET", f"{path}/events?token={read}").status == 200
    assert gateway.get(path, read).json["state"] == "done"
    assert gateway.post(f"{path}/abort", {}, read).status == 403
    assert refused(gateway, read) in {(403, "forbidden"), (403, "preset_unknown")}
    for token in (foreign, none, other):
        assert gateway.get(path, token).status == 404
