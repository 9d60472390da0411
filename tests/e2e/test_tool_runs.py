"""agent-tool: one tool of an MCP server, run for a person, without a model."""

import json
import os
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from agent_workers.simulator import Simulator
from tests.e2e.counter import Counter
from tests.e2e.desk import Desk
from tests.e2e.test_mcp_servers import PROGRAMS, program, web_server
from tests.e2e.worker import Home
from tests.waiting import PATIENCE_S, until

pytestmark = pytest.mark.usefixtures("loaded")
EXAMPLE = Path(__file__).parents[2] / "examples" / "mcp"
ABOUT: dict[str, Any] = {"metadata": {"user": 7}, "goal": "Find it."}
ATTEMPT = {"attempt": 2, "traceparent": "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"}
PROGRESS = {"stream": {"tool_output": True}}
SERVE = """
import sys
sys.path.insert(0, sys.argv[1])
from partners import server
port = int(sys.argv[2])
if hasattr(getattr(server, "settings", None), "port"):  # mcp 1
    server.settings.port = port
    server.run("streamable-http")
server.run("streamable-http", port=port)
"""


@pytest.fixture
def counter(home: Home) -> Counter:
    return Counter(home)


@pytest.fixture
def web() -> Iterator[dict[str, Any]]:
    """The example's server, reached by HTTP."""
    with socket.create_server(("127.0.0.1", 0)) as found:
        port = found.getsockname()[1]
    command = [sys.executable, "-c", SERVE, str(EXAMPLE), str(port)]
    environ = {"PATH": os.environ["PATH"]}
    with subprocess.Popen(command, env=environ, stderr=subprocess.DEVNULL, stdout=subprocess.DEVNULL) as served:
        try:
            until(lambda: listens(port))
            yield {"name": "crm", "type": "http", "url": f"http://127.0.0.1:{port}/mcp"}
        finally:
            served.kill()


def listens(port: int) -> bool:
    with socket.socket() as tried:
        return tried.connect_ex(("127.0.0.1", port)) == 0


def example() -> dict[str, Any]:
    return {"name": "crm", "command": sys.executable, "args": [str(EXAMPLE / "partners.py")]}


def assert_partner_found(events: list[dict[str, Any]], run: str) -> None:
    start, call, result, done = events
    assert (start["worker"], start["run"], start["metadata"], start["goal"]) == (
        "agent-tool",
        run,
        {"user": 7},
        "Find it.",
    )
    assert start.items() >= ATTEMPT.items()
    assert (call["name"], call["input"]) == ("mcp__crm__find_partner", {"name": "Acme"})
    found = "Acme: Berlin, partner since 2019"
    assert (result["status"], result["content"], result["tool_use_id"]) == ("ok", found, call["tool_use_id"])
    assert "retryable" not in result
    assert (done["output"], done["text"], done["stop_reason"]) == ({"result": found}, found, "end_turn")
    assert done.items() >= {"usage": {}, "turns": 0, **ABOUT}.items()
    assert "session_id" not in done
    assert done["duration_ms"] > 0


def test_a_tool_of_a_program_runs_and_its_result_is_told_twice_as_text_and_as_json(counter: Counter) -> None:
    ended = counter.run("find_partner", server=example(), input={"name": "Acme"}, run="r-1", **ABOUT, **ATTEMPT)
    assert ended.ending == ("done", 0)
    assert_partner_found(ended.events, "r-1")
    validated = counter.home.root / "run.ndjson"
    validated.write_bytes(ended.output)
    command = [Path(sys.executable).parent / "agent-workers", "validate", validated]
    checked = subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE_S, check=False)
    assert checked.returncode == 0, checked.stdout


def test_a_tool_runs_over_http_and_a_server_that_has_gone_is_named(counter: Counter, web: dict[str, Any]) -> None:
    ended = counter.run("find_partner", server=web, input={"name": "Acme"}, run="r-2", **ABOUT, **ATTEMPT)
    assert ended.ending == ("done", 0), ended.stderr
    assert_partner_found(ended.events, "r-2")
    refused = counter.run("find_partner", server=web, input={"nam": "Acme"})
    assert refused.ending == ("invalid_request", 2)
    assert refused.last["details"][1] == {
        "pointer": "/input/nam",
        "message": "is no argument of this tool",
        "did_you_mean": "name",
    }


