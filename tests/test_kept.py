"""What was made of files is made again as soon as one of them is another."""

import os
from pathlib import Path

import pytest

from agent_workers.kept import Kept
from agent_workers.skills.load import load
from agent_workers.skills.skill import INSTRUCTIONS
from tests.skills.making import make_skill


@pytest.fixture
def settled(monkeypatch: pytest.MonkeyPatch) -> None:
    """Takes files that were written just now for old ones."""
    monkeypatch.setattr("agent_workers.kept._SETTLED_NS", 0)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    file = tmp_path / "file"
    file.write_text("one")
    return file


class Made:
    """Counts how often something was made."""

    def __init__(self, *files: Path) -> None:
        self.count = 0
        self._files = files
        self._kept = Kept[str]()

    def get(self, key: str = "") -> str:
        return self._kept.get(key, self._files, self._make)

    def _make(self) -> str:
        self.count += 1
        return "".join(file.read_text() for file in self._files if file.exists())


@pytest.mark.usefixtures("settled")
def test_it_is_made_once_while_the_files_are_the_same(file: Path) -> None:
    made = Made(file)
    assert [made.get(), made.get(), made.get("other"), made.get("other")] == ["one"] * 4
    assert made.count == 2


@pytest.mark.usefixtures("settled")
def test_a_file_that_is_changed_replaced_removed_or_added_is_seen(file: Path, tmp_path: Path) -> None:
    made = Made(file, tmp_path / "second")
    found = [made.get()]
    file.write_text("two")
    found.append(made.get())
    (tmp_path / "new").write_text("six")
    os.utime(tmp_path / "new", ns=(0, file.stat().st_mtime_ns))
    (tmp_path / "new").replace(file)
    found.append(made.get())
    (tmp_path / "second").write_text("!")
    found.append(made.get())
    file.unlink()
    found.append(made.get())
    assert found == ["one", "two", "six", "six!", "!"]


def test_of_a_file_that_was_changed_just_now_nothing_is_kept(file: Path) -> None:
    made = Made(file)
    made.get()
    made.get()
    assert made.count == 2


@pytest.mark.usefixtures("settled")
def test_no_more_is_kept_than_fits(file: Path) -> None:
    made = Made(file)
    for number in range(100):
        made.get(str(number))
    made.get("99")
    assert made.count == 100
    made.get("0")
    assert made.count == 101


@pytest.mark.usefixtures("settled")
def test_a_skill_that_is_edited_is_another_for_the_next_run(tmp_path: Path) -> None:
    folder = make_skill(tmp_path)
    first = load(folder)
    assert load(folder) is first
    path = folder / INSTRUCTIONS
    path.write_text(path.read_text("utf-8") + "\nBe brief.\n", "utf-8")
    assert load(folder).instructions.endswith("Be brief.")
