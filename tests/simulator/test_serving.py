"""Serving as a guest: in somebody else's process, loop and terminal."""

import asyncio
import signal
import socket
import subprocess
import sys

import anyio
import httpx
import pytest

from agent_workers.simulator import Simulator, UnknownScenarioError, running_simulator
from tests.waiting import PATIENCE_S

ASKED = {"messages": [{"role": "user", "content": "Hello?"}], "stream": True}
LIMIT_S = PATIENCE_S


def test_importing_and_listening_load_no_web_framework():
    code = """
import sys, agent_workers.simulator as s
with s.Simulator() as simulator:
    assert simulator.base_url
heavy = {"starlette", "uvicorn", "httpx", "anyio", "pydantic", "jsonschema"}
assert not heavy & set(sys.modules), heavy & set(sys.modules)
"""
    subprocess.run([sys.executable, "-c", code], check=True, timeout=LIMIT_S)


def test_an_unknown_scenario_is_refused_before_anything_is_bound():
    with pytest.raises(UnknownScenarioError):
        Simulator("helo")


def test_the_port_is_loopback_only_and_can_be_chosen():
    with Simulator() as first:
        port = first.listen().getsockname()[1]
        assert first.listen().getsockname()[0] == "127.0.0.1"
        assert first.base_url == f"http://127.0.0.1:{port}"
        with pytest.raises(OSError, match="in use"):
            Simulator().listen(port)


def test_deltas_are_not_held_back_to_fill_a_packet():
    with Simulator() as simulator:
        # The condition under which asyncio turns Nagle's algorithm off for the connections of a listener.
        assert simulator.listen().proto == socket.IPPROTO_TCP


@pytest.mark.anyio
async def test_a_request_sent_before_serving_begins_is_answered_when_it_does():
    simulator = Simulator()
    with socket.create_connection(simulator.listen().getsockname(), timeout=LIMIT_S) as connection:
        connection.sendall(b"GET / HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n")
        with anyio.fail_after(LIMIT_S):
            serving = asyncio.create_task(simulator.serve())
            answer = await asyncio.to_thread(connection.recv, 1000)
            serving.cancel()
            await asyncio.wait([serving])

    assert answer.startswith(b"HTTP/1.1 200")


@pytest.mark.anyio
@pytest.mark.parametrize("scenario", ["slow", "stall-mid-stream", "stall-before"])
async def test_cancelling_closes_open_streams_at_once(scenario):
    simulator = Simulator(scenario)
    with anyio.fail_after(LIMIT_S):
        async with httpx.AsyncClient(base_url=simulator.base_url, timeout=LIMIT_S) as client:
            serving = asyncio.create_task(simulator.serve())
            asking = asyncio.create_task(client.post("/v1/messages", json=ASKED))
            await asyncio.to_thread(simulator.wait_for, bool)
            serving.cancel()
            with pytest.raises(asyncio.CancelledError):
                await serving
            with pytest.raises(httpx.TransportError):
                await asking

    assert simulator.requests()[0].outcome == "stopped"


@pytest.mark.anyio
async def test_a_cancel_scope_ends_serving_too():
    simulator = Simulator()
    with anyio.fail_after(LIMIT_S):
        async with anyio.create_task_group() as group:
            group.start_soon(simulator.serve)
            async with httpx.AsyncClient(base_url=simulator.base_url) as client:
                assert (await client.get("/_simulator/health")).status_code == 200
            group.cancel_scope.cancel()

    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", int(simulator.base_url.rpartition(":")[2])), timeout=LIMIT_S)


@pytest.mark.anyio
async def test_signal_handlers_stay_as_they_were():
    handlers = [signal.getsignal(signal.SIGINT), signal.getsignal(signal.SIGTERM)]
    simulator = Simulator()
    with anyio.fail_after(LIMIT_S):
        async with anyio.create_task_group() as group:
            group.start_soon(simulator.serve)
            async with httpx.AsyncClient(base_url=simulator.base_url) as client:
                await client.get("/_simulator/health")
            assert [signal.getsignal(signal.SIGINT), signal.getsignal(signal.SIGTERM)] == handlers
            group.cancel_scope.cancel()


def test_nothing_is_written_to_the_terminal(capfd):
    with (
        running_simulator("cut-mid-stream") as simulator,
        httpx.Client(base_url=simulator.base_url) as client,
    ):
        client.get("/nowhere")
        with pytest.raises(httpx.RemoteProtocolError):
            client.post("/v1/messages", json=ASKED)

    assert capfd.readouterr() == ("", "")


def test_each_event_is_a_chunk_of_its_own(simulator):
    body = b'{"messages": [{"role": "user", "content": "Hello?"}], "stream": true}'
    with socket.create_connection(simulator.listen().getsockname(), timeout=LIMIT_S) as connection:
        connection.sendall(b"POST /v1/messages HTTP/1.1\r\nhost: x\r\nconnection: close\r\n")
        connection.sendall(b"content-length: %d\r\n\r\n" % len(body) + body)
        with connection.makefile("rb") as reader:
            while reader.readline().strip():
                pass
            chunks = []
            while size := int(reader.readline(), 16):
                chunks.append(reader.read(size))
                reader.readline()

    assert len(chunks) > 10
    assert all(chunk.startswith(b"event: ") and chunk.index(b"\n\n") == len(chunk) - 2 for chunk in chunks)


def test_many_clients_are_served_at_the_same_time(simulator):
    simulator.play("stall-mid-stream")
    asked = b'{"messages": [{"role": "user", "content": "Hello?"}], "stream": true}'
    head = b"POST /v1/messages HTTP/1.1\r\nhost: x\r\ncontent-length: %d\r\n\r\n" % len(asked)
    address = simulator.listen().getsockname()
    connections = [socket.create_connection(address, timeout=LIMIT_S) for _ in range(20)]
    for connection in connections:
        connection.sendall(head + asked)

    simulator.wait_for(lambda records: len(records) == len(connections), LIMIT_S)
    for connection in connections:
        connection.close()
    simulator.wait_for(lambda records: all(record.outcome == "client_gone" for record in records), LIMIT_S)