def test_a_call_that_does_not_fit_the_tool_is_refused_with_each_problem_before_the_tool_runs(counter: Counter) -> None:
    ended = counter.run("person", input={"nmae": "Eva", "age": "six", "ctiy": "Graz", "note": "unread"})
    assert ended.ending == ("invalid_request", 2)
    assert ended.types == ["start", "error"]
    details = {problem.pop("pointer"): problem for problem in ended.last["details"]}
    assert details == {
        "/input/name": {"message": "is required"},
        "/input/age": {"message": "must be of the type integer"},
        "/input/nmae": {"message": "is no argument of this tool", "did_you_mean": "name"},
        "/input/ctiy": {"message": "is no argument of this tool", "did_you_mean": "city"},
    }
    assert "Eva" not in ended.stderr
    closed = counter.run("closed", input={"sort": "sideways", "City": "graz", "zzzzzz": 1, "city": "graz"})
    found = {(problem["pointer"], problem.get("did_you_mean")) for problem in closed.last["details"]}
    assert found == {
        ("/input/sort", None),
        ("/input/City", "city"),
        ("/input/zzzzzz", None),
        ("/input/city", None),
    }


def test_a_tool_is_found_on_whatever_page_it_is_listed_and_one_that_is_not_is_refused(counter: Counter) -> None:
    last = counter.run("unusable", input={"any": 1})
    assert last.ending == ("done", 0)  # a schema that leads elsewhere is not followed: the server must check
    ended = counter.run("mcp__odd__stepwize")
    assert ended.ending == ("invalid_request", 2)
    assert ended.last["details"] == [
        {"pointer": "/tool", "message": "is no tool of the server odd", "did_you_mean": "stepwise"}
    ]
    assert "; the server has: person, closed, " in ended.stderr


def test_progress_is_told_as_it_comes_where_it_is_asked_for(counter: Counter) -> None:
    running = counter.start("slow", "--control", **PROGRESS)
    running.wait_for("tool_output")
    running.send({"type": "abort", "id": "a"})
    ended = running.end()
    assert (ended.ending, ended.last["reason"]) == (("aborted", 3), "client")
    [said] = ended.of("tool_output")
    assert (said["text"], said["stream"]) == ("begun\n", "stdout")
    assert said["tool_use_id"] == ended.of("tool_call")[0]["tool_use_id"]
    [cancelled, *_] = counter.noted()
    assert cancelled["method"] == "notifications/cancelled"
    numbers = counter.run("stepwise", **PROGRESS)
    assert "".join(event["text"] for event in numbers.of("tool_output")) == "one\n2/3\n"
    assert counter.run("stepwise").of("tool_output") == []


def test_much_progress_is_joined_and_bounded(counter: Counter) -> None:
    ended = counter.run("chatty", **PROGRESS)
    said = ended.of("tool_output")
    sent = sum(len(event["text"]) for event in said)
    assert sent == 1 << 20
    assert said[-1]["truncated_bytes"] == 3000 * 501 - sent
    assert len(said) < 200
    assert ended.last["text"] == "said a lot"


def test_a_server_that_dies_midway_fails_the_call_and_the_run_and_both_are_worth_a_retry(counter: Counter) -> None:
    ended = counter.run("dies", **PROGRESS)
    assert ended.ending == ("mcp_unavailable", 75)
    assert ended.types == ["start", "tool_call", "tool_output", "tool_result", "error"]
    [result] = ended.of("tool_result")
    assert (result["status"], result["retryable"], ended.last["retryable"]) == ("error", True, True)
    assert "odd" in ended.last["message"]
    assert "cannot open the database" in ended.stderr
    assert "hunter2" not in ended.stderr + json.dumps(ended.events)


@pytest.mark.parametrize("code", [PROGRAMS["dying at once"], PROGRAMS["dying in the middle"]])
def test_a_server_that_does_not_come_up_is_named(home: Home, simulator: Simulator, counter: Counter, code: str) -> None:
    ended = counter.run("find", server={"name": "crm", **program(Desk(home, simulator), code)})
    assert ended.ending == ("mcp_unavailable", 1)
    assert "crm" in ended.last["message"]
    assert ended.types == ["start", "error"]
    assert "cannot open the database" in ended.stderr
    assert "hunter2" not in ended.stderr


def test_a_program_that_is_missing_and_an_address_where_no_server_is_are_named(counter: Counter) -> None:
    missing = counter.run("find", server={"name": "crm", "command": str(counter.home.root / "nowhere")})
    assert missing.ending == ("mcp_unavailable", 1)
    assert str(counter.home.root) not in json.dumps(missing.events)
    for status, body in [(200, b"<html>Log in</html>"), (404, b""), (500, b"{}"), (302, b"")]:
        with web_server(status, body) as url:
            ended = counter.run("find", server={"name": "crm", "type": "http", "url": url})
        assert ended.ending == ("mcp_unavailable", 1), status
        assert "crm" in ended.last["message"]


