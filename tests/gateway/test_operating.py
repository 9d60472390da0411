"""A gateway as an operator has it: its settings, its health, its figures, and how it leaves."""

import json
import signal
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from openapi_spec_validator import OpenAPIV31SpecValidator

from agent_workers.gateway.app import ROUTES
from tests.gateway.served import SCRIPTS, SETTINGS, Served
from tests.waiting import PATIENCE_S, until


def test_the_description_of_the_routes_is_valid_and_has_all_of_them(gateway: Served) -> None:
    page = gateway.ask("GET", "/openapi.json").json
    OpenAPIV31SpecValidator(page).validate()
    described = {(method.upper(), path) for path, methods in page["paths"].items() for method in methods}
    assert described == {(method, path) for method, path, _ in ROUTES if path.startswith("/v1/")}
    command = [SCRIPTS / "agent-workers", "gateway", "--openapi"]
    written = subprocess.run(command, stdout=subprocess.PIPE, check=True, timeout=PATIENCE_S, env=gateway.environ)
    assert json.loads(written.stdout) == page


def test_health_and_figures_need_no_token(gateway: Served) -> None:
    assert [gateway.ask("GET", path).body for path in ("/healthz", "/readyz")] == [b"ok\n", b"ok\n"]
    gateway.run("echo")
    figures = gateway.ask("GET", "/metrics").body.decode()
    assert gateway.ask("GET", "/metrics", Accept="application/openmetrics-text;version=x").status == 200
    assert 'agent_workers_gateway_runs_total{worker="agent-chat"}' in figures
    assert 'agent_workers_gateway_streams_ended_total{end="end"}' in figures


def test_what_there_is_not_is_refused_in_json(gateway: Served) -> None:
    assert gateway.get("/").json["code"] == "not_found"
    assert gateway.post("/v2/runs").json["code"] == "not_found"
    wrong = gateway.ask("GET", "/v1/runs")
    assert (wrong.status, wrong.json["code"]) == (405, "method_not_allowed")


def test_pages_of_the_origins_that_are_named_may_call_it_and_no_others(gateway: Served) -> None:
    wanted = {"Access_Control_Request_Method": "POST", "Access_Control_Request_Headers": "authorization,content-type"}
    allowed = gateway.ask("OPTIONS", "/v1/runs", Origin="https://app.test", **wanted)
    assert (allowed.status, allowed.headers["access-control-allow-origin"]) == (200, "https://app.test")
    assert gateway.ask("OPTIONS", "/v1/runs", Origin="https://evil.test", **wanted).status == 400
    sent = gateway.post("/v1/runs", {"prompt": "echo"}, Origin="https://app.test")
    assert sent.headers["access-control-allow-origin"] == "https://app.test"
    assert "X-Agent-Run" in sent.headers["access-control-expose-headers"]
    assert "access-control-allow-origin" not in gateway.post("/v1/runs", b"{}", Origin="https://evil.test").headers


def test_runs_get_a_grace_up_to_a_second_signal_and_their_readers_the_end(serve: Callable[..., Served]) -> None:
    gateway = serve(f"{SETTINGS}\n[limits]\ngrace_s = {PATIENCE_S}\n")
    with gateway.streaming("hold") as stream:
        stream.wait_for("delta")
        token = gateway.token()
        gateway.process.send_signal(signal.SIGTERM)
        until(lambda: gateway.ask("GET", "/readyz").status == 503)
        refused = gateway.run("echo", token)
        assert (refused.status, refused.json["code"], refused.headers["retry-after"]) == (503, "server_busy", "1")
        gateway.process.send_signal(signal.SIGTERM)
        assert [frame.event for frame in stream.frames()][-1] == "aborted"
    assert gateway.process.wait(PATIENCE_S) == 0


def test_what_runs_on_after_the_grace_is_stopped(serve: Callable[..., Served]) -> None:
    gateway = serve(f"{SETTINGS}\n[limits]\ngrace_s = 1\n")
    with gateway.streaming("hold") as stream:
        stream.wait_for("delta")
        gateway.process.send_signal(signal.SIGTERM)
        assert [frame.event for frame in stream.frames()][-1] == "aborted"
    assert gateway.process.wait(PATIENCE_S) == 0


