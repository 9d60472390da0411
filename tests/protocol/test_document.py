"""Bytes off stdin, of any quality."""

import json
import time
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent_workers.protocol.document import MAX_VALUES, parse_json
from agent_workers.protocol.v1.problem import RequestProblems
from agent_workers.protocol.value import MAX_DEPTH

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
)


def refusal(data):
    with pytest.raises(RequestProblems) as refused:
        parse_json(data)
    return [(problem.pointer, problem.message) for problem in refused.value.problems]


def message(data):
    ((pointer, words),) = refusal(data)
    assert pointer == ""
    return words


@given(JSON)
def test_any_json_value_survives(value):
    assert parse_json(json.dumps(value).encode()) == value
    assert parse_json(json.dumps(value, ensure_ascii=False, indent=4).encode("utf-8", "replace")) is not Ellipsis


@given(st.binary())
def test_any_bytes_are_either_read_or_refused(data):
    with suppress(RequestProblems):
        parse_json(data)


@pytest.mark.parametrize("data", [b'{"a":1}', b'  {"a"\n:\t1}\r\n\n', b'\xef\xbb\xbf{"a":1}', b'\xef\xbb\xbf\n{"a":1}'])
def test_white_space_and_a_byte_order_mark_do_not_matter(data):
    assert parse_json(data) == {"a": 1}


@pytest.mark.parametrize("data", [b"", b" ", b"\n\r\n\t", b"\xef\xbb\xbf", b"\xef\xbb\xbf\n"])
def test_empty_input_is_answered_with_an_example(data):
    assert message(data) == "the input is empty; send a request, which is one JSON object: --help has examples"


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (
            b"Hello",
            "not valid JSON at line 1, column 1: a value is missing, or is not JSON; text stands in double quotes",
        ),
        (
            b"{'a': 1}",
            (
                "not valid JSON at line 1, column 2: "
                "a field name in double quotes is missing; JSON allows no comma after the last field"
            ),
        ),
        (b'{\n  "a": 1\n  "b": 2\n}', "not valid JSON at line 3, column 3: a comma or a closing bracket is missing"),
        (b'{"a": "b', "not valid JSON at line 1, column 7: the string that begins here has no closing quote"),
        (
            b'{"a": "\n"}',
            (
                "not valid JSON at line 1, column 8: a string contains a line break or another control character; "
                "write it as \\n or \\u…"
            ),
        ),
        (b'{"a" 1}', "not valid JSON at line 1, column 6: a colon is missing after the field name"),
        (
            rb'{"a": "C:\data"}',
            "not valid JSON at line 1, column 10: a string contains an unknown escape; write a backslash as \\\\",
        ),
        (rb'{"a": "\u12"}', "not valid JSON at line 1, column 9: \\u needs four hexadecimal digits"),
        (b'{"a": 1', "not valid JSON at line 1, column 8: a comma or a closing bracket is missing"),
        (
            b'{"\xc3\xbc": x}',
            "not valid JSON at line 1, column 7: a value is missing, or is not JSON; text stands in double quotes",
        ),
        (b'{"a":1}\n{"a":2}', "only one JSON document is allowed, but more follows at line 2, column 1"),
        (b'{"a": 1}}', "only one JSON document is allowed, but more follows at line 1, column 9"),
    ],
)
def test_a_syntax_error_has_a_line_and_a_column(data, words):
    assert message(data) == words


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b'{"a":"\xff"}', "byte 0xff at offset 6"),
        (b'\xef\xbb\xbf{"a":"\xff"}', "byte 0xff at offset 9"),
        (b"\xff\xfe{\x00", "byte 0xff at offset 0"),
        ('{"a":"ü"}'.encode("latin-1"), "byte 0xfc at offset 6"),
        (b'"\xed\xa0\x80"', "byte 0xed at offset 1"),
        (b'"\xc3', "byte 0xc3 at offset 1"),
    ],
)
def test_what_is_no_utf_8_is_named_with_its_offset(data, words):
    assert message(data) == f"the input is not UTF-8: {words}"


@pytest.mark.parametrize("name", ["NaN", "Infinity", "-Infinity"])
def test_constants_that_json_does_not_have_are_refused(name):
    assert message(f'{{"a":[{name}]}}'.encode()) == f"{name} is not valid JSON: send a number, or leave the field out"


def test_a_number_beyond_a_double_is_refused_and_shown_in_part():
    assert message(b"[1e400]") == "the number 1e400 is too large: it must fit a 64-bit floating-point number"
    assert (
        message(b"[-" + b"9" * 100_000 + b".5]")
        == f"the number -{'9' * 39} is too large: it must fit a 64-bit floating-point number"
    )


def test_a_whole_number_has_at_most_as_many_digits_as_fit_a_double():
    assert float(parse_json(b"-" + b"9" * 308)) == pytest.approx(-1e308)
    assert message(b"9" * 309) == "a number has 309 digits; at most 308 are allowed"
    assert message(b'{"a":-' + b"9" * 100_000 + b"}") == "a number has 100000 digits; at most 308 are allowed"


