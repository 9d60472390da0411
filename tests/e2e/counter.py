"""A person who runs tools: a policy that allows their servers, and the worker that has no model."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

from tests.e2e.worker import Ended, Home, Running

ODD = Path(__file__).parent / "odd_server.py"


class Counter:
    """Where tools are run.

    Args:
        home: Where the worker lives.
    """

    def __init__(self, home: Home) -> None:
        self.home = home
        self.notes = home.root / "notes"
        self.odd = {"name": "odd", "command": sys.executable, "args": [str(ODD), str(self.notes)]}

    def policy(self, *servers: dict[str, Any], more: str = "") -> dict[str, str]:
        """A policy that allows these servers, as a variable."""
        programs = [
            f"{{ command = {json.dumps(server['command'])}, args = {json.dumps(server.get('args', []))}, "
            f"env = {json.dumps(list(server.get('env', {})))} }}"
            for server in servers
            if "command" in server
        ]
        hosts = [server["url"].split("/")[2] for server in servers if "url" in server]
        file = self.home.root / "policy.toml"
        file.write_text(
            f"version = 1\n[task]\nmcp_commands = [{', '.join(programs)}]\nmcp_hosts = {json.dumps(hosts)}\n{more}"
        )
        return {"AGENT_WORKERS_POLICY": str(file)}

    def start(
        self,
        tool: str,
        *arguments: str,
        server: dict[str, Any] | None = None,
        stdout: int = subprocess.PIPE,
        **fields: Any,
    ) -> Running:
        """Starts a run; under ``--control`` its stdin stays open."""
        server = server or self.odd
        request = {"server": server, "tool": tool, **fields}
        running = self.home.start(*arguments, worker="agent-tool", env=self.policy(server), stdout=stdout)
        running.write(json.dumps(request).encode() + b"\n")
        if "--control" not in arguments:
            running.end_input()
        return running

    def run(self, tool: str, *arguments: str, server: dict[str, Any] | None = None, **fields: Any) -> Ended:
        """Runs a tool to its end."""
        return self.start(tool, *arguments, server=server, **fields).end()

    def noted(self) -> list[Any]:
        """What the server was told besides calls."""
        return [json.loads(line) for line in self.notes.read_text().splitlines()] if self.notes.exists() else []
