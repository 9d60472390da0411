"""A file may hold many runs and attempts, of any size, and lines that are none."""

import itertools
import json
from collections.abc import Callable

import pytest

from agent_workers.chain import head_of
from agent_workers.proof import verify
from agent_workers.wire import MAX_LINE, Encoder
from tests.proof.transcripts import chained, found, places, report, talk

LOST = {"type": "error", "code": "worker_lost", "message": "Gone.", "retryable": True}


def test_runs_stand_after_and_between_each_other() -> None:
    one, other = talk(run="r1"), talk(run="r2")
    for lines in (one + other, [line for pair in zip(one, other, strict=True) for line in pair]):
        told = report(lines, heads=(head_of(one[-1]), head_of(other[-1])))
        assert told.is_whole
        assert [(run.run, run.lines, run.is_end_known) for run in told.runs] == [("r1", 10, True), ("r2", 10, True)]


def test_a_run_without_its_beginning_is_no_other_run() -> None:
    assert places(talk(run="r1") + talk(run="r2")[1:]) == {"dropped": [11]}
    assert places(talk(run="r1")[:5] + talk(run="r2")[1:]) == {"dropped": [6]}


@pytest.mark.parametrize("line", [0, 3, 9])
def test_a_line_that_was_given_another_run_is_changed(line: int) -> None:
    lines = talk()
    lines[line] = lines[line].replace(b'"run":"r1"', b'"run":"r2"')
    assert places(lines) == {"changed": [line + 1]}


def test_each_attempt_is_a_chain_of_its_own() -> None:
    first, second = talk(3)[:-1], talk(4, attempt=2)
    told = report(first + second)
    assert told.is_whole
    assert (told.runs[0].attempts, told.runs[0].head) == (2, head_of(second[-1]))
    assert "attempt 1 ends at line 4" in told.runs[0].remarks[0]
    again = chained(
        {"type": "start", "worker": "w"}, {"type": "retry", "attempt": 2, "max_attempts": 2, "delay_ms": 0, "code": "x"}
    )
    assert report(again + second).runs[0].remarks == []
    assert "attempt 1 is not in the file" in report(second).runs[0].remarks[0]


def test_a_start_that_is_no_later_attempt_was_added() -> None:
    lines = talk()
    assert places([*lines[:4], lines[0], *lines[4:]]) == {"added": [5]}


def test_the_end_of_an_attempt_that_wrote_nothing_is_in_no_chain_and_is_no_fault() -> None:
    end = json.dumps({"v": 1, "seq": 1, "run": "r1", "ts": "2026-11-20T12:00:00.000Z", **LOST}).encode()
    told = report([*talk(3)[:-1], end])
    assert told.is_whole
    assert "line 5 (error) stands in no chain" in told.runs[0].remarks[-1]
    unchained = end.replace(b'"seq": 1', b'"seq": 5')
    assert places([*talk(3)[:-1], unchained]) == {"added": [5]}


def test_a_line_of_256_kib_pieces_pings_and_cut_lines_are_in_the_chain() -> None:
    lines = chained(
        {"type": "start", "worker": "w"},
        {"type": "delta", "text": "é" * MAX_LINE, "block": 1},
        {"type": "ping", "idle_ms": 10_000},
        {"type": "tool_result", "tool_use_id": "t", "status": "ok", "content": "x" * (3 * MAX_LINE)},
        {"type": "tool_result", "tool_use_id": "t", "status": "ok", "content": "y" * (MAX_LINE - 300)},
        {"type": "done", "text": "z" * MAX_LINE},
    )
    assert any(b"truncated_bytes" in line for line in lines)
    assert max(map(len, lines)) > MAX_LINE - 300
    assert not found(lines)
    for place, line in enumerate(lines[:-1]):
        changed = [*lines[:place], line.replace(b'"ts":"2', b'"ts":"3'), *lines[place + 1 :]]
        assert place + 1 in places(changed)["changed"]


def test_lines_of_no_chain_say_nothing_and_are_no_fault() -> None:
    plain = [line[:-1] for line in Encoder("r").lines({"type": "start"})]
    told = report(plain)
    assert (told.is_whole, told.is_chained) == (True, False)
    mixed = report(talk() + plain)
    assert (mixed.is_whole, mixed.is_chained, mixed.counted["chained"]) == (True, False, 1)
    assert not report([]).is_chained


def test_a_chain_whose_first_lines_lost_their_prev_is_found() -> None:
    lines = talk()
    lines[0] = lines[0][: lines[0].index(b',"prev"')] + b"}"
    assert places(lines)["changed"] == [1]


@pytest.mark.parametrize("line", [b"", b"{}", b"[]", b"not JSON", b'{"seq":2,"run":1}', b"\xff\xfe", b"[" * 100_000])
def test_what_is_no_event_was_added(line: bytes) -> None:
    lines = talk()
    assert places([*lines[:3], line, *lines[3:]])["added"] == [4]


def test_a_line_that_no_worker_writes_ends_the_reading() -> None:
    told = verify(itertools.chain([talk()[0] + b"\n"], [b"x" * (1 << 20)] * 4))
    assert "no worker writes one" in told.findings[-1].message


def test_a_file_is_read_in_pieces_of_any_size_and_may_lack_its_last_newline() -> None:
    data = b"\n".join(talk())
    told = verify(data[place : place + 7] for place in range(0, len(data), 7))
    assert told.is_whole
    assert told.runs[0].ended == "done"


def test_faults_without_end_are_counted_and_not_kept() -> None:
    lines = [line for number in range(700) for line in talk(1, run=f"r{number}")[1:]]
    told = report(lines)
    assert len(told.findings) <= 1000
    assert told.counted["findings"] >= 700


@pytest.mark.parametrize("anew", [lambda line: line + b"\r", lambda line: json.dumps(json.loads(line)).encode()])
def test_lines_that_were_written_anew_are_not_those_that_were_written(anew: Callable[[bytes], bytes]) -> None:
    told = report([anew(line) for line in talk()])
    assert told.is_chained
    assert {finding.what for finding in told.findings} == {"changed"}
    assert len(told.findings) >= 5


def test_what_is_remarked_of_a_run_has_an_end() -> None:
    attempts = [line for number in range(2, 200, 2) for line in talk(1, attempt=number)[:-1]]
    told = report(attempts)
    assert (told.runs[0].attempts, told.is_whole) == (99, True)
    assert len(told.runs[0].remarks) <= 20
