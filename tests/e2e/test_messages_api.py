"""The API behind the engine messages, and what may stand before it: whose credential, which proxy, and odd answers."""

import json
import shutil
import ssl
import subprocess
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path
from typing import Any

import pytest

from agent_workers.simulator import Scenario, Simulator
from agent_workers.simulator.scenario import Failure, Message, Text
from tests.e2e.engines import OF_MESSAGES
from tests.e2e.odd_api import STREAM, Answer, OddApi, chunk, endless, message, odd_api, raw, says, sse, text
from tests.e2e.worker import Ended, Home
from tests.waiting import PATIENCE_S

pytestmark = [pytest.mark.usefixtures("loaded"), OF_MESSAGES]
FIND = {"name": "find", "description": "Finds.", "input_schema": {"type": "object"}}
RETRYABLE = 75


@pytest.fixture
def asked(home: Home) -> Iterator[OddApi]:
    with odd_api(says(text("Hello."))) as api:
        home.environ["ANTHROPIC_BASE_URL"] = api.url + "/gateway/"
        yield api


def test_a_call_bears_the_key_and_what_the_operator_adds(home: Home, asked: OddApi) -> None:
    more = "X-Team: partners\nanthropic-beta: one, two\n not a header\n: no name\n"
    assert home.run({"prompt": "x"}, env={"ANTHROPIC_CUSTOM_HEADERS": more}).last["text"] == "Hello."
    [head] = asked.heads
    assert head[""] == "POST /gateway/v1/messages HTTP/1.1"
    assert head["user-agent"].startswith("agent-workers/")
    expected = {
        "x-api-key": "key-canary",
        "anthropic-version": "2023-06-01",
        "x-team": "partners",
        "anthropic-beta": "one, two",
        "content-type": "application/json",
    }
    assert head.items() >= expected.items()
    assert "authorization" not in head
    assert "key-canary" not in json.dumps(asked.bodies)


def test_a_token_goes_before_the_key(home: Home, asked: OddApi) -> None:
    for without in ((), ("ANTHROPIC_API_KEY",)):
        env = {"ANTHROPIC_AUTH_TOKEN": "token-canary\n"}
        assert home.run({"prompt": "x"}, env=env, without=without).ending == ("done", 0)
        assert asked.heads[-1]["authorization"] == "Bearer token-canary"
        assert "x-api-key" not in asked.heads[-1]


NO_CREDENTIAL: dict[str, tuple[dict[str, str], str]] = {
    "none": ({}, "neither ANTHROPIC_API_KEY nor a token is set"),
    "an empty one": ({"ANTHROPIC_API_KEY": "", "ANTHROPIC_AUTH_TOKEN": ""}, "neither ANTHROPIC_API_KEY nor a token"),
    "the CLI's login": (
        {"CLAUDE_CODE_OAUTH_TOKEN": "login-canary"},
        "a login of the Claude CLI is for the engine agent",
    ),
    "one of two lines": ({"ANTHROPIC_API_KEY": "one-canary\ntwo-canary"}, "ANTHROPIC_API_KEY"),
    "one that is not ASCII": ({"ANTHROPIC_API_KEY": "kéy-canary"}, "ANTHROPIC_API_KEY"),
}


@pytest.mark.parametrize("what", NO_CREDENTIAL)
def test_a_credential_that_is_missing_or_cannot_be_sent_is_told_without_it(
    home: Home, asked: OddApi, what: str
) -> None:
    env, cause = NO_CREDENTIAL[what]
    ended = home.run({"prompt": "x", "session": {"id": SESSION}}, env=env, without=("ANTHROPIC_API_KEY",))
    assert ended.ending == ("auth", 1)
    assert cause in ended.stderr
    assert "canary" not in ended.stderr + ended.output.decode()
    assert home.run({"prompt": "x", "session": {"id": SESSION}}).ending == ("done", 0)  # the id is still free
    assert len(asked.heads) == 1


SESSION = "3f2b8c1e-5d0a-4c77-9a51-0e6f6b1f2d34"


