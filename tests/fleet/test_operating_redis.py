"""What the page and the examples say of Redis is what a Redis takes, and enough for a fleet."""

import re
import string
from collections.abc import Callable
from pathlib import Path
from typing import Any

import yaml

from agent_workers.cli.fleet_work import work as command
from tests.fleet.redis_server import RedisServer, running_redis
from tests.fleet.served import CHAT, User, Working

Work = Callable[..., Working]
ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs/fleet.md").read_text("utf-8")
COMPOSE: dict[str, Any] = yaml.safe_load((ROOT / "examples/compose/compose.yaml").read_text("utf-8"))
KEPT = {"appendonly": "yes", "appendfsync": "everysec", "maxmemory-policy": "noeviction"}


def block(start: str) -> list[str]:
    found = re.search(rf"^```\n({re.escape(start)}.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
    assert found
    return found[1].splitlines()


def settings(redis: RedisServer) -> dict[str, str]:
    return {name: redis.client.config_get(name)[name] for name in KEPT}  # type: ignore[index]


def test_redis_takes_the_settings_of_the_page(tmp_path: Path) -> None:
    given = [word for line in block("appendonly") for word in f"--{line}".split()]
    with running_redis(tmp_path / "kept", *given) as redis:
        assert settings(redis) == KEPT


def test_redis_takes_the_settings_of_the_composition(tmp_path: Path) -> None:
    _, *given = COMPOSE["services"]["redis"]["command"]
    given = given[: given.index("--requirepass")]
    with running_redis(tmp_path / "kept", *given) as redis:
        assert settings(redis) == KEPT


def test_the_composition_starts_what_there_is_and_leaves_it_the_time_to_drain() -> None:
    service = COMPOSE["services"]["work"]
    given = command.make_context("work", list(service["command"])).params
    assert int(service["stop_grace_period"].removesuffix("s")) >= given["grace_s"] + 20
    dockerfile = (ROOT / "examples/compose/Dockerfile").read_text("utf-8")
    assert 'ENTRYPOINT ["agent-workers", "fleet", "work"]' in dockerfile
    url = string.Template(service["environment"]["AGENT_WORKERS_REDIS"].replace(":?", "")).substitute(
        REDIS_PASSWORD="x"
    )
    assert url == "redis://:x@redis:6379/0"


def test_the_rights_of_the_page_are_enough_for_a_fleet_and_no_more(work: Work, redis: RedisServer, user: User) -> None:
    [line] = block("user fleet")
    _, name, *rules = line.replace("PASSWORD", "secret").split()
    redis.client.execute_command("ACL", "SETUSER", name, *rules)
    plain, redis.url = redis.url, redis.url.replace("//", f"//{name}:secret@")
    working = work("--listen", "127.0.0.1:0")
    assert user.run(CHAT)[-1]["type"] == "done"
    run = user.submit({**CHAT, "prompt": "Go. [[scenario:slow]]"}).run
    user.wait_for(run, "delta")
    user.abort(run)
    user.follow(run)
    assert working.stop() == 0
    assert "could not" not in working.log.read_text()
    redis.url = plain
    denied = redis.client.execute_command("ACL", "DRYRUN", name, "GET", "other")
    assert denied != b"OK"
    assert redis.client.execute_command("ACL", "DRYRUN", name, "FLUSHALL") != b"OK"
