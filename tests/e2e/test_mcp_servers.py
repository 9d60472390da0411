"""MCP servers that do not start, do not answer, or answer nonsense: each is named, and none is waited for long."""

import json
import socket
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.beginning import AtOnce, Begin
from tests.e2e.desk import Desk, bash
from tests.e2e.worker import Ended

pytestmark = pytest.mark.usefixtures("loaded")
TOOL = "mcp__crm__find"
SECRET = "password=hunter2-canary"
# What each does with its stdin; what stands before it is written to stderr.
PROGRAMS = {
    "silent": "for line in sys.stdin: pass",
    "garbage": "for line in sys.stdin: print('<html>', flush=True)",
    "dying at once": "sys.exit(3)",
    "dying in the middle": "sys.stdin.readline(); sys.exit(3)",
    "deaf": "import time; time.sleep(60)",
    "without its list": (
        "import json\n"
        "for line in sys.stdin:\n"
        "    m = json.loads(line)\n"
        "    if m.get('method') == 'initialize':\n"
        "        r = {'protocolVersion': m['params']['protocolVersion'], 'capabilities': {'tools': {}},"
        " 'serverInfo': {'name': 'x', 'version': '1'}}\n"
        "        print(json.dumps({'jsonrpc': '2.0', 'id': m['id'], 'result': r}), flush=True)\n"
        "    elif 'id' in m and m['method'] != 'tools/list':\n"
        "        e = {'code': -32601, 'message': 'no'}\n"
        "        print(json.dumps({'jsonrpc': '2.0', 'id': m['id'], 'error': e}), flush=True)\n"
    ),
}
BRIEFLY = {"idle_timeout_s": 8, "timeout_s": 120}


def program(desk: Desk, code: str) -> dict[str, Any]:
    """A server that is a program; what it does is in a file."""
    path = desk.home.root / f"server-{len(list(desk.home.root.glob('server-*')))}.py"
    path.write_text(f"import sys\nprint('cannot open the database, {SECRET}', file=sys.stderr, flush=True)\n{code}\n")
    return {"command": sys.executable, "args": [str(path)]}


def run(desk: Desk, servers: dict[str, dict[str, Any]], tools: list[str], **fields: Any) -> Ended:
    """Runs a task with these servers, which the host's policy allows."""
    commands = [{"command": s["command"], "args": s.get("args", [])} for s in servers.values() if "command" in s]
    hosts = [s["url"].split("/")[2] for s in servers.values() if "url" in s]
    policy = desk.home.root / "policy.toml"
    entries = ", ".join(f"{{ command = {json.dumps(c['command'])}, args = {json.dumps(c['args'])} }}" for c in commands)
    policy.write_text(f"version = 1\n[task]\nmcp_commands = [{entries}]\nmcp_hosts = {json.dumps(hosts)}\n")
    env = {"AGENT_WORKERS_POLICY": str(policy)}
    return desk.run(mcp_servers=servers, tools=tools, env=env, **{"limits": BRIEFLY, **fields})


def assert_unavailable(ended: Ended, name: str) -> None:
    assert ended.ending == ("mcp_unavailable", 1)
    assert name in ended.last["message"]
    assert ended.of("delta") == []


