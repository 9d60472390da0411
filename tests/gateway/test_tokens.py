"""Tokens: who may start what, and how each other token is refused."""

import base64
import hashlib
import hmac
import json
import time
from collections.abc import Callable
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat

from tests.gateway.served import SECRET, SETTINGS, Served

RSA = rsa.generate_private_key(public_exponent=65537, key_size=2048)
EC = ec.generate_private_key(ec.SECP256R1())
ED = ed25519.Ed25519PrivateKey.generate()
MORE = "fedcba9876543210fedcba9876543210"
KINDS = {"EdDSA": ED, "ES256": EC, "RS256": RSA}


def public(key: Any) -> str:
    return str(key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode())


def private(key: Any) -> str:
    return str(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode())


@pytest.fixture(scope="module")
def gateway(tmp_path_factory: pytest.TempPathFactory) -> Any:
    keys = {"old": ("HS256", MORE), **{name.lower(): (name, public(key)) for name, key in KINDS.items()}}
    tables = [f'[key.{kid}]\nalgorithm = "{kind}"\nvariable = "KEY_{kid.upper()}"' for kid, (kind, _) in keys.items()]
    env = {f"KEY_{kid.upper()}": key for kid, (_, key) in keys.items()}
    served = Served(tmp_path_factory.mktemp("gateway"), "\n".join([SETTINGS, *tables]), env)
    yield served
    served.stop()


def part(value: object) -> str:
    return base64.urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=").decode()


def refused(gateway: Served, token: str) -> tuple[int, str]:
    answer = gateway.run("echo", token)
    assert SECRET.encode() not in answer.body
    return answer.status, answer.json["code"]


def test_a_token_says_for_whom_and_about_what_the_run_is(gateway: Served) -> None:
    about = {"subject": {"type": "deal", "id": "9"}, "goal": "Sell it.", "tenant": "acme"}
    request = gateway.run("echo", gateway.token(**about)).events[-1]["output"]
    assert (request["user"], request["subject"], request["goal"]) == ("7", about["subject"], "Sell it.")
    assert (request["model"], request["max_turns"]) == ("claude-opus-5-5", 5)
    assert len(request["session_owner"]) == 64


@pytest.mark.parametrize("algorithm", KINDS)
def test_keys_of_every_algorithm_are_taken(algorithm: str, gateway: Served) -> None:
    token = gateway.token(KINDS[algorithm], algorithm, algorithm.lower())
    assert gateway.run("echo", token).status == 200


def test_while_keys_are_rotated_both_hold(gateway: Served) -> None:
    assert gateway.run("echo", gateway.token(MORE, kid="old")).status == 200
    assert gateway.run("echo", gateway.token()).status == 200


def test_forged_tokens_are_refused(gateway: Served) -> None:
    header, payload, signature = gateway.token().split(".")
    claims = jwt.decode(gateway.token(), options={"verify_signature": False})
    forged = [
        gateway.token(MORE),  # signed with another key than it names
        gateway.token(kid="none-of-these"),
        gateway.token(kid=None),  # there are several
        f"{header}.{part({**claims, 'sub': '8'})}.{signature}",
        f"{header}.{payload}.",
        f"{part({'alg': 'none', 'typ': 'JWT'})}.{payload}.",
        f"{part({'alg': 'none', 'kid': 'main'})}.{payload}.",
        f"{part({'alg': 'None', 'kid': 'main'})}.{payload}.{signature}",
        "x" * 10_000,
        "a.b.c",
    ]
    for token in forged:
        assert refused(gateway, token) == (401, "token_invalid"), token[:80]


def test_a_public_key_is_no_secret_and_a_secret_no_public_key(gateway: Served) -> None:
    claims = jwt.decode(gateway.token(), options={"verify_signature": False})
    for kid, key in (("rs256", RSA), ("es256", EC), ("eddsa", ED)):
        signed = f"{part({'alg': 'HS256', 'typ': 'JWT', 'kid': kid})}.{part(claims)}"
        for secret in (public(key).encode(), public(key).strip().encode()):
            digest = hmac.new(secret, signed.encode(), hashlib.sha256).digest()
            token = f"{signed}.{base64.urlsafe_b64encode(digest).rstrip(b'=').decode()}"
            assert refused(gateway, token) == (401, "token_invalid"), kid
    assert refused(gateway, gateway.token(RSA, "RS256", "main")) == (401, "token_invalid")
    assert refused(gateway, gateway.token(RSA, "RS256", "es256")) == (401, "token_invalid")


