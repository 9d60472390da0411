"""Machines that lie, tokens that are none for them, and what a machine refuses to do."""

import json
import os
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from websockets.exceptions import ConnectionClosed, InvalidStatus

from tests.gateway.lent import OWN, Faker, Lent, connect_token
from tests.gateway.served import SCRIPTS, Served
from tests.waiting import PATIENCE_S

VICTIM = connect_token(sub="victim")


@pytest.fixture(scope="module")
def owned(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    served = Served(tmp_path_factory.mktemp("owned"), f'revoked = ["lost"]\n{OWN}')
    yield served
    served.stop()


@pytest.mark.parametrize(
    "lie",
    [
        '{"v":1',
        "",
        "null",
        '{"v":1,"seq":2,"run":"RUN","ts":"2026-11-27T10:00:00.000Z","type":"delta"}',
        '{"v":1,"seq":2,"run":"RUN","ts":"2026-11-27T10:00:00.000Z","type":"delta\\nid: 1","text":"x","block":1}',
        '{"v":1,\n"seq":2,"run":"RUN","ts":"2026-11-27T10:00:00.000Z","type":"delta","text":"x","block":1}',
        '{"v":1,"seq":1,"run":"RUN","ts":"2026-11-27T10:00:00.000Z","type":"delta","text":"x","block":1}',
        '{"v":1,"seq":2,"run":"another","ts":"2026-11-27T10:00:00.000Z","type":"delta","text":"x","block":1}',
        '{"v":1,"seq":2,"run":"another","run":"RUN","ts":"2026-11-27T10:00:00.000Z","type":"ping"}',
        '{"v":1,"seq":2,"run":"RUN","ts":"2026-11-27T10:00:00.000Z","type":"start","attempt":2,"worker":"agent-chat"}',
        '{"v":1,"seq":2,"run":"RUN","ts":"2026-11-27T10:00:00.000Z","type":"delta","text":"LONG","block":1}',
    ],
)
def test_a_line_that_is_no_event_of_the_run_ends_it_with_an_error(lie: str, owned: Served) -> None:
    with Faker(owned) as machine, owned.streaming("x", owned.token(preset="own")) as stream:
        run = machine.hear("run")["run"]
        machine.begin(run)
        text = lie.replace("RUN", run)
        text = text.replace("LONG", "x" * (256 * 1024 - len(text) + 4))
        machine.say(type="line", run=run, n=2, line=text)
        assert machine.hear("drop")["run"] == run
        [first, last] = [frame.json for frame in stream.frames()]
        assert (first["type"], last["type"], last["code"]) == ("start", "error", "internal")


def test_a_run_ends_once_whatever_its_machine_says_after_its_end(owned: Served) -> None:
    with Faker(owned) as machine, owned.streaming("x", owned.token(preset="own")) as stream:
        run = machine.hear("run")["run"]
        machine.begin(run)
        machine.line(run, 2, type="aborted", reason="client")
        for _ in range(2):
            machine.say(type="end", run=run, reason="full")
        assert [frame.event for frame in stream.frames()] == ["start", "aborted"]
        assert owned.get(f"/v1/runs/{run}").json["state"] == "aborted"


def test_lines_that_come_twice_count_once_and_one_that_is_missing_ends_the_run(owned: Served) -> None:
    with Faker(owned) as machine, owned.streaming("x", owned.token(preset="own")) as stream:
        run = machine.hear("run")["run"]
        machine.begin(run)
        machine.begin(run)
        machine.line(run, 2, type="delta", text="a", block=1)
        machine.line(run, 2, type="delta", text="a", block=1)
        machine.line(run, 4, type="delta", text="b", block=1)
        assert [frame.event for frame in stream.frames()] == ["start", "delta", "error"]


def test_a_machine_cannot_answer_for_another_users_run(owned: Served) -> None:
    token = owned.token(preset="own", sub="victim")
    with Faker(owned, VICTIM) as victim, Faker(owned) as thief, owned.streaming("x", token) as stream:
        run = victim.hear("run")["run"]
        thief.begin(run)
        thief.say(type="end", run=run, reason="full")
        thief.say(type="taken", run=run, n=1)
        with owned.streaming("x", owned.token(preset="own")) as own:
            begun = thief.hear("run")["run"]
            thief.begin(begun)
            own.wait_for("start")  # what it said before has been heard
        victim.begin(run)
        victim.line(run, 2, type="aborted", reason="client")
        assert [frame.event for frame in stream.frames()] == ["start", "aborted"]


def test_a_machine_cannot_take_the_place_of_another_users(owned: Served) -> None:
    name = "3f2b8c1e-5d0a-4c77-9a51-0e6f6b1f2d34"
    token = owned.token(preset="own", sub="victim")
    with Faker(owned, VICTIM, machine=name) as victim, owned.streaming("x", token) as stream:
        run = victim.hear("run")["run"]
        victim.begin(run)
        with Faker(owned, machine=name, runs={run: 1}) as thief:
            assert thief.welcome["runs"] == {}
        victim.line(run, 2, type="aborted", reason="client")
        assert [frame.event for frame in stream.frames()] == ["start", "aborted"]


@pytest.mark.parametrize(
    ("said", "code"),
    [
        ("garbage", 4400),
        ("[]", 4400),
        ('{"type":"nothing"}', 4400),
        (b"\x00\x01", 4400),
        (json.dumps({"type": "line", "run": "x", "n": 1, "line": "x" * (256 * 1024 + 1)}), 4400),
        ("x" * (1 << 20), 1009),
    ],
    ids=["garbage", "a list", "an unknown message", "bytes", "a line that is too long", "too long a message"],
)
def test_a_machine_that_sends_no_messages_is_sent_away(said: Any, code: int, owned: Served) -> None:
    with Faker(owned) as machine:
        machine.socket.send(said)
        with pytest.raises(ConnectionClosed) as closed:
            machine.hear("nothing")
        assert closed.value.rcvd
        assert closed.value.rcvd.code == code


def test_another_version_of_the_protocol_is_told_so(owned: Served) -> None:
    with Faker(owned, v=2) as machine, pytest.raises(ConnectionClosed) as closed:
        machine.hear("welcome")
    assert closed.value.rcvd
    assert (closed.value.rcvd.code, "version 1" in closed.value.rcvd.reason) == (4406, True)


@pytest.mark.parametrize(
    ("claims", "lives_s", "status", "code"),
    [
        ({"use": "all"}, None, 401, "token_too_long"),
        ({"use": "all"}, 100, 403, "forbidden"),
        ({"jti": "lost"}, None, 401, "token_revoked"),
        ({}, 40 * 86_400, 401, "token_too_long"),
        ({}, -60, 401, "token_expired"),
        ({"aud": "https://other.test"}, None, 401, "token_invalid"),
    ],
)
def test_a_token_that_is_not_for_connecting_is_refused(
    claims: dict[str, Any], lives_s: int | None, status: int, code: str, owned: Served
) -> None:
    if lives_s is not None:
        claims = {**claims, "exp": int(time.time()) + lives_s}
    with pytest.raises(InvalidStatus) as refused:
        Faker(owned, connect_token(**claims))
    answer = refused.value.response
    assert (answer.status_code, json.loads(answer.body or b"")["code"]) == (status, code)


def test_a_token_for_connecting_starts_and_reads_nothing(owned: Served) -> None:
    short = connect_token(exp=int(time.time()) + 100, preset="own")
    for answer in (owned.run("echo", short), owned.get("/v1/runs/any", short), owned.get("/v1/runs/any/events", short)):
        assert (answer.status, answer.json["code"]) == (403, "forbidden")


def test_a_machine_whose_token_is_refused_says_why_and_stops(owned: Served, tmp_path: Path) -> None:
    lent = Lent(owned, tmp_path / "machine", connect_token(jti="lost"))
    assert lent.process.wait(PATIENCE_S) == 1
    assert "The token was revoked" in lent.said


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["https://agents.example", "--token", "eyJ.x.y"], "every user of this machine"),
        (["http://agents.example"], "without TLS everybody on the way can read the token"),
        (["ws://192.168.0.7:8300"], "--insecure"),
        (["agents.example"], "is not the address of a gateway"),
        (["https://agents.example", "--worker", "agent-nothing"], "is not a worker"),
    ],
)
def test_what_would_give_the_token_away_is_refused_at_once(arguments: list[str], words: str, tmp_path: Path) -> None:
    env = {"PATH": os.environ["PATH"], "HOME": str(tmp_path), "AGENT_WORKERS_CONNECT_TOKEN": connect_token()}
    command = [str(SCRIPTS / "agent-workers"), "connect", *arguments]
    told = subprocess.run(command, capture_output=True, text=True, check=False, timeout=PATIENCE_S, env=env)
    assert told.returncode in (1, 2)
    assert words in " ".join(told.stderr.split()), told.stderr