def test_what_a_server_should_not_do_does_not_harm_the_run(counter: Counter) -> None:
    garbage = counter.run("garbage")
    assert (garbage.ending, garbage.last["text"]) == (("done", 0), "after garbage")
    asks = counter.run("asks")
    assert json.loads(asks.last["text"]) == {
        "sampling/createMessage": True,
        "elicitation/create": True,
        "roots/list": True,
    }
    logs = counter.run("logs")
    assert "MCP server odd: the disk is error\\x1b[2J" in logs.stderr
    assert "the disk is info" not in logs.stderr
    assert "the disk" not in json.dumps(logs.events)
    senseless = counter.run("senseless")
    assert senseless.ending == ("done", 0)
    assert senseless.of("tool_result")[0]["retryable"] is False


def test_a_tool_that_says_it_has_failed_is_a_run_that_has_done_its_work(counter: Counter) -> None:
    fails = counter.run("fails")
    assert fails.ending == ("done", 0)
    [result] = fails.of("tool_result")
    words = "There is no such partner."
    assert (result["status"], result["content"], result["retryable"]) == ("error", words, False)
    assert (fails.last["text"], fails.last["output"]) == (words, [{"type": "text", "text": words}])
    broken = counter.run("broken")
    assert broken.ending == ("done", 0)
    [result] = broken.of("tool_result")
    assert (result["status"], result["content"], result["retryable"]) == ("error", "Out of memory", True)


def test_what_is_no_text_is_named_and_what_is_too_long_is_cut(counter: Counter) -> None:
    shown = counter.run("bytes")
    assert shown.last["text"] == "See:\n[image]\n[resource]"
    assert [part.get("data") for part in shown.last["output"]] == [None, "[image]", None]
    assert "iVBOR" not in json.dumps(shown.events)
    assert "AAAA" not in json.dumps(shown.events)
    huge = counter.run("huge")
    assert huge.ending == ("done", 0)
    [result] = huge.of("tool_result")
    assert result["truncated_bytes"] == 10_000_000 - len(result["content"].encode())
    assert "output" not in huge.last
    assert huge.last["truncated_bytes"] > 10_000_000 - len(huge.last["text"].encode())


def test_a_server_has_no_key_of_the_agents_and_its_own_variables(counter: Counter) -> None:
    ended = counter.run("environ", server={**counter.odd, "env": {"CRM_TENANT": "a"}})
    environ = ended.last["output"]
    assert environ["CRM_TENANT"] == "a"
    assert "key-canary" not in json.dumps(environ)
    assert [name for name in environ if name.startswith(("ANTHROPIC", "CLAUDE"))] == []
    assert environ["TMPDIR"].startswith(str(counter.home.temporary))


@pytest.mark.usefixtures("installed")
def test_a_server_finds_no_key_in_the_process_above_it(counter: Counter) -> None:
    ended = counter.run("parent")
    assert ended.ending == ("done", 0)
    assert "key-canary" not in ended.last["text"]


def test_an_answer_that_is_hard_to_read_ends_the_call_at_once(counter: Counter) -> None:
    lone = counter.run("surrogates")
    assert (lone.ending, lone.last["text"]) == (("done", 0), "lone \N{REPLACEMENT CHARACTER}")
    assert lone.last["output"] == {"\N{REPLACEMENT CHARACTER}": "\N{GRINNING FACE}"}
    deep = counter.run("nested", input={"depth": 400})
    assert deep.ending == ("done", 0)
    assert deep.of("tool_result")[0]["status"] == "error"
    endless = counter.run("nested", input={"depth": 100_000})
    assert endless.ending == ("mcp_unavailable", 75)
    assert "nested too deep" in endless.stderr


@pytest.mark.usefixtures("installed")
def test_nothing_that_a_server_has_started_survives_the_run(counter: Counter) -> None:
    ended = counter.run("leaves")
    assert ended.ending == ("done", 0)
    [child] = counter.noted()
    assert not Path(f"/proc/{child}").exists()
    for number in (signal.SIGTERM, signal.SIGKILL):
        running = counter.start("stubborn", **PROGRESS)
        running.wait_for("tool_output")
        assert counter.home.agents(of=running)
        running.signal(number)
        ended = running.end(whole=number != signal.SIGKILL)
        assert number == signal.SIGKILL or (ended.ending, ended.last["reason"]) == (("aborted", 3), "signal")
        until(lambda: not counter.home.processes(), within_s=8, what=counter.home.left)


