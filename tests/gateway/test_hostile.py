"""Attacks on the server itself: what is sent into it, and those who take its connections and do nothing with them."""

import json
import resource
import socket
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.gateway.served import SETTINGS, Served, frames_of
from tests.waiting import PATIENCE_S, until

EVIL = "x%0d%0aSet-Cookie:%20a=b%0d%0a%0d%0aevent:%20done"


def raw(gateway: Served, data: bytes = b"", *, small: bool = False) -> socket.socket:
    connection = socket.socket()
    if small:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    connection.settimeout(PATIENCE_S)
    connection.connect(("127.0.0.1", gateway.port))
    connection.sendall(data)
    return connection


def head(gateway: Served, path: str, *lines: str, method: str = "POST", token: str | None = None) -> bytes:
    own = ("Host: x", f"Authorization: Bearer {token or gateway.token()}", *lines)
    return "\r\n".join([f"{method} {path} HTTP/1.1", *own, "", ""]).encode("latin-1")


def rest_of(connection: socket.socket) -> bytes:
    parts = []
    try:
        while data := connection.recv(65536):
            parts.append(data)
    except ConnectionResetError:
        pass
    connection.close()
    return b"".join(parts)


def data_of(chunks: bytes) -> bytes:
    """What is in the chunks of a response that was broken off."""
    parts = []
    while chunks:
        size, _, rest = chunks.partition(b"\r\n")
        parts.append(rest[: int(size, 16)])
        chunks = rest[int(size, 16) + 2 :]
    return b"".join(parts)


def test_nothing_in_an_address_or_an_id_becomes_a_header_or_an_event(gateway: Served) -> None:
    run = gateway.run("echo").headers["x-agent-run"]
    for path in (f"/v1/runs/{EVIL}", f"/v1/runs/{EVIL}/events", f"/v1/runs/{run}%00/events", "/v1/runs/..%2f..%2f"):
        answer = gateway.get(path)
        assert (answer.status, answer.headers["set-cookie"]) == (404, None)
        assert answer.json["code"] in ("no_run", "not_found")
    for last in (f"{run}:1 x", f"{run}:1-2-3", f"{run}:-1", f"{run}:99999999999999999999", f"{run}:\u00b2", "\x7f"):
        sent = gateway.get(f"/v1/runs/{run}/events", Last_Event_ID=last)
        assert [event["seq"] for event in sent.events] == [1, 2, 3], last
    answer = rest_of(raw(gateway, head(gateway, f"/v1/runs/{run}/events", "Last-Event-ID: a\rb", method="GET")))
    assert answer.startswith(b"HTTP/1.1 400 ")
    assert gateway.get(f"/v1/runs/{run}/events?format={EVIL}").json["code"] == "unknown_format"
    assert gateway.post(f"/v1/runs/{run}/permissions/{EVIL}", {"behavior": "allow"}).status == 410


def test_nothing_that_is_said_becomes_an_event(gateway: Served) -> None:
    with gateway.streaming("hold") as stream:
        stream.wait_for("delta")
        words = "x\r\n\r\nevent: done\ndata: {}\n\n\u2028\x00"
        gateway.post(f"/v1/runs/{stream.run}/steer", {"text": words})
        assert stream.wait_for("delta").json["text"] == words


def test_a_body_of_a_gigabyte_is_refused_unread(gateway: Served) -> None:
    answer = rest_of(raw(gateway, head(gateway, "/v1/runs", "Content-Length: 1000000000")))
    assert answer.startswith(b"HTTP/1.1 413 ")
    assert b"connection: close" in answer.lower()
    assert json.loads(answer.partition(b"\r\n\r\n")[2])["code"] == "too_large"
    unsaid = raw(gateway, head(gateway, "/v1/runs", "Transfer-Encoding: chunked"))
    sent = 0
    try:
        while sent < 1_000_000_000:
            unsaid.sendall(b"100000\r\n" + b"x" * 0x100000 + b"\r\n")
            sent += 0x100000
    except OSError:
        pass
    unsaid.close()
    assert sent < 100_000_000
    assert memory(gateway, "VmHWM") < 300_000


def test_a_body_of_nobody_is_not_read_and_no_request_is_made_of_it(gateway: Served) -> None:
    smuggled = b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n"
    lines = f"Content-Length: {len(smuggled)}"
    answer = rest_of(raw(gateway, head(gateway, "/v1/runs", lines, token="none") + smuggled))
    assert answer.count(b"HTTP/1.1 ") == 1
    assert answer.startswith(b"HTTP/1.1 401 ")


