"""``agent-workers doctor``: what a worker lacks on this host, for the user who asks."""

import json
import os
import shutil
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from agent_workers.cli import checkup
from agent_workers.cli.checkup import Finding, program
from agent_workers.cli.checkup.machine import check_python
from agent_workers.cli.checkup.program import check_cli
from agent_workers.engine.claude import Environment
from agent_workers.engine.claude.launch.installation import bundled_cli_version
from tests.cli.conftest import SCRIPTS, Scripts
from tests.missing import where_missing
from tests.waiting import PATIENCE_S

pytestmark = pytest.mark.usefixtures("loaded")
CANARY = "canary-5b1d0e7f"
KEY = {"ANTHROPIC_API_KEY": CANARY}
CHECKS = [
    *("python", "sdk", "cli", "parent_death", "home", "state_dir", "config_dir", "temporary_dir", "credential"),
    *("messages", "proxies", "policy"),
]


def report(scripts: Scripts, *options: str, bundled: bool = False, **variables: str) -> dict[str, Any]:
    """The findings by their checks, after a look at the report as a whole.

    Args:
        bundled: Whether the bundled CLI is asked for its version where no other is named, which takes it long; else a
            script says the same at once.
    """
    if not bundled and "AGENT_WORKERS_CLI" not in variables:
        variables["AGENT_WORKERS_CLI"] = quick_cli(scripts)
    checked = scripts("agent-workers", "doctor", "--json", *options, env=variables)
    whole = json.loads(checked.stdout)
    statuses = {check["status"] for check in whole["checks"]}
    assert whole["status"] == next((status for status in ("fail", "warn") if status in statuses), "ok")
    assert checked.returncode == (1 if whole["status"] == "fail" else 0)
    assert all("cure" in check for check in whole["checks"] if check["status"] != "ok")
    return {check["check"]: check for check in whole["checks"]}


@contextmanager
def answering(status: int, **headers: str) -> Iterator[tuple[str, list[dict[str, str]]]]:
    """A web server on the loopback interface; yields its address and the headers of each request."""
    asked: list[dict[str, str]] = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(dict(self.headers) | {"path": self.path})
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *words: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        try:
            yield f"http://127.0.0.1:{server.server_port}", asked
        finally:
            server.shutdown()


def script(path: Path, *lines: str) -> str:
    path.write_text("\n".join(["#!/bin/sh", *lines]) + "\n")
    path.chmod(0o755)
    return str(path)


def quick_cli(scripts: Scripts) -> str:
    """A CLI that does no more than to say its version."""
    return script(scripts.home.parent / "quick-cli", f"echo '{bundled_cli_version()} (Claude Code)'")


@pytest.mark.usefixtures("installed")
def test_a_host_that_has_all_it_needs_is_ready(scripts: Scripts) -> None:
    checked = scripts("agent-workers", "doctor", env=KEY)
    assert checked.returncode == 0
    assert checked.stdout.endswith("Ready.\n")
    assert "\x1b" not in checked.stdout


def test_the_report_has_a_fixed_shape(scripts: Scripts) -> None:
    whole = json.loads(scripts("agent-workers", "doctor", "--json", env=KEY).stdout)
    assert list(whole) == ["v", "status", "user", "agent_workers", "checks"]
    assert whole["v"] == 1
    assert [check["check"] for check in whole["checks"]] == CHECKS
    for check in whole["checks"]:
        assert set(check) - {"cure"} == {"check", "status", "found", "facts"}
        assert all(isinstance(value, str) for value in check["facts"].values())


def test_nothing_is_left_behind(scripts: Scripts) -> None:
    report(scripts, bundled=True, **KEY)
    elsewhere = {
        "AGENT_WORKERS_STATE_DIR": str(scripts.home / "a" / "state"),
        "CLAUDE_CONFIG_DIR": str(scripts.home / "b"),
    }
    findings = report(scripts, bundled=True, **KEY, **elsewhere)
    assert findings["state_dir"]["status"] == findings["config_dir"]["status"] == "ok"
    assert list(scripts.home.iterdir()) == []


def test_what_a_run_has_made_stays(scripts: Scripts) -> None:
    state = scripts.home / "state"
    (state / "workspaces").mkdir(parents=True)
    report(scripts, bundled=True, **KEY, AGENT_WORKERS_STATE_DIR=str(state))
    assert [path.name for path in state.iterdir()] == ["workspaces"]


