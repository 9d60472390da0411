"""`agent-workers conform`: a worker is put to the test, and its author reads what to mend."""

import json
import signal
import sys
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from agent_workers.conformance import load_cases
from tests.cli.conftest import Scripts
from tests.waiting import PATIENCE_S, until

pytestmark = pytest.mark.usefixtures("loaded")
ROOT = Path(__file__).parents[2]
PROFILE = ROOT / "tests" / "conformance" / "reference.json"
REFERENCE = [sys.executable, "-S", "-E", str(ROOT / "tests" / "conformance" / "reference.py")]
CONFORM = ["agent-workers", "conform", "--patience", "5"]


def worker(body: str) -> list[str]:
    """The reference worker with this in its class."""
    code = (
        f"import sys; sys.path.insert(0, {str(ROOT)!r})\n"
        f"from tests.conformance.reference import Reference, error\n"
        f"class Broken(Reference):\n    {body}\nBroken().main()"
    )
    return [sys.executable, "-S", "-E", "-c", code]


def chosen(*cases: str) -> list[str]:
    return [word for case in cases for word in ("--case", case)]


def test_a_worker_that_keeps_the_contract_passes(scripts: Scripts) -> None:
    ran = scripts(*CONFORM, *chosen("plain", "seq", "abort"), "--profile", PROFILE, "--", *REFERENCE)
    assert ran.returncode == 0, ran.stdout
    assert "3 passed" in ran.stdout
    assert "Level core." in ran.stdout.splitlines()[-1]


def test_cases_of_a_higher_level_alone_come_to_no_level(scripts: Scripts) -> None:
    ran = scripts(*CONFORM, *chosen("thinking"), "--profile", PROFILE, "--", *REFERENCE)
    assert ran.returncode == 0, ran.stdout
    assert "No failure, and no level: none of core was tried." in ran.stdout.splitlines()[-1]


def test_a_failure_is_told_with_the_contract_what_was_sent_what_came_and_the_cure(scripts: Scripts) -> None:
    broken = worker("def on_signal(self, number, frame): raise error('internal')")
    ran = scripts(*CONFORM, *chosen("plain", "sigterm"), "--profile", PROFILE, "--", *broken)
    assert ran.returncode == 1
    told = " ".join(ran.stdout.split())
    for words in (
        "FAILED sigterm ─",
        "contract On SIGTERM the line aborted, reason signal, is written at once",
        "(conformance/README.md, Stopping)",
        'sent request {"do": "slow",',
        "waited for an event SIGTERM expected",
        'expected the terminal event aborted (reason "signal")',
        'came error {"code": "internal",',
        "mend it Install a handler for SIGTERM",
        "core 1 passed 1 failed No level yet.",
    ):
        assert words in told, words
    _, _, lies = told.partition("conformance/README.md is ")
    assert (ROOT / "conformance" / "README.md").as_posix() in lies.replace(" ", "")
    assert max(map(len, ran.stdout.splitlines())) <= 80


def test_the_report_of_a_rule_that_holds_in_every_run_names_the_run_and_the_line(scripts: Scripts) -> None:
    broken = worker("def next_seq(self): return super().next_seq() + 1")
    told = " ".join(scripts(*CONFORM, *chosen("plain", "seq"), "--profile", PROFILE, "--", *broken).stdout.split())
    assert "FAILED seq" in told
    assert "seen in plain" in told
    assert 'came line 1: /seq must be 1, not 2 {"v": 1, "seq": 2,' in told


def test_nothing_that_a_worker_writes_moves_the_cursor(scripts: Scripts) -> None:
    shell = ["sh", "-c", r"printf '\033[2J{\"type\":\"\033[31m\"}\n\007'; printf 'bad \033]0;x\007\n' >&2; exit 1"]
    terminal, status = scripts.at_terminal(
        *CONFORM, *chosen("no-request", "lines"), "--profile", str(PROFILE), "--", *shell, rows=60
    )
    assert status == 1
    assert "␛[2J" in terminal.text
    assert {"31", "1"} <= terminal.styles


def test_the_report_is_one_json_object_where_a_program_asks(scripts: Scripts) -> None:
    broken = worker("def do_plain(self): raise error('internal')")
    cases = chosen("plain", "abort", "lines", "permission")
    profile = scripts.home / "profile.json"
    known = json.loads(PROFILE.read_text())
    del known["runs"]["permission"]
    profile.write_text(json.dumps(known))
    ran = scripts(*CONFORM, "--json", *cases, "--profile", profile, "--", *broken)
    report = json.loads(ran.stdout)
    assert (report["v"], report["reached"], report["passed"], report["failed"], report["skipped"]) == (1, None, 2, 1, 1)
    told = {case["id"]: case for case in report["cases"]}
    assert told["permission"]["status"] == "skipped"
    assert "has no run permission" in told["permission"]["reason"]
    assert told["plain"]["findings"][0]["expected"] == 'the terminal event done (stop_reason "end_turn")'
    start, end = told["plain"]["stdout"]
    assert '"type": "start"' in start
    assert '"type": "error"' in end
    assert told["plain"]["cure"]
    assert told["plain"]["section"] == "conformance/README.md, Events"


