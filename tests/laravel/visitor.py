"""A visitor without a browser: cookies, the token of the page, and frames as they come."""

import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import httpx

from tests.waiting import PATIENCE_S


@dataclass
class Stream:
    """An open response."""

    response: httpx.Response

    def __post_init__(self) -> None:
        self._lines = self.response.iter_lines()

    @property
    def run(self) -> str:
        return self.response.headers["X-Agent-Run"]

    def events(self) -> Iterator[dict[str, Any]]:
        """The run's own events, without the heartbeats of the server."""
        for line in self._lines:
            if line.startswith("data: ") and "v" in (event := json.loads(line.removeprefix("data: "))):
                yield event

    def wait_for(self, kind: str) -> dict[str, Any]:
        """Reads up to the first event of this type."""
        return next(event for event in self.events() if event["type"] == kind)


class Visitor:
    """Someone with a session of their own."""

    def __init__(self, port: int) -> None:
        self.http = httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=PATIENCE_S, trust_env=False)
        page = self.http.get("/").raise_for_status().text
        found = re.search('csrf-token" content="([^"]+)', page)
        assert found
        self.token = found[1]

    @contextmanager
    def ask(self, prompt: str, address: str = "/agent/chat", **more: object) -> Iterator[Stream]:
        """Starts a run; leaving the context closes the connection."""
        headers = {
            "X-CSRF-TOKEN": self.token,
            "Accept": "text/event-stream",
            "Authorization": "Bearer canary-of-a-header",
        }
        with self.http.stream("POST", address, json={"prompt": prompt, **more}, headers=headers) as response:
            yield Stream(response)

    def post(self, address: str, body: object) -> httpx.Response:
        """Posts as the page does."""
        headers = {"X-CSRF-TOKEN": self.token, "Accept": "application/json"}
        return self.http.post(address, json=body, headers=headers)

    @contextmanager
    def resume(self, run: str, after: int) -> Iterator[Stream]:
        headers = {"Last-Event-ID": f"{run}:{after}", "Accept": "text/event-stream"}
        with self.http.stream("GET", f"/agent/runs/{run}/events", headers=headers) as response:
            yield Stream(response)
