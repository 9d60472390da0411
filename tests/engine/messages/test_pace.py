"""How fast calls go to the API, on a clock that moves only when something waits."""

from collections.abc import Iterator
from datetime import UTC, datetime
from email.utils import format_datetime
from types import SimpleNamespace

import pytest

from agent_workers.engine.messages import pace
from agent_workers.engine.messages.pace import Pace, retry_after_ms

NOW = 1_800_000_000.0


class Clock:
    """Seconds since the test began."""

    def __init__(self) -> None:
        self.now = 0.0

    async def sleep(self, seconds: float) -> None:
        self.now += seconds


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Iterator[Clock]:
    clock = Clock()
    times = SimpleNamespace(monotonic=lambda: 1000 + clock.now, time=lambda: NOW + clock.now)
    monkeypatch.setattr(pace, "time", times)
    monkeypatch.setattr(pace, "awake", clock)
    return clock


def told(clock: Clock, kind: str, *, limit: int, left: int, full_in_s: float) -> dict[str, str]:
    """What an answer says of a limit."""
    reset = datetime.fromtimestamp(NOW + clock.now + full_in_s, UTC).isoformat().replace("+00:00", "Z")
    values = {"limit": limit, "remaining": left, "reset": reset}
    return {f"anthropic-ratelimit-{kind}-{name}": str(value) for name, value in values.items()}


async def begun(pace: Pace, clock: Clock, calls: int) -> list[float]:
    """When each of some calls begins, one after the other."""
    times = []
    for _ in range(calls):
        await pace.wait()
        times.append(round(clock.now, 2))
    return times


@pytest.mark.anyio
async def test_nothing_waits_before_anything_is_known(clock: Clock) -> None:
    assert await begun(Pace(), clock, 3) == [0, 0, 0]


@pytest.mark.anyio
async def test_calls_begin_as_fast_as_the_limit_fills_up_and_no_slower(clock: Clock) -> None:
    pace = Pace()
    pace.note(told(clock, "requests", limit=60, left=2, full_in_s=58))  # one a second
    assert await begun(pace, clock, 6) == [0, 0, 1, 2, 3, 4]


@pytest.mark.anyio
async def test_what_has_filled_up_while_nothing_was_asked_need_not_be_waited_for(clock: Clock) -> None:
    pace = Pace()
    pace.note(told(clock, "requests", limit=60, left=0, full_in_s=60))
    clock.now += 10
    assert await begun(pace, clock, 12) == [10] * 10 + [11, 12]


@pytest.mark.anyio
async def test_places_that_are_taken_at_once_are_one_behind_the_other(clock: Clock) -> None:
    pace = Pace()
    pace.note(told(clock, "requests", limit=60, left=1, full_in_s=59))
    assert [round(pace.place_s(), 2) for _ in range(4)] == [0, 1, 2, 3]


@pytest.mark.anyio
async def test_an_answer_that_knows_of_less_counts_and_one_that_knows_of_more_does_not(clock: Clock) -> None:
    pace = Pace()
    pace.note(told(clock, "requests", limit=60, left=30, full_in_s=30))
    pace.note(told(clock, "requests", limit=60, left=1, full_in_s=59))
    pace.note(told(clock, "requests", limit=60, left=30, full_in_s=30))  # it was overtaken
    assert await begun(pace, clock, 3) == [0, 1, 2]


@pytest.mark.anyio
async def test_what_was_told_is_forgotten_once_the_limit_is_full_again(clock: Clock) -> None:
    pace = Pace()
    pace.note(told(clock, "requests", limit=60, left=0, full_in_s=60))
    clock.now += 61
    pace.note(told(clock, "requests", limit=60, left=59, full_in_s=1))
    assert await begun(pace, clock, 50) == [61] * 50


@pytest.mark.anyio
@pytest.mark.parametrize("kind", ["input-tokens", "output-tokens", "tokens"])
async def test_tokens_are_guessed_from_the_calls_before(clock: Clock, kind: str) -> None:
    pace = Pace()
    for _ in range(50):
        pace.note_usage(500, 500)
    needed = 1000 if kind == "tokens" else 500
    pace.note(told(clock, kind, limit=60 * needed, left=needed, full_in_s=59))
    assert await begun(pace, clock, 3) == [0, 1, 2]


@pytest.mark.anyio
async def test_after_a_refusal_nothing_begins_before_the_time_that_was_named_also_what_waits_already(
    clock: Clock,
) -> None:
    pace = Pace()
    pace.note(told(clock, "requests", limit=60, left=0, full_in_s=60))

    async def sleep(seconds: float) -> None:
        pace.note_refusal(5000) if not pace.refused else None
        clock.now += seconds

    clock.sleep = sleep  # type: ignore[method-assign]
    assert await begun(pace, clock, 1) == [5]
    pace.note_refusal(None)
    assert pace.refused == 2


@pytest.mark.anyio
async def test_no_call_waits_for_ever(clock: Clock) -> None:
    pace = Pace()
    pace.note(told(clock, "requests", limit=1, left=0, full_in_s=10**6))
    pace.note_refusal(10**9)
    await pace.wait()
    assert clock.now == 60


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"anthropic-ratelimit-requests-limit": "60"},
        {f"anthropic-ratelimit-requests-{name}": "many" for name in ("limit", "remaining", "reset")},
        {f"anthropic-ratelimit-requests-{name}": "0" for name in ("limit", "remaining", "reset")},
        {f"anthropic-ratelimit-requests-{name}": "nan" for name in ("limit", "remaining", "reset")},
        {
            "anthropic-ratelimit-requests-limit": "nan",
            "anthropic-ratelimit-requests-remaining": "inf",
            "anthropic-ratelimit-requests-reset": "2026-11-26T16:00:00Z",
        },
        {
            "anthropic-ratelimit-requests-limit": "60",
            "anthropic-ratelimit-requests-remaining": "0",
            "anthropic-ratelimit-requests-reset": "0001-01-01T00:00:00",
        },
    ],
)
def test_what_cannot_be_read_of_a_limit_slows_nothing(clock: Clock, headers: dict[str, str]) -> None:
    pace = Pace()
    pace.note(headers)
    assert [pace.place_s() for _ in range(3)] == [0, 0, 0]


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        ({}, None),
        ({"retry-after": "7"}, 7000),
        ({"retry-after": "0.5"}, 500),
        ({"retry-after": "-3"}, 0),
        ({"retry-after": "soon"}, None),
        ({"retry-after": "inf"}, None),
        ({"retry-after": "nan"}, None),
        ({"retry-after-ms": "120", "retry-after": "7"}, 120),
        ({"retry-after": format_datetime(datetime.fromtimestamp(NOW + 30, UTC), usegmt=True)}, 30_000),
        ({"retry-after": format_datetime(datetime.fromtimestamp(NOW - 30, UTC), usegmt=True)}, 0),
        ({"retry-after": "Thu, 99 Foo 2026 99:99:99 GMT"}, None),
        ({"retry-after": "1e999"}, None),
    ],
)
def test_the_time_to_wait_is_read_as_seconds_milliseconds_or_a_date(
    clock: Clock, headers: dict[str, str], expected: int | None
) -> None:
    assert retry_after_ms(headers) == expected
