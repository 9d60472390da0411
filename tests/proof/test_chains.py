"""Whatever is done to a chained transcript is found, and told with its line."""

from hypothesis import given
from hypothesis import strategies as st

from agent_workers.chain import head_of
from tests.proof.transcripts import chained, forged, found, places, report, talk

TALK = talk()
LAST = len(TALK)
HEAD = head_of(TALK[-1])
LINES = st.integers(0, LAST - 1)
FILE = b"".join(line + b"\n" for line in TALK)


def lines_of(data: bytes) -> list[bytes]:
    return data.removesuffix(b"\n").split(b"\n")


def test_what_was_written_is_whole_and_tells_its_head() -> None:
    told = report(TALK)
    assert told.is_whole
    assert told.is_chained
    assert [(run.run, run.lines, run.ended, run.head) for run in told.runs] == [("r1", LAST, "done", HEAD)]
    assert report(TALK, heads=(HEAD,)).runs[0].is_end_known


@given(st.integers(0, len(FILE) - 1), st.integers(1, 255))
def test_any_byte_that_was_changed_is_found_in_its_line_where_the_end_is_known(place: int, change: int) -> None:
    changed = FILE[:place] + bytes([FILE[place] ^ change]) + FILE[place + 1 :]
    line = FILE[: place + 1].removesuffix(b"\n").count(b"\n") + 1
    wrong = found(lines_of(changed), heads=(HEAD,))
    assert wrong
    if place == len(FILE) - 1:
        return  # the newline after the last line
    named = {finding.line for finding in wrong}
    assert line in named or (line == LAST and {finding.what for finding in wrong} >= {"end"})
    shifted = {line + 2, LAST + 1} if b"\n" in changed[place : place + 1] + FILE[place : place + 1] else set()
    assert named <= {line, line + 1, LAST} | shifted | ({LAST - 1} if line == LAST else set())


@given(st.integers(0, len(b"\n".join(TALK[:-1])) - 1), st.integers(1, 255))
def test_a_byte_before_the_last_line_needs_no_known_end(place: int, change: int) -> None:
    changed = FILE[:place] + bytes([FILE[place] ^ change]) + FILE[place + 1 :]
    assert FILE[: place + 1].removesuffix(b"\n").count(b"\n") + 1 in [wrong.line for wrong in found(lines_of(changed))]


@given(st.integers(0, LAST - 2))
def test_a_line_that_was_dropped_is_missed_before_the_one_that_followed_it(place: int) -> None:
    [wrong] = found(TALK[:place] + TALK[place + 1 :])
    assert (wrong.what, wrong.line, wrong.seq) == ("dropped", place + 1, place + 2)


@given(st.integers(0, LAST - 3), st.integers(1, LAST))
def test_lines_that_were_dropped_are_numbered(place: int, many: int) -> None:
    left = TALK[:place] + TALK[min(place + many, LAST - 1) :]
    [wrong] = found(left)
    assert (wrong.what, wrong.line) == ("dropped", place + 1)
    assert f"{min(place + many, LAST - 1)}" in wrong.message


@given(LINES, st.integers(0, LAST))
def test_a_copy_is_found_where_it_was_put(copied: int, place: int) -> None:
    wrong = places([*TALK[:place], TALK[copied], *TALK[place:]])
    if place > copied:
        assert wrong == {"added": [place + 1]}
    else:  # of the two the second may be taken for the copy, and the first for one that was moved
        assert {place + 1, copied + 2} & {line for lines in wrong.values() for line in lines}


@given(LINES, LINES)
def test_lines_that_changed_places_are_found(one: int, other: int) -> None:
    moved = list(TALK)
    moved[one], moved[other] = moved[other], moved[one]
    wrong = found(moved)
    assert bool(wrong) == (one != other)
    if one != other:
        assert min(one, other) + 1 in {each.line for each in wrong}
        assert {each.what for each in wrong} <= {"reordered", "dropped", "added"}


@given(st.integers(1, LAST - 1), st.booleans())
def test_a_line_that_was_put_in_is_named_though_it_names_the_one_before_it(place: int, names: bool) -> None:
    added = forged(place + 1, TALK[place - 1])
    added = added if names else added[: added.index(b',"prev"')] + b"}"
    assert places([*TALK[:place], added, *TALK[place:]]) == {"added": [place + 1]}


@given(st.integers(1, LAST - 2))
def test_a_line_that_replaces_another_was_changed(place: int) -> None:
    replaced = [*TALK[:place], forged(place + 1, TALK[place - 1]), *TALK[place + 1 :]]
    assert places(replaced) == {"changed": [place + 1]}


@given(st.integers(1, LAST - 1))
def test_an_end_that_was_cut_off_shows_by_the_known_head_alone(left: int) -> None:
    cut = TALK[:left]
    told = report(cut)
    assert told.is_whole
    assert "no terminal event" in told.runs[0].remarks[-1]
    assert places(cut, heads=(HEAD,)) == {"end": [left]}


def test_a_chain_that_was_made_anew_shows_by_the_known_head_alone() -> None:
    anew = chained({"type": "start", "worker": "agent-chat"}, {"type": "done", "text": "other"})
    assert not found(anew)
    assert [each.what for each in found(anew, heads=(HEAD,))] == ["end"]


def test_what_follows_the_known_end_was_added() -> None:
    longer = [*TALK, forged(LAST + 1, TALK[-1])]
    assert places(longer) == {"added": [LAST + 1]}
    assert places([*TALK[:4], forged(5, TALK[3])], heads=(head_of(TALK[3]),)) == {"end": [5]}


def test_a_last_line_or_the_one_before_was_changed_where_nobody_knows_the_end() -> None:
    last = TALK[-1].replace(TALK[-1][-10:-2], b"00000000")
    [wrong] = found([*TALK[:-1], last])
    assert (wrong.line, f"or the prev of line {LAST}" in wrong.message) == (LAST - 1, True)
    kept = [*TALK[:-2], TALK[-2].replace(b"word", b"Word"), TALK[-1]]
    [wrong] = found(kept, heads=(HEAD,))
    assert (wrong.line, " or " in wrong.message) == (LAST - 1, False)


def test_two_faults_far_apart_are_both_told() -> None:
    long = talk(200)
    long[20] = long[20].replace(b"word", b"Word")
    del long[100]
    assert places(long) == {"changed": [21], "dropped": [101]}
