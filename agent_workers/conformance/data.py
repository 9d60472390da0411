"""Where the cases lie: they are data, which other languages read too."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any


@cache
def folder() -> Path:
    """Returns the folder of the kit's data: beside this module in a wheel, at the top in a clone."""
    here = Path(__file__)
    return next(path for path in (here.with_name("v1"), here.parents[2] / "conformance" / "v1") if path.is_dir())


def page() -> Path:
    """Returns the page that says what the contract is; it lies beside that folder."""
    return folder().with_name("README.md")


def read(path: Path) -> Any:
    """Returns what a JSON file holds."""
    return json.loads(path.read_text("utf-8"))
