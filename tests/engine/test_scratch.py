"""A run's directory for temporary files, while others are swept away."""

from pathlib import Path

import pytest

from agent_workers.engine.process import scratch


def test_a_directory_that_a_sweep_took_before_it_was_locked_is_made_anew(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    locked, swept = scratch._locked, []

    def swept_first(path: Path) -> int | None:
        if not swept:
            swept.append(path)
            path.rmdir()
        return locked(path)

    monkeypatch.setattr(scratch, "_locked", swept_first)
    made = scratch.make_scratch(tmp_path)
    assert made.is_dir()
    assert scratch.lock_of(made) is not None
    assert made not in swept
    scratch.remove_scratch(made)
