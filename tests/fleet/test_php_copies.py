"""The PHP bridge has copies of the fleet's rules."""

from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
RULES = ROOT / "agent_workers" / "fleet" / "scripts"
COPIES = sorted((ROOT / "php-bridge" / "resources" / "fleet").glob("*.lua"))


def test_the_bridge_has_what_it_needs() -> None:
    assert {copy.stem for copy in COPIES} == {"common", "submit", "control", "settle"}


@pytest.mark.parametrize("copy", COPIES, ids=lambda copy: copy.stem)
def test_a_copy_is_the_rule_itself(copy: Path) -> None:
    assert copy.read_bytes() == (RULES / copy.name).read_bytes(), f"copy it anew: cp {RULES / copy.name} {copy.parent}"
