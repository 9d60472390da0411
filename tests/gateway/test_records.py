"""Runs of the gateway in the operator's database."""

import signal
import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tests.fleet.redis_server import RedisServer
from tests.gateway.served import SETTINGS, Served
from tests.waiting import until

CONVERSATION = "3f2b8c1e-5d0a-4c77-9a51-0e6f6b1f2d40"


def rows(folder: Path, query: str) -> list[tuple[Any, ...]]:
    connection = sqlite3.connect(f"file:{folder}/records.db?mode=ro", uri=True)
    try:
        return connection.execute(query).fetchall()
    finally:
        connection.close()


def recorded(folder: Path, run: str) -> str:
    try:
        [(status,)] = rows(folder, f"SELECT status FROM agent_runs WHERE id = '{run}'")
    except (ValueError, sqlite3.OperationalError):
        return ""
    return str(status)


def test_a_run_is_recorded_with_its_question_answer_and_decision(serve: Callable[..., Served], tmp_path: Path) -> None:
    gateway = serve(f"records = true\n{SETTINGS}", {"AGENT_WORKERS_RECORDS": f"sqlite:///{tmp_path}/records.db"})
    token = gateway.token(
        tenant="acme", subject={"type": "deal", "id": "9"}, goal="Sell it.", conversation=CONVERSATION
    )
    with gateway.streaming("ask", token) as stream:
        stream.wait_for("permission_request")
        assert gateway.post(f"/v1/runs/{stream.run}/permissions/p-1", {"behavior": "deny"}, token).status == 204
        stream.wait_for("done")
        until(lambda: recorded(tmp_path, stream.run) == "done")
    query = f"SELECT worker, \"user\", tenant, goal, conversation_id FROM agent_runs WHERE id = '{stream.run}'"
    assert rows(tmp_path, query) == [("agent-chat", "7", "acme", "Sell it.", CONVERSATION)]
    said = rows(tmp_path, f"SELECT role, kind, actor FROM agent_messages WHERE run_id = '{stream.run}' ORDER BY seq")
    assert ("user", "question", "7") in said or ("user", "question", None) in said
    assert "permission" in {kind for _, kind, _ in said}
    assert "text" in {kind for _, kind, _ in said}


def test_a_run_of_the_fleet_is_recorded_to_its_end_also_where_nobody_reads_it(
    serve: Callable[..., Served], tmp_path: Path, own_redis: RedisServer
) -> None:
    env = {"AGENT_WORKERS_RECORDS": f"sqlite:///{tmp_path}/records.db"}
    gateway = serve(f'records = true\nredis = "{own_redis.url}"\n{SETTINGS}', env)
    run = gateway.post("/v1/runs", {"prompt": "echo"}, Accept="application/json").json["run"]
    until(lambda: recorded(tmp_path, run) == "done")


def test_ten_runs_that_are_killed_with_the_gateway_are_recorded_once(
    serve: Callable[..., Served], tmp_path: Path
) -> None:
    limits = "[limits]\nruns_per_user = 20\n"
    env = {"AGENT_WORKERS_RECORDS": f"sqlite:///{tmp_path}/records.db"}
    gateway = serve(f"records = true\n{SETTINGS}\n{limits}", env)
    body = {"prompt": "hold"}
    runs = [gateway.post("/v1/runs", body, Accept="application/json").json["run"] for _ in range(10)]
    for run in runs:
        with gateway.following(run) as stream:
            stream.wait_for("delta")
    gateway.stop(signal.SIGKILL)
    gateway.start()
    done = gateway.run("echo").headers["x-agent-run"]
    until(lambda: recorded(tmp_path, done) == "done")
    until(lambda: all(recorded(tmp_path, run) == "running" for run in runs))
    [(count,)] = rows(tmp_path, "SELECT count(*) FROM agent_runs")
    assert count == 11
    questions = rows(tmp_path, "SELECT run_id, count(*) FROM agent_messages WHERE kind = 'question' GROUP BY run_id")
    assert {found for _, found in questions} == {1}
    assert len(questions) == 11
