"""Clients that say nothing, too much or nonsense: each gets its word, and others are served meanwhile."""

import json
import re
import socket
import threading
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import pytest

from tests.pool.served import CHAT, Client, ServedPool
from tests.pool.test_full import configured
from tests.waiting import PATIENCE_S, until

Serve = Callable[..., ServedPool]
_MOST_RSS = 160 << 20


def descriptors_of(pool: ServedPool) -> int:
    return len(list(Path(f"/proc/{pool.process.pid}/fd").iterdir()))


def at_rest(pool: ServedPool) -> int:
    """Descriptors of the server with an agent that waits, and nobody else."""
    pool.wait_for("idle", 1)
    until(lambda: pool.number("waiting") == 0)
    return descriptors_of(pool)


def most_memory_of(pool: ServedPool) -> int:
    """Bytes that the server has taken at most."""
    status = Path(f"/proc/{pool.process.pid}/status").read_text("ascii")
    return int(re.findall(r"VmHWM:\s+(\d+) kB", status)[0]) << 10


def is_served(pool: ServedPool) -> None:
    assert pool.run({"prompt": "Hi"}).last["type"] == "done"


def closed(clients: list[Client]) -> list[tuple[str, int]]:
    """How the pool has answered, for each client."""
    return [client.end().ending for client in clients]


def saying(pool: ServedPool, *data: bytes) -> list[Client]:
    clients = []
    for each in data:
        clients.append(pool.connect())
        clients[-1].connection.sendall(each)
    return clients


@pytest.fixture
def patient(serve: Serve, tmp_path: Path) -> ServedPool:
    """A pool that waits a few seconds for a request, with an agent that waits."""
    pool = configured(serve, tmp_path, "request_s = 5\n[pool.default]\nmin_idle = 1\nmax_live = 0\n")
    pool.wait_for("idle", 1)
    return pool


def test_clients_that_do_not_say_what_they_want_are_told_so_in_time(patient: ServedPool) -> None:
    before = at_rest(patient)
    hello = json.dumps(CHAT | {"size": 1000}).encode() + b"\n"
    silent = saying(patient, *[b""] * 50, *[b'{"pool": 1, "wor'] * 10, *[hello, hello + b'{"prompt"'] * 10, b"GET /met")
    [drip] = saying(patient, b"")
    stop = threading.Event()

    def is_over() -> bool:
        with suppress(OSError):  # it may have been closed here
            drip.write(b"x")
        return stop.is_set()

    dripping = threading.Thread(target=until, args=(is_over,))
    dripping.start()
    is_served(patient)
    try:
        assert set(closed([*silent, drip])) == {("invalid_request", 2)}
    finally:
        stop.set()
        dripping.join(PATIENCE_S)
    is_served(patient)
    until(lambda: descriptors_of(patient) <= before, what=lambda: descriptors_of(patient))


def test_what_is_too_long_is_refused_and_takes_no_memory(shared: ServedPool) -> None:
    before = at_rest(shared)
    hello = json.dumps(CHAT).encode() + b"\n"
    clients = [shared.connect() for _ in range(14)]
    floods = [b"x" * (1 << 20)] * 10 + [hello + b"y" * (100 << 20)] * 4
    threads = [
        threading.Thread(target=client.write, args=(flood,)) for client, flood in zip(clients, floods, strict=True)
    ]
    for thread in threads:
        thread.start()
    is_served(shared)
    assert set(closed(clients)) == {("invalid_request", 2)}
    for thread in threads:
        thread.join(PATIENCE_S)
    until(lambda: descriptors_of(shared) <= before, what=lambda: descriptors_of(shared))
    assert most_memory_of(shared) < _MOST_RSS


