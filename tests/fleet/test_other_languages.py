"""Whoever has nothing but Redis and the rules can submit, follow and stop."""

import json
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from redis.exceptions import ResponseError

from tests.fleet.redis_server import RedisServer
from tests.fleet.served import User, Working
from tests.fleet.test_page import snippets
from tests.fleet.test_php_copies import ROOT, RULES
from tests.waiting import PATIENCE_S

SUBMIT = (RULES / "common.lua").read_text() + (RULES / "submit.lua").read_text()


def test_the_page_leads_a_shell_to_an_answer_and_stops_a_job(
    work: Callable[..., Working], user: User, redis: RedisServer, tmp_path: Path
) -> None:
    work()
    submits, stops = snippets("For other languages", redis)
    script = f"{submits}{stops}".replace("rules=", f"rules={ROOT}/")
    ran = subprocess.run(
        ["bash", "-uc", script], cwd=tmp_path, capture_output=True, text=True, timeout=PATIENCE_S, check=False
    )
    said = ran.stdout.splitlines()
    events = [json.loads(line) for line in said if line.startswith("{")]
    assert events == user.check("sky-1")
    assert "Why is the sky blue?" in events[-1]["text"]
    assert {event["run"] for event in events} == {"sky-1"}
    assert said[-1] == "ended"
    assert user.check("sky-2")[-1]["type"] == "aborted"


@pytest.mark.parametrize(("place", "value"), [(5, "high"), (6, "often"), (7, "tomorrow"), (12, None)])
def test_a_job_that_cannot_be_read_leaves_nothing_behind(place: int, value: str | None, redis: RedisServer) -> None:
    words = ["r-1", "{}", *[""] * 11]
    words[place : place + 1] = [value] if value else []
    with pytest.raises(ResponseError, match="has no valid" if value else "takes 13 arguments"):
        redis.client.eval(SUBMIT, 1, "agent-workers", *words)
    assert redis.client.keys() == []
