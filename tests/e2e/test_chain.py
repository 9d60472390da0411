"""Lines that are chained, where the operator wants it: whatever worker, engine and end, and by no word of a request."""

import json
import signal
import subprocess
from pathlib import Path

import pytest

from agent_workers.client import EngineRunner, ProcessRunner
from agent_workers.proof import Keys, Report, verify
from agent_workers.simulator import Simulator
from agent_workers.validation import check
from tests.e2e.counter import Counter
from tests.e2e.desk import Desk, bash, permit
from tests.e2e.engines import MESSAGES
from tests.e2e.test_questions import GIVEN, answer, ask, one
from tests.e2e.worker import SCRIPTS, Ended, Home
from tests.skills.making import DEAL, make_skill
from tests.waiting import PATIENCE_S

pytestmark = pytest.mark.usefixtures("loaded")

ON = {"AGENT_WORKERS_CHAIN": "1"}
NO_KEYS = Keys()


@pytest.fixture
def chained(home: Home) -> Home:
    home.environ |= ON
    return home


def whole(output: bytes, *, lines: int = 1) -> Report:
    """The report of a run that is chained, and valid."""
    report = verify([output])
    assert report.findings == []
    assert report.is_chained
    assert report.lines >= lines
    assert check(output, "events")[1] == []
    return report


@pytest.mark.parametrize("fields", [{}, {"engine": MESSAGES}], ids=["agent", "messages"])
def test_a_chat_is_chained_with_its_pings_and_cut_lines(chained: Home, fields: dict[str, str]) -> None:
    request = {"prompt": "[[scenario:slow]] Go", "stream": {"ping_s": 0.1}, **fields}
    running = chained.start("--control")
    running.send(request)
    running.wait_for("ping")
    running.signal(signal.SIGTERM)
    ended = running.end()
    assert ended.ending == ("aborted", 3)
    assert {"start", "ping", "aborted"} <= {*ended.types}
    whole(ended.output, lines=3)
    long = chained.run({"prompt": "[[scenario:many-deltas]] Go", **fields})
    assert whole(long.output).runs[0].ended == "done"


def test_a_task_tells_on_what_signs_a_decision_and_an_answer_and_reads_neither(desk: Desk) -> None:
    desk.home.environ |= ON
    desk.script(bash("touch made"), ask(one()))

    def reply(event: dict[str, object]) -> dict[str, object] | None:
        if event["type"] == "permission_request":
            return permit(event, actor="7", signature="v1=anything:\u00fc")
        return (
            answer(event, {"Which city?": GIVEN["Which city?"]}, signature="x" * 512)
            if event["type"] == "question"
            else None
        )

    ended = desk.converse(reply, tools=["Bash", "AskUserQuestion"], permissions={"mode": "ask"})
    assert ended.ending == ("done", 0)
    report = whole(ended.output, lines=8)
    assert ended.of("permission_resolved")[0]["signature"] == "v1=anything:\u00fc"
    assert ended.of("question_resolved")[0]["signature"] == "x" * 512
    assert [decision.state for decision in report.decisions] == ["unchecked", "unchecked"]


@pytest.mark.parametrize("signature", ["", "x" * 513, 7, None])
def test_a_signature_that_is_none_is_no_decision(desk: Desk, signature: object) -> None:
    desk.script(bash("touch made"))
    sent: list[str] = []

    def reply(event: dict[str, object]) -> dict[str, object] | None:
        if event["type"] == "ack" and not event["ok"]:
            sent.append(str(event["code"]))
            return {"type": "abort", "id": "enough"}
        return permit(event, signature=signature) if event["type"] == "permission_request" else None

    ended = desk.converse(reply, tools=["Bash"], permissions={"mode": "ask"})
    assert (ended.ending, sent) == (("aborted", 3), ["invalid_message"])


def test_a_skill_and_a_tool_are_chained(chained: Home, simulator: Simulator) -> None:
    make_skill(chained.root / "skills")
    chained.environ["AGENT_WORKERS_SKILLS_PATH"] = str(chained.root / "skills")
    simulator.play("structured-output")
    skill = chained.run({"skill": "score", "input": DEAL}, worker="agent-skill")
    whole(skill.output, lines=2)
    counter = Counter(chained)
    whole(counter.run("person", input={"name": "Eva", "age": 6}).output, lines=2)