def test_a_deadline_and_a_reader_that_has_gone_end_the_server_too(counter: Counter) -> None:
    late = counter.run("slow", limits={"timeout_s": 3})
    assert late.ending == ("timeout", 1)
    assert counter.noted()[0]["method"] == "notifications/cancelled"
    running = counter.start("slow", "--control", stream={"tool_output": True, "ping_s": 0.2})
    running.wait_for("ping", count=2)
    running.end_input()
    gone = running.end()
    assert (gone.ending, gone.last["reason"]) == (("aborted", 3), "parent_gone")


@pytest.mark.usefixtures("installed")
def test_a_reader_that_has_gone_ends_the_run(counter: Counter) -> None:
    reading, writing = os.pipe()
    running = counter.start("slow", stdout=writing, stream={"ping_s": 0.1})
    os.close(writing)
    with os.fdopen(reading, "rb") as output:
        while b"tool_call" not in output.readline():
            pass
    assert running.status == 4


@contextmanager
def odd_address(tool: str) -> Iterator[tuple[dict[str, Any], list[dict[str, Any]]]]:
    """A server over HTTP that answers a call as it is told to; with what it was sent."""
    told: list[dict[str, Any]] = []

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            message = json.loads(self.rfile.read(int(self.headers["content-length"])))
            told.append({**message, "authorization": self.headers.get("authorization")})
            if message.get("method") == "initialize":
                info = {"name": "odd", "version": "1"}
                version = message["params"]["protocolVersion"]
                self.answer(message, {"protocolVersion": version, "capabilities": {"tools": {}}, "serverInfo": info})
            elif message.get("method") == "tools/list":
                self.answer(message, {"tools": [{"name": tool, "inputSchema": {"type": "object"}}]})
            elif message.get("method") == "tools/call":
                getattr(self, tool)(message)
            else:
                self.send_response(202)
                self.send_header("content-length", "0")
                self.end_headers()

        def answer(self, message: dict[str, Any], result: dict[str, Any]) -> None:
            body = json.dumps({"jsonrpc": "2.0", "id": message["id"], "result": result}).encode()
            self.send_response(200)
            self.send_header("content-type", "application/json")
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def begin_stream(self, message: dict[str, Any]) -> None:
            self.send_response(200)
            self.send_header("content-type", "text/event-stream")
            self.send_header("connection", "close")
            self.end_headers()
            token = message["params"].get("_meta", {}).get("progressToken", 0)
            note = {"progressToken": token, "progress": 1, "message": "begun"}
            said = {"jsonrpc": "2.0", "method": "notifications/progress", "params": note}
            self.wfile.write(b"data: " + json.dumps(said).encode() + b"\n\n")
            self.wfile.flush()

        def hangs_up(self, message: dict[str, Any]) -> None:
            self.begin_stream(message)
            self.close_connection = True

        def waits(self, message: dict[str, Any]) -> None:
            self.begin_stream(message)
            until(lambda: any(each.get("method") == "notifications/cancelled" for each in told))
            self.close_connection = True

        def redirects(self, message: dict[str, Any]) -> None:
            self.send_response(307)
            self.send_header("location", "http://localhost:1/")
            self.send_header("content-length", "0")
            self.end_headers()

        def fails(self, message: dict[str, Any]) -> None:
            self.send_error(503)

        def do_GET(self) -> None:
            self.send_error(405)

        do_DELETE = do_GET  # noqa: N815

        def log_message(self, *arguments: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        url = f"http://127.0.0.1:{server.server_port}/mcp"
        yield {"name": "odd", "type": "http", "url": url, "headers": {"Authorization": "Bearer header-canary"}}, told
    finally:
        server.shutdown()
        server.server_close()


@pytest.mark.parametrize("tool", ["hangs_up", "redirects", "fails"])
def test_an_address_that_breaks_off_in_the_midst_of_a_call_fails_it(counter: Counter, tool: str) -> None:
    with odd_address(tool) as (server, told):
        ended = counter.run(tool, server=server)
    assert ended.ending == ("mcp_unavailable", 75)
    assert ended.types == ["start", "tool_call", "tool_result", "error"]
    assert ended.of("tool_result")[0]["retryable"] is True
    assert {message["authorization"] for message in told} == {"Bearer header-canary"}
    assert "header-canary" not in ended.stderr + json.dumps(ended.events)


def test_a_stop_tells_an_address_that_the_call_is_cancelled(counter: Counter) -> None:
    with odd_address("waits") as (server, told):
        running = counter.start("waits", "--control", server=server, **PROGRESS)
        running.wait_for("tool_output")
        running.send({"type": "abort", "id": "a"})
        ended = running.end()
    assert ended.ending == ("aborted", 3)
    [call] = [message for message in told if message["method"] == "tools/call"]
    [cancelled] = [message for message in told if message["method"] == "notifications/cancelled"]
    assert cancelled["params"]["requestId"] == call["id"]