def test_tokens_of_another_time_or_audience_are_refused(gateway: Served) -> None:
    now = int(time.time())
    assert refused(gateway, gateway.token(exp=now - 60)) == (401, "token_expired")
    assert refused(gateway, gateway.token(exp=now + 130)) == (401, "token_too_long")
    assert refused(gateway, gateway.token(iat=now - 60, exp=now + 90)) == (401, "token_too_long")
    assert refused(gateway, gateway.token(iat=now + 60)) == (401, "token_invalid")
    assert refused(gateway, gateway.token(nbf=now + 60)) == (401, "token_invalid")
    for missing in ("exp", "iat", "aud", "sub"):
        assert refused(gateway, gateway.token(**{missing: None})) == (401, "token_invalid"), missing
    for audience in (
        "https://other.test",
        ["https://gateway.test", "https://other.test"],
        ["https://gateway.test"],
        "",
    ):
        assert refused(gateway, gateway.token(aud=audience)) == (401, "token_invalid"), audience


def test_a_token_with_a_claim_that_there_is_not_is_refused_so_that_no_slip_widens_it(gateway: Served) -> None:
    assert refused(gateway, gateway.token(narow={"max_turns": 1})) == (401, "token_invalid")
    assert "narow" in gateway.run("echo", gateway.token(narow={})).json["message"]
    assert refused(gateway, gateway.token(sub="")) == (401, "token_invalid")
    assert refused(gateway, gateway.token(narrow={"model": "claude-opus-9"})) == (401, "token_invalid")


def test_a_token_that_holds_once_starts_one_run(gateway: Served) -> None:
    token = gateway.token(jti="one", once=True)
    assert gateway.run("echo", token).status == 200
    assert refused(gateway, token) == (401, "token_used")
    assert gateway.run("echo", gateway.token(jti="two", once=True)).status == 200
    assert gateway.run("echo", gateway.token(jti="one", once=True, sub="8")).status == 200
    assert refused(gateway, gateway.token(once=True)) == (401, "token_invalid")
    run = gateway.run("echo", gateway.token(jti="three", once=True)).headers["x-agent-run"]
    assert gateway.get(f"/v1/runs/{run}/events", gateway.token(jti="three", once=True)).status == 200


def test_a_token_narrows_its_preset(gateway: Served) -> None:
    narrow = {"max_turns": 2, "tools": [], "limits": {"timeout_s": 50, "idle_timeout_s": 10}, "thinking": False}
    request = gateway.run("echo", gateway.token(narrow=narrow)).events[-1]["output"]
    assert (request["max_turns"], request["tools"]) == (2, [])
    assert request["limits"] == {"timeout_s": 50, "max_budget_usd": 2, "idle_timeout_s": 10}


@pytest.mark.parametrize(
    "narrow",
    [
        {"max_turns": 6},
        {"tools": ["AskUserQuestion", "Bash"]},
        {"app_tools": ["find_partner"]},
        {"limits": {"timeout_s": 101}},
        {"limits": {"idle_timeout_s": 121}},
        {"limits": {"max_budget_usd": 2.01}},
    ],
)
def test_a_token_never_widens_its_preset(narrow: dict[str, Any], gateway: Served) -> None:
    assert refused(gateway, gateway.token(narrow=narrow)) == (403, "preset_widened")


def test_a_token_names_what_there_is(gateway: Served) -> None:
    assert gateway.run("echo", gateway.token(preset=None, worker="chat")).status == 200
    assert refused(gateway, gateway.token(preset=None)) == (403, "preset_unknown")
    assert refused(gateway, gateway.token(preset="other")) == (403, "preset_unknown")
    assert refused(gateway, gateway.token(preset=None, worker="agent-task")) == (403, "preset_unknown")
    assert refused(gateway, gateway.token(worker="agent-task")) == (403, "preset_widened")
    assert refused(gateway, gateway.token(skill="deal-score")) == (403, "preset_widened")
    chat = gateway.post("/v1/skills/deal-score", {"input": {}})
    assert (chat.status, chat.json["code"]) == (403, "preset_widened")
    assert gateway.post("/v1/skills/x", {"input": {}}, gateway.token(preset="skills")).json["code"] == "preset_widened"


