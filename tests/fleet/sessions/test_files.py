"""The files of a conversation mean the same on another machine, and nothing but a conversation is put in place."""

import json
import os
import stat
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from agent_workers.client.session_bundle import Bundle, pack, unpack
from agent_workers.client.session_files import SessionFiles
from agent_workers.engine.host.session_record import Binding
from agent_workers.engine.host.sessions import agent_id_of, take_lease
from agent_workers.errors import SessionBusy, SessionDamaged, StateUnavailable
from agent_workers.protocol.v1.settings import NewSession
from tests.waiting import PATIENCE_S

SESSION = "00000000-0000-4000-8000-000000000001"
AGENT_ID = agent_id_of(SESSION)
CHAT: dict[str, Any] = {"worker": "agent-chat", "cwd": None, "owner": "ada", "engine": "agent"}
LINE = b'{"type":"user"}\n'


def files_at(root: Path) -> SessionFiles:
    root.mkdir(exist_ok=True)
    return SessionFiles({"HOME": str(root), "AGENT_WORKERS_STATE_DIR": str(root / "state"), "PATH": os.environ["PATH"]})


def bundle(**changed: Any) -> bytes:
    return pack(
        Bundle(AGENT_ID, {**CHAT, **changed.pop("binding", {})}, {"transcript": LINE, **changed.pop("files", {})})
    )


def test_what_was_put_in_place_is_taken_as_it_was(tmp_path: Path) -> None:
    files = files_at(tmp_path)
    for data in (bundle(), bundle(files={"file-history/a/b@v1": b"x", "beside/sub/c.jsonl": LINE}), bundle()):
        files.install(SESSION, data)
        assert files.export(SESSION) == data
    for data in (
        bundle(binding={"engine": "messages"}),
        bundle(binding={"worker": "agent-task", "cwd": str(tmp_path)}),
    ):
        files.install(SESSION, data)
        assert files.export(SESSION) == data
    everything = [path for path in (tmp_path / "state").rglob("*") if path.is_file()]
    assert len(everything) == 2, "of another engine or directory nothing is left"
    assert {stat.S_IMODE(path.stat().st_mode) for path in everything} == {0o600}
    assert {stat.S_IMODE(path.stat().st_mode) for path in (tmp_path / "state").rglob("*") if path.is_dir()} == {0o700}


def test_a_line_that_is_being_written_is_not_taken(tmp_path: Path) -> None:
    files = files_at(tmp_path)
    files.install(SESSION, bundle())
    located = files.locate(SESSION)
    assert located
    with located.files["transcript"].open("ab") as transcript:
        transcript.write(b'{"type":"ass')
    assert files.export(SESSION) == bundle()


def test_a_session_that_is_removed_is_nowhere_any_more(tmp_path: Path) -> None:
    files = files_at(tmp_path)
    files.remove(SESSION)
    files.install(SESSION, bundle(files={"tasks/1.json": b"{}"}))
    files.remove(SESSION)
    assert (files.locate(SESSION), files.export(SESSION), files.mark(SESSION)) == (None, None, None)
    assert not [path for path in (tmp_path / "state").rglob("*") if path.is_file()]


def test_a_session_that_is_being_written_is_not_replaced(tmp_path: Path) -> None:
    files = files_at(tmp_path)
    files.install(SESSION, bundle())
    files.remove(SESSION)
    lease = take_lease(NewSession(id=SESSION), tmp_path / "state/sessions", Binding(**CHAT))
    try:
        for change in (lambda: files.install(SESSION, bundle()), lambda: files.remove(SESSION)):
            with pytest.raises(SessionBusy):
                change()
    finally:
        lease.release()


@pytest.mark.parametrize(
    "name",
    [
        "../x",
        "beside/../../x",
        "/etc/passwd",
        "beside//x",
        "beside/.",
        "credentials",
        "beside",
        "",
        "a\0b",
        "projects/x",
    ],
)
def test_a_name_that_lies_elsewhere_is_refused(tmp_path: Path, name: str) -> None:
    files = files_at(tmp_path)
    with pytest.raises(SessionDamaged):
        files.install(SESSION, bundle(files={name: b"x"}))
    assert files.locate(SESSION) is None


