"""What an answer tells of the account's limits."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest

from agent_workers.engine.messages.limits import REQUESTS, Bucket, buckets_of, retry_after_ms

NOW = 1000.0
HALF = Bucket(limit=50, left=20, at=NOW, full_at=NOW + 36, reset=36)
"""Of fifty a minute, of which thirty were used."""


def headers(limit: object, remaining: object, reset: str) -> dict[str, str]:
    prefix = "anthropic-ratelimit-requests-"
    return {f"{prefix}limit": f"{limit}", f"{prefix}remaining": f"{remaining}", f"{prefix}reset": reset}


def test_a_bucket_fills_steadily_until_it_is_full() -> None:
    assert [round(HALF.level(NOW + after, 1)) for after in (0, 6, 12, 36, 600)] == [20, 25, 30, 50, 50]


def test_of_what_is_not_trusted_less_counts_before_it_is_full() -> None:
    assert [round(HALF.level(NOW + after, 0.5)) for after in (0, 12, 36)] == [20, 25, 50]


def test_a_call_waits_for_what_it_needs_and_others_take_before_it() -> None:
    assert HALF.wait_s(1, 19, NOW, 1) == 0
    assert HALF.wait_s(1, 24, NOW, 1) == pytest.approx(6)
    assert HALF.wait_s(1, 24, NOW, 0.5) == pytest.approx(12)
    assert HALF.wait_s(1, 24, NOW, 0.001) == pytest.approx(36)


def test_a_call_that_needs_more_than_there_ever_is_waits_until_it_is_full() -> None:
    assert HALF.wait_s(900, 0, NOW, 1) == pytest.approx(36)
    assert HALF.wait_s(900, 0, NOW + 36, 1) == 0


def test_where_others_take_all_of_a_full_one_it_is_looked_at_again() -> None:
    assert HALF.wait_s(1, 60, NOW + 600, 1) > 0


def test_of_two_answers_that_one_knows_more_that_puts_off_when_it_is_full_or_else_knows_of_less() -> None:
    later, less = replace(HALF, left=30, reset=37), replace(HALF, left=19)
    found = [each.is_newer(HALF, NOW - 1) for each in (later, less, replace(HALF, left=21), HALF)]
    assert found == [True, True, False, False]
    assert not HALF.is_newer(later, NOW - 1)
    assert HALF.is_newer(later, NOW + 1)  # it was asked after that had come


def test_the_headers_of_an_answer_tell_it() -> None:
    in_a_while = datetime.now(UTC) + timedelta(seconds=30)
    [(kind, bucket)] = buckets_of(headers(50, 20, in_a_while.isoformat().replace("+00:00", "Z")), NOW)
    assert (kind, bucket.limit, bucket.left, bucket.at) == (REQUESTS, 50, 20, NOW)
    assert bucket.full_at == pytest.approx(NOW + 30, abs=1)


@pytest.mark.parametrize(
    "told",
    [
        {},
        headers(50, 20, "soon"),
        headers("many", 20, "2026-01-01T00:00:00Z"),
        headers(0, 0, "2026-01-01T00:00:00Z"),
        headers("nan", 0, "2026-01-01T00:00:00Z"),
        headers("inf", 0, "2026-01-01T00:00:00Z"),
        headers(50, "nan", "2026-01-01T00:00:00Z"),
        headers(50, 0, "0001-01-01T00:00:00"),
        {"anthropic-ratelimit-requests-limit": "50"},
    ],
)
def test_what_is_not_of_that_form_tells_nothing(told: dict[str, str]) -> None:
    assert not list(buckets_of(told, NOW))


@pytest.mark.parametrize(
    ("told", "after_ms"),
    [
        ({"retry-after": "2"}, 2000),
        ({"retry-after": "0.5"}, 500),
        ({"retry-after-ms": "30", "retry-after": "2"}, 30),
        ({"retry-after": "-1"}, 0),
        ({"retry-after": format_datetime(datetime(2020, 1, 1, tzinfo=UTC))}, 0),
        ({"retry-after": "1e300"}, 2**53 - 1),
        ({"retry-after": "later"}, None),
        ({"retry-after": "inf"}, None),
        ({"retry-after": "nan"}, None),
        ({"retry-after": "1e999"}, None),
        ({"retry-after": "Thu, 99 Foo 2026 99:99:99 GMT"}, None),
        ({}, None),
    ],
)
def test_a_refusal_may_say_how_long_to_wait(told: dict[str, str], after_ms: int | None) -> None:
    assert retry_after_ms(told) == after_ms
