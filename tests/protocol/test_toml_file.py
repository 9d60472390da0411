"""An operator's TOML file: each fault is told with its line."""

from pathlib import Path

import pytest

from agent_workers.protocol.toml_file import Unreadable, read_toml
from agent_workers.protocol.v1.fields import Count, Strict


class Shelf(Strict):
    name: str = "shelf"
    books: Count = 1


class Library(Strict):
    shelves: list[Shelf]


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        ("[[shelves]]\nbooks = 1\n\n[[shelves]]\nbooks = 0\n", "line 5: shelves.1.books must be at least 1"),
        ("[[shelves]]\n[[shelves]]\nbook = 2", "line 3: shelves.1.book is not a known field; did you mean books?"),
        ("shelves = [{ books = 1 }, { books = 0 }]", "line 1: shelves.1.books must be at least 1"),
        ("shelves = [\n  { books = 1 },\n  { books = 0 },\n]", "line 1: shelves.1.books must be at least 1"),
    ],
)
def test_a_fault_in_one_of_many_tables_is_told_with_its_own_line(content: str, expected: str, tmp_path: Path) -> None:
    file = tmp_path / "library.toml"
    file.write_text(content)
    with pytest.raises(Unreadable) as raised:
        read_toml(file, Library)
    assert str(raised.value) == f"{file}: {expected}"