ENV_FAULTS = [
    *(
        {"ANTHROPIC_BASE_URL": url}
        for url in ("localhost:1", "ftp://localhost/", "http://[::1", "http://", "not a url")
    ),
    *({"ANTHROPIC_BASE_URL": f"http://127.0.0.1:{port}"} for port in (99999, -1, 0, "x")),
    *({"ANTHROPIC_BASE_URL": f"http://127.0.0.1:1/{end}"} for end in ("?tenant=1", "x#y", "?", "#", "a b", "\x01")),
    *({"ANTHROPIC_CUSTOM_HEADERS": f"{name}: 5"} for name in ("Content-Length", "transfer-encoding", "Connection")),
    *({"ANTHROPIC_CUSTOM_HEADERS": line} for line in ("X Team: canary", "X-Team: canary\x01", "X-Team: canäry")),
]


@pytest.mark.parametrize("env", ENV_FAULTS, ids=str)
def test_an_address_or_header_that_cannot_be_used_is_the_operators_fault(home: Home, env: dict[str, str]) -> None:
    ended = home.run({"prompt": "x"}, env={"CLAUDE_CODE_MAX_RETRIES": "0", **env})
    assert ended.ending == ("gateway", 1)
    [variable] = env
    assert variable in ended.stderr
    assert variable in ended.last["message"]
    assert "Traceback" not in ended.stderr
    assert "canary" not in ended.stderr


ECHO = (
    "x-api-key: key-canary authorization: Basic b3BlcmF0b3I6cGFzcy1jYW5hcnk= x-token: token-canary \x1b]0;\u202e\nnext"
)
HIDDEN = ("canary", "b3BlcmF0b3I6", "\x1b", "\u202e", "\nnext", "The prompt.")


def api_error(words: str) -> bytes:
    return json.dumps({"type": "error", "error": {"type": "invalid_request_error", "message": words}}).encode()


@pytest.mark.parametrize(
    ("answer", "told"),
    [
        (b"HTTP/1.1 403 No\r\ncontent-type: text/plain\r\n\r\nThe prompt. " + ECHO.encode(), "text/plain"),
        (b"HTTP/1.1 403 No\r\ncontent-type: text/html\r\n\r\n<title>Not\n here</title>" + ECHO.encode(), "Not here"),
        (b"HTTP/1.1 200 OK\r\ncontent-type: key-canary\r\n\r\nThe prompt.", "status 200"),
        (b"HTTP/1.1 400 No\r\ncontent-type: application/json\r\n\r\n" + api_error(ECHO), "[secret]"),
        (b"HTTP/1.1 400 No\r\ncontent-type: a/b\r\n\r\n" + api_error("y" * 195 + " key-canary"), "yyy"),
        (STREAM + sse(json.loads(api_error(ECHO))), "in the stream: invalid_request_error: x-api-key: [secret]"),
        (STREAM + sse({"type": "content_block_stop", "index": "key-canary"}), "content_block_stop"),
        (b"HTTP/1.1 200 OK\r\nkey-canary\r\n\r\n", "ProtocolError"),
    ],
    ids=range(8),
)
def test_what_answers_is_told_on_one_line_without_the_key_or_the_prompt(home: Home, answer: bytes, told: str) -> None:
    with odd_api(raw(answer)) as api:
        env = {
            "ANTHROPIC_BASE_URL": api.url.replace("http://", "http://operator:pass-canary@"),
            "ANTHROPIC_CUSTOM_HEADERS": "x-token: token-canary",
            "CLAUDE_CODE_MAX_RETRIES": "0",
        }
        ended = home.run({"prompt": "The prompt."}, env=env)
    assert ended.last["type"] == "error"
    assert told in ended.stderr
    assert not [each for each in HIDDEN if each in ended.stderr + ended.output.decode()]
    assert len(ended.stderr) < 1000


@pytest.mark.parametrize("status", [600, 999])
def test_a_status_that_is_none_is_left_out(home: Home, status: int) -> None:
    ended, _ = odd(home, raw(b"HTTP/1.1 %d No\r\ncontent-length: 0\r\n\r\n" % status))
    assert ended.ending == ("gateway", RETRYABLE)
    assert "http_status" not in ended.last