def test_a_token_that_names_no_preset_worker_or_skill_starts_no_skill_either(serve: Callable[..., Served]) -> None:
    gateway = serve(f'{SETTINGS}\n[preset.score]\nskill = "deal-score"\n')
    path, body = "/v1/skills/deal-score", {"input": {"deal": 7}}
    refused = gateway.post(path, body, gateway.token(preset=None, runs=["r-1"]))
    assert (refused.status, refused.json["code"]) == (403, "preset_unknown")
    assert gateway.post(path, body, gateway.token(preset=None, worker="chat")).status == 403
    for named in ({"skill": "deal-score"}, {"worker": "skill"}):
        assert gateway.post(path, body, gateway.token(preset=None, **named)).status == 200


def test_a_browser_sets_the_prompt_and_the_conversation_alone(gateway: Served) -> None:
    for field, value in (
        ("model", "claude-opus-9"),
        ("tools", ["Bash"]),
        ("system_prompt", "Obey."),
        ("limits", {}),
        ("session", {"resume": "3f2b8c1e-5d0a-4c77-9a51-0e6f6b1f2d34"}),
        ("user", "1"),
        ("goal", "Mine."),
        ("subject", {"type": "deal", "id": "1"}),
        ("thinking", True),
        ("input", {}),
    ):
        answer = gateway.run("echo", **{field: value})
        assert (answer.status, answer.json["code"], list(answer.json["errors"])) == (422, "invalid_request", [field])
    for body in (b"", b"{}", b'{"prompt": ""}', b'{"prompt": 7}', b'{"prompt": "x", "conversation": "none"}', b"[]"):
        assert gateway.post("/v1/runs", body).status == 422, body
    assert gateway.post("/v1/runs", b'{"prompt": ').json["code"] == "invalid_json"


def test_a_token_in_an_address_reads_one_run_and_does_nothing_else(gateway: Served) -> None:
    run = gateway.run("echo").headers["x-agent-run"]
    reading = gateway.token(preset=None, use="read", runs=[run])
    events = f"/v1/runs/{run}/events"
    assert gateway.ask("GET", f"{events}?token={reading}").status == 200
    for path in (f"/v1/runs/{run}", "/v1/runs"):
        answer = gateway.ask("GET" if path.endswith(run) else "POST", f"{path}?token={gateway.token()}")
        assert (answer.status, answer.json["code"]) == (401, "token_in_address")
    for token in (gateway.token(), gateway.token(use="read"), gateway.token(runs=[run])):
        assert gateway.ask("GET", f"{events}?token={token}").json["code"] == "token_in_address"
    assert gateway.ask("GET", f"{events}?token={gateway.token(use='read', runs=['other'])}").json["code"] == "no_run"
    assert refused(gateway, gateway.token(use="read")) == (403, "forbidden")
    assert gateway.post(f"/v1/runs/{run}/abort", {}, reading).json["code"] == "forbidden"


def test_without_a_token_nothing_happens(gateway: Served) -> None:
    answer = gateway.ask("POST", "/v1/runs", {"prompt": "echo"})
    assert (answer.status, answer.json["code"], answer.headers["www-authenticate"]) == (401, "token_missing", "Bearer")
    assert gateway.ask("GET", "/v1/runs/x/events").json["code"] == "token_missing"
    assert gateway.ask("POST", "/v1/runs/x/abort").json["code"] == "token_missing"


@pytest.mark.parametrize(
    ("key", "words"),
    [
        ("short", "a secret needs at least 32 random ones"),
        (public(RSA), "is no key for HS256"),
        ("", "the variable TOKEN_KEY is not set"),
    ],
)
def test_a_gateway_does_not_start_with_a_key_that_is_none(
    key: str, words: str, serve: Callable[..., Served], tmp_path: Any
) -> None:
    with pytest.raises(AssertionError, match=words):
        serve(env={"TOKEN_KEY": key})


def test_a_private_key_is_refused(serve: Callable[..., Served]) -> None:
    settings = SETTINGS.replace('"HS256"', '"RS256"')
    with pytest.raises(AssertionError, match="needs the public one"):
        serve(settings, env={"TOKEN_KEY": private(RSA)})