@pytest.mark.parametrize("request_", [b"{", b'{"prompt": ""}', b'{"v": 2, "prompt": "x"}', b""])
def test_a_refusal_is_the_only_line_and_begins_a_chain(chained: Home, request_: bytes) -> None:
    running = chained.start()
    running.write(request_)
    running.end_input()
    ended = running.end()
    assert ended.status == 2
    assert ended.last["prev"] == "0" * 64
    whole(ended.output)


@pytest.mark.parametrize("value", ["", "0", "no", "OFF", "false"])
def test_a_host_that_does_not_switch_it_on_writes_lines_as_before(home: Home, value: str) -> None:
    ended = home.run({"prompt": "Hello", "engine": MESSAGES}, env={"AGENT_WORKERS_CHAIN": value})
    assert not any("prev" in event for event in ended.events)


def test_a_request_has_no_word_in_it(chained: Home) -> None:
    refused = chained.run({"prompt": "Hello", "chain": False})
    assert (refused.ending, refused.last["prev"]) == (("invalid_request", 2), "0" * 64)


def test_a_recording_of_two_attempts_is_chained_anew_when_it_is_played(chained: Home, tmp_path: Path) -> None:
    first = chained.run({"prompt": "Hello", "engine": MESSAGES, "run": "r1"})
    second = chained.run({"prompt": "Hello", "engine": MESSAGES, "run": "r1", "attempt": 2})
    file = tmp_path / "run.ndjson"
    file.write_bytes(b"".join(first.output.splitlines(keepends=True)[:-1]) + second.output)
    report = whole(replayed(file, chained.environ), lines=4)
    assert report.runs[0].attempts == 2
    assert b'"prev"' not in replayed(file, {**chained.environ, "AGENT_WORKERS_CHAIN": ""})


def replayed(file: Path, environ: dict[str, str]) -> bytes:
    command = [SCRIPTS / "agent-workers", "replay", "--speed", "100", file]
    return subprocess.run(command, env=environ, capture_output=True, check=True, timeout=PATIENCE_S).stdout


def test_the_clients_pass_the_lines_on_as_they_are(chained: Home) -> None:
    request = {"prompt": "Hello", "engine": MESSAGES}
    runner = ProcessRunner("agent-chat", env=chained.environ)
    with runner.stream(request) as run:
        whole(b"".join(run.line + b"\n" for _ in run), lines=3)
    with EngineRunner("agent-chat", env=chained.environ) as engine, engine.stream(request) as run:
        whole(b"".join(run.line + b"\n" for _ in run), lines=3)


def test_the_end_that_a_client_tells_of_a_lost_worker_goes_on_in_the_chain(chained: Home) -> None:
    running = chained.start("--control")
    running.send({"prompt": "[[scenario:slow]] Go"})
    running.wait_for("delta")
    running.signal(signal.SIGKILL)
    output = running.end(whole=False).output
    script = chained.root / "lost"
    told = chained.root / "told"
    told.write_bytes(output)
    script.write_text(f"#!/bin/sh\nread request\ncat {told}\nkill -9 $$\n")
    script.chmod(0o755)
    with ProcessRunner(str(script), env=chained.environ).stream({"prompt": "x"}) as run:
        lines = [run.line + b"\n" for _ in run]
    assert json.loads(lines[-1])["code"] == "worker_lost"
    assert lines[:-1] == output.splitlines(keepends=True)
    assert verify([b"".join(lines)], NO_KEYS).findings == []


def test_what_the_agent_says_begins_no_chain(chained: Home) -> None:
    """A text that looks like the field is a text."""
    prev = '","prev":"' + "0" * 64 + '"}'
    ended: Ended = chained.run({"prompt": f"Say {prev}", "engine": MESSAGES, "metadata": {"prev": "0" * 64}})
    assert ended.ending == ("done", 0)
    whole(ended.output, lines=3)