@pytest.fixture(scope="module")
def certified(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, ssl.SSLContext]:
    """A certificate that no host knows, and what a server proves itself with by it."""
    folder = tmp_path_factory.mktemp("certified")
    if not (openssl := shutil.which("openssl")):
        pytest.skip("openssl is not installed")
    command = [openssl, "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=test"]
    command += ["-addext", "subjectAltName=IP:127.0.0.1", "-keyout", "key.pem", "-out", "certificate.pem"]
    subprocess.run(command, cwd=folder, check=True, capture_output=True, timeout=PATIENCE_S)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "certificate.pem", folder / "key.pem")
    return folder / "certificate.pem", context


@pytest.mark.parametrize("variable", ["SSL_CERT_FILE", "NODE_EXTRA_CA_CERTS"])
def test_an_operator_may_have_certificates_of_his_own_and_no_others_are_taken(
    home: Home, certified: tuple[Path, ssl.SSLContext], variable: str
) -> None:
    certificate, context = certified
    with odd_api(says(text("Hello.")), tls=context) as api:
        env = {"ANTHROPIC_BASE_URL": api.url, "CLAUDE_CODE_MAX_RETRIES": "0"}
        assert home.run({"prompt": "x"}, env=env).ending == ("network", RETRYABLE)
        assert api.heads == []
        assert home.run({"prompt": "x"}, env={**env, variable: str(certificate)}).last["text"] == "Hello."
        missing = home.run({"prompt": "x"}, env={**env, variable: str(home.root / "missing.pem")})
    assert missing.ending == ("gateway", 1)
    assert "certificates that the environment names" in missing.stderr
    assert "Traceback" not in missing.stderr


def test_a_kind_of_proxy_that_is_not_known_here_is_told(home: Home) -> None:
    ended = home.run({"prompt": "x"}, env={"ALL_PROXY": "socks5://127.0.0.1:9"})
    assert ended.ending == ("gateway", 1)
    assert "proxy" in ended.stderr
    assert "Traceback" not in ended.stderr


def odd(home: Home, *answers: Answer, **fields: Any) -> tuple[Ended, OddApi]:
    """A run that is answered so."""
    with odd_api(*answers) as api:
        env = {"ANTHROPIC_BASE_URL": api.url, "CLAUDE_CODE_MAX_RETRIES": "1"}
        return home.run({"prompt": "x", **fields}, env=env), api


HEAD = b"HTTP/1.1 %s\r\ncontent-type: %s\r\nconnection: close\r\n\r\n"
OVERLOADED = json.dumps({"type": "error", "error": {"type": "overloaded_error", "message": "Overloaded"}}).encode()
PAGE = HEAD % (b"500 No", b"text/html")
EVENTS = HEAD % (b"200 OK", b"text/event-stream")
BROKEN: dict[str, Any] = {"type": "error", "error": {"type": "new_error"}}
ODD: dict[str, tuple[Answer, tuple[str, int]]] = {
    "nothing": (raw(b""), ("network", RETRYABLE)),
    "no HTTP": (raw(b"SSH-2.0-OpenSSH_9.2\r\n"), ("network", RETRYABLE)),
    "an answer without an end": (endless(PAGE, b"<p>no</p>" * 999), ("gateway", RETRYABLE)),
    "a refusal without an end": (
        endless(HEAD % (b"403 No", b"application/json"), b'{"type": "error", ' * 999),
        ("gateway", 1),
    ),
    "a redirect": (raw(HEAD % (b"302 Found\r\nlocation: https://example.com/", b"text/html")), ("gateway", 1)),
    "no stream": (raw(HEAD % (b"200 OK", b"application/json") + b'{"type": "message"}'), ("gateway", 1)),
    "an empty stream": (raw(EVENTS), ("gateway", 1)),
    "a stream of pings": (
        raw(EVENTS + b'data: {"type": "ping"}\n\n'),
        ("network", RETRYABLE),
    ),
    "a stream of no JSON": (raw(STREAM + sse(b"{")), ("server_error", 1)),
    "a stream of nested JSON": (raw(STREAM + sse(b'{"a":' * 5000)), ("server_error", 1)),
    "a stream of other things": (
        raw(STREAM + sse(b"[]", b"5", {"type": "new"}) + b"0\r\n\r\n"),
        ("network", RETRYABLE),
    ),
    "events of another form": (raw(STREAM + sse({"type": "content_block_delta"})), ("server_error", 1)),
    "half a message": (raw(STREAM + sse(*message(text("Half."))[:3])), ("network", RETRYABLE)),
    "a broken chunk": (raw(STREAM + b"zz\r\n"), ("network", RETRYABLE)),
    "an event without an end": (endless(STREAM, chunk(b"x" * (1 << 20))), ("server_error", 1)),
    "an unknown error": (
        raw(STREAM + sse({"type": "error", "error": {"type": "new_error"}})),
        ("server_error", RETRYABLE),
    ),
    "an error of no form": (raw(STREAM + sse({"type": "error", "error": "no"})), ("server_error", RETRYABLE)),
    "overloaded": (raw(HEAD % (b"529 Busy", b"application/json") + OVERLOADED), ("overloaded", RETRYABLE)),
}


