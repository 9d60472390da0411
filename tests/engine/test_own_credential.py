"""What a host's variables, directories and settings leave to a run that brings its own key."""

import json
from pathlib import Path

import pytest

from agent_workers.engine.claude.launch.managed_settings import refuse_managed_credentials
from agent_workers.engine.host.credentials import with_own_credential
from agent_workers.engine.host.environment import Environment
from agent_workers.errors import AuthError, PolicyDenied
from agent_workers.policy import Policy
from tests.policy.asking import words

KEY, TOKEN = "sk-ant-api03-own", "sk-ant-oat01-own"
KEPT = {
    "PATH": "/bin",
    "ANTHROPIC_BASE_URL": "https://gateway.example.com",
    "ANTHROPIC_DEFAULT_SONNET_MODEL": "x",
    "CLAUDE_CODE_MAX_OUTPUT_TOKENS": "100",
    "CLAUDE_CONFIG_DIR": "/srv/claude",
    "https_proxy": "http://proxy:3128",
}
GONE = [
    "ANTHROPIC_API_KEY",
    "ANTHROPIC_AUTH_TOKEN",
    "ANTHROPIC_CUSTOM_HEADERS",
    "ANTHROPIC_PROFILE",
    "ANTHROPIC_UNIX_SOCKET",
    "ANTHROPIC_FOUNDRY_API_KEY",
    "CLAUDE_CODE_OAUTH_TOKEN",
    "CLAUDE_CODE_OAUTH_TOKEN_FILE_DESCRIPTOR",
    "CLAUDE_CODE_API_KEY_FILE_DESCRIPTOR",
    "CLAUDE_CODE_USE_BEDROCK",
    "CLAUDE_CODE_USE_VERTEX",
    "CLAUDE_CODE_USE_ANTHROPIC_AWS",
    "CLAUDE_CODE_HOST_AUTH_ENV_VAR",
    "CLAUDE_CODE_ENABLE_PROXY_AUTH_HELPER",
]


@pytest.mark.parametrize(("credential", "name"), [(KEY, "ANTHROPIC_API_KEY"), (TOKEN, "CLAUDE_CODE_OAUTH_TOKEN")])
def test_every_other_credential_is_left_out_and_settings_stay(credential: str, name: str) -> None:
    host = {**KEPT, **dict.fromkeys(GONE, "other")}
    assert with_own_credential(host, credential) == {**KEPT, name: credential}


def test_a_providers_variables_do_not_pass_without_its_switch(tmp_path: Path) -> None:
    host = {"HOME": str(tmp_path), "CLAUDE_CODE_USE_BEDROCK": "1", "AWS_SECRET_ACCESS_KEY": "other"}
    (tmp_path / "scratch").mkdir()
    seen = Environment(with_own_credential(host, KEY), None, has_own_credential=True).agent_environ(
        tmp_path / "scratch"
    )
    assert "other" not in seen.values()
    assert seen["ANTHROPIC_API_KEY"] == KEY


@pytest.mark.parametrize("chosen", [False, True], ids=["home", "chosen"])
def test_the_agents_directory_has_the_conversations_of_the_usual_one_and_not_its_login(
    tmp_path: Path, chosen: bool
) -> None:
    usual = tmp_path / "chosen" if chosen else tmp_path / ".claude"
    (usual / "projects").mkdir(parents=True)
    (usual / "projects" / "talk.jsonl").write_text("{}", "utf-8")
    (usual / ".credentials.json").write_text("other", "utf-8")
    (scratch := tmp_path / "scratch").mkdir()
    host = {"HOME": str(tmp_path), **({"CLAUDE_CONFIG_DIR": str(usual)} if chosen else {})}
    own = Path(Environment(host, None, has_own_credential=True).agent_environ(scratch)["CLAUDE_CONFIG_DIR"])
    assert own.parent == scratch
    assert (own / "projects" / "talk.jsonl").exists()
    assert not (own / ".credentials.json").exists()
    assert own.stat().st_mode & 0o077 == 0


MANAGED = {
    "a helper": {"apiKeyHelper": "/opt/key"},
    "a token": {"env": {"ANTHROPIC_AUTH_TOKEN": "other"}},
    "a provider": {"env": {"CLAUDE_CODE_USE_BEDROCK": "1"}},
}


@pytest.mark.parametrize("fault", MANAGED)
@pytest.mark.parametrize("name", ["managed-settings.json", "managed-settings.d/10-keys.json"])
def test_a_host_that_sets_a_credential_for_all_agents_runs_none_with_another(
    tmp_path: Path, fault: str, name: str
) -> None:
    _write(tmp_path / name, json.dumps(MANAGED[fault]))
    with pytest.raises(AuthError) as refused:
        refuse_managed_credentials({}, tmp_path)
    assert str(tmp_path) in str(refused.value.cause)
    assert "other" not in str(refused.value.cause) + refused.value.message
    with pytest.raises(AuthError):
        refuse_managed_credentials({"CLAUDE_CODE_MANAGED_SETTINGS_PATH": str(tmp_path / name)}, tmp_path / "none")


@pytest.mark.parametrize(
    "text", ["", "{", "[]", "{}", '{"env": {"ANTHROPIC_MODEL": "x", "ANTHROPIC_API_KEY": ""}}', '{"env": 1}']
)
def test_other_managed_settings_are_no_obstacle(tmp_path: Path, text: str) -> None:
    _write(tmp_path / "managed-settings.json", text)
    refuse_managed_credentials({}, tmp_path)


def _write(file: Path, text: str) -> None:
    file.parent.mkdir(exist_ok=True)
    file.write_text(text, "utf-8")


@pytest.mark.parametrize(("table", "allowed"), [({}, True), ({"own": True}, True), ({"own": False}, False)])
def test_the_policy_says_whether_a_key_may_be_brought(table: dict[str, bool], allowed: bool) -> None:
    policy = Policy.model_validate({"version": 1, "credentials": table})
    policy.grant(words(), "agent-chat")
    if allowed:
        policy.grant(words(), "agent-chat", own_credential=True)
        return
    with pytest.raises(PolicyDenied) as denied:
        policy.grant(words(), "agent-chat", own_credential=True)
    [objection] = denied.value.details or ()
    assert "credentials.own" in objection.message