def test_a_ci_system_gets_junit_xml(scripts: Scripts) -> None:
    shell = ["sh", "-c", r"printf '\033\001 what?\n'; exit 1"]
    file = scripts.home / "report.xml"
    cases = chosen("plain", "lines", "resume", "thinking-hidden")
    scripts(*CONFORM, "--junit", file, *cases, "--profile", PROFILE, "--", *shell)
    suites = ET.parse(file).getroot()
    assert [suite.attrib["name"] for suite in suites] == ["core", "full"]
    core = suites[0].attrib
    assert (core["tests"], core["failures"], core["errors"], core["skipped"]) == ("2", "2", "0", "0")
    assert set(core) >= {"package", "id", "timestamp", "hostname", "time"}
    assert [child.tag for child in suites[0]] == ["properties", "testcase", "testcase", "system-out", "system-err"]
    [failure] = suites[0].findall("testcase[@name='plain']/failure")
    assert failure.attrib == {"message": "A run that goes well ends with done", "type": "contract"}
    assert "expected: the terminal event done" in str(failure.text)
    assert "stdout: \ufffd\ufffd what?" in str(failure.text)


def test_what_was_found_is_told_also_where_the_junit_file_cannot_be_written(scripts: Scripts) -> None:
    ran = scripts(*CONFORM, "--junit", "/dev/full", *chosen("plain"), "--profile", PROFILE, "--", *REFERENCE)
    assert ran.returncode == 2
    assert ran.stderr == "/dev/full cannot be written: No space left on device\n"
    assert "1 passed" in ran.stdout


def test_a_profile_beside_the_worker_is_found(scripts: Scripts) -> None:
    (scripts.home / "worker.py").write_text(Path(REFERENCE[-1]).read_text("utf-8"), "utf-8")
    (scripts.home / "conform.json").write_text(PROFILE.read_text())
    command = [sys.executable, "-S", str(scripts.home / "worker.py")]
    ran = scripts(*CONFORM, *chosen("plain"), "--", *command)
    assert ran.returncode == 0, ran.stdout
    assert f"profile:{scripts.home}/conform.json" in "".join(ran.stdout.split())


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ([], "Say how the worker is started"),
        (["--", "no-such-worker"], "There is no command 'no-such-worker'"),
        (["--case", "plan", "--", "true"], "there is no case plan"),
        (["--profile", "nobody", "--", "true"], "there is no file nobody, and no profile of that name: agent-chat"),
        (["--profile", "typo.json", "--", "true"], "typo.json: the profile: Additional properties are not allowed"),
        (["--profile", "run.json", "--", "true"], "run.json: /runs/slwo: there is none of that name"),
        (["--profile", "text.json", "--", "true"], "text.json cannot be read"),
        (["--profile", "deep.json", "--", "true"], "deep.json cannot be read"),
        (["--level", "most", "--", "true"], "'most' is not one of"),
    ],
)
def test_a_mistake_on_the_command_line_is_told(
    arguments: list[str], words: str, scripts: Scripts, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("typo.json").write_text('{"request": {}, "asks": true}')
    Path("run.json").write_text('{"request": {}, "runs": {"slwo": {}}}')
    Path("text.json").write_text("a text")
    Path("deep.json").write_text("[" * 100_000)
    ran = scripts(*CONFORM, *arguments)
    assert ran.returncode == 2
    assert words in " ".join(ran.stderr.split())


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_kit_that_is_stopped_leaves_no_worker_behind(number: int, scripts: Scripts) -> None:
    pid = scripts.home / "pid"
    hangs = ["sh", "-c", f"echo $$ > {pid}.new; mv {pid}.new {pid}; trap '' TERM INT; exec tail -f /dev/null"]
    command = [*CONFORM, *chosen("plain"), "--profile", PROFILE, "--", *hangs]
    with scripts.running(*command) as running:
        until(pid.exists)
        running.send_signal(number)
        assert running.wait(PATIENCE_S) in (1, 128 + number)
    assert not Path("/proc", pid.read_text().strip()).exists()


def test_the_cases_are_listed(scripts: Scripts) -> None:
    listed = scripts("agent-workers", "conform", "--list", "--level", "tools").stdout.splitlines()
    assert [line.split()[1] for line in listed] == [case.id for case in load_cases() if case.level != "full"]
    assert listed[0].split(maxsplit=2) == ["core", "plain", "A run that goes well ends with done"]


def test_the_first_and_the_last_words_of_a_long_stderr_are_shown(scripts: Scripts) -> None:
    crash = ["sh", "-c", "echo cause >&2; seq 9999 >&2; echo end >&2; exit 1"]
    told = json.loads(scripts(*CONFORM, *chosen("plain"), "--profile", PROFILE, "--json", "--", *crash).stdout)
    stderr = told["cases"][0]["stderr"].split("\n")
    assert (stderr[0], stderr[1], stderr[-1]) == ("cause", "1", "end")
    assert stderr[stderr.index("…") - 1].isdigit()
    assert len(stderr) < 300