@pytest.mark.parametrize("what", ODD)
def test_whatever_answers_the_run_ends_with_its_code_and_soon(home: Home, what: str) -> None:
    answer, ending = ODD[what]
    ended, api = odd(home, answer)
    assert ended.ending == ending
    assert len(api.heads) == (2 if ended.status == RETRYABLE else 1)
    assert "Traceback" not in ended.stderr
    assert len(ended.stderr) < 5000


SILENT = {
    "before the headers": raw(b"", hang_up=False),
    "within the headers": raw(b"HTTP/1.1 200 OK\r\n", hang_up=False),
    "before the first event": raw(STREAM, hang_up=False),
    "in mid-stream": raw(STREAM + sse(*message(text("Half."))[:2]), hang_up=False),
    "within a refusal": raw(PAGE + b"<p>", hang_up=False),
}


@pytest.mark.parametrize("when", SILENT)
def test_an_api_that_falls_silent_is_an_idle_timeout(home: Home, when: str) -> None:
    ended, _ = odd(home, SILENT[when], limits={"idle_timeout_s": 0.3})
    assert ended.ending == ("idle_timeout", RETRYABLE)


def test_a_stream_that_stays_open_behind_its_message_holds_up_nothing(home: Home) -> None:
    called = {"type": "tool_use", "id": "toolu_1", "name": "mcp__app__other", "input": {}}
    open_end = says(called, stop_reason="tool_use", end=b"")
    with odd_api(open_end, says(text("Done."), end=b"")) as api:
        running = home.start("--control", env={"ANTHROPIC_BASE_URL": api.url})
        running.send({"prompt": "x", "app_tools": [FIND]})
        ended = running.end()
    assert (ended.ending, ended.last["text"]) == (("done", 0), "Done.")
    assert ended.last["duration_ms"] < 10_000
    assert api.connections == 2


def test_calls_of_a_run_share_a_connection(home: Home) -> None:
    called = {"type": "tool_use", "id": "toolu_1", "name": "mcp__app__other", "input": {}}
    with odd_api(says(called, stop_reason="tool_use"), says(text("Done."))) as api:
        running = home.start("--control", env={"ANTHROPIC_BASE_URL": api.url})
        running.send({"prompt": "x", "app_tools": [FIND]})
        assert running.end().last["text"] == "Done."
    assert (api.connections, len(api.heads)) == (1, 2)


def test_a_stream_may_come_in_any_pieces(home: Home) -> None:
    events = b"".join(b"data: %s\r\n\r\n" % json.dumps(each).encode() for each in message(text("Grüße 😀.")))
    pieces = b"".join(chunk(events[at : at + 7]) for at in range(0, len(events), 7))
    ended, _ = odd(home, raw(STREAM + pieces + b"0\r\n\r\n"))
    assert ended.last["text"] == "Grüße 😀."


