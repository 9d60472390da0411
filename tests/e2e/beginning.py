"""What tests begin from, such as a session to resume: made by one run, and there again for each test that needs it."""

import shutil
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Protocol, TypeVar

from tests.e2e.desk import Desk

K = TypeVar("K")
T = TypeVar("T")


class Begin(Protocol):
    """Brings a test's home to where some runs have left it.

    Args:
        name: Names what they left. They run once for all tests of the module that name it.
        make: Has them run, in the home as it is; what it returns is returned to each test, and is not to be changed.
    """

    def __call__(self, name: str, make: Callable[[Desk], T]) -> T: ...


class AtOnce(Protocol):
    """Has several runs at once and returns what each of them came to; see the fixture."""

    def __call__(self, names: Iterable[K], run: Callable[[Desk, K], T]) -> dict[K, T]: ...


class Beginnings:
    """Keeps what runs have left in a home, and brings it back.

    A session belongs to the directory in which it was held, so all is made and brought back at the same path.

    Args:
        folder: An empty directory.
    """

    def __init__(self, folder: Path) -> None:
        self.root = folder / "home"
        self._folder = folder
        self._made: dict[str, object] = {}

    def clear(self) -> None:
        """Empties the home."""
        if self.root.exists():
            shutil.rmtree(self.root)
        self.root.mkdir()

    def bring(self, name: str, make: Callable[[], T]) -> T:
        """Has the home as ``make`` left it, which is called once; returns what it returned."""
        kept = self._folder / f"after {name}"
        if name not in self._made:
            made = make()
            shutil.copytree(self.root, kept, symlinks=True)
            self._made[name] = made
        shutil.rmtree(self.root)
        shutil.copytree(kept, self.root, symlinks=True)
        return self._made[name]  # type: ignore[return-value]
