"""What somebody else may put in the place of a file, in a directory that several users write."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest


def put_link(file: Path) -> None:
    file.rename(file.with_name("other"))
    file.symlink_to(file.with_name("other"))


def put_second_name(file: Path) -> None:
    file.with_name("other").hardlink_to(file)


def put_pipe(file: Path) -> None:
    file.unlink()
    os.mkfifo(file)


def give_away(file: Path) -> None:
    try:
        os.chown(file, 65534, -1)
    except PermissionError:
        pytest.skip("only root gives files away")


FOREIGN: list[Callable[[Path], None]] = [put_link, put_second_name, put_pipe, give_away]
