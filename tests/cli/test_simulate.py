"""``agent-workers simulate``: the loopback API alone."""

import json
import signal
import socket

import httpx
import pytest

from agent_workers.simulator import scenario_names
from tests.cli.conftest import Scripts
from tests.waiting import PATIENCE_S


def test_the_scenarios_are_listed_with_what_they_do(scripts: Scripts) -> None:
    listed = scripts("agent-workers", "simulate", "--list").stdout.splitlines()
    assert [line.split(maxsplit=1)[0] for line in listed] == scenario_names()
    assert all(len(line.split(maxsplit=1)) == 2 for line in listed)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_client_that_takes_the_printed_variable_is_answered_until_a_stop_signal(
    number: int, scripts: Scripts
) -> None:
    with scripts.running("agent-workers", "simulate", "--scenario", "overloaded-529") as process:
        assert process.stdout
        variable, _, url = process.stdout.readline().decode().strip().partition("=")
        assert variable == "ANTHROPIC_BASE_URL"
        body = {"model": "m", "max_tokens": 1, "messages": [{"role": "user", "content": "Hello"}]}
        answer = httpx.post(
            f"{url}/v1/messages", json=body, headers={"x-api-key": "any"}, timeout=PATIENCE_S, trust_env=False
        )
        assert answer.status_code == 529
        process.send_signal(number)
        output, hints = process.communicate(timeout=PATIENCE_S)
    assert process.returncode == 0
    assert output == b""
    assert f"export ANTHROPIC_BASE_URL={url} ANTHROPIC_API_KEY=".encode() in hints


def test_the_worker_runs_against_it(scripts: Scripts) -> None:
    with scripts.running("agent-workers", "simulate") as process:
        assert process.stdout
        url = process.stdout.readline().decode().strip().partition("=")[2]
        variables = {"ANTHROPIC_BASE_URL": url, "ANTHROPIC_API_KEY": "simulated"}
        run = scripts("agent-chat", given='{"prompt": "Hello"}', env=variables)
    assert run.returncode == 0, run.stderr
    assert '"type":"done"' in run.stdout
    assert json.loads(run.stdout.splitlines()[0])["simulated"] is True


def test_each_answer_says_that_it_is_simulated_with_and_without_the_path_that_says_so(scripts: Scripts) -> None:
    with scripts.running("agent-workers", "simulate", "--scenario", "overloaded-529") as process:
        assert process.stdout
        url = process.stdout.readline().decode().strip().partition("=")[2]
        with httpx.Client(base_url=url, trust_env=False, timeout=PATIENCE_S) as client:
            places = ["", "/", "/v1/messages", "/_simulator/health", "/nowhere"]
            marked = [client.get(url + place) for place in places]
            plain = [client.get(url.removesuffix("/simulated") + place) for place in places]
    assert [answer.status_code for answer in marked] == [200, 200, 405, 200, 404]
    assert [answer.status_code for answer in plain] == [200, 200, 405, 200, 404]
    assert {answer.headers["x-simulated"] for answer in marked + plain} == {"agent-workers"}


def test_a_port_that_is_taken_is_told(scripts: Scripts) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        refused = scripts("agent-workers", "simulate", "--port", str(port))
    assert (refused.returncode, refused.stdout) == (1, "")
    assert f"port {port} cannot be used" in refused.stderr


def test_an_unknown_scenario_is_answered_by_the_nearest(scripts: Scripts) -> None:
    refused = scripts("agent-workers", "simulate", "--scenario", "helo")
    assert (refused.returncode, refused.stdout) == (2, "")
    assert "Did you mean 'hello'?" in refused.stderr