def test_the_time_that_the_api_asks_for_is_waited_and_told(home: Home, simulator: Simulator) -> None:
    def limited(after: str) -> Failure:
        headers = {"retry-after": after}
        return Failure(status=429, error="rate_limit_error", message="Too many.", headers=headers)

    def play(*steps: Message | Failure) -> None:
        simulator.play(Scenario(name="own", description="A test's.", steps=steps))

    play(limited("0"), limited("1.2"), Message(content=(Text(text="Hello."),)))
    ended = home.run({"prompt": "x", "limits": {"idle_timeout_s": 1}})
    assert (ended.ending, [retry["delay_ms"] for retry in ended.of("retry")]) == (("done", 0), [0, 1200])
    in_an_hour = datetime.now(UTC) + timedelta(hours=1)
    for after in ("3600", format_datetime(in_an_hour, usegmt=True)):
        play(limited(after))
        ended = home.run({"prompt": "x"})
        assert (ended.ending, ended.of("retry")) == (("rate_limited", RETRYABLE), [])
        assert 3_000_000 < ended.last["retry_after_ms"] <= 3_600_000


def called(name: str = "toolu_1", **tool_input: Any) -> dict[str, Any]:
    return {"type": "tool_use", "id": name, "name": "mcp__app__find", "input": tool_input}


def test_a_correction_answers_the_calls_with_which_the_model_has_stopped(home: Home) -> None:
    answers = says(text("Perhaps."), called()), says(text('{"answer": "yes"}'))
    schema = {"type": "object", "properties": {"answer": {"type": "string"}}, "required": ["answer"]}
    with odd_api(*answers) as api:
        running = home.start("--control", env={"ANTHROPIC_BASE_URL": api.url})
        running.send({"prompt": "x", "app_tools": [FIND], "output_schema": schema})
        assert running.end().last["output"] == {"answer": "yes"}
    result, correction = api.bodies[1]["messages"][-1]["content"]
    assert (result["tool_use_id"], result["is_error"], correction["type"]) == ("toolu_1", True, "text")


def test_calls_of_one_id_have_a_result_each(home: Home) -> None:
    answers = says(called(), called(deal="Murtal"), stop_reason="tool_use"), says(text("Done."))
    with odd_api(*answers) as api:
        running = home.start("--control", env={"ANTHROPIC_BASE_URL": api.url})
        running.send({"prompt": "x", "app_tools": [FIND]})
        for event in running.told():
            if event["type"] == "app_tool_call":
                found = {"type": "app_tool_result", "id": event["call_id"], "call_id": event["call_id"]}
                running.send({**found, "content": str(event["input"])})
        assert running.end().ending == ("done", 0)
    results = api.bodies[1]["messages"][-1]["content"]
    assert [(each["tool_use_id"], each["content"]) for each in results] == [
        ("toolu_1", "{}"),
        ("toolu_1_2", "{'deal': 'Murtal'}"),
    ]


@pytest.mark.parametrize("fallback", [{}, {"fallback_model": "sonnet"}])
def test_a_call_that_is_not_made_again_for_the_budget_ends_like_one_that_is_not_made(
    home: Home, fallback: dict[str, str]
) -> None:
    begun = message(text("Half."))[:2]
    begun[0]["message"]["usage"]["input_tokens"] = 1_000_000
    answer = raw(STREAM + sse(*begun, {"type": "error", "error": {"type": "overloaded_error", "message": "Busy."}}))
    with odd_api(answer) as api:
        env = {"ANTHROPIC_BASE_URL": api.url, "CLAUDE_CODE_MAX_RETRIES": "0" if fallback else "2"}
        limits = {"max_budget_usd": 0.5}
        ended = home.run({"prompt": "x", "model": "claude-haiku-4-5", "limits": limits, **fallback}, env=env)
    assert (ended.ending, ended.last["stop_reason"], ended.last["text"]) == (("done", 0), "max_budget", "")
    assert ended.last["cost_usd"] >= 0.5
    assert [discard["blocks"] for discard in ended.of("discard")] == [[1]]
    assert len(api.heads) == 1


def test_an_empty_answer_behind_an_unknown_block_of_an_earlier_message_is_an_empty_answer(home: Home) -> None:
    answers = says({"type": "new_block"}, called(), stop_reason="tool_use"), says()
    with odd_api(*answers) as api:
        running = home.start("--control", env={"ANTHROPIC_BASE_URL": api.url})
        running.send({"prompt": "x", "app_tools": [FIND]})
        for event in running.told():
            if event["type"] == "app_tool_call":
                running.send({"type": "app_tool_result", "id": "1", "call_id": event["call_id"], "content": "x"})
        ended = running.end()
    assert (ended.ending, ended.last["text"]) == (("done", 0), "")
