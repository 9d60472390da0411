"""Webhooks: signed, small, and told until they are taken, whatever happens to the gateway meanwhile."""

import base64
import hashlib
import json
import signal
import sqlite3
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from standardwebhooks import Webhook, WebhookVerificationError

from agent_workers.gateway.outbox import PAUSES_S, Outbox
from agent_workers.gateway.webhook_message import MOST_BYTES, message
from tests.fleet.redis_server import running_redis
from tests.gateway.bridge import php
from tests.gateway.served import SETTINGS, Served
from tests.waiting import until

SECRET = "whsec_" + base64.b64encode(b"s" * 32).decode()


@dataclass
class Application:
    """Takes webhooks, or does not.

    Attributes:
        statuses: What the next ones are answered with; 204 when there are no more.
    """

    port: int = 0
    statuses: list[int] = field(default_factory=list)
    got: list[tuple[dict[str, str], bytes]] = field(default_factory=list)

    @property
    def told(self) -> list[dict[str, Any]]:
        return [Webhook(SECRET).verify(body, headers) for headers, body in self.got]


@pytest.fixture
def application() -> Iterator[Application]:
    found = Application()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            found.got.append(({name.lower(): value for name, value in self.headers.items()}, body))
            self.send_response(found.statuses.pop(0) if found.statuses else 204)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    found.port = server.server_port
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield found
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture
def begin(serve: Callable[..., Served], tmp_path: Path) -> Callable[..., Served]:
    """Starts a gateway that tells the application."""

    def start(application: Application, settings: str = "", tells: str = '["run.ended"]') -> Served:
        hook = f'[webhook]\nurl = "http://127.0.0.1:{application.port}/hook?x=1"\nvariable = "HOOK"\ntells = {tells}\n'
        own = f'state = "{tmp_path}/state"\npublic_url = "https://agents.test"\n{settings}\n'
        return serve(f"{own}{SETTINGS}\n{hook}", {"HOOK": SECRET})

    return start


def test_the_end_of_a_run_is_told_once_and_signed(begin: Callable[..., Served], application: Application) -> None:
    gateway = begin(application)
    sent = gateway.run("echo", gateway.token(tenant="acme", goal="Sell it.", subject={"type": "deal", "id": "9"}))
    run = sent.headers["x-agent-run"]
    until(lambda: application.got)
    [told] = application.told
    assert told["type"] == "run.ended"
    data = told["data"]
    assert (data["run"], data["user"], data["tenant"], data["state"]) == (run, "7", "acme", "done")
    assert (data["subject"], data["goal"], data["worker"]) == ({"type": "deal", "id": "9"}, "Sell it.", "agent-chat")
    assert data["transcript"] == f"https://agents.test/v1/runs/{run}/events"
    assert data["usage"] == {"input_tokens": 1, "output_tokens": 1}
    end = {name: value for name, value in sent.events[-1].items() if name not in ("v", "run")}
    assert data["event"] == end
    headers, body = application.got[0]
    assert headers["webhook-id"] == f"{run}.end"
    with pytest.raises(WebhookVerificationError):
        Webhook(SECRET).verify(body.replace(b"acme", b"evil"), headers)
    with pytest.raises(WebhookVerificationError):
        Webhook("whsec_" + base64.b64encode(b"t" * 32).decode()).verify(body, headers)
    until(lambda: b"webhooks_waiting 0.0" in gateway.get("/metrics").body)


def test_the_laravel_bridge_takes_it_and_nothing_altered(
    begin: Callable[..., Served], application: Application
) -> None:
    gateway = begin(application)
    sent = gateway.run("echo")
    until(lambda: application.got)
    headers, body = application.got[0]
    said = {"secrets": [SECRET], "headers": headers, "body": body.decode()}
    run = sent.headers["x-agent-run"]
    assert json.loads(php("webhook", said)) == {"run": run, "state": "done", "user": "7"}
    for altered in ({"body": said["body"].replace('"7"', '"8"')}, {"secrets": ["whsec_" + "QUJD" * 8]}):
        assert list(json.loads(php("webhook", {**said, **altered}))) == ["refused"]


def test_what_the_agent_asks_is_told_where_that_is_wanted(
    begin: Callable[..., Served], application: Application
) -> None:
    gateway = begin(application, tells='["run.asked"]')
    with gateway.streaming("ask") as stream:
        stream.wait_for("permission_request")
        until(lambda: application.got)
        [told] = application.told
        assert (told["type"], told["data"]["event"]["name"]) == ("run.asked", "Bash")
        assert application.got[0][0]["webhook-id"] == f"{stream.run}.p-1"


def test_a_webhook_is_sent_again_until_it_is_taken(
    begin: Callable[..., Served], application: Application, tmp_path: Path
) -> None:
    application.statuses = [500, 302]
    gateway = begin(application)
    gateway.run("echo")
    until(lambda: len(application.got) == 1)
    for tries in (2, 3):
        until(lambda: is_due_later(tmp_path))
        make_due(tmp_path)
        until(lambda tries=tries: len(application.got) == tries)
    until(lambda: b"webhooks_waiting 0.0" in gateway.get("/metrics").body)
    assert len({headers["webhook-id"] for headers, _ in application.got}) == 1
    assert len({body for _, body in application.got}) == 1


