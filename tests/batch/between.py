"""A proxy before the API, which loses and holds answers, and answers in its place."""

import http.client
import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import urlsplit

from tests.waiting import PATIENCE_S


@dataclass(frozen=True)
class Passed:
    """The API answers, but its answer is ``cut`` after so many bytes, or held until ``until`` and then lost.

    Where nothing ``breaks``, the client takes what was cut for the whole.
    """

    cut: int | None = None
    breaks: bool = True
    until: threading.Event | None = None


@dataclass(frozen=True)
class Refused:
    """The proxy answers, and the API learns of nothing."""

    status: int
    error: str = "api_error"
    headers: dict[str, str] = field(default_factory=dict)

    @property
    def body(self) -> bytes:
        words = {"type": self.error, "message": f"The proxy says {self.status}."}
        return json.dumps({"type": "error", "error": words}).encode()


LOST = Passed(cut=0)
"""What was asked was done, and nobody learns of it."""
BROKEN = Refused(0)
"""The connection breaks before the request has arrived."""

Rule = Callable[[str, str], Passed | Refused | None]


class Between:
    """The proxy. ``rule`` is given method and path of each request; None lets it pass. ``seen`` are all requests."""

    def __init__(self, api: str) -> None:
        self.rule: Rule = lambda method, path: None
        self.seen: list[tuple[str, str]] = []
        self._api = urlsplit(api)
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._server.daemon_threads = True
        self.base_url = f"http://127.0.0.1:{self._server.server_port}"

    def next(self, *answers: Passed | Refused, method: str = "POST", path: str = "/v1/messages/batches") -> None:
        """Does this to the next requests of that method and path; later ones pass."""
        left = list(answers)

        def rule(its_method: str, its_path: str) -> Passed | Refused | None:
            return left.pop(0) if left and (its_method, its_path.partition("?")[0]) == (method, path) else None

        self.rule = rule

    def always(self, answer: Passed | Refused, method: str = "POST", path: str = "/v1/messages/batches") -> None:
        """Does this to each request of that method whose path begins so."""
        self.rule = lambda its_method, its_path: answer if its_method == method and its_path.startswith(path) else None

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        between = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def handle(self) -> None:
                with suppress(ConnectionError):  # where the client was killed
                    super().handle()

            def log_message(self, *arguments: Any) -> None:
                pass

            def do_GET(self) -> None:
                between._answer(self)

            do_POST = do_GET  # noqa: N815 called by that name

        return Handler

    def _answer(self, request: BaseHTTPRequestHandler) -> None:
        body = request.rfile.read(int(request.headers.get("content-length", 0)))
        self.seen.append((request.command, request.path))
        rule = self.rule(request.command, request.path) or Passed()
        if isinstance(rule, Refused):
            if rule.status:
                _tell(request, rule.status, {"content-type": "application/json", **rule.headers}, rule.body)
        else:
            self._pass(request, body, rule)
        request.close_connection = True

    def _pass(self, request: BaseHTTPRequestHandler, body: bytes, rule: Passed) -> None:
        connection = http.client.HTTPConnection(self._api.hostname or "", self._api.port, timeout=PATIENCE_S)
        headers = {name: value for name, value in request.headers.items() if name.lower() != "host"}
        connection.request(request.command, self._api.path + request.path, body, headers)
        response = connection.getresponse()
        length = None
        try:
            found = response.read()
        except http.client.IncompleteRead as cut:
            found, length = cut.partial, len(cut.partial) + 1
        response.close()
        connection.close()
        if rule.until:
            rule.until.wait(PATIENCE_S)
        elif rule.cut is None:
            _tell(request, response.status, {"content-type": response.getheader("content-type") or ""}, found, length)
        elif rule.cut:
            _tell(request, response.status, {}, found[: rule.cut], len(found) if rule.breaks else rule.cut)


def _tell(
    request: BaseHTTPRequestHandler, status: int, headers: dict[str, str], body: bytes, length: int | None = None
) -> None:
    request.send_response(status)
    for name, value in {**headers, "content-length": str(length or len(body)), "connection": "close"}.items():
        request.send_header(name, value)
    request.end_headers()
    request.wfile.write(body)


@contextmanager
def between(api: str) -> Iterator[Between]:
    """Runs a proxy before an API."""
    found = Between(api)
    serving = threading.Thread(target=found._server.serve_forever, args=(0.02,), daemon=True)
    serving.start()
    try:
        yield found
    finally:
        found._server.shutdown()
        found._server.server_close()
