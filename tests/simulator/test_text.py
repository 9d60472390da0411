"""How texts are generated and cut."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent_workers.simulator.text import numbers, pieces, prose

ANY_TEXT = st.text(st.characters(categories=None))
CUTS = st.one_of(st.sampled_from(["word", "character", "whole"]), st.integers(1, 5))


def as_utf16(parts: list[str]) -> bytes:
    return b"".join(part.encode("utf-16-le", "surrogatepass") for part in parts)


@given(text=ANY_TEXT, cut=CUTS)
def test_the_pieces_of_any_text_make_up_the_text(text, cut):
    assert as_utf16(pieces(text, cut)) == as_utf16([text])


@given(text=ANY_TEXT, cut=CUTS)
def test_no_piece_is_empty(text, cut):
    assert all(pieces(text, cut))


@pytest.mark.parametrize(
    ("cut", "expected"),
    [
        ("word", ["a ", "😀 ", "c"]),
        ("character", ["a", " ", "😀", " ", "c"]),
        ("whole", ["a 😀 c"]),
        (1, ["a", " ", "\ud83d", "\ude00", " ", "c"]),
        (3, ["a \ud83d", "\ude00 c"]),
    ],
)
def test_a_text_is_cut_where_the_scenario_says(cut, expected):
    assert pieces("a 😀 c", cut) == expected


def test_prose_has_the_wanted_number_of_words():
    assert len(prose(2000).split()) == 2000


def test_numbers_count_up_to_the_last():
    assert numbers(4) == "1 2 3 4"
    assert numbers(0) == ""