@pytest.fixture
def strict(serve: Callable[..., Served]) -> Served:
    limits = "head_s = 1\nbody_s = 1\nslow_s = 2\nmax_connections = 1200\nstreams_per_user = 2000\nheartbeat_s = 1"
    return serve(f"{SETTINGS}\n[limits]\nstreams_per_address = 2000\n{limits}\n")


def test_who_sends_no_whole_request_is_left_after_a_while(strict: Served) -> None:
    silent, slow = raw(strict), raw(strict, b"GET /healthz HT")
    half = raw(strict, head(strict, "/v1/runs", "Content-Length: 20") + b'{"prompt"')
    assert rest_of(silent) == rest_of(slow) == b""
    assert rest_of(half).startswith(b"HTTP/1.1 408 ")


def test_a_thousand_connections_that_read_nothing_leave_room_for_others(strict: Served) -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, min(hard, 4096)), hard))  # each is a file here, too
    run = strict.run("many 300 20000").headers["x-agent-run"]
    before = memory(strict)
    with ExitStack() as stack:
        request = head(strict, f"/v1/runs/{run}/events", method="GET")
        idle = [stack.enter_context(raw(strict, request, small=True)) for _ in range(1000)]
        assert strict.run("echo").events[-1]["type"] == "done"
        assert memory(strict) - before < 1000 * 400  # KiB: what waits for one of them is bounded
        until(
            lambda: b"slow_readers_total 1000.0" in strict.get("/metrics").body,
            what=lambda: strict.get("/metrics").body,
        )
        assert len(idle) == 1000
    until(lambda: b"gateway_streams 0.0" in strict.get("/metrics").body)


def memory(gateway: Served, kind: str = "VmRSS") -> int:
    """How much the gateway has, or has had, in KiB."""
    lines = Path(f"/proc/{gateway.process.pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith(kind))


def test_a_slow_reader_that_was_dropped_comes_back_for_the_rest(strict: Served) -> None:
    run = strict.run("many 300 20000").headers["x-agent-run"]
    slow = raw(strict, head(strict, f"/v1/runs/{run}/events", method="GET"), small=True)
    until(lambda: b"slow_readers_total 1.0" in strict.get("/metrics").body)
    seen = [frame.id for frame in frames_of(data_of(rest_of(slow).partition(b"\r\n\r\n")[2]).decode()) if frame.id]
    rest = strict.get(f"/v1/runs/{run}/events", Last_Event_ID=seen[-1])
    assert 0 < len(seen) < 303
    assert [event["seq"] for event in rest.events] == list(range(len(seen) + 1, 304))
    assert rest.events[-1]["type"] == "done"


def test_a_silent_run_is_kept_alive_by_heartbeats(strict: Served) -> None:
    with strict.streaming("hold") as stream:
        stream.wait_for("delta")
        beat = next(frame for frame in stream.all())
        assert (beat.event, beat.data, beat.id) == ("ping", '{"type":"ping"}', "")


def test_more_connections_than_there_may_be_are_told_so(serve: Callable[..., Served]) -> None:
    gateway = serve(f"{SETTINGS}\n[limits]\nmax_connections = 3\n")
    with ExitStack() as stack:
        for _ in range(3):
            stack.enter_context(raw(gateway))
        until(lambda: json.loads(rest_of(raw(gateway)).partition(b"\r\n\r\n")[2] or b"{}").get("code") == "server_busy")
    until(lambda: gateway.get("/healthz").status == 200)


def test_nobody_takes_all_streams_or_all_runs(serve: Callable[..., Served]) -> None:
    limits = "streams_per_user = 2\nstreams_per_address = 3\nruns_per_user = 1\nmax_runs = 3"
    gateway = serve(f"{SETTINGS}\n[limits]\n{limits}\n")
    with gateway.streaming("hold") as stream, gateway.following(stream.run):
        third = gateway.get(f"/v1/runs/{stream.run}/events")
        assert (third.status, third.json["code"], third.headers["retry-after"]) == (429, "too_many_streams", "5")
        assert gateway.post("/v1/runs", {"prompt": "echo"}, Accept="application/json").json["code"] == "too_many_runs"
        with gateway.streaming("hold", gateway.token(sub="8")):
            refused = gateway.run("echo", gateway.token(sub="9"))
            assert (refused.status, refused.json["code"]) == (429, "too_many_streams")
            assert (
                gateway.post("/v1/runs", {"prompt": "echo"}, gateway.token(sub="9"), X_Forwarded_For="10.1.1.1").status
                == 200
            )
