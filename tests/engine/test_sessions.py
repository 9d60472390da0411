"""Who may take hold of a session, and until when."""

import os
import select
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from uuid import uuid4

import pytest

from agent_workers.engine.host import session_lock, session_record
from agent_workers.engine.host.record_watch import RecordWatch
from agent_workers.engine.host.session_record import Binding
from agent_workers.engine.host.sessions import Lease, engine_of, take_lease
from agent_workers.errors import SessionBusy, SessionExists, SessionNotFound, StateUnavailable
from agent_workers.protocol.v1.settings import NewSession, ResumeSession
from tests.engine.foreign_files import FOREIGN
from tests.waiting import PATIENCE_S

ADAS = Binding("agent-chat", None, "ada")


@pytest.fixture
def begun(tmp_path: Path) -> Iterator[Lease]:
    """A session of Ada's, which a run is at work in."""
    lease = take_lease(None, tmp_path, ADAS)
    yield lease
    lease.release()


def resume(lease: Lease, folder: Path, binding: Binding = ADAS, *, fork: bool = False) -> Lease:
    return take_lease(ResumeSession(resume=lease.session_id, fork=fork), folder, binding)


def test_a_session_is_held_until_the_last_process_that_inherited_it_has_ended(begun: Lease, tmp_path: Path) -> None:
    assert begun.descriptor is not None
    agent = subprocess.Popen(["cat"], stdin=subprocess.PIPE, pass_fds=[begun.descriptor])
    begun.release()
    with pytest.raises(SessionBusy):
        resume(begun, tmp_path)
    agent.communicate(timeout=PATIENCE_S)
    resume(begun, tmp_path).release()


