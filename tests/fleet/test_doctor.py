"""What the doctor says of the fleet's Redis."""

import json
from pathlib import Path

import pytest

from agent_workers.cli.checkup import fleet as checkup
from agent_workers.cli.checkup.fleet import check_fleet
from agent_workers.engine.claude import Environment
from agent_workers.fleet.probe import Found
from tests.fleet.commands import Commands
from tests.fleet.redis_server import RedisServer, running_redis


def findings(url: str) -> dict[str, tuple[str, str]]:
    found = check_fleet(Environment({"AGENT_WORKERS_REDIS": url} if url else {}))
    assert all(finding.cure for finding in found if finding.status != "ok")
    return {finding.check: (finding.status, finding.found) for finding in found}


def test_a_redis_as_the_fleet_needs_it_is_ok_and_none_is_looked_for_where_none_is_named(redis: RedisServer) -> None:
    assert {name: status for name, (status, _) in findings(redis.url).items()} == {"fleet": "ok"}
    assert findings("") == {}


def test_the_doctor_itself_tells_it_and_no_password(fleet: Commands, redis: RedisServer) -> None:
    redis.client.config_set("requirepass", "s3cret")
    url = redis.url.replace("//", "//:s3cret@")
    told = fleet.scripts("agent-workers", "doctor", "--json", env={"AGENT_WORKERS_REDIS": url})
    checks = {check["check"]: check for check in json.loads(told.stdout)["checks"]}
    assert (checks["fleet"]["status"], checks["fleet"]["facts"]["address"]) == ("ok", redis.url)
    assert "s3cret" not in told.stdout + told.stderr
    assert findings(redis.url)["fleet"][0] == "fail"
    redis.client.execute_command("AUTH", "s3cret")
    redis.client.config_set("requirepass", "")


def test_what_would_lose_jobs_is_warned_of(tmp_path: Path) -> None:
    options = ("--appendonly", "no", "--maxmemory", "100mb", "--maxmemory-policy", "allkeys-lru")
    with running_redis(tmp_path / "forgetful", *options) as server:
        found = findings(server.url)
        assert found["fleet"][0] == "ok"
        assert found["fleet_persistence"] == ("warn", "appendonly is off")
        assert found["fleet_memory"] == ("warn", "maxmemory-policy is allkeys-lru; maxmemory is 100 MiB")
        server.client.replicaof("127.0.0.1", "1")  # type: ignore[no-untyped-call]
        assert findings(server.url)["fleet_role"][0] == "fail"


def test_a_redis_that_is_not_there_or_no_address_fails(redis: RedisServer) -> None:
    redis.stop()
    status, told = findings(redis.url)["fleet"]
    assert (status, told.startswith(f"Redis at {redis.url}: ")) == ("fail", True)
    redis.start()
    assert findings("nowhere")["fleet"][0] == "fail"


@pytest.mark.parametrize(
    ("version", "is_old"), [("6.0.16", True), ("6.2.0", False), ("7.0.15", False), ("5.0", True), ("8.2", False)]
)
def test_an_old_version_is_known(version: str, is_old: bool) -> None:
    assert Found(version, "master", False, True, "noeviction", 0, 0).is_old == is_old


def test_each_thing_amiss_has_its_finding() -> None:
    found = list(checkup._amiss(Found("6.0.1", "slave", True, False, "volatile-ttl", 0, -3.2)))
    assert [(each.check, each.status) for each in found] == [
        ("fleet_version", "fail"),
        ("fleet_cluster", "fail"),
        ("fleet_role", "fail"),
        ("fleet_persistence", "warn"),
        ("fleet_memory", "warn"),
        ("fleet_clock", "warn"),
    ]
    assert "3.2 s behind" in found[-1].found