@pytest.mark.parametrize("element", ["[]", "{}", "1", '"\u00e9\U0001f600"'])
def test_a_large_request_of_many_values_takes_little_of_the_server(shared: ServedPool, element: str) -> None:
    text = "[" + ",".join([element] * ((30 << 20) // (len(element.encode()) + 1))) + "]"
    request = ('{"prompt": "x", "metadata": ' + text + "}").encode()
    [client] = saying(shared, json.dumps(CHAT | {"size": len(request)}).encode() + b"\n")
    client.write(request)
    is_served(shared)
    assert client.end().ending == ("invalid_request", 2)
    assert most_memory_of(shared) < _MOST_RSS


def test_what_follows_a_request_of_known_size_is_control(shared: ServedPool) -> None:
    request = b'{"prompt":\n "Go. [[scenario:stall-mid-stream]]"}'
    hello = json.dumps(CHAT | {"size": len(request)}).encode()
    [client] = saying(shared, hello + b"\n" + request + b'\n{"type": "abort", "id": "a"}\n')
    run = client.end()
    assert (run.last["type"], run.last["reason"], [ack["id"] for ack in run.of("ack")]) == ("aborted", "client", ["a"])


def test_hundreds_who_say_nothing_leave_a_way_in(shared: ServedPool) -> None:
    before = at_rest(shared)
    clients = [shared.connect() for _ in range(600)]
    is_served(shared)
    assert clients[0].end().ending == ("pool_full", 75)
    for client in clients[1:]:
        client.close()
    until(lambda: descriptors_of(shared) <= before, what=lambda: descriptors_of(shared))


def test_a_client_that_does_not_read_holds_up_its_own_run_alone(serve: Serve) -> None:
    pool = serve("--min-idle", "1", "--max-live", "0")
    slow = pool.ask({"prompt": "x" * 1_000_000})  # the model says it again
    is_served(pool)
    assert pool.number("busy") == 1
    assert b'"type":"done"' in slow.rest()
    slow.close()
    deaf = pool.ask({"prompt": "Go. [[scenario:slow]]"})
    deaf.wait_for("delta")
    deaf.connection.shutdown(socket.SHUT_RD)
    pool.wait_for("busy", 0)
    deaf.close()


@pytest.mark.parametrize("control", [True, False])
def test_a_flood_of_control_lines_is_read_and_ends_no_run(shared: ServedPool, *, control: bool) -> None:
    client = shared.ask({"prompt": "Go. [[scenario:stall-mid-stream]]"}, control=control)
    client.wait_for("delta")
    flood = threading.Thread(
        target=client.write, args=(b"\n" * (5_000 if control else 1_000_000) + b'{"pool": 1, "signal": 15}\n',)
    )
    flood.start()
    is_served(shared)
    run = client.end()
    flood.join(PATIENCE_S)
    assert (run.last["type"], run.last["reason"]) == ("aborted", "signal")


_REQUEST = b'\n{"prompt": "Hi"}\n'


@pytest.mark.parametrize(
    "first",
    [
        b"\0" * 100,
        b'{"pool": 1, "worker": "agent-chat\0"}',
        b'{"pool": 1, "worker": "agent-skill", "skill": "a\\u0000b"}',
        b'{"pool": 1, "worker": "agent-skill", "skill": "../../etc/passwd"}',
        b'{"pool": 1, "worker": "agent-chat", "skill": "' + b"x" * 1000 + b'"}',
        b'{"pool": 1, "worker": "agent-chat", "name": "\\n\\u001b[2J"}',
        b'{"pool": 1, "worker": "agent-chat", "x": ' + b"[" * 30_000 + b"]" * 30_000 + b"}",
        b'{"pool": 1' + b"0" * 400 + b', "worker": "agent-chat"}',
        b'{"pool": 1, "worker": "agent-chat", "size": 1' + b"0" * 400 + b"}",
        b'{"pool": 1, "worker": "agent-chat", "size": 1e400}',
        b'{"pool": 1, "worker": "agent-chat", "size": true}',
        b'{"pool": 1, "worker": "agent-chat", "size": ' + b"9" * 5000 + b"}",
        b'{"pool": 1, "worker": ["agent-chat"]}',
        b'{"pool": 1, "worker": "agent-chat", "credential": "\\ud800"}',
        b'{"pool": 1, "worker": "agent-chat", "credential": "' + "\u00e9".encode() * 32_000 + b'"}',
        b'{"pool": 1, "worker": "agent-chat", "credential": ""}',
        b"\xff\xfe",
        b"POST / HTTP/1.1",
    ],
)
def test_a_strange_first_line_is_refused_in_few_words(shared: ServedPool, first: bytes) -> None:
    [client] = saying(shared, first + _REQUEST)
    run = client.end()
    assert run.ending == ("invalid_request", 2)
    assert len(run.output) < 4096
    assert "\x1b" not in shared.log


def test_the_last_of_two_equal_keys_counts(shared: ServedPool) -> None:
    [client] = saying(shared, b'{"pool": 2, "pool": 1, "worker": "x", "worker": "agent-chat"}' + _REQUEST)
    assert client.end().last["type"] == "done"


@pytest.mark.parametrize(
    ("request_", "status"),
    [
        (b"GET / HTTP/1.1\r\nHost: pool\r\n\r\n", b"404 Not Found"),
        (b"GET /metrics HTTP/1.1\r\nX: " + b"y" * (1 << 20) + b"\r\n\r\n", b"200 OK"),
        (b"GET /" + b"y" * 60_000 + b" HTTP/1.1\r\n\r\n", b"404 Not Found"),
        (b"GET \r\n\r\n", b"404 Not Found"),
    ],
)
def test_http_is_answered_whatever_its_headers_are(shared: ServedPool, request_: bytes, status: bytes) -> None:
    client = shared.connect()
    client.write(request_)
    assert client.rest().startswith(b"HTTP/1.1 " + status)
    client.close()


def test_many_who_ask_for_figures_at_once_are_answered(shared: ServedPool) -> None:
    clients = saying(shared, *[b"GET /metrics HTTP/1.1\r\n\r\n"] * 200)
    is_served(shared)
    for client in clients:
        assert client.rest().startswith(b"HTTP/1.1 200")
        client.close()
