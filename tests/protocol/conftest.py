"""Where the contract's files are, and validators for them."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

ROOT = Path(__file__).parents[2]

Validate = Callable[[str, Any], None]


@pytest.fixture(scope="session")
def root() -> Path:
    """The repository."""
    return ROOT


@pytest.fixture(scope="session")
def validate() -> Validate:
    """`validate("event", line)` raises where the committed schema does not accept it."""
    validators = {
        path.relative_to(ROOT / "schemas/v1").as_posix().removesuffix(".schema.json"): Draft202012Validator(
            json.loads(path.read_text())
        )
        for path in (ROOT / "schemas/v1").rglob("*.schema.json")
    }

    def check(name: str, document: Any) -> None:
        validators[name].validate(document)

    return check