@pytest.mark.parametrize("worker", ["../../x", "a/b", "", ".", "x\0"])
def test_a_worker_that_leads_elsewhere_is_refused(tmp_path: Path, worker: str) -> None:
    with pytest.raises(SessionDamaged):
        files_at(tmp_path).install(SESSION, bundle(binding={"worker": worker}))


def test_bytes_that_were_changed_anywhere_are_refused() -> None:
    whole = bundle(files={"tasks/1.json": b"{}"})
    assert unpack(whole, AGENT_ID).files == {"transcript": LINE, "tasks/1.json": b"{}"}
    broken = [
        whole[:-1],
        whole + b"x",
        whole.replace(b"user", b"usex"),
        b"",
        b"null\n",
        b"[]\n",
        b"{}\n",
        b"[" * 100000,
    ]
    for data in broken:
        with pytest.raises(SessionDamaged):
            unpack(data, AGENT_ID)
    with pytest.raises(SessionDamaged):
        unpack(whole, agent_id_of("00000000-0000-4000-8000-000000000002"))


def test_links_are_neither_followed_nor_written_through(tmp_path: Path) -> None:
    files = files_at(tmp_path / "one")
    files.install(SESSION, bundle(files={"beside/a": b"x"}))
    located = files.locate(SESSION)
    assert located
    secret = tmp_path / "secret"
    secret.write_text("key", "utf-8")
    beside = located.files["beside/a"]
    beside.unlink()
    beside.symlink_to(secret)
    taken = files.export(SESSION)
    assert taken == bundle()
    with pytest.raises(StateUnavailable):
        files.install(SESSION, bundle(files={"beside/a": b"x"}))
    with pytest.raises(StateUnavailable):
        files.install(SESSION, bundle(files={"beside/a": b"x", "beside/deep/er": b"x"}))
    assert secret.read_text("utf-8") == "key"
    beside.unlink()
    beside.parent.rmdir()
    beside.parent.symlink_to(tmp_path)
    with pytest.raises(StateUnavailable):
        files.install(SESSION, bundle(files={"beside/deep/secret": b"x"}))
    assert not (tmp_path / "deep").exists()
    assert secret.read_text("utf-8") == "key"


def test_a_call_that_waits_for_a_decision_waits_on_the_other_machine_only(tmp_path: Path) -> None:
    here, there = files_at(tmp_path / "here"), files_at(tmp_path / "there")
    call = "toolu_1"
    line = json.dumps({"message": {"content": [{"type": "tool_use", "id": call}]}}).encode() + b"\n"
    task = {"worker": "agent-task", "cwd": str(tmp_path)}
    here.install(SESSION, bundle(binding=task, files={"transcript": line}))
    program = "import sys; from pathlib import Path; from agent_workers.engine.claude.questions.deferred_calls import *"
    note = f"{program}; DeferredCalls(Path(sys.argv[1]), sys.argv[2]).note(sys.argv[3])"
    claim = f"{program}; print(DeferredCalls(Path(sys.argv[1]), sys.argv[2]).claim(sys.argv[3]))"

    def calls(what: str, where: str) -> str:
        command = [sys.executable, "-c", what, str(tmp_path / where / "state/pending"), str(tmp_path), call]
        return subprocess.run(command, check=True, capture_output=True, text=True, timeout=PATIENCE_S).stdout.strip()

    calls(note, "here")
    waiting = here.export(SESSION)
    assert waiting
    there.install(SESSION, waiting)
    assert calls(claim, "there") == "True"
    carried = there.export(SESSION)
    assert carried
    assert carried != waiting
    here.install(SESSION, carried)
    assert calls(claim, "here") == "False"
