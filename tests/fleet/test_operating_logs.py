"""The log of a process of the fleet: for programs where that is asked for, and never with what must not be in it."""

import json
import logging
import signal
import subprocess
import sys
from collections.abc import Callable
from typing import Any

import pytest

from agent_workers.fleet.serving.log import JsonLines, Lines
from tests.e2e.worker import SCRIPTS, Home
from tests.fleet.redis_server import RedisServer
from tests.fleet.served import CHAT, User, Working
from tests.waiting import PATIENCE_S, until

Work = Callable[..., Working]
SECRET = "the canary sings at noon"
PASSWORD = "p@ss/w:rd 42"
ENCODED = "p%40ss%2Fw%3Ard%2042"
SLOW = {**CHAT, "prompt": f"{SECRET} [[scenario:slow]]", "tenant": "acme"}
AS_JSON = {"AGENT_WORKERS_LOG_FORMAT": "json"}


def lines(working: Working) -> list[dict[str, Any]]:
    return [json.loads(line) for line in working.log.read_text().splitlines()]


def test_a_line_for_programs_says_of_which_run_it_is(work: Work, user: User) -> None:
    zombie = work("--lease-s", "1", env=AS_JSON)
    run = user.submit(SLOW).run
    user.wait_for(run, "delta")
    zombie.send(signal.SIGSTOP)
    work("--lease-s", "1", env=AS_JSON)
    user.follow(run, until_=lambda event: event["type"] == "start" and event.get("attempt") == 2)
    zombie.send(signal.SIGCONT)
    told = until(lambda: [line for line in lines(zombie) if "another's by now" in line["message"]])[0]
    assert (told["run"], told["queue"], told["tenant"], told["attempt"]) == (run, "default", "acme", 1)
    assert (told["level"], told["logger"]) == ("warning", "agent_workers.fleet")
    user.abort(run)
    user.follow(run)
    assert SECRET not in zombie.log.read_text()


def test_a_line_for_people_ends_with_what_it_is_about(work: Work, user: User) -> None:
    lost = work("--lease-s", "1")
    run = user.submit(SLOW).run
    user.wait_for(run, "delta")
    lost.stop(signal.SIGKILL)
    there = work("--lease-s", "1")
    until(lambda: f"the worker of a run has gone: queued run={run}" in there.log.read_text())
    user.abort(run)
    user.follow(run)


def test_a_process_that_works_says_little(work: Work, user: User) -> None:
    working = work(env=AS_JSON)
    for _ in range(2):
        user.run({**CHAT, "prompt": SECRET})
    working.stop()
    assert [line["message"].partition(" ")[0] for line in lines(working)] == ["takes", "stops:"]


def shows_no_password(text: str) -> bool:
    return PASSWORD not in text and ENCODED not in text and json.dumps(PASSWORD)[1:-1] not in text


@pytest.mark.parametrize("env", [{}, AS_JSON])
def test_a_password_is_in_no_line_and_a_redis_that_refuses_it_is_told_in_one(
    work: Work, redis: RedisServer, user: User, env: dict[str, str]
) -> None:
    redis.client.config_set("requirepass", PASSWORD)
    plain, redis.url = redis.url, redis.url.replace("//", f"//:{ENCODED}@")
    working = work(env=env)
    assert user.run(CHAT)[-1]["type"] == "done"
    redis.client.config_set("requirepass", "another")
    redis.client.client_kill_filter(_type="normal", skipme=True)
    until(lambda: "Redis" in working.log.read_text())
    working.stop()
    assert shows_no_password(working.log.read_text())
    assert "Traceback" not in working.log.read_text()
    redis.url = plain


@pytest.mark.parametrize(
    "url",
    [
        f"redis://:{PASSWORD}@127.0.0.1:1/0",  # not encoded: its slash ends the host
        f"redis://:{ENCODED}@127.0.0.1:1/0",
        f"redis://user:{ENCODED}@127.0.0.1:none/0",
        f"rediss:{PASSWORD}",
        f"redis://:{ENCODED}@127.0.0.1:1/0?socket_timeout={ENCODED}",
        f"redis://:{ENCODED}@127.0.0.1:1/0?password2={ENCODED}",
    ],
)
def test_an_address_that_is_none_or_not_there_is_told_without_its_password(home: Home, url: str) -> None:
    command = [str(SCRIPTS / "agent-workers"), "fleet", "work"]
    env = {**home.environ, "AGENT_WORKERS_REDIS": url}
    ran = subprocess.run(command, env=env, capture_output=True, text=True, timeout=PATIENCE_S, check=False)
    assert ran.returncode
    assert ran.stderr.strip()
    assert "Traceback" not in ran.stderr
    assert "ss/w" not in ran.stderr
    assert "p@" not in ran.stderr
    assert shows_no_password(ran.stderr)


def test_a_fault_tells_what_it_is_and_where_but_not_what_a_job_says() -> None:
    try:
        raise KeyError(SECRET)
    except KeyError:
        record = logging.getLogger("agent_workers.fleet").makeRecord(
            "agent_workers.fleet", logging.ERROR, "", 0, "it failed", (), sys.exc_info()
        )
    for formatter in (Lines(), JsonLines()):
        line = formatter.format(record)
        assert "KeyError" in line
        assert "test_a_fault_tells" in line
        assert SECRET not in line
        assert "\n" not in line