def test_a_gateway_that_was_killed_leaves_no_run_behind_and_keeps_its_conversations(
    serve: Callable[..., Served], tmp_path: Path
) -> None:
    gateway = serve(f'state = "{tmp_path}/state"\n{SETTINGS}')
    conversation = "3f2b8c1e-5d0a-4c77-9a51-0e6f6b1f2d37"
    gateway.run("echo", conversation=conversation)
    with gateway.streaming("hold") as stream:
        stream.wait_for("delta")
        [worker] = children(gateway.process.pid)
        gateway.stop(signal.SIGKILL)
        until(lambda: not Path(f"/proc/{worker}").exists() or "Z" in Path(f"/proc/{worker}/stat").read_text())
        gateway.start()
        assert gateway.get(f"/v1/runs/{stream.run}/events").json["code"] == "no_run"
    assert gateway.run("echo", conversation=conversation).events[1]["resumed"]


def test_keys_are_rotated_without_a_restart(serve: Callable[..., Served], tmp_path: Path) -> None:
    gateway = serve()
    new = "n" * 40
    (tmp_path / "new.key").write_text(new)
    assert gateway.run("echo", gateway.token(new, kid="new")).json["code"] == "token_invalid"
    with gateway.streaming("hold") as stream:
        stream.wait_for("delta")
        table = f'[key.new]\nalgorithm = "HS256"\nfile = "{tmp_path}/new.key"\n'
        text = gateway.file.read_text()
        gateway.file.write_text(f"{text}\n{table}")
        gateway.process.send_signal(signal.SIGHUP)
        until(lambda: gateway.run("echo", gateway.token(new, kid="new")).status == 200)
        assert gateway.run("echo").status == 200
        gateway.file.write_text(f"{text}\nnothing = 1\n")
        gateway.process.send_signal(signal.SIGHUP)
        until(lambda: "the settings stay as they were" in gateway.log.read_text())
        assert gateway.run("echo", gateway.token(new, kid="new")).status == 200
        gateway.file.write_text(f"{text.replace('[key.main]', '[key.old]')}\n{table}")
        gateway.process.send_signal(signal.SIGHUP)
        until(lambda: gateway.run("echo").json["code"] == "token_invalid")
        assert gateway.post(f"/v1/runs/{stream.run}/abort", {}, gateway.token(new, kid="new")).status == 204


def children(pid: int) -> list[int]:
    return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


TOOL = '{ name = "find", description = "Finds.", input_schema = { type = "object" } }'


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("max_turns = 5", "max_trns = 5", "max_trns"),
        ("max_turns = 5", 'prompt = "Hi"', "stands in no preset"),
        ("max_turns = 5", 'worker = "agent-tool"', "is no worker that a browser can use"),
        ('"HS256"', '"none"', "key.main.algorithm"),
        ("max_turns = 5", f"app_tools = [{TOOL}]", "preset.chat has app_tools"),
        ("any_skill = true", 'worker = "agent-skill"', "any_skill = true"),
        ('"https://app.test"', '"*"', "origins"),
        ("[key.main]", '[webhook]\nurl = "https://app.test/hook"\nvariable = "HOOK"\n[key.main]', "state"),
    ],
)
def test_a_fault_of_the_settings_is_told_with_its_place(old: str, new: str, words: str, tmp_path: Path) -> None:
    checked = check(tmp_path, SETTINGS.replace(old, new))
    assert checked.returncode == 1
    assert words in checked.stderr, checked.stderr
    assert "Traceback" not in checked.stderr


def test_settings_without_a_fault_are_said_to_have_none(tmp_path: Path) -> None:
    checked = check(tmp_path, SETTINGS)
    assert (checked.returncode, checked.stderr) == (0, "")
    assert checked.stdout.endswith("1 key(s), 2 preset(s); nothing is wrong\n")


def check(folder: Path, settings: str) -> "subprocess.CompletedProcess[str]":
    (folder / "gateway.toml").write_text(settings)
    command = [SCRIPTS / "agent-workers", "gateway", "--config", folder / "gateway.toml", "--check"]
    env = {"PATH": "/usr/bin:/bin", "HOME": str(folder), "TOKEN_KEY": "k" * 32}
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=PATIENCE_S, env=env)