def test_a_webhook_that_waits_survives_the_gateway(
    begin: Callable[..., Served], application: Application, tmp_path: Path
) -> None:
    application.statuses = [503]
    gateway = begin(application)
    gateway.run("echo")
    until(lambda: is_due_later(tmp_path))
    gateway.stop(signal.SIGKILL)
    make_due(tmp_path)
    gateway.start()
    until(lambda: len(application.got) == 2)
    gateway.stop()
    gateway.start()
    gateway.run("echo")
    until(lambda: len(application.got) == 3)
    assert [told["data"]["state"] for told in application.told] == ["done"] * 3


def test_runs_that_were_lost_with_the_gateway_are_told(begin: Callable[..., Served], application: Application) -> None:
    gateway = begin(application)
    with gateway.streaming("hold") as stream:
        stream.wait_for("delta")
        gateway.stop(signal.SIGKILL)
        gateway.start()
        until(lambda: application.got)
        [told] = application.told
        assert (told["data"]["run"], told["data"]["state"]) == (stream.run, "error")
        assert told["data"]["event"]["code"] == "worker_lost"


def test_on_a_fleet_a_run_that_ended_while_the_gateway_was_away_is_told(
    begin: Callable[..., Served], application: Application, tmp_path: Path
) -> None:
    with running_redis(tmp_path / "redis") as redis:
        gateway = begin(application, f'redis = "{redis.url}"')
        body = {"prompt": "echo"}
        run = gateway.post("/v1/runs", body, Accept="application/json").json["run"]
        gateway.stop(signal.SIGKILL)
        line = json.dumps(
            {"v": 1, "seq": 1, "run": run, "ts": "2026-11-27T10:00:00.000Z", "type": "done", "text": "Hi"}
        )
        redis.client.xadd(f"agent-workers:run:{{{run}}}", {"event": line}, id="1-1")
        redis.client.hset(f"agent-workers:run:{{{run}}}:job", mapping={"state": "done", "attempt": 1})
        gateway.start()
        until(lambda: application.got)
        [told] = application.told
        assert (told["data"]["run"], told["data"]["event"]["text"]) == (run, "Hi")


@pytest.mark.parametrize(
    "event",
    [
        {"text": "\U0001f600" * 50_000},
        {"text": "x" * 19_000, "output": {"a": ["y" * 19_000]}},
        {"text": "short", "output": "z" * 30_000, "models": {"m": {"n": "x" * 9_000}}},
        {"text": "", "metadata": {"x": "y" * 16_000}, "denials": [{"name": "x" * 9_000}]},
    ],
)
def test_a_webhook_has_twenty_kilobytes_at_most_and_says_what_it_leaves_out(event: dict[str, Any]) -> None:
    whole = {"v": 1, "seq": 9, "run": "r", "ts": "t", "type": "done", **event}
    body = message({"run": "r", "goal": "g" * 4096}, whole, b"")
    told = json.loads(body)["data"]
    assert len(body) <= MOST_BYTES
    changed = {name for name in event if told["event"].get(name) != event[name]}
    assert {name.removeprefix("event.") for name in told["truncated"]} == changed
    assert event["text"].startswith(told["event"].get("text", ""))
    if len(event["text"]) >= 19_000:
        assert len(body) > MOST_BYTES - 20


def test_the_head_of_a_chain_is_that_of_its_last_line() -> None:
    line = b'{"v":1,"seq":2,"run":"r","ts":"t","type":"aborted","reason":"client","prev":"00"}'
    told = json.loads(message({"run": "r"}, json.loads(line), line))["data"]
    assert told["chain_head"] == hashlib.sha256(line).hexdigest()


def test_it_is_tried_for_days_and_then_given_up(tmp_path: Path) -> None:
    outbox = Outbox(tmp_path / "webhooks.sqlite")
    outbox.begin("r", {"run": "r"})
    outbox.put("r.end", b"{}", ends="r")
    outbox.put("r.end", b"{another}", ends="r")
    assert outbox.about("r") is None
    for _ in PAUSES_S:
        [waiting] = outbox.due(9)
        assert waiting.body == b"{}"
        assert outbox.fail(waiting)
        assert outbox.due(9) == []
        make_due(tmp_path, "webhooks.sqlite")
    [waiting] = outbox.due(9)
    assert not outbox.fail(waiting)
    outbox.put("r.end", b"{}")
    assert (outbox.due(9), outbox.waiting) == ([], 0)
    assert sum(PAUSES_S) > 2 * 86_400
    outbox.close()


def database(folder: Path, name: str) -> sqlite3.Connection:
    return sqlite3.connect(folder / name, isolation_level=None)


def is_due_later(folder: Path) -> bool:
    return bool(ask(folder, "SELECT count(*) FROM webhooks WHERE due > unixepoch() + 1"))


def make_due(folder: Path, name: str = "state/webhooks.sqlite") -> None:
    ask(folder, "UPDATE webhooks SET due = 1 WHERE due IS NOT NULL", name)


def ask(folder: Path, statement: str, name: str = "state/webhooks.sqlite") -> Any:
    connection = database(folder, name)
    try:
        found = connection.execute(statement).fetchone()
        return found[0] if found else None
    finally:
        connection.close()