def test_nesting_is_allowed_down_to_the_limit():
    assert parse_json(b"[" * MAX_DEPTH + b"]" * MAX_DEPTH)
    assert parse_json(b'{"a":' * MAX_DEPTH + b"1" + b"}" * MAX_DEPTH)


@pytest.mark.parametrize("depth", [MAX_DEPTH + 1, 1000, 100_000, 1_000_000])
@pytest.mark.parametrize(("opening", "closing"), [(b"[", b"]"), (b'{"a":', b"}")])
def test_deeper_nesting_is_refused_closed_or_not(depth, opening, closing):
    words = f"the JSON is nested deeper than {MAX_DEPTH} levels"
    assert message(opening * depth + b"1" + closing * depth) == words
    if depth >= 100_000:
        assert message(opening * depth) == words


def test_a_name_that_stands_twice_is_refused_with_its_place():
    data = b'{"a":1,"b":[{"c":{"c":2},"c/d":3,"c/d":4}],"a":5,"a":6}'
    words = "appears more than once in its object; keep one of them"
    assert refusal(data) == [("/a", words), ("/b/0/c~1d", words)]


def test_a_name_that_stands_twice_in_a_value_that_is_itself_repeated_is_found():
    assert [pointer for pointer, _ in refusal(b'{"a":{"b":1,"b":2},"a":3}')] == ["/a"]


def test_many_repeated_names_are_counted():
    data = b"[" + b'{"a":1,"a":2},' * 60 + b"1]"
    found = refusal(data)
    assert len(found) == 51
    assert found[-1] == ("", "and 10 more problems")


@pytest.mark.parametrize(
    ("data", "value"),
    [
        (rb'"\ud800"', "\ufffd"),
        (rb'"a\udfffb"', "a\ufffdb"),
        (rb'"\udc00\ud800"', "\ufffd\ufffd"),
        (rb'"\ud83d\ude00"', "\U0001f600"),
        (rb'"\ud83d\ud83d\ude00"', "\ufffd\U0001f600"),
        (rb'"\\ud800"', "\\ud800"),
        (rb'[["\ud800"],{"\ud800":{"\udc00":"\ud800"}}]', [["\ufffd"], {"\ufffd": {"\ufffd": "\ufffd"}}]),
    ],
)
def test_lone_surrogates_are_replaced_wherever_they_stand(data, value):
    parsed = parse_json(data)
    assert parsed == value
    assert json.dumps(parsed, ensure_ascii=False).encode()


def test_names_that_become_the_same_by_that_are_names_that_stand_twice():
    assert refusal(rb'{"\ud800":1,"\udc00":2}') == [
        ("/\ufffd", "appears more than once in its object; keep one of them")
    ]


@pytest.mark.parametrize(
    "make",
    [
        lambda: b'{"prompt":"' + b"x" * 5_000_000 + b'"}',
        lambda: b'{"prompt":"' + rb"\ud800\/\"" * 500_000 + b'"}',
        lambda: b"[" + b"1," * 500_000 + b"1]",
        lambda: b"[" + b'{"a":1,"a":1},' * 50_000 + b"1]",
        lambda: b"[" * 5_000_000,
        lambda: b"9" * 5_000_000,
        lambda: b'"' + b"\xf0\x9f\x98\x80" * 1_000_000,
        lambda: b" " * 5_000_000,
        lambda: b'"' + rb"\"," * 3_000_000,
    ],
    ids=["long", "escapes", "many", "repeated", "deep", "digits", "unterminated", "blank", "quotes"],
)
def test_hostile_input_takes_seconds_at_most(make):
    data = make()
    begin = time.thread_time()
    with suppress(RequestProblems):
        parse_json(data)
    assert time.thread_time() - begin < 5


@pytest.mark.parametrize("item", [b"1", b"{}", b"[]", b'{"a":1}', b'"x"'])
def test_a_document_has_a_bounded_number_of_values(item):
    few = MAX_VALUES // 4
    assert len(parse_json(b"[" + b",".join([item] * few) + b"]")) == few
    assert message(b"[" + b",".join([item] * (MAX_VALUES + 1)) + b"]") == f"the JSON has more than {MAX_VALUES} values"


def test_what_stands_in_a_string_is_no_value():
    text = ',[{\\"' * MAX_VALUES
    assert parse_json(json.dumps({"a": text}).encode()) == {"a": text}


@pytest.mark.parametrize(
    "make",
    [
        lambda: b'{"prompt":"x",' + b",".join(b'"k%d":1' % number for number in range(2_000_000)) + b"}",
        lambda: b"{" * 3_000_000,
        lambda: b'{"a":1,' * 3_000_000,
        lambda: b'["' + b'","' * 3_000_000,
    ],
    ids=["names", "braces", "objects", "strings"],
)
def test_too_much_is_refused_before_it_is_decoded(make, monkeypatch):
    data = make()
    monkeypatch.setattr("json.loads", lambda *arguments, **options: pytest.fail("decoded"))
    assert refusal(data)
