"""Every worker of ours keeps the contract; the obvious script does not, and its author is told what to mend."""

import json
import re
import sys
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from agent_workers.conformance import Kit, Profile, Report, load_cases, load_profile
from tests.e2e.loaded import LoadedWorker, LoadedWorkers

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
BIN = Path(sys.executable).parent
CASES = {case.id: case for case in load_cases()}
IN_EVERY_RUN = [case.id for case in load_cases() if case.run is None]
MESSAGES = {"engine": "messages"}
SNIPPETS = re.findall(r"```json\n(.*?)```", (ROOT / "conformance" / "README.md").read_text("utf-8"), re.DOTALL)


def conform(command: list[str], profile: Profile, cases: Iterable[str] = (), **options: Any) -> Report:
    chosen = [CASES[name] for name in [*cases, *IN_EVERY_RUN]] if cases else []
    return Kit(command, profile, level="full", cases=chosen, **{"jobs": 4, "patience": 5, **options}).run()


def profile_of(worker: str, **request: Any) -> Profile:
    profile = load_profile(worker, [worker])
    return replace(profile, request={**profile.request, **request})


def failures(report: Report) -> dict[str, Any]:
    return {verdict.case.id: verdict.findings for verdict in report.of("failed")}


def skipped(report: Report) -> set[str]:
    return {str(verdict.case.run) for verdict in report.of("skipped")}


def without(profile: Profile, *runs: str) -> Profile:
    return replace(profile, runs={name: patch for name, patch in profile.runs.items() if name not in runs})


def test_the_engine_messages_keeps_all_of_it_that_it_offers(loaded: LoadedWorkers, tmp_path: Path) -> None:
    def start(command: list[str], *, cwd: Path | None, **how: Any) -> LoadedWorker:
        return loaded.start(command[0], tuple(command[1:]), cwd=cwd or tmp_path, **how)

    profile = without(profile_of("agent-chat", **MESSAGES), "question")
    report = conform(["agent-chat"], profile, jobs=16, start=start)
    assert failures(report) == {}
    assert report.reached == "full"
    assert skipped(report) == {"question", "permission", "tool_output", "subagent"}


OF_AGENTS = {
    "agent-chat": ["plain", "sigterm", "app-tools", "resume", "question"],
    "agent-task": ["permission-input", "abort-in-permission", "tool-output", "subagent"],
}


@pytest.mark.parametrize("worker", OF_AGENTS)
def test_an_agent_keeps_the_contract_where_an_agent_is_what_matters(worker: str) -> None:
    report = conform([str(BIN / worker)], profile_of(worker), cases=OF_AGENTS[worker])
    assert failures(report) == {}
    assert report.of("skipped") == []


def test_a_skill_keeps_the_contract() -> None:
    report = conform(
        [str(BIN / "agent-skill")], profile_of("agent-skill", **MESSAGES), cases=["plain", "lifeline", "error"]
    )
    assert failures(report) == {}
    assert report.of("skipped") == []


def test_the_run_of_a_tool_keeps_the_contract(tmp_path: Path) -> None:
    server = [sys.executable, str(ROOT / "tests/e2e/odd_server.py"), str(tmp_path / "notes")]
    policy = tmp_path / "policy.toml"
    listed = f"mcp_commands = [{{ command = {json.dumps(server[0])}, args = {json.dumps(server[1:])} }}]"
    policy.write_text(f"version = 1\n[task]\n{listed}\n")
    shown = json.loads(next(text for text in SNIPPETS if "server" in text))
    shown["request"] |= {"server": {"name": "odd", "command": server[0], "args": server[1:]}, "tool": "closed"}
    profile = Profile(name="agent-tool", **shown, runs={"slow": {"tool": "slow"}})
    cases = ["plain", "metadata-echoed", "abort", "stdout-closed", "deadline", "unknown-field"]
    report = conform([str(BIN / "agent-tool"), "--policy", str(policy)], profile, cases=cases)
    assert failures(report) == {}
    assert report.of("skipped") == []


def test_what_goes_through_the_client_keeps_the_contract() -> None:
    cases = ["plain", "deltas", "odd-text", "slow-reader", "abort", "sigterm", "error", "unknown-field", "app-tool"]
    report = conform(
        [sys.executable, str(HERE / "through_client.py")], profile_of("agent-chat", **MESSAGES), cases=cases
    )
    assert failures(report) == {}
    assert report.of("skipped") == []


def test_the_author_of_the_obvious_script_is_told_what_to_mend() -> None:
    cases = ["plain", "deltas", "sigterm", "no-json"]
    script = [sys.executable, str(ROOT / "tests/bench/obvious.py")]
    report = conform(script, profile_of("agent-chat"), cases=cases, patience=2)
    assert {"plain", "schema", "start-first", "sigterm", "nothing-left", "no-json"} <= set(failures(report))
    assert "deltas" not in failures(report)
    assert report.reached is None
    told = {case["id"]: case for case in report.to_json()["cases"]}
    assert "/v is required; /seq is required; /run is required" in told["schema"]["findings"][0]["came"]
    assert told["sigterm"]["findings"][0]["came"] == "no terminal event; killed by signal 15"
    assert told["sigterm"]["sent"][-1] == "SIGTERM"
    assert "handler for SIGTERM" in told["sigterm"]["cure"]
    assert "done {" in told["plain"]["findings"][0]["came"]
    assert "JSONDecodeError" in told["no-json"]["stderr"]


def test_a_worker_that_says_nothing_is_told_to_flush_and_what_it_was_started_with() -> None:
    silent = ["sh", "-c", "exec tail -f /dev/null"]
    abort = conform(silent, profile_of("agent-chat"), cases=["abort"], patience=0.1).to_json()["cases"][0]
    assert abort["sent"][0] == "started with --control"
    assert "is each event flushed?" in abort["findings"][0]["came"]


def test_a_worker_is_started_without_a_locale_as_services_start_it() -> None:
    prints = ["sh", "-c", "env | cut -d= -f1 | tr '\\n' ' ' >&2"]
    told = conform(prints, profile_of("agent-chat"), cases=["plain"], patience=1).to_json()["cases"][0]["stderr"]
    names = told.split()
    assert {"HOME", "PATH"} <= set(names)
    assert [name for name in names if name == "LANG" or name.startswith("LC_")] == []


def test_what_a_profile_does_not_offer_is_skipped_with_the_reason() -> None:
    profile = replace(profile_of("agent-chat", **MESSAGES), runs={}, skip={"plain": "it is never plain"})
    report = conform([str(BIN / "agent-chat")], profile, cases=["plain", "abort", "run-echoed"])
    reasons = {verdict.case.id: verdict.reason for verdict in report.of("skipped")}
    assert reasons == {
        "plain": "profile agent-chat says: it is never plain",
        "abort": "profile agent-chat has no run slow, in which the worker goes on for a minute or more, "
        "and says something now and then",
    }
    assert [verdict.case.id for verdict in report.of("passed") if verdict.case.run] == ["run-echoed"]
