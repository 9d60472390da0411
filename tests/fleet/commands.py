"""The terminal side of a fleet, as its operators have it."""

import json
import subprocess
from pathlib import Path
from typing import Any

from tests.cli.conftest import Scripts
from tests.cli.terminal import Terminal
from tests.fleet.redis_server import RedisServer

Job = dict[str, Any]


class Commands:
    """Runs ``agent-workers fleet …`` against a Redis."""

    def __init__(self, home: Path, redis: RedisServer) -> None:
        home.mkdir(exist_ok=True)
        self.scripts = Scripts(home)
        self.variables = {"AGENT_WORKERS_REDIS": redis.url}

    def __call__(
        self, *words: str | Path, given: str | bytes = b"", **variables: str
    ) -> subprocess.CompletedProcess[str]:
        return self.scripts("agent-workers", "fleet", *words, given=given, env=self.variables | variables)

    def start(self, *words: str, **options: Any) -> subprocess.Popen[bytes]:
        """Starts a command that runs on; whoever starts it ends it."""
        return subprocess.Popen(
            [*map(str, self.command(*words))],
            env=self.scripts.environ(**self.variables),
            **{"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE, **options},
        )

    def command(self, *words: str) -> list[str]:
        return ["agent-workers", "fleet", *words]

    def at_terminal(self, *words: str, columns: int = 80, rows: int = 50) -> tuple[Terminal, int]:
        """Runs a command whose stdout is a terminal."""
        return self.scripts.at_terminal(*self.command(*words), columns=columns, rows=rows, **self.variables)

    def submit(self, *jobs: Job, options: tuple[str, ...] = ()) -> list[Job]:
        """Submits jobs; returns what it says of each."""
        ended = self("submit", *options, given="".join(f"{json.dumps(job)}\n" for job in jobs))
        assert (ended.returncode, ended.stderr) == (0, "")
        return [json.loads(line) for line in ended.stdout.splitlines()]