def test_a_run_that_has_told_its_end_is_waited_for_and_no_longer_than_it_may_take(
    begun: Lease, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun.announce_end()
    monkeypatch.setattr(session_lock, "_PATIENCE_S", 0.1)
    with pytest.raises(SessionBusy):
        resume(begun, tmp_path)
    monkeypatch.setattr(session_lock.time, "sleep", lambda seconds: begun.release())
    again = resume(begun, tmp_path)
    with pytest.raises(SessionBusy):
        resume(begun, tmp_path)  # this one is at work again
    again.release()


@pytest.mark.parametrize("fork", [False, True])
@pytest.mark.parametrize(
    "other",
    [
        Binding("agent-task", None, "ada"),
        Binding("agent-chat", "/srv", "ada"),
        Binding("agent-chat", None, None),
        Binding("agent-chat", None, ""),
        Binding("agent-chat", None, "\ud800"),
    ],
    ids=str,
)
def test_another_binding_finds_nothing_whether_a_run_is_at_work_or_not(
    begun: Lease, tmp_path: Path, other: Binding, fork: bool
) -> None:
    for _ in range(2):
        with pytest.raises(SessionNotFound):
            resume(begun, tmp_path, other, fork=fork)
        begun.release()


@pytest.mark.parametrize("owner", ["", "\ud800", "\U0001f600" * 256, '"}', "\n"])
def test_an_owner_of_any_characters_finds_the_session_again(tmp_path: Path, owner: str) -> None:
    binding = Binding("agent-task", "/srv/" + "\u00e4" * 4000, owner)
    begun = take_lease(None, tmp_path, binding)
    begun.release()
    resume(begun, tmp_path, binding).release()


def test_a_fork_holds_a_session_of_its_own(begun: Lease, tmp_path: Path) -> None:
    fork = resume(begun, tmp_path, fork=True)
    assert fork.session_id != begun.session_id
    fork.release()
    resume(fork, tmp_path).release()


def test_no_file_and_no_flag_has_the_id_that_resumes(begun: Lease, tmp_path: Path) -> None:
    fork = resume(begun, tmp_path, fork=True)
    fork.release()
    seen = " ".join([begun.agent_id, fork.agent_id, str(fork.resumes), *map(str, tmp_path.iterdir())])
    seen += "".join(path.read_text() for path in tmp_path.iterdir())
    assert begun.session_id not in seen
    assert fork.session_id not in seen


def test_an_id_is_taken_by_the_first_who_begins_with_it(tmp_path: Path) -> None:
    session = NewSession(id=str(uuid4()))
    first = take_lease(session, tmp_path, ADAS)
    with pytest.raises(SessionBusy):
        take_lease(session, tmp_path, ADAS)
    first.release()
    with pytest.raises(SessionExists):
        take_lease(session, tmp_path, Binding("agent-chat", None, "bob"))


def test_who_finds_a_session_busy_is_told_for_how_long(
    begun: Lease, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert _told(begun, tmp_path) < PATIENCE_S * 1000
    begun.release()
    began = session_record._now_ms() - 60_000
    monkeypatch.setattr(session_record, "_now_ms", lambda: began)
    again = resume(begun, tmp_path)
    monkeypatch.undo()
    assert 60_000 <= _told(begun, tmp_path) < 60_000 + PATIENCE_S * 1000
    again.release()
    resume(begun, tmp_path).release()


def _told(begun: Lease, folder: Path) -> int:
    with pytest.raises(SessionBusy) as busy:
        resume(begun, folder)
    assert busy.value.busy_ms is not None
    assert f"for {busy.value.busy_ms / 1000:.1f} s" in str(busy.value.cause)
    return busy.value.busy_ms


@pytest.mark.parametrize("since", ["", "12", "x" * 16 + "\n", f"{2**52}\n"], ids=["older", "cut", "none", "later"])
def test_a_time_that_is_not_known_is_not_told(begun: Lease, tmp_path: Path, since: str) -> None:
    record = tmp_path / begun.agent_id
    record.write_text(record.read_text("utf-8").splitlines()[0] + "\n" + since, "utf-8")
    with pytest.raises(SessionBusy) as busy:
        resume(begun, tmp_path)
    assert (busy.value.busy_ms, busy.value.cause) == (None, None)
    begun.release()
    again = resume(begun, tmp_path)
    assert _told(begun, tmp_path) < PATIENCE_S * 1000
    again.release()


def test_for_how_long_a_session_is_busy_is_not_told_to_others(begun: Lease, tmp_path: Path) -> None:
    with pytest.raises(SessionBusy) as busy:
        take_lease(NewSession(id=begun.session_id), tmp_path, Binding("agent-chat", None, "bob"))
    assert busy.value.busy_ms is None


def test_an_id_whose_run_did_not_begin_is_free_again(tmp_path: Path) -> None:
    session = NewSession(id=str(uuid4()))
    take_lease(session, tmp_path, ADAS).abandon()
    assert list(tmp_path.iterdir()) == []
    bobs = Binding("agent-chat", None, "bob")
    take_lease(session, tmp_path, bobs).release()
    with pytest.raises(SessionNotFound):
        take_lease(ResumeSession(resume=session.id), tmp_path, ADAS)


def test_a_session_that_exists_outlives_a_run_that_did_not_begin(begun: Lease, tmp_path: Path) -> None:
    begun.release()
    resume(begun, tmp_path).abandon()
    resume(begun, tmp_path).release()


def test_a_lease_that_was_let_go_touches_no_other_file(begun: Lease, tmp_path: Path) -> None:
    begun.release()
    with (tmp_path / "other").open("w+") as other:
        begun.announce_end()
        begun.release()
        assert os.fstat(other.fileno()).st_size == 0


def test_a_record_that_cannot_be_written_is_the_operators_matter(tmp_path: Path) -> None:
    with pytest.raises(StateUnavailable):
        take_lease(None, tmp_path / "missing", ADAS)


@pytest.mark.parametrize("put", FOREIGN)
def test_what_somebody_has_put_in_the_place_of_a_record_is_none(
    begun: Lease, tmp_path: Path, put: Callable[[Path], None]
) -> None:
    begun.release()
    put(tmp_path / begun.agent_id)
    assert engine_of(ResumeSession(resume=begun.session_id), tmp_path) is None
    for fork in (False, True):
        with pytest.raises(SessionNotFound):
            resume(begun, tmp_path, fork=fork)
    with pytest.raises(StateUnavailable):
        take_lease(NewSession(id=begun.session_id), tmp_path, ADAS)


def test_a_record_is_not_begun_where_a_link_leads_to(tmp_path: Path) -> None:
    chosen = NewSession(id="3f2b8c1e-5d0a-4c77-9a51-0e6f6b1f2d34")
    lease = take_lease(chosen, tmp_path, ADAS)
    lease.abandon()
    (tmp_path / lease.agent_id).symlink_to(tmp_path / "elsewhere")
    with pytest.raises(StateUnavailable):
        take_lease(chosen, tmp_path, ADAS)
    assert not (tmp_path / "elsewhere").exists()


def test_an_agent_that_waits_gives_its_session_up_to_whoever_asks_for_it(
    begun: Lease, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun.offer()
    assert begun.descriptor is not None
    watch = RecordWatch(begun.descriptor)
    assert watch.descriptor is not None
    told: list[bool] = []

    def give_up(seconds: float) -> None:
        assert select.select([watch.descriptor], [], [], PATIENCE_S)[0]  # whoever waits is told at once
        told.append(begun.is_wanted)
        begun.release()

    assert not begun.is_wanted
    monkeypatch.setattr(session_lock.time, "sleep", give_up)
    again = resume(begun, tmp_path)
    monkeypatch.undo()
    assert told == [True]
    watch.close()
    with pytest.raises(SessionBusy):
        resume(begun, tmp_path)  # this one is at work
    again.release()


def test_an_agent_that_waits_keeps_its_session_for_its_own_next_run(begun: Lease, tmp_path: Path) -> None:
    begun.offer()
    resume(begun, tmp_path, fork=True).release()  # a copy takes nothing away
    assert not begun.is_wanted
    begun.go_on()
    with pytest.raises(SessionBusy):
        resume(begun, tmp_path)
    begun.release()
    resume(begun, tmp_path).release()


def test_an_agent_whose_session_was_removed_does_not_go_on_with_it(begun: Lease, tmp_path: Path) -> None:
    begun.offer()
    assert begun.descriptor is not None
    watch = RecordWatch(begun.descriptor)
    (tmp_path / begun.agent_id).unlink()
    assert watch.descriptor is not None
    assert select.select([watch.descriptor], [], [], PATIENCE_S)[0]
    assert begun.is_wanted
    watch.clear()
    assert not select.select([watch.descriptor], [], [], 0)[0]
    watch.close()


def test_a_session_that_nobody_gives_up_is_busy(begun: Lease, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    begun.offer()
    monkeypatch.setattr(session_lock, "_PATIENCE_S", 0.1)
    for _ in range(2):
        with pytest.raises(SessionBusy):
            resume(begun, tmp_path)