def test_a_check_that_breaks_does_not_hide_the_others(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    def check_sdk(host: Environment) -> Finding:
        raise PermissionError(CANARY)

    monkeypatch.setattr(checkup, "_CHECKS", (check_sdk, check_python))
    broken, python = checkup.check_host(Environment({"HOME": str(tmp_path)}), online=False)
    assert (broken.check, broken.status, python.status) == ("sdk", "fail", "ok")
    assert CANARY not in str(broken)


# Credentials

PLACES = {
    "ANTHROPIC_API_KEY": "api_key",
    "ANTHROPIC_AUTH_TOKEN": "auth_token",
    "CLAUDE_CODE_OAUTH_TOKEN": "oauth_token",
}


@pytest.mark.parametrize(("variable", "kind"), PLACES.items())
def test_the_kind_of_credential_is_told_and_its_value_is_not(variable: str, kind: str, scripts: Scripts) -> None:
    variables = {variable: f"sk-ant-{CANARY}", "AGENT_WORKERS_CLI": quick_cli(scripts)}
    text, document = (scripts("agent-workers", "doctor", *options, env=variables) for options in ([], ["--json"]))
    for checked in (text, document):
        assert checked.returncode == 0
        assert CANARY not in checked.stdout + checked.stderr
        assert "sk-ant" not in checked.stdout
        assert variable in checked.stdout
    [credential] = [check for check in json.loads(document.stdout)["checks"] if check["check"] == "credential"]
    assert credential["facts"]["kind"] == kind


@pytest.mark.usefixtures("installed")
def test_no_secret_of_the_environment_is_told_whatever_fails(scripts: Scripts, tmp_path: Path) -> None:
    leaky = script(tmp_path / "claude", "env", "env >&2", "exit 3")
    (scripts.home / "config").mkdir()
    (scripts.home / "config" / ".credentials.json").write_text(json.dumps({"claudeAiOauth": {"accessToken": CANARY}}))
    variables = {
        **dict.fromkeys(PLACES, f"with space {CANARY}"),
        "AGENT_WORKERS_CLI": leaky,
        "CLAUDE_CONFIG_DIR": str(scripts.home / "config"),
        "ANTHROPIC_BASE_URL": f"http://user:{CANARY}@127.0.0.1:1/{CANARY}?key={CANARY}",
        "HTTPS_PROXY": f"http://user:{CANARY}@127.0.0.1:1",
        "ANTHROPIC_CUSTOM_HEADERS": f"X-Key: {CANARY}",
        "AWS_SECRET_ACCESS_KEY": CANARY,
    }
    for options in (["--online"], ["--online", "--json"]):
        checked = scripts("agent-workers", "doctor", *options, env=variables)
        assert checked.returncode == 1
        assert CANARY not in checked.stdout + checked.stderr


@pytest.mark.parametrize("url", ["http://[::1", "ftp://" + CANARY, "http://h:port" + CANARY, CANARY])
def test_a_base_url_that_is_none_is_not_quoted(url: str, scripts: Scripts) -> None:
    variables = {**KEY, "ANTHROPIC_BASE_URL": url, "AGENT_WORKERS_CLI": quick_cli(scripts)}
    checked = scripts("agent-workers", "doctor", "--online", env=variables)
    assert checked.returncode == 1
    assert "ANTHROPIC_BASE_URL is no http or https address" in checked.stdout
    assert CANARY not in checked.stdout + checked.stderr


def test_the_credential_that_the_cli_prefers_is_named_first(scripts: Scripts) -> None:
    credential = report(scripts, **dict.fromkeys(PLACES, CANARY))["credential"]
    assert credential["facts"] == {
        "kind": "auth_token",
        "source": "ANTHROPIC_AUTH_TOKEN",
        "others": "api_key oauth_token",
    }
    with_provider = report(scripts, **KEY, CLAUDE_CODE_USE_BEDROCK="1")["credential"]
    assert with_provider["facts"]["kind"] == "bedrock"


def test_a_login_is_found_in_the_config_directory(scripts: Scripts) -> None:
    config = scripts.home / ".claude"
    config.mkdir()
    (config / ".credentials.json").write_text(json.dumps({"claudeAiOauth": {"accessToken": CANARY}}))
    assert report(scripts)["credential"]["facts"]["kind"] == "login_file"
    (config / ".credentials.json").write_text("{}")
    assert report(scripts)["credential"]["status"] == "fail"


def test_a_host_without_a_credential_is_told_the_ways_to_give_one(scripts: Scripts) -> None:
    checked = scripts("agent-workers", "doctor", env={"AGENT_WORKERS_CLI": quick_cli(scripts)})
    assert checked.returncode == 1
    assert "-> Set ANTHROPIC_API_KEY" in checked.stdout


@pytest.mark.parametrize(("value", "status"), [(f"{CANARY}\n", "ok"), (f"{CANARY}\n{CANARY}", "fail"), ("", "fail")])
def test_a_credential_that_cannot_be_sent_is_no_credential(value: str, status: str, scripts: Scripts) -> None:
    assert report(scripts, ANTHROPIC_API_KEY=value)["credential"]["status"] == status


# The CLI


def test_a_missing_cli_is_told_with_its_cure(scripts: Scripts) -> None:
    finding = report(scripts, **KEY, AGENT_WORKERS_CLI="/nonexistent/claude")["cli"]
    assert finding["status"] == "fail"
    assert "AGENT_WORKERS_CLI" in finding["cure"]


def test_a_cli_of_another_version_is_a_warning(scripts: Scripts, tmp_path: Path) -> None:
    finding = report(scripts, **KEY, AGENT_WORKERS_CLI=script(tmp_path / "claude", "echo '1.2.3 (Claude Code)'"))["cli"]
    assert (finding["status"], finding["facts"]["version"]) == ("warn", "1.2.3")


def test_a_cli_that_hangs_is_not_waited_for(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(program, "_PATIENCE_S", 0.1)
    hanging = script(tmp_path / "claude", "exec sleep 60")
    finding = check_cli(Environment({"AGENT_WORKERS_CLI": hanging, "HOME": str(tmp_path), "PATH": os.environ["PATH"]}))
    assert finding.status == "fail"
    assert "did not say its version within" in finding.found


@pytest.mark.usefixtures("installed")
def test_the_cli_is_asked_with_the_agents_variables_alone(scripts: Scripts, tmp_path: Path) -> None:
    listing = script(tmp_path / "claude", f"env > {tmp_path}/seen", f"echo {bundled_cli_version()}")
    assert report(scripts, **KEY, AGENT_WORKERS_CLI=listing, DATABASE_PASSWORD="x")["cli"]["status"] == "ok"
    seen = dict(line.partition("=")[::2] for line in (tmp_path / "seen").read_text().splitlines())
    assert "DATABASE_PASSWORD" not in seen
    assert seen["HOME"] == str(scripts.home)
    assert seen["TMPDIR"].startswith(str(scripts.home / "agent-worker-"))


# Directories


def test_the_state_directory_is_told_with_the_reason_for_it(scripts: Scripts) -> None:
    assert report(scripts, **KEY)["state_dir"]["facts"]["chosen_by"] == "HOME"
    by_xdg = report(scripts, **KEY, XDG_STATE_HOME=str(scripts.home / "xdg"))["state_dir"]["facts"]
    assert by_xdg == {"path": str(scripts.home / "xdg" / "agent-workers"), "chosen_by": "XDG_STATE_HOME"}
    explicit = report(scripts, **KEY, AGENT_WORKERS_STATE_DIR=str(scripts.home))
    assert explicit["state_dir"]["facts"]["chosen_by"] == "AGENT_WORKERS_STATE_DIR"
    assert explicit["config_dir"]["facts"]["path"] == str(scripts.home / "claude")


def test_a_directory_that_cannot_be_made_is_told_with_its_cure(scripts: Scripts, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    inside_file = str(tmp_path / "file" / "below")
    findings = report(scripts, **KEY, AGENT_WORKERS_STATE_DIR=inside_file, TMPDIR=inside_file)
    assert {name for name, finding in findings.items() if finding["status"] == "fail"} >= {"state_dir", "temporary_dir"}
    assert "AGENT_WORKERS_STATE_DIR" in findings["state_dir"]["cure"]
    assert "TMPDIR" in findings["temporary_dir"]["cure"]


def test_proxies_are_told_by_name(scripts: Scripts) -> None:
    found = report(scripts, **KEY, HTTPS_PROXY=f"http://u:{CANARY}@proxy:1", no_proxy="localhost", http_proxy="")[
        "proxies"
    ]
    assert found["found"] == "HTTPS_PROXY, no_proxy"
    assert report(scripts, **KEY)["proxies"]["found"] == "none"


@pytest.fixture(scope="module")
def as_another_user() -> list[str]:
    """What comes before Python's own arguments to run it as www-data, with an empty environment."""
    if os.geteuid() != 0 or shutil.which("setpriv") is None:
        pytest.skip("becomes another user: needs root and setpriv")
    user = ["setpriv", "--reuid=www-data", "--regid=www-data", "--clear-groups"]
    paths = ":".join(path for path in sys.path if path and Path(path).is_dir())
    variables = ["env", "-i", "PATH=/usr/bin:/bin", "HOME=/nonexistent", f"PYTHONPATH={paths}"]
    name = f"python{sys.version_info.major}.{sys.version_info.minor}"
    for interpreter in (sys.executable, f"/usr/local/bin/{name}", f"/usr/bin/{name}"):
        command = [*user, *variables, interpreter, "-P"]
        tried = subprocess.run(
            [*command, "-c", "import agent_workers.cli.umbrella"], capture_output=True, check=False, timeout=PATIENCE_S
        )
        if tried.returncode == 0:
            return command
    pytest.skip("www-data may run no interpreter of this version, or not read this package")


def report_to(user: list[str], preparation: str = "") -> tuple[dict[str, Any], int]:
    """The report to a user whose interpreter is given, and the exit status."""
    code = f"{preparation}; from agent_workers.cli import main; main()".removeprefix("; ")
    command = [*user, "-c", code, "doctor", "--json"]
    checked = subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE_S, check=False, cwd="/")
    return json.loads(checked.stdout), checked.returncode


def test_an_installation_out_of_reach_is_told(as_another_user: list[str], tmp_path: Path) -> None:
    tmp_path.chmod(0o700)
    claude = script(tmp_path / "claude", "exit 0")
    whole, _ = report_to(as_another_user, f"import os; os.environ['AGENT_WORKERS_CLI'] = {claude!r}")
    [finding] = [check for check in whole["checks"] if check["check"] == "cli"]
    assert (finding["status"], finding["found"]) == ("fail", f"{claude} is out of this user's reach")


def test_another_user_is_told_what_he_lacks(as_another_user: list[str]) -> None:
    whole, status = report_to(as_another_user)
    assert whole["user"] == "www-data"
    cures = {check["check"]: check.get("cure", "") for check in whole["checks"] if check["status"] == "fail"}
    assert {"home", "state_dir", "config_dir", "credential"} <= set(cures)
    assert "AGENT_WORKERS_STATE_DIR" in cures["state_dir"]
    assert status == 1


# The policy


def test_without_a_policy_it_is_told_that_there_is_none(scripts: Scripts) -> None:
    finding = report(scripts, **KEY)["policy"]
    assert (finding["status"], finding["facts"]) == ("ok", {})
    assert "AGENT_WORKERS_POLICY is not set" in finding["found"]


def test_the_policy_in_force_is_told(scripts: Scripts, tmp_path: Path) -> None:
    file = tmp_path / "policy.toml"
    file.write_text('version = 1\nworkers = ["agent-chat"]\n')
    finding = report(scripts, **KEY, AGENT_WORKERS_POLICY=str(file))["policy"]
    assert (finding["status"], finding["found"]) == ("ok", str(file))
    assert finding["facts"] == {"path": str(file), "chosen_by": "AGENT_WORKERS_POLICY"}


def test_a_policy_that_forbids_keys_of_callers_is_told(scripts: Scripts, tmp_path: Path) -> None:
    file = tmp_path / "policy.toml"
    file.write_text('version = 1\nworkers = ["agent-chat"]\n[credentials]\nown = false\n')
    assert "credentials.own = false" in report(scripts, **KEY, AGENT_WORKERS_POLICY=str(file))["policy"]["found"]


def test_a_policy_that_an_agent_with_tools_could_change_is_a_warning(scripts: Scripts, tmp_path: Path) -> None:
    file = tmp_path / "policy.toml"
    file.write_text("version = 1\n")
    assert report(scripts, **KEY, AGENT_WORKERS_POLICY=str(file))["policy"]["status"] == "warn"


def test_a_policy_that_cannot_be_read_fails_with_its_place(scripts: Scripts, tmp_path: Path) -> None:
    file = tmp_path / "policy.toml"
    file.write_text("version = 1\n\n[limits]\ntimeout = 60\n")
    finding = report(scripts, **KEY, AGENT_WORKERS_POLICY=str(file))["policy"]
    assert finding["status"] == "fail"
    assert finding["found"] == f"{file}: line 4: limits.timeout is not a known field; did you mean timeout_s?"
    missing = report(scripts, **KEY, AGENT_WORKERS_POLICY=str(tmp_path / "gone.toml"))["policy"]
    assert (missing["status"], "unset AGENT_WORKERS_POLICY" in missing["cure"]) == ("fail", True)


# The network


@pytest.mark.parametrize("status", [200, 401, 404, 503])
def test_any_answer_of_the_api_will_do_and_no_credential_is_sent(status: int, scripts: Scripts) -> None:
    with answering(status) as (url, asked):
        address = url.replace("http://", f"http://user:{CANARY}@") + f"/{CANARY}"
        finding = report(scripts, "--online", **KEY, ANTHROPIC_BASE_URL=address)["network"]
    assert (finding["status"], finding["facts"]) == ("ok", {"origin": url, "http_status": str(status)})
    assert CANARY not in str(asked)
    assert len(asked) == 1


def test_a_redirect_is_an_answer_and_is_not_followed(scripts: Scripts) -> None:
    with answering(302, Location="http://127.0.0.1:1/") as (url, _):
        finding = report(scripts, "--online", **KEY, ANTHROPIC_BASE_URL=url)["network"]
    assert finding["facts"]["http_status"] == "302"


def test_an_api_that_cannot_be_reached_fails(scripts: Scripts) -> None:
    finding = report(scripts, "--online", **KEY, ANTHROPIC_BASE_URL="http://127.0.0.1:1")["network"]
    assert finding["status"] == "fail"
    assert "Connection refused" in finding["found"]


def test_the_proxy_of_the_environment_is_used(scripts: Scripts) -> None:
    with answering(407) as (proxy, asked):
        url = "http://api.invalid"
        finding = report(scripts, "--online", **KEY, ANTHROPIC_BASE_URL=url, http_proxy=proxy)["network"]
    assert finding["facts"] == {"origin": url, "http_status": "407"}
    assert asked[0]["path"].startswith(url)


def test_a_cloud_providers_network_is_left_to_its_tools(scripts: Scripts) -> None:
    assert report(scripts, "--online", CLAUDE_CODE_USE_VERTEX="1")["network"]["status"] == "warn"


def test_without_online_nothing_is_asked(scripts: Scripts) -> None:
    with answering(200) as (url, asked):
        assert "network" not in report(scripts, **KEY, ANTHROPIC_BASE_URL=url)
    assert asked == []


def test_a_policy_that_names_a_worker_which_does_not_exist_is_a_warning(scripts: Scripts, tmp_path: Path) -> None:
    file = tmp_path / "policy.toml"
    file.write_text('version = 1\nworkers = ["agent-chat", "agent-tsak"]\n')
    finding = report(scripts, **KEY, AGENT_WORKERS_POLICY=str(file))["policy"]
    assert finding["status"] == "warn"
    assert "'agent-tsak', which no worker is called; did you mean agent-task?" in finding["found"]


def test_a_sandbox_that_the_policy_asks_for_and_the_host_lacks_is_a_failure(scripts: Scripts, tmp_path: Path) -> None:
    file = tmp_path / "policy.toml"
    file.write_text("version = 1\n[sandbox]\nenabled = true\n")
    finding = report(scripts, **KEY, AGENT_WORKERS_POLICY=str(file), PATH=str(SCRIPTS))["policy"]
    assert finding["status"] == "fail"
    assert "bwrap" in finding["found"]
    file.write_text('version = 1\nworkers = ["agent-chat"]\n[sandbox]\nenabled = true\n')
    assert report(scripts, **KEY, AGENT_WORKERS_POLICY=str(file), PATH=str(SCRIPTS))["policy"]["status"] == "ok"


def test_a_worker_checks_its_host_with_its_own_options_and_whether_the_policy_allows_it(
    scripts: Scripts, tmp_path: Path
) -> None:
    policy = tmp_path / "policy.toml"
    policy.write_text('version = 1\nworkers = ["agent-chat"]\n')
    reports = {
        worker: json.loads(scripts(worker, "--policy", policy, "--simulate", "--doctor=json").stdout)
        for worker in ("agent-chat", "agent-task")
    }
    found = {worker: {check["check"]: check for check in whole["checks"]} for worker, whole in reports.items()}
    assert "worker" not in found["agent-chat"]
    assert found["agent-task"]["worker"]["status"] == "fail"
    assert "does not allow agent-task" in found["agent-task"]["worker"]["found"]
    for checks in found.values():
        assert checks["policy"]["facts"]["path"] == str(policy)
        assert checks["credential"]["found"] == "none is needed: a simulator answers"


def test_the_engine_messages_is_told_with_the_model_that_it_asks(scripts: Scripts) -> None:
    found = report(scripts, ANTHROPIC_API_KEY="k", ANTHROPIC_MODEL="sonnet")["messages"]
    assert (found["status"], found["facts"]["default_model"]) == ("ok", "claude-sonnet-5-5")
    assert "ready" in found["found"]


@pytest.mark.parametrize(
    ("variables", "lacks", "cure"),
    [
        ({"CLAUDE_CODE_OAUTH_TOKEN": "t"}, "a login of the Claude CLI", "ANTHROPIC_API_KEY"),
        ({"CLAUDE_CODE_USE_VERTEX": "1"}, "Google Vertex AI", "CLAUDE_CODE_USE_VERTEX"),
        ({"ANTHROPIC_API_KEY": "a b"}, "ANTHROPIC_API_KEY", "ANTHROPIC_API_KEY"),
    ],
)
def test_an_engine_that_cannot_run_here_matters_as_much_as_the_policy_says(
    variables: dict[str, str], lacks: str, cure: str, scripts: Scripts, tmp_path: Path
) -> None:
    optional = report(scripts, **variables)["messages"]
    assert (optional["status"], "optional" in optional["found"]) == ("ok", True)
    assert lacks in optional["found"]
    file = tmp_path / "policy.toml"
    for engines, status in (('"agent"', "ok"), ('"agent", "messages"', "ok"), ('"messages", "agent"', "warn")):
        file.write_text(f"version = 1\nengines = [{engines}]\n")
        assert report(scripts, **variables, AGENT_WORKERS_POLICY=str(file))["messages"]["status"] == status
    file.write_text('version = 1\nengines = ["messages"]\n')
    found = report(scripts, **variables, AGENT_WORKERS_POLICY=str(file))["messages"]
    assert (found["status"], found["facts"]["engines"]) == ("fail", "messages")
    assert lacks in found["found"]
    assert cure in found["cure"]


def test_the_extra_that_is_missing_is_a_failure_where_the_policy_has_no_other_engine(tmp_path: Path) -> None:
    file = tmp_path / "policy.toml"
    for engines, status in ((None, "ok"), ('"messages", "agent"', "warn"), ('"messages"', "fail")):
        if engines:
            file.write_text(f"version = 1\nengines = [{engines}]\n")
        variables = {"ANTHROPIC_API_KEY": "k", **({"AGENT_WORKERS_POLICY": str(file)} if engines else {})}
        environ = {"PATH": "/usr/bin:/bin", "HOME": str(tmp_path), **variables}
        command = [*where_missing("httpx2", str(SCRIPTS / "agent-workers-entry")), "agent-workers", "doctor", "--json"]
        asked = subprocess.run(command, env=environ, capture_output=True, timeout=PATIENCE_S, check=False)
        [found] = [check for check in json.loads(asked.stdout)["checks"] if check["check"] == "messages"]
        assert (found["status"], "pip install '.[messages]'" in str(found)) == (status, True)


def test_a_worker_that_no_engine_of_the_policy_can_run_is_told(scripts: Scripts, tmp_path: Path) -> None:
    file = tmp_path / "policy.toml"
    file.write_text('version = 1\nengines = ["messages"]\n')
    found = {}
    for worker in ("agent-chat", "agent-skill", "agent-task", "agent-tool"):
        whole = json.loads(scripts(worker, "--policy", file, "--simulate", "--doctor=json").stdout)
        found[worker] = [check["cure"] for check in whole["checks"] if check["check"] == "worker"]
    assert (found.pop("agent-task"), found) == (
        ['Add "agent" to its engines, or take the worker out of the configuration.'],
        {"agent-chat": [], "agent-skill": [], "agent-tool": []},
    )


def test_a_table_of_models_that_cannot_be_read_fails_with_its_place(scripts: Scripts, tmp_path: Path) -> None:
    file = tmp_path / "models.toml"
    file.write_text('version = 1\n[[models]]\npatern = "x"\n')
    found = report(scripts, ANTHROPIC_API_KEY="k", AGENT_WORKERS_MODELS=str(file))["messages"]
    assert found["status"] == "fail"
    assert str(file) in found["found"]
    assert "AGENT_WORKERS_MODELS" in found["cure"]
