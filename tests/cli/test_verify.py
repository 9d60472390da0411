"""``agent-workers verify``: what it says, and its exit status."""

import json

import pytest

from agent_workers.chain import head_of
from tests.cli.conftest import Scripts
from tests.proof.transcripts import talk

pytestmark = pytest.mark.usefixtures("loaded")

LINES = [line.decode() for line in talk()]
TEXT = "".join(f"{line}\n" for line in LINES)
HEAD = head_of(LINES[-1].encode())
PLAIN = '{"v":1,"seq":1,"run":"r","ts":"2026-11-20T12:00:00.000Z","type":"start"}\n'


@pytest.mark.usefixtures("installed")
def test_a_whole_transcript_is_called_so_and_what_is_not_proven_is_told(scripts: Scripts) -> None:
    checked = scripts("agent-workers", "verify", given=TEXT)
    assert checked.returncode == 0
    assert checked.stdout.startswith(f"run r1: 10 lines, done; head {HEAD}\nwhole: ")
    assert "give it as --head" in checked.stdout
    known = scripts("agent-workers", "verify", "--head", HEAD.upper(), given=TEXT)
    assert (known.returncode, known.stdout.splitlines()[0][-10:]) == (0, ", as known")
    assert "Not proven" not in known.stdout


def test_a_changed_line_is_named_and_the_status_is_1(scripts: Scripts) -> None:
    checked = scripts("agent-workers", "verify", given=TEXT.replace("word 3", "word x"))
    assert checked.returncode == 1
    assert checked.stdout.splitlines()[0] == "line 5 (seq 5): was changed: line 6 names another one before it"
    assert checked.stdout.splitlines()[-1] == "not whole: these are not the lines that were written"


def test_an_end_that_was_cut_off_is_found_by_its_head(scripts: Scripts) -> None:
    cut = "".join(f"{line}\n" for line in LINES[:-1])
    assert scripts("agent-workers", "verify", given=cut).returncode == 0
    checked = scripts("agent-workers", "verify", "--head", HEAD, given=cut)
    assert (checked.returncode, checked.stdout.splitlines()[0][:7]) == (1, "line 9:")


@pytest.mark.parametrize(("given", "words"), [(PLAIN, "AGENT_WORKERS_CHAIN=1"), ("", "there is no line")])
def test_lines_that_are_not_chained_have_the_status_2(scripts: Scripts, given: str, words: str) -> None:
    checked = scripts("agent-workers", "verify", given=given)
    assert checked.returncode == 2
    assert words in checked.stdout.splitlines()[-1]


@pytest.mark.parametrize("option", [["--head", "abc"], ["--key", "/no/such/file"], ["--nothing"]])
def test_a_wrong_command_line_has_the_status_2(scripts: Scripts, option: list[str]) -> None:
    checked = scripts("agent-workers", "verify", *option, given=TEXT)
    assert (checked.returncode, checked.stdout) == (2, "")
    assert checked.stderr


def test_a_program_reads_the_same_as_json(scripts: Scripts) -> None:
    checked = scripts("agent-workers", "verify", "--json", given="".join(f"{line}\n" for line in LINES[:3] + LINES[4:]))
    told = json.loads(checked.stdout)
    assert (checked.returncode, told["whole"], told["chained"], told["lines"]) == (1, False, True, 9)
    assert told["findings"] == [
        {"what": "dropped", "line": 4, "seq": 5, "run": "r1", "message": "seq 4 before it is missing"}
    ]
    assert told["runs"][0] | {"head": ""} == {
        "run": "r1",
        "first": 1,
        "last": 9,
        "lines": 9,
        "attempts": 1,
        "head": "",
        "ended": "done",
        "is_end_known": False,
        "remarks": [],
    }


def test_what_a_transcript_says_does_not_reach_the_terminal_as_it_is(scripts: Scripts) -> None:
    evil = PLAIN.replace('"r"', '"r\\u001b[31m"')
    assert "\x1b" not in scripts("agent-workers", "verify", given=evil).stdout


def test_many_faults_are_summed_up(scripts: Scripts) -> None:
    long = [line for number in range(60) for line in talk(1, run=f"r{number}")[1:]]
    checked = scripts("agent-workers", "verify", given="".join(f"{line.decode()}\n" for line in long))
    assert checked.returncode == 1
    assert "more like these" in checked.stdout
    assert "and 40 more runs" in checked.stdout
