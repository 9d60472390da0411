"""Which failed call is made again, and by whom."""

import pytest

from agent_workers.engine.messages.retries import Retries, most_retries
from agent_workers.errors import ApiError, AuthError, Overloaded, RateLimited, ServerError


def test_what_may_pass_is_tried_again_after_ever_longer_waits_and_not_for_ever() -> None:
    retries = Retries(6, [])
    delays = [retries.delay_ms(ServerError(), failures) or 0 for failures in range(1, 7)]
    for delay, usual in zip(delays, (500, 1000, 2000, 4000, 8000, 8000), strict=True):
        assert 0.75 * usual <= delay <= 1.25 * usual
    assert retries.delay_ms(ServerError(), 7) is None


def test_runs_that_failed_together_do_not_try_again_together() -> None:
    assert len({Retries(2, []).delay_ms(ServerError(), 1) for _ in range(50)}) > 5


def test_what_will_not_pass_is_not_tried_again() -> None:
    assert Retries(2, []).delay_ms(AuthError(), 1) is None


@pytest.mark.parametrize(("asked", "delay"), [(0, 0), (1, 1), (10_000, 10_000), (10_001, None), (10**9, None)])
def test_a_wait_that_the_api_asks_for_is_kept_unless_it_is_long(asked: int, delay: int | None) -> None:
    assert Retries(2, []).delay_ms(RateLimited(retry_after_ms=asked), 1) == delay


def test_models_answer_for_an_overloaded_one_in_a_row() -> None:
    retries = Retries(1, ["second", "third"])
    asked = [retries.fallback(Overloaded(), failures) for failures in (1, 2, 1, 2, 1, 2)]
    assert asked == [None, "second", None, "third", None, None]


@pytest.mark.parametrize("error", [RateLimited(), ServerError(), AuthError()])
def test_no_other_model_answers_for_another_failure(error: ApiError) -> None:
    assert Retries(0, ["second"]).fallback(error, 1) is None


@pytest.mark.parametrize(
    ("said", "most"),
    [("", 2), ("0", 0), ("10", 10), ("-1", 2), ("many", 2), ("1.5", 2), (" 3", 2), ("٣", 3), ("9" * 5000, 1000)],
)
def test_the_operator_says_how_often(said: str, most: int) -> None:
    assert most_retries({"CLAUDE_CODE_MAX_RETRIES": said}) == most
    assert most_retries({}) == 2
