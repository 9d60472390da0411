"""A place of its own for the runs of a case: a home, variables, and a loopback API that plays the model."""

from __future__ import annotations

import os
import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from agent_workers.conformance.case import load_runs
from agent_workers.simulator import Scenario, parse_scenario, running_simulator

if TYPE_CHECKING:
    from collections.abc import Iterator

    from agent_workers.conformance.profile import Profile

_MARK = "CONFORMANCE_RUN"
KEY = "sk-ant-conform-0123456789abcdef"
"""The key that workers get for the loopback API. Nobody may ever read it in their output."""


class Place:
    """Where the runs of a case live.

    Args:
        root: An empty directory.
        env: What the worker needs of its caller's environment.
        url: Of the loopback API; None for a worker that asks no model.

    Attributes:
        mark: A text in the environment of the runs, and of no others.
        cwd: A directory to work in.
        env: Their environment.
    """

    def __init__(self, root: Path, env: dict[str, str], url: str | None) -> None:
        self.mark = f"{_MARK}={uuid4()}"
        self.root = root
        self.cwd = root / "work"
        folders = {"HOME": root / "home", "TMPDIR": root / "tmp", "AGENT_WORKERS_STATE_DIR": root / "state"}
        for folder in (self.cwd, *folders.values()):
            folder.mkdir()
        self.env = {
            **env,
            "PATH": os.environ.get("PATH", os.defpath),
            "TZ": "Asia/Kathmandu",  # so that local time is seen not to be UTC
            **{name: str(folder) for name, folder in folders.items()},
            "ANTHROPIC_API_KEY": KEY,
            **({"ANTHROPIC_BASE_URL": url} if url else {}),
            _MARK: self.mark.partition("=")[2],
        }


@contextmanager
def place_for(profile: Profile, run: str) -> Iterator[Place]:
    """Makes a place in which a worker does what the run says, and takes it away afterwards.

    Raises:
        ImportError: The extra ``simulator`` is not installed.
        ScenarioError: The profile's own script of the model is not valid.
    """
    env = {name: os.environ[name] for name in profile.env_allow if name in os.environ}
    with tempfile.TemporaryDirectory(prefix="agent-workers-conform-", ignore_cleanup_errors=True) as root:
        if not profile.asks_model:
            yield Place(Path(root), env, None)
            return
        with running_simulator(_scenario(profile, run)) as simulator:
            yield Place(Path(root), env, simulator.marked_url)


def _scenario(profile: Profile, run: str) -> str | Scenario:
    script: Any = profile.scenarios.get(run) or load_runs()[run]["scenario"]
    return script if isinstance(script, str) else parse_scenario(run, {"description": run, **script})
