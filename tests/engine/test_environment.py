"""What the agent may see of its caller, and where it keeps its state."""

from pathlib import Path

import pytest

from agent_workers.engine.host.environment import Environment
from agent_workers.errors import StateUnavailable

SECRETS = {
    "DB_PASSWORD": "x",
    "APP_KEY": "x",
    "HTTP_COOKIE": "x",
    "HTTP_AUTHORIZATION": "x",
    "AWS_SECRET_ACCESS_KEY": "x",
}


def agent_sees(tmp_path: Path, *, simulator_url: str | None = None, **variables: str) -> dict[str, str]:
    environ = {"PATH": "/bin", "HOME": str(tmp_path), **SECRETS, **variables}
    return Environment(environ, simulator_url).agent_environ(tmp_path / "scratch")


def test_a_callers_secrets_do_not_reach_the_agent(tmp_path: Path) -> None:
    assert not SECRETS.keys() & agent_sees(tmp_path).keys()


@pytest.mark.parametrize(
    "name", ["LANG", "LC_ALL", "TZ", "https_proxy", "NO_PROXY", "SSL_CERT_FILE", "ANTHROPIC_API_KEY", "CLAUDE_CODE_X"]
)
def test_what_the_agent_needs_reaches_it(tmp_path: Path, name: str) -> None:
    assert agent_sees(tmp_path, **{name: "value"})[name] == "value"


@pytest.mark.parametrize("name", ["HTTP_PROXY_AUTHORIZATION", "MY_PATH", "PATH_INFO", "LC", "XANTHROPIC_API_KEY"])
def test_a_name_that_only_resembles_an_allowed_one_does_not_pass(tmp_path: Path, name: str) -> None:
    assert name not in agent_sees(tmp_path, **{name: "value"})


def test_an_outer_claude_session_is_not_passed_on(tmp_path: Path) -> None:
    assert (
        not {"CLAUDECODE", "CLAUDE_CODE_ENTRYPOINT"}
        & agent_sees(tmp_path, CLAUDECODE="1", CLAUDE_CODE_ENTRYPOINT="cli").keys()
    )


def test_a_providers_variables_pass_only_with_its_switch(tmp_path: Path) -> None:
    assert "AWS_SECRET_ACCESS_KEY" not in agent_sees(tmp_path, CLAUDE_CODE_USE_BEDROCK="0")
    assert "AWS_SECRET_ACCESS_KEY" in agent_sees(tmp_path, CLAUDE_CODE_USE_BEDROCK="1")
    assert "AWS_SECRET_ACCESS_KEY" not in agent_sees(tmp_path, CLAUDE_CODE_USE_VERTEX="1")


def test_the_operator_can_allow_more(tmp_path: Path) -> None:
    seen = agent_sees(tmp_path, AGENT_WORKERS_ENV_ALLOW="APP_KEY, OTHER", OTHER="y")
    assert (seen["APP_KEY"], seen["OTHER"]) == ("x", "y")
    assert "DB_PASSWORD" not in seen


def test_a_simulated_run_gets_no_credential_and_its_own_state(tmp_path: Path) -> None:
    seen = agent_sees(
        tmp_path, simulator_url="http://127.0.0.1:1", ANTHROPIC_API_KEY="real", ANTHROPIC_AUTH_TOKEN="real"
    )
    assert "real" not in seen.values()
    assert seen["ANTHROPIC_BASE_URL"] == "http://127.0.0.1:1"
    assert "simulator" in seen["CLAUDE_CONFIG_DIR"]


@pytest.mark.parametrize(
    ("variables", "simulated"),
    [
        ({}, False),
        ({"ANTHROPIC_BASE_URL": "http://127.0.0.1:8420/simulated"}, True),
        ({"ANTHROPIC_BASE_URL": "http://localhost:8420/simulated/"}, True),
        ({"ANTHROPIC_BASE_URL": "http://127.0.0.1:8420"}, False),
        ({"ANTHROPIC_BASE_URL": "https://gateway.example.com/simulated"}, False),
        ({"ANTHROPIC_BASE_URL": "http://127.0.0.1:8420/simulated", "CLAUDE_CODE_USE_BEDROCK": "1"}, False),
    ],
)
def test_a_run_is_simulated_where_its_base_url_says_so_and_is_used(variables: dict[str, str], simulated: bool) -> None:
    assert Environment(variables).is_simulated() is simulated


def test_a_login_in_the_users_home_is_found_unless_the_operator_chose_a_state_directory(tmp_path: Path) -> None:
    assert "CLAUDE_CONFIG_DIR" not in agent_sees(tmp_path)
    chosen = agent_sees(tmp_path, AGENT_WORKERS_STATE_DIR=str(tmp_path / "state"))
    assert chosen["CLAUDE_CONFIG_DIR"] == str(tmp_path / "state" / "claude")
    explicit = agent_sees(
        tmp_path, AGENT_WORKERS_STATE_DIR=str(tmp_path / "state"), CLAUDE_CONFIG_DIR=str(tmp_path / "c")
    )
    assert explicit["CLAUDE_CONFIG_DIR"] == str(tmp_path / "c")


def test_state_lies_where_the_operator_says_else_in_xdg_state_else_in_the_home(tmp_path: Path) -> None:
    environ = {"HOME": str(tmp_path)}
    assert Environment(environ).state_dir() == tmp_path / ".local/state/agent-workers"
    environ["XDG_STATE_HOME"] = str(tmp_path / "xdg")
    assert Environment(environ).state_dir() == tmp_path / "xdg/agent-workers"
    environ["AGENT_WORKERS_STATE_DIR"] = str(tmp_path / "chosen")
    assert Environment(environ).state_dir() == tmp_path / "chosen"
    assert (tmp_path / "chosen").stat().st_mode & 0o777 == 0o700


def test_without_a_place_for_state_the_error_says_what_to_set(tmp_path: Path) -> None:
    blocked = tmp_path / "file"
    blocked.write_text("")
    with pytest.raises(StateUnavailable, match="AGENT_WORKERS_STATE_DIR"):
        Environment({"AGENT_WORKERS_STATE_DIR": str(blocked / "x")}).state_dir()
