"""Real workers behind the gateway, and real pages before it."""

import functools
import http.server
import json
import shutil
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from agent_workers.simulator import running_simulator
from tests.e2e.worker import Home
from tests.gateway.served import AUDIENCE, Served
from tests.laravel.browser import Browser
from tests.pool.served import ServedPool
from tests.waiting import until

ELEMENT = Path(__file__).parents[2] / "php-bridge/resources/dist/agent-chat-element.js"
SETTINGS = """
audience = "{audience}"
origins = ["{origin}"]
[workers]
agent-chat = ["agent-chat", "--simulate"]
agent-task = ["agent-task", "--simulate", "task-touch"]
agent-skill = ["agent-skill", "--simulate"]
[key.main]
algorithm = "HS256"
variable = "TOKEN_KEY"
[preset.chat]
[preset.health]
skill = "partner-health"
[preset.task]
worker = "agent-task"
tools = ["Bash"]
permissions = {{ mode = "ask" }}
cwd = "{cwd}"
"""
PAGE = """<!doctype html><html lang="en"><body>
<script type="module" src="agent-chat-element.js"></script>
<agent-chat endpoint="{base}/v1/runs" runs="{base}/v1/runs" token="{token}" steer></agent-chat></body></html>"""


@pytest.fixture(scope="module")
def pages(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Path, str]]:
    """A folder whose pages are served, and their origin: another than the gateway's."""
    folder = tmp_path_factory.mktemp("pages")
    shutil.copy(ELEMENT, folder)
    handler = functools.partial(http.server.SimpleHTTPRequestHandler, directory=str(folder))
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield folder, f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture(scope="module")
def gateway(pages: tuple[Path, str], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    folder = tmp_path_factory.mktemp("gateway")
    (work := folder / "work").mkdir()
    served = Served(folder, SETTINGS.format(audience=AUDIENCE, origin=pages[1], cwd=work))
    yield served
    served.stop()


def test_a_chat_answers_and_knows_what_was_said_before(gateway: Served) -> None:
    conversation = "3f2b8c1e-5d0a-4c77-9a51-0e6f6b1f2d39"
    first = gateway.run("Hello", conversation=conversation).events
    assert first[-1]["text"].endswith("You said: Hello")
    second = gateway.run("And now?", conversation=conversation).events
    assert (second[1]["resumed"], second[1]["session_id"]) == (True, conversation)
    assert second[-1]["usage"]["input_tokens"] > first[-1]["usage"]["input_tokens"]


def test_the_agents_of_a_pool_serve_the_runs_where_there_is_one(
    serve: Callable[..., Served], tmp_path_factory: pytest.TempPathFactory
) -> None:
    with running_simulator() as simulator:
        pool = ServedPool(Home(tmp_path_factory.mktemp("pool"), simulator.base_url), "--min-idle", "1")
        try:
            pool.wait_for("idle", 1)
            settings = (
                f'audience = "{AUDIENCE}"\n[key.main]\nalgorithm = "HS256"\nvariable = "TOKEN_KEY"\n[preset.chat]\n'
            )
            gateway = serve(settings, {"AGENT_WORKERS_POOL": str(pool.path)})
            conversation = "3f2b8c1e-5d0a-4c77-9a51-0e6f6b1f2d41"
            ways = [gateway.run("Hello", conversation=conversation).events[0]["warm"] for _ in range(2)]
            assert ways == ["warm", "live"]
        finally:
            pool.stop()


def test_a_task_waits_for_the_permission_of_its_user(gateway: Served) -> None:
    token = gateway.token(preset="task")
    made = gateway.folder / "work/made-by-the-agent"
    with gateway.streaming("Make the file", token) as stream:
        asked = stream.wait_for("permission_request").json
        assert not made.exists()
        address = f"/v1/runs/{stream.run}/permissions/{asked['permission_id']}"
        assert gateway.post(address, {"behavior": "allow"}, token).status == 204
        resolved = stream.wait_for("permission_resolved").json
        assert (resolved["behavior"], resolved["by"], resolved["actor"]) == ("allow", "client", "7")
        assert stream.wait_for("done").json["text"] == "That was it."
        assert made.exists()


def test_a_skill_answers_in_one_response(gateway: Served) -> None:
    root = Path(__file__).parents[2]
    request = json.loads((root / "examples/requests/partner-health.json").read_text())
    answer = gateway.post("/v1/skills/partner-health", {"input": request["input"]}, gateway.token(preset="health"))
    assert answer.status == 200, answer.body
    assert "score" in answer.json
    refused = gateway.post("/v1/skills/partner-health", {"input": {}}, gateway.token(preset="health"))
    assert (refused.status, refused.json["code"]) == (422, "invalid_request")
    assert refused.json["details"]


def test_a_request_that_no_worker_would_take_is_refused_before_it_streams(gateway: Served) -> None:
    refused = gateway.run("   ")
    assert (refused.status, refused.json["details"][0]["pointer"]) == (422, "/prompt")


@pytest.mark.skipif(shutil.which("chromedriver") is None, reason="needs chromium-driver")
def test_a_page_of_another_origin_chats_with_nothing_but_the_address_changed(
    gateway: Served, pages: tuple[Path, str], tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder, origin = pages
    page = PAGE.format(base=f"http://127.0.0.1:{gateway.port}", token=gateway.token())
    (folder / "index.html").write_text(page)
    browser = Browser(tmp_path_factory.mktemp("b"))  # a longer path has no room for Chromium's socket
    try:
        browser.open(f"{origin}/index.html")
        browser.say("Hello")
        until(lambda: "You said: Hello" in browser.text, what=lambda: browser.told)
        browser.say("Once more")
        until(lambda: "You said: Once more" in browser.text, what=lambda: browser.told)
        browser.reload()
        until(lambda: "You said: Once more" in browser.text, what=lambda: browser.told)
    finally:
        browser.close()


def test_the_gateways_keys_are_in_no_environment_of_its_workers(gateway: Served) -> None:
    with gateway.streaming("Make another", gateway.token(preset="task")) as stream:
        stream.wait_for("permission_request")
        for child in Path(f"/proc/{gateway.process.pid}/task/{gateway.process.pid}/children").read_text().split():
            assert b"TOKEN_KEY" not in Path(f"/proc/{child}/environ").read_bytes()
