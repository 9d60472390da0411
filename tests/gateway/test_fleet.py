"""The gateway on a fleet: runs that go on without it, and that each gateway of the fleet can read."""

import json
import shlex
import signal
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from tests.convert.recorded import FRAMES
from tests.e2e.worker import Home
from tests.fleet.redis_server import RedisServer, running_redis
from tests.fleet.served import User, Working
from tests.gateway.served import SETTINGS, WORKER, Served
from tests.waiting import PATIENCE_S, until


@pytest.fixture(scope="module")
def redis(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RedisServer]:
    with running_redis(tmp_path_factory.mktemp("redis")) as server:
        yield server


@pytest.fixture(scope="module")
def machine(redis: RedisServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Working]:
    """A machine of the fleet whose workers do as the prompt says."""
    home = Home(tmp_path_factory.mktemp("machine"), "http://127.0.0.1:9")
    (home.root / "home").mkdir(exist_ok=True)
    command = shlex.join(WORKER)
    workers = [f"--worker={name}={command}" for name in ("agent-chat", "agent-skill")]
    working = Working(home, redis, "--queue", "default=8", *workers).wait_up()
    yield working
    working.stop()


@pytest.fixture(scope="module")
def gateway(redis: RedisServer, machine: Working, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    served = Served(tmp_path_factory.mktemp("gateway"), f'redis = "{redis.url}"\n{SETTINGS}')
    yield served
    served.stop()


@pytest.fixture(scope="module")
def other(redis: RedisServer, machine: Working, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """Another gateway of the same fleet."""
    served = Served(tmp_path_factory.mktemp("other"), SETTINGS, {"AGENT_WORKERS_REDIS": redis.url})
    yield served
    served.stop()


def test_a_run_is_a_job_of_the_fleet_and_is_streamed(gateway: Served, redis: RedisServer) -> None:
    sent = gateway.run("echo", gateway.token(tenant="acme", goal="Sell it."))
    assert [event["type"] for event in sent.events] == ["start", "session", "done"]
    status = User(redis).status(sent.headers["x-agent-run"])
    assert status
    assert (status.fields["user"], status.fields["tenant"], status.state) == ("7", "acme", "done")


def test_each_gateway_of_the_fleet_reads_the_run_and_answers_it(gateway: Served, other: Served) -> None:
    with gateway.streaming("ask") as stream:
        stream.wait_for("permission_request")
        with other.following(stream.run, after=f"{stream.run}:2") as there:
            assert next(there.frames()).event == "permission_request"
            address = f"/v1/runs/{stream.run}/permissions/p-1"
            assert other.post(address, {"behavior": "deny", "message": "No."}).status == 204
            assert gateway.post(address, {"behavior": "allow"}).status == 410
            told = json.loads(stream.wait_for("delta").json["text"])
            assert (told["behavior"], told["message"], told["actor"]) == ("deny", "No.", "7")
            assert [frame.event for frame in there.frames()][-1] == "done"
    assert gateway.post(f"/v1/runs/{stream.run}/steer", {"text": "Hi"}).json["code"] == "run_over"


def test_the_status_is_that_of_the_bridge(gateway: Served) -> None:
    sent = gateway.run("echo")
    run = sent.headers["x-agent-run"]
    status = gateway.get(f"/v1/runs/{run}").json
    assert list(status) == [
        "run",
        "state",
        "attempt",
        "submitted_at",
        "begun_at",
        "ended_at",
        "event",
        "status",
        "events",
    ]
    assert (status["state"], status["attempt"], status["event"]) == ("done", 1, sent.events[-1])
    rest = gateway.get(f"/v1/runs/{run}/events", Last_Event_ID=f"{run}:2")
    assert rest.events == sent.events[2:]
    assert gateway.get(f"/v1/runs/{run}/events", Last_Event_ID=f"{run}:3").status == 204


def test_somebody_elses_run_is_as_one_that_there_is_not(gateway: Served) -> None:
    with gateway.streaming("ask") as stream:
        stream.wait_for("permission_request")
        for theirs in (gateway.token(sub="8"), gateway.token(tenant="b")):
            paths = ("", "/events")
            assert [gateway.get(f"/v1/runs/{stream.run}{path}", theirs).json["code"] for path in paths] == [
                "no_run"
            ] * 2
            body: dict[str, Any] = {"behavior": "allow"}
            assert gateway.post(f"/v1/runs/{stream.run}/permissions/p-1", body, theirs).json["code"] == "no_run"
            assert gateway.post(f"/v1/runs/{stream.run}/abort", {}, theirs).json["code"] == "no_run"


def test_a_token_that_was_used_at_one_gateway_is_used_at_all(gateway: Served, other: Served) -> None:
    token = gateway.token(once=True, jti="one")
    assert gateway.run("echo", token).status == 200
    assert other.run("echo", token).json["code"] == "token_used"


def test_a_conversation_goes_on_at_each_gateway(gateway: Served, other: Served) -> None:
    conversation = "3f2b8c1e-5d0a-4c77-9a51-0e6f6b1f2d38"
    gateway.run("echo", conversation=conversation)
    second = other.run("echo", conversation=conversation)
    assert second.events[-1]["output"]["session"] == {"resume": conversation}
    assert other.run("echo", gateway.token(sub="8"), conversation=conversation).json["code"] == "session_not_found"


def test_hundreds_of_streams_share_a_few_connections_to_redis(gateway: Served, redis: RedisServer) -> None:
    with gateway.streaming("hold") as stream:
        stream.wait_for("delta")
        before = len(redis.client.client_list())
        tokens = [gateway.token(sub="7", tenant=None) for _ in range(15)]
        with ThreadPoolExecutor(15) as pool:
            follow = [pool.submit(gateway.get, f"/v1/runs/{stream.run}/events", token) for token in tokens]
            until(lambda: b"gateway_streams 16.0" in gateway.get("/metrics").body)
            assert len(redis.client.client_list()) <= before + 2
            gateway.post(f"/v1/runs/{stream.run}/abort", {})
            assert {each.result().events[-1]["type"] for each in follow} == {"aborted"}


def test_as_many_readers_as_may_come_in_one_moment_ask_redis_over_a_few_connections(
    gateway: Served, redis: RedisServer
) -> None:
    run = gateway.run("echo").headers["x-agent-run"]
    stream = redis.client.dump(f"agent-workers:run:{{{run}}}")
    before = len(redis.client.client_list())
    for number in range(120):
        key = f"agent-workers:run:{{copy-{number}}}"
        redis.client.restore(key, 0, stream)
        redis.client.hset(f"{key}:job", mapping={"state": "done", "attempt": "1", "user": str(number)})

    def read(number: int) -> str:
        answer = gateway.get(f"/v1/runs/copy-{number}/events", gateway.token(sub=str(number)))
        return str(answer.events[-1]["type"])

    with ThreadPoolExecutor(60) as pool:
        assert set(pool.map(read, range(120))) == {"done"}
    assert len(redis.client.client_list()) <= before + 18


def test_readers_are_told_to_come_back_when_the_gateway_stops_and_miss_nothing(
    serve: Callable[..., Served], redis: RedisServer, machine: Working, other: Served
) -> None:
    gateway = serve(f'redis = "{redis.url}"\n{SETTINGS}')
    with gateway.streaming("hold") as stream:
        seen = [stream.wait_for("delta")]
        gateway.process.send_signal(signal.SIGTERM)
        rest = stream.response.read().decode()
        assert rest.endswith("retry: 1000\n\n: come back\n\n")
        other.post(f"/v1/runs/{stream.run}/steer", {"text": "still there"})
        with other.following(stream.run, after=seen[-1].id) as there:
            assert there.wait_for("delta").json["text"] == "still there"
        other.post(f"/v1/runs/{stream.run}/abort", {})
        assert gateway.process.wait(PATIENCE_S) == 0
        gateway.start()
        assert gateway.get(f"/v1/runs/{stream.run}").json["state"] == "aborted"


def test_a_gateway_that_is_killed_loses_no_run_and_redis_that_is_killed_no_reader(
    serve: Callable[..., Served], own_redis: RedisServer
) -> None:
    gateway = serve(f'redis = "{own_redis.url}"\n{SETTINGS}')
    with gateway.streaming("hold") as stream:
        seen = stream.wait_for("delta")
        gateway.stop(signal.SIGKILL)
        gateway.start()
        with gateway.following(stream.run, after=seen.id) as again:
            gateway.post(f"/v1/runs/{stream.run}/steer", {"text": "one"})
            assert again.wait_for("delta").json["text"] == "one"
            own_redis.kill()
            until(lambda: gateway.ask("GET", "/readyz").body == b"Redis is away\n")
            assert gateway.get(f"/v1/runs/{stream.run}").json["code"] == "server_busy"
            own_redis.start()
            until(lambda: gateway.post(f"/v1/runs/{stream.run}/steer", {"text": "two"}).status == 202)
            assert again.wait_for("delta").json["text"] == "two"
            gateway.post(f"/v1/runs/{stream.run}/abort", {})
            assert [frame.event for frame in again.frames()][-1] == "aborted"


def test_a_later_attempt_has_ids_of_its_own(gateway: Served, redis: RedisServer) -> None:
    """The events are those of a run whose first machine was lost, as the fleet's streams have them."""
    lines = (FRAMES.parent / "transcripts/second-attempt.ndjson").read_bytes().splitlines()
    run = json.loads(lines[0])["run"]
    key = f"agent-workers:run:{{{run}}}"
    attempt = 1
    for line in lines:
        event = json.loads(line)
        attempt = event.get("attempt", attempt) if event["type"] == "start" else attempt
        redis.client.xadd(key, {"event": line}, id=f"{attempt}-{event['seq']}")
    redis.client.hset(f"{key}:job", mapping={"state": "done", "attempt": attempt, "user": "7"})
    sent = gateway.get(f"/v1/runs/{run}/events")
    golden = (FRAMES / "native/second-attempt.sse").read_bytes()
    assert golden.endswith(sent.body[sent.body.index(b"id: ") :])
    assert sent.frames[1].id == f"{run}:2-1"
    rest = gateway.get(f"/v1/runs/{run}/events", Last_Event_ID=f"{run}:2-3")
    assert rest.frames[1].id == f"{run}:2-4"
    assert gateway.get(f"/v1/runs/{run}/events", Last_Event_ID=f"{run}:3").frames[1].id == f"{run}:2-1"
