"""Calls that wait for a decision: noted by this user, and believed of nobody else."""

from collections.abc import Callable
from pathlib import Path

import pytest

from agent_workers.engine.claude.questions.deferred_calls import DeferredCalls
from tests.engine.foreign_files import FOREIGN

CWD = "/srv/work"


@pytest.fixture
def calls(tmp_path: Path) -> DeferredCalls:
    return DeferredCalls(tmp_path / "pending", CWD)


def noted(calls: DeferredCalls, folder: Path) -> Path:
    calls.note("toolu_1")
    [file] = (folder / "pending").iterdir()
    return file


def test_a_call_is_claimed_once_and_where_it_was_made(calls: DeferredCalls, tmp_path: Path) -> None:
    calls.note("toolu_1")
    calls.note("toolu_1")
    assert not DeferredCalls(tmp_path / "pending", "/srv").claim("toolu_1")
    assert [calls.claim("toolu_1") for _ in range(2)] == [True, False]


@pytest.mark.parametrize("put", FOREIGN)
def test_what_somebody_has_put_there_is_no_note(
    calls: DeferredCalls, tmp_path: Path, put: Callable[[Path], None]
) -> None:
    put(noted(calls, tmp_path))
    assert not calls.claim("toolu_1")
    with pytest.raises(OSError):  # noqa: PT011 whatever is there, it is not written to
        calls.note("toolu_1")
