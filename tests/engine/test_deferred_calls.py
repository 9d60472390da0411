"""Calls that wait for a decision: noted by this user, and believed of nobody else."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from agent_workers.engine.claude.questions.deferred_calls import DeferredCalls

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


def put_link(file: Path) -> None:
    file.rename(file.parent.parent / "other")
    file.symlink_to(file.parent.parent / "other")


def put_second_name(file: Path) -> None:
    (file.parent.parent / "other").hardlink_to(file)


def put_pipe(file: Path) -> None:
    file.unlink()
    os.mkfifo(file)


def give_away(file: Path) -> None:
    try:
        os.chown(file, 65534, -1)
    except PermissionError:
        pytest.skip("only root gives files away")


@pytest.mark.parametrize("put", [put_link, put_second_name, put_pipe, give_away])
def test_what_somebody_has_put_there_is_no_note(
    calls: DeferredCalls, tmp_path: Path, put: Callable[[Path], None]
) -> None:
    put(noted(calls, tmp_path))
    assert not calls.claim("toolu_1")
    with pytest.raises(OSError):  # noqa: PT011 whatever is there, it is not written to
        calls.note("toolu_1")
