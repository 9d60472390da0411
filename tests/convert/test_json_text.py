"""JSON in frames: the same bytes in Python and PHP, and the same values for JavaScript."""

import json
import math
import struct
import subprocess

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent_workers.convert import NotAnEvent, read_event
from agent_workers.convert.json_text import json_text
from tests.waiting import PATIENCE_S

HEAD = b'{"v":1,"seq":1,"run":"r","ts":"t","type":"x"'


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (1.0, "1"),
        (-0.0, "0"),
        (1e-5, "0.00001"),
        (1e-7, "1e-7"),
        (123e18, "123000000000000000000"),
        (1e21, "1e+21"),
        (1.5e300, "1.5e+300"),
        (0.1 + 0.2, "0.30000000000000004"),
        (math.inf, "null"),
        (2**63 - 1, "9223372036854775807"),
        (True, "true"),
        ({}, "{}"),
        ([], "[]"),
        ("a/b\x7fé😀\u2028", '"a/b\\u007f\\u00e9\\ud83d\\ude00\\u2028"'),
        ("half \ud83d of a pair", '"half \\ufffd of a pair"'),
        ({"\0name": 1, "": 2}, '{"\\ufffdname":1,"":2}'),
    ],
)
def test_a_value_is_written_as_the_rule_says(value: object, text: str) -> None:
    assert json_text(value) == text


@given(st.recursive(st.none() | st.booleans() | st.floats(allow_nan=False, allow_infinity=False) | st.text(), st.lists))
def test_what_is_written_is_read_as_the_same_value(value: object) -> None:
    assert json.loads(json_text(value), parse_int=float) == value


def test_numbers_are_written_as_javascript_writes_them() -> None:
    bits = [n * 0x9E3779B97F4A7C15 % 2**64 for n in range(20_000)]
    floats = [
        value for (value,) in (struct.unpack("d", struct.pack("Q", each)) for each in bits) if math.isfinite(value)
    ]
    floats += [sign * m * 10.0**e for sign in (1, -1) for m in (1.0, 1.5, 9.999999) for e in range(-12, 25)]
    script = "process.stdout.write(JSON.stringify(JSON.parse(require('fs').readFileSync(0, 'utf8'))))"
    given_json = json.dumps(floats)
    said = subprocess.run(
        ["node", "-e", script], input=given_json, capture_output=True, text=True, timeout=PATIENCE_S, check=True
    )
    assert json_text(floats) == said.stdout


@pytest.mark.parametrize(
    ("digits", "text"),
    [
        (b"9223372036854775807", "9223372036854775807"),
        (b"9223372036854775808", "9223372036854776000"),
        (b"-9223372036854775809", "-9223372036854776000"),
        (b"1" * 5000, "null"),
    ],
    ids=["fits", "too large", "too small", "far too large"],
)
def test_a_whole_number_beyond_64_bits_becomes_a_double(digits: bytes, text: str) -> None:
    event = read_event(HEAD + b',"n":' + digits + b"}")
    assert json_text(event.fields["n"]) == text


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        (b"Hello", "it is not JSON"),
        (b"\xff{}", "it is not JSON"),
        (b"[" * 100_000, "it is nested deeper than 511 levels"),
        (b"[]", "it is not a JSON object"),
        (b'{"type":"delta"}', "the field v is missing or of a wrong type"),
        (HEAD.replace(b'"seq":1', b'"seq":true') + b"}", "the field seq is missing or of a wrong type"),
        (HEAD.replace(b'"v":1', b'"v":2') + b"}", "it is of version 2 of the contract, not 1"),
    ],
    ids=["text", "no UTF-8", "deep", "a list", "no envelope", "a wrong number", "another version"],
)
def test_a_line_that_is_no_event_is_refused_with_the_reason(line: bytes, reason: str) -> None:
    with pytest.raises(NotAnEvent, match=f"^{reason}$"):
        read_event(line)
