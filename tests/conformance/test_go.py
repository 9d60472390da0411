"""The worker of examples/go: it keeps the contract, and its page says what it does."""

import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from agent_workers.conformance import Kit, load_profile
from tests.golang import GO_ENV, go
from tests.laravel.site import free_port
from tests.waiting import PATIENCE_S, until

EXAMPLE = Path(__file__).parents[2] / "examples" / "go"
README = (EXAMPLE / "README.md").read_text("utf-8")
SNIPPETS = re.findall(r"^```sh\n(.*?)^```$", README, re.MULTILINE | re.DOTALL)
REQUEST = json.loads((EXAMPLE / "request.json").read_text("utf-8"))


@pytest.fixture(scope="module")
def scorer(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("go") / "go"
    shutil.copytree(EXAMPLE, folder, ignore=shutil.ignore_patterns("scorer"))
    go("build", "-o", "scorer", ".", cwd=folder)
    return folder / "scorer"


@pytest.fixture
def server(scorer: Path) -> Iterator[tuple[str, "subprocess.Popen[str]"]]:
    running = subprocess.Popen([scorer, "-http", "127.0.0.1:0"], stderr=subprocess.PIPE, text=True)
    assert running.stderr
    try:
        yield running.stderr.readline().removeprefix("listening at ").strip(), running
    finally:
        running.kill()
        running.wait()
        running.stderr.close()


def test_it_keeps_the_contract(scorer: Path) -> None:
    profile = load_profile(None, [str(scorer)])
    assert profile.request == REQUEST
    report = Kit([str(scorer)], profile, level="core", jobs=4, patience=5).run()
    assert {verdict.case.id: verdict.findings for verdict in report.of("failed")} == {}
    assert report.reached == "core"
    assert {verdict.case.id for verdict in report.of("skipped")} == {"large", "slow-reader", "error-for-now"}


def test_its_code_is_formatted_and_vetted_and_its_own_tests_pass(scorer: Path) -> None:
    assert go("-l", ".", cwd=scorer.parent, program="gofmt") == ""
    assert go("-l", "digest.go", cwd=Path(__file__).parent, program="gofmt") == ""
    go("vet", ".", cwd=scorer.parent)
    go("test", ".", cwd=scorer.parent)


def run(scorer: Path, request: dict[str, Any], *options: str) -> tuple[int, list[dict[str, Any]]]:
    ran = subprocess.run(
        [scorer, *options], input=json.dumps(request), capture_output=True, text=True, timeout=PATIENCE_S, check=False
    )
    return ran.returncode, [json.loads(line) for line in ran.stdout.splitlines()]


def test_whole_blocks_come_as_one_delta(scorer: Path) -> None:
    status, [_, delta, done] = run(scorer, {**REQUEST, "stream": {"partial": False}})
    assert (status, delta["text"], delta["block"]) == (0, done["text"], 1)


def test_it_repeats_what_a_run_is_about_and_takes_what_our_callers_add(scorer: Path) -> None:
    about = {"subject": {"type": "partner", "id": "7"}, "user": "ada", "goal": "Keep it.", "metadata": {"n": 2**70}}
    status, events = run(scorer, {**REQUEST, **about, "session_owner": "user-1"}, "--simulate=hello")
    assert status == 0
    assert [{name: event[name] for name in about} for event in (events[0], events[-1])] == [about, about]
    assert (
        '"status": "ok"'
        in subprocess.run(
            [scorer, "--doctor=json"], capture_output=True, text=True, timeout=PATIENCE_S, check=True
        ).stdout
    )


def test_a_signal_before_the_request_has_come_ends_it_by_aborted_alone(scorer: Path) -> None:
    with subprocess.Popen([scorer, "--control"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as running:
        assert running.stdout
        until(lambda: has_claimed_stdout(running.pid), what="its handler, which it has before")
        running.send_signal(signal.SIGTERM)
        [line] = running.stdout.readlines()
    assert (json.loads(line)["type"], json.loads(line)["reason"], running.returncode) == ("aborted", "signal", 3)


def has_claimed_stdout(pid: int) -> bool:
    """Whether a process has a duplicate of its stdout."""
    links = []
    for descriptor in Path(f"/proc/{pid}/fd").iterdir():
        with suppress(FileNotFoundError):  # what the runtime has opened for a moment
            links.append(descriptor.readlink())
    return links.count(Path(f"/proc/{pid}/fd/1").readlink()) == 2


def test_what_not_every_reader_could_take_back_is_refused(scorer: Path) -> None:
    for value in ("[" * 200 + "]" * 200, "1e400"):
        request = json.dumps({**REQUEST, "metadata": {"a": "VALUE"}}).replace('"VALUE"', value)
        ran = subprocess.run([scorer], input=request, capture_output=True, text=True, timeout=PATIENCE_S, check=False)
        assert (ran.returncode, json.loads(ran.stdout)["code"]) == (2, "invalid_request")


def test_a_message_that_is_too_long_changes_nothing(scorer: Path) -> None:
    lines = [json.dumps({**REQUEST, "pace_s": 9}), "x" * (3 << 20), json.dumps({"type": "abort", "id": "stop"}), ""]
    ran = subprocess.run(
        [scorer, "--control"], input="\n".join(lines), capture_output=True, text=True, timeout=PATIENCE_S, check=False
    )
    events = [json.loads(line) for line in ran.stdout.splitlines()]
    assert [event["type"] for event in events] == ["start", "notice", "ack", "aborted"]
    assert events[-1]["reason"] == "client"


def test_a_request_without_end_is_refused(scorer: Path) -> None:
    for options in ([], ["--control"]):
        ran = subprocess.run(
            [scorer, *options], input=b" " * (2 << 20), capture_output=True, timeout=PATIENCE_S, check=False
        )
        refusal = json.loads(ran.stdout)
        assert (ran.returncode, refusal["type"], refusal["code"]) == (2, "error", "invalid_request")


def post(url: str, body: bytes) -> tuple[int, dict[str, Any]]:
    try:
        with urllib.request.urlopen(f"{url}/score", body, timeout=PATIENCE_S) as answer:
            return answer.status, json.load(answer)
    except urllib.error.HTTPError as refusal:
        return refusal.code, json.load(refusal)


def test_by_http_it_answers_the_same_score_and_says_where_a_request_is_wrong(
    scorer: Path, server: tuple[str, "subprocess.Popen[str]"]
) -> None:
    url, running = server
    assert post(url, json.dumps(REQUEST).encode()) == (200, run(scorer, REQUEST)[1][-1]["output"])
    status, refusal = post(url, json.dumps({**REQUEST, "as_of": "soon"}).encode())
    assert (status, [problem["pointer"] for problem in refusal["details"]]) == (422, ["/as_of"])
    assert post(url, b" " * (1 << 20) + b"x")[0] == 413
    running.send_signal(signal.SIGTERM)
    assert running.wait(PATIENCE_S) == 0


def test_its_server_answers_what_it_has_begun_to_before_it_ends(server: tuple[str, "subprocess.Popen[str]"]) -> None:
    url, running = server
    body = json.dumps(REQUEST)
    host, port = url.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port)), PATIENCE_S) as client:
        head = f"POST /score HTTP/1.1\r\nHost: {host}\r\nContent-Length: {len(body)}\r\nExpect: 100-continue\r\n\r\n"
        client.sendall(head.encode())
        assert b"100 Continue" in client.recv(1000)  # it reads the body now
        running.send_signal(signal.SIGTERM)
        until(lambda: not listens(host, int(port)), what="the end of its listening")
        client.sendall(body.encode())
        assert client.recv(1000).startswith(b"HTTP/1.1 200 OK")
    assert running.wait(PATIENCE_S) == 0


def listens(host: str, port: int) -> bool:
    try:
        socket.create_connection((host, port), PATIENCE_S).close()
    except ConnectionError:
        return False
    return True


@pytest.mark.parametrize("snippet", SNIPPETS, ids=lambda snippet: snippet.split("\n")[0])
def test_a_snippet_of_its_page_works(scorer: Path, snippet: str) -> None:
    ended = "trap 'kill $(jobs -p) 2> /dev/null || true' EXIT\n"
    told = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", ended + snippet.replace("8090", str(free_port()))],
        cwd=scorer.parent,
        env={**GO_ENV, "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"},
        capture_output=True,
        text=True,
        timeout=PATIENCE_S,
        check=False,
        stdin=subprocess.DEVNULL,
    )
    assert told.returncode == 0, told
    assert '"score":54' in told.stdout