@contextmanager
def web_server(status: int, body: bytes, kind: str = "text/html") -> Iterator[str]:
    """Whatever it is asked, it answers the same."""

    class Handler(BaseHTTPRequestHandler):
        def answer(self) -> None:
            self.rfile.read(int(self.headers.get("content-length") or 0))
            self.send_response(status)
            self.send_header("content-type", kind)
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        do_GET = do_POST = do_DELETE = answer  # noqa: N815 the names of the base class

        def log_message(self, *arguments: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/mcp"
    finally:
        server.shutdown()
        server.server_close()


@pytest.fixture(scope="module")
def without_server(at_once: AtOnce) -> dict[str, Ended]:
    return at_once(PROGRAMS, lambda desk, name: run(desk, {"crm": program(desk, PROGRAMS[name])}, [TOOL]))


@pytest.mark.parametrize("name", PROGRAMS)
def test_a_server_whose_tool_is_asked_for_and_that_does_not_come_up_ends_the_run_by_its_name(
    without_server: dict[str, Ended], name: str
) -> None:
    ended = without_server[name]
    assert_unavailable(ended, "crm")
    assert "hunter2" not in json.dumps(ended.events) + ended.stderr


def without_one(desk: Desk) -> Ended:
    """A run with a server that comes up, and an optional one that does not."""
    example = Path(__file__).parents[2] / "examples" / "mcp" / "partners.py"
    good = {"command": sys.executable, "args": [str(example)]}
    bad = {**program(desk, PROGRAMS["silent"]), "optional": True}
    tools = ["mcp__crm__find_partner", "mcp__erp__find"]
    return run(desk, {"crm": good, "erp": bad}, tools, limits={"idle_timeout_s": 20})


def test_a_server_that_is_optional_is_told_of_and_done_without(begin: Begin) -> None:
    ended = begin("without one", without_one)
    assert ended.ending == ("done", 0)
    [notice] = ended.of("notice")
    assert (notice["level"], notice["code"]) == ("warning", "mcp_failed")
    assert "erp" in notice["message"]
    assert ended.types.index("notice") > ended.types.index("session")
    assert "cannot open the database" in ended.stderr


def test_a_server_that_comes_up_beside_one_that_does_not_serves_the_run(begin: Begin) -> None:
    ended = begin("without one", without_one)
    assert ended.ending == ("done", 0)
    assert ended.of("session")[0]["tools"] == ["mcp__crm__find_partner"]
    assert ["erp" in notice["message"] for notice in ended.of("notice")] == [True]


def test_the_log_has_the_end_of_what_the_server_wrote_to_stderr_and_no_user_reads_it(
    without_server: dict[str, Ended],
) -> None:
    ended = without_server["dying at once"]
    assert "MCP server crm" in ended.stderr
    assert "cannot open the database" in ended.stderr
    assert "database" not in json.dumps(ended.events)


def test_a_program_that_is_missing_is_told_by_its_servers_name(desk: Desk) -> None:
    ended = run(desk, {"crm": {"command": str(desk.home.root / "nowhere")}}, [TOOL])
    assert_unavailable(ended, "crm")
    assert str(desk.home.root) not in json.dumps(ended.last)


@pytest.mark.parametrize(("status", "body"), [(200, b"<html>Log in</html>"), (404, b""), (500, b"{}"), (401, b"")])
def test_an_address_where_no_server_is_is_told_by_its_servers_name(desk: Desk, status: int, body: bytes) -> None:
    with web_server(status, body) as url:
        ended = run(desk, {"crm": {"type": "http", "url": url}}, [TOOL])
    assert_unavailable(ended, "crm")


def test_an_address_that_refuses_or_never_answers_is_told_by_its_servers_name(desk: Desk) -> None:
    with socket.create_server(("127.0.0.1", 0)) as hanging:
        with socket.create_server(("127.0.0.1", 0)) as closed:
            nobody = closed.getsockname()[1]
        urls = {"crm": hanging.getsockname()[1], "erp": nobody}
        servers = {name: {"type": "http", "url": f"http://127.0.0.1:{port}/mcp"} for name, port in urls.items()}
        ended = run(desk, servers, [TOOL, "mcp__erp__find"])
    assert_unavailable(ended, "crm")
    assert_unavailable(ended, "erp")


def test_many_silent_servers_are_waited_for_at_once(desk: Desk) -> None:
    silent = program(desk, PROGRAMS["silent"])
    servers = {f"s{number}": silent for number in range(8)}
    ended = run(desk, servers, [f"mcp__{name}__find" for name in servers])
    for name in servers:
        assert_unavailable(ended, name)


def test_waiting_for_a_server_is_no_silence_of_the_model(desk: Desk) -> None:
    slow = program(desk, "import time; time.sleep(9); sys.exit(3)")
    policy_limits = {"idle_timeout_s": 8, "timeout_s": 120}
    servers = {"crm": slow}
    policy = desk.home.root / "policy.toml"
    policy.write_text(
        f"version = 1\n[task]\nmcp_commands = [{{ command = {json.dumps(slow['command'])}, "
        f"args = {json.dumps(slow['args'])} }}]\n"
    )
    env = {"AGENT_WORKERS_POLICY": str(policy)}
    ended = desk.run(mcp_servers=servers, tools=[TOOL], limits=policy_limits, env=env)
    assert_unavailable(ended, "crm")


def with_caches(desk: Desk, own: str | None) -> tuple[Ended, str, list[str]]:
    """A run without its server, none of whose tools are asked for; what cache that had, and what the model is told."""
    log = desk.home.root / "cache-of-the-server"
    code = f"import os, pathlib; pathlib.Path({str(log)!r}).write_text(os.environ['XDG_CACHE_HOME']); sys.exit(3)"
    server = program(desk, code)
    desk.script(bash("date > /dev/null; echo cache=$XDG_CACHE_HOME."))
    environ = {"XDG_CACHE_HOME": str(desk.home.root / own), "AGENT_WORKERS_ENV_ALLOW": "XDG_CACHE_HOME"} if own else {}
    policy = desk.home.root / "policy.toml"
    command = f"{{ command = {json.dumps(server['command'])}, args = {json.dumps(server['args'])} }}"
    policy.write_text(f"version = 1\n[task]\nmcp_commands = [{command}]\n")
    ended = desk.run(
        mcp_servers={"crm": {**server, "optional": own is not None}},
        tools=["Bash"],
        permissions={"allow": ["Bash"]},
        env={"AGENT_WORKERS_POLICY": str(policy), **environ},
    )
    return ended, log.read_text(), desk.told_to_the_model()


def test_a_server_none_of_whose_tools_are_asked_for_is_told_of_and_done_without(begin: Begin) -> None:
    ended, *_ = begin("caches None", lambda desk: with_caches(desk, None))
    assert ended.ending == ("done", 0)
    assert [notice["code"] for notice in ended.of("notice")] == ["mcp_failed"]


@pytest.mark.parametrize("own", [None, "own-cache"])
def test_what_servers_have_said_does_not_stay_and_their_caches_and_the_commands_are_where_they_were(
    begin: Begin, desk: Desk, own: str | None
) -> None:
    ended, cache, told = begin(f"caches {own}", lambda desk: with_caches(desk, own))
    assert ended.ending == ("done", 0)
    where = desk.home.root / (own or "home/.cache")
    assert cache == str(where)
    assert f"cache={where}." in told[0]
    assert list(desk.home.root.rglob("mcp-logs-*")) == []
